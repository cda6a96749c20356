"""Service periods: what an association of owners collects, spends, and shares among them."""
