"""Rows as the audit trail and events keep them: JSON, amounts with exactly the currency's decimals."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from ledger.models.account import MoneyField
from ledger.money import format_amount

# Known from the row's own place, or no facts about it.
LEFT_OUT = frozenset(
    {"id", "recorded_at", "recorded_by", "association", "company", "created_at", "created_by"}
)


def facts_of(row: Model, *, currency: str) -> dict[str, Any]:
    """Return the row's columns by name, as JSON; ``currency`` is that of its amounts."""
    return {
        field.name: _written(field, getattr(row, field.attname), currency)
        for field in row._meta.concrete_fields
        if field.name not in LEFT_OUT
    }


def _written(field: Any, value: Any, currency: str) -> Any:
    if isinstance(field, MoneyField) and value is not None:
        return format_amount(value, currency)
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
