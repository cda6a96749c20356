"""Safaricom's Daraja: M-Pesa payments to customers (B2C), their status, and the account's balance.

``client.py`` makes the calls; ``requests.py`` builds what is sent, ``responses.py`` reads the immediate
answers, ``results.py`` the results that come by callback, ``codes.py`` holds every known code,
``security.py`` the credentials. All but the client are pure.
"""

from payments.gateways.daraja.client import query_balance, query_status, send_b2c
from payments.gateways.daraja.results import (
    Result,
    UnreadableResult,
    classify_b2c_result,
    classify_status_result,
    classify_timeout,
    parse_balances,
    parse_result,
    passes_after_s,
)

__all__ = [
    "Result",
    "UnreadableResult",
    "classify_b2c_result",
    "classify_status_result",
    "classify_timeout",
    "parse_balances",
    "parse_result",
    "passes_after_s",
    "query_balance",
    "query_status",
    "send_b2c",
]
