"""The API of payments: the accounts with gateways and banks."""
