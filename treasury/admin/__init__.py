"""The admin of funds, requisitions, payments and what belongs to them."""

from treasury.admin import (
    attachments,
    attempts,
    bank,
    batches,
    delegations,
    fund_lines,
    funds,
    payments,
    policies,
    replenishments,
    requisitions,
    rules,
    variances,
)

__all__ = [
    "attachments",
    "attempts",
    "bank",
    "batches",
    "delegations",
    "fund_lines",
    "funds",
    "payments",
    "policies",
    "replenishments",
    "requisitions",
    "rules",
    "variances",
]
