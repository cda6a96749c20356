"""What periods does; one verb, one function."""
