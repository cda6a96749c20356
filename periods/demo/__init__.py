"""Demo data: an owners' association with a year of periods, made by the services people use.

Its days are real: the last four quarters that are over, and the one that today lies in.
"""
