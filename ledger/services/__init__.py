"""What the ledger does; one verb, one function."""
