"""What payments keeps; one file per noun."""

from payments.models.bank_account import BankAccount
from payments.models.exchange import GatewayRequest, GatewayResponse
from payments.models.provider import Provider

__all__ = ["BankAccount", "GatewayRequest", "GatewayResponse", "Provider"]
