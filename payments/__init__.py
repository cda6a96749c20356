"""Money in, and the gateways."""
