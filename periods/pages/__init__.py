"""Pages of service periods outside the admin."""
