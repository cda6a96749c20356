"""Periods' entrance for API clients."""
