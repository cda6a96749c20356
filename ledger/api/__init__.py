"""The API: what all floors' views share, and the ledger's own addresses.

A view translates and decides nothing. It finds its object within the caller's sight (404), asks the
service layer whether this person may do this at all (403), reads the input (400) and makes one domain
call, which checks the state (409, 422): the order of refusals that the contract gives.
"""
