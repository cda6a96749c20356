"""The admin of gateways: the accounts with them, and what went to and fro."""

from payments.admin import exchanges, providers

__all__ = ["exchanges", "providers"]
