"""What treasury does; one verb, one function."""
