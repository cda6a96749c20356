"""What payments keeps; one file per noun."""

from payments.models.exchange import GatewayRequest, GatewayResponse
from payments.models.provider import Provider

__all__ = ["GatewayRequest", "GatewayResponse", "Provider"]
