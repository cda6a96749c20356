"""Pages for people outside the admin: the approvals of a CFO, and the treasury at a glance.

Plain Django templates under a strict content security policy, with one small script of our own.
"""
