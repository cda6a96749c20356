"""Measurements of the ledger: ratios within one run, on tables that are seeded and analysed.

``make bench`` prints them; they are no tests and judge nothing. Absolute times are those of one machine on
one day; what should stay is how they relate.
"""
