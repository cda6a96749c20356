"""The admin of gateways and banks: the accounts with them, and what went to and fro."""

from payments.admin import banks, exchanges, providers

__all__ = ["banks", "exchanges", "providers"]
