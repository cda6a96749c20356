"""A balance sheet as a document: canonical JSON that is hashed and kept.

It names neither version nor instant, and leaves out whom it has nothing to say of, so that an owner who joins
later changes no old sheet.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from ledger.money import format_amount
from periods.models import BudgetItem, ServicePeriod
from periods.reckoning import Reckoned
from periods.sheet import OwnerRow, Tie
from periods.states import Strategy
from periods.units import from_units

COLUMNS = (
    "opening",
    "contributions",
    "expenses_paid",
    "allocated",
    "service_charges",
    "closing",
)
TOTALS = (
    "opening",
    "contributions",
    "expenses_paid_by_owners",
    "expenses_paid_by_association",
    "expenses",
    "allocated",
    "unallocated",
    "service_charges",
    "closing",
    "cash_opening",
    "cash_closing",
    "equity_opening",
    "equity_closing",
)


def document_of(period: ServicePeriod, reckoned: Reckoned) -> dict[str, Any]:
    """Return a reckoned sheet as the document that is hashed and kept: JSON, amounts as text."""
    currency = period.association.currency
    sheet = reckoned.sheet

    def amounts(row: Any, names: Sequence[str]) -> dict[str, str]:
        return {name: _written(getattr(row, name), currency) for name in names}

    totals = amounts(sheet.totals, TOTALS)
    corrected = sheet.totals.cash_closing - _expected_cash(sheet.totals)
    return {
        "association": str(period.association_id),
        "period": str(period.pk),
        "start_date": period.start_date.isoformat(),
        "end_date": period.end_date.isoformat(),
        "currency": currency,
        "rule": str(reckoned.allocation.rule),
        "records": records_digest(period),
        "owners": [
            {"owner_id": str(reckoned.owners[row.owner]), **amounts(row, COLUMNS)}
            for row in sheet.owners
            if has_something(row)
        ],
        "items": _items(reckoned, currency),
        "totals": {**totals, "prior_periods": _written(corrected, currency)},
        "ties": [_tie(tie, currency) for tie in sheet.ties],
    }


def has_something(row: OwnerRow[int]) -> bool:
    """Whether an owner's line says anything."""
    return any(getattr(row, name) for name in COLUMNS)


def canonical(document: Mapping[str, Any]) -> str:
    """Write a document so that equal ones are equal texts."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(text: str) -> str:
    """Return the SHA-256 of a canonical document, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


# What lies behind the lines: who wrote it and under which id plays no part.
RECORDS = """
    SELECT encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' ORDER BY line), ''), 'UTF8')), 'hex')
    FROM (
        SELECT jsonb_build_array('contribution', owner_id, amount, date, comment)::text AS line
        FROM periods_contribution WHERE period_id = %(period)s AND voided_at IS NULL
        UNION ALL
        SELECT jsonb_build_array('charge', kind, owner_id, amount, date, description)::text
        FROM periods_servicecharge WHERE period_id = %(period)s AND voided_at IS NULL
        UNION ALL
        SELECT jsonb_build_array(kind, paid_by_id, payment_type, amount, date, vendor, description,
                                 budget_item_id)::text
        FROM periods_expense WHERE period_id = %(period)s AND voided_at IS NULL
    ) AS record
"""


def records_digest(period: ServicePeriod) -> str:
    """Return the SHA-256 of what is recorded in the period, in hexadecimal, whatever the order."""
    with connection.cursor() as cursor:
        cursor.execute(RECORDS, {"period": period.pk})
        digest: str = cursor.fetchone()[0]
    return digest


def _expected_cash(totals: Any) -> int:
    """The cash that the period's own records leave; more or less comes from corrected earlier periods."""
    left: int = totals.cash_opening + totals.contributions - totals.expenses_paid_by_association
    return left


def _items(reckoned: Reckoned, currency: str) -> list[dict[str, Any]]:
    bases = reckoned.allocation.bases
    known = {str(line.item.pk): line.item for line in reckoned.allocation.expenses if line.item}
    unused = [row.item for row in reckoned.sheet.items if row.item and row.item not in known]
    known |= {str(item.pk): item for item in BudgetItem.objects.filter(pk__in=unused)}
    rows = []
    for row in reckoned.sheet.items:
        item = known.get(row.item or "")
        basis = bases.get(item.pk) if item else None
        figures = {
            "budget": _written(row.budget, currency),
            "actual": _written(row.actual, currency),
            "variance": _written(row.variance, currency),
        }
        rows.append(
            {
                "budget_item": row.item,
                "payment_type": item.payment_type if item else "",
                "allocation_strategy": str(item.allocation_strategy if item else Strategy.NONE),
                "weights": str(basis.weights.units.total if basis else 0),
                **figures,
            }
        )
    return sorted(rows, key=lambda row: (row["budget_item"] is None, row["payment_type"]))


def _tie(tie: Tie, currency: str) -> dict[str, Any]:
    return {
        "name": tie.name,
        "holds": tie.holds,
        "left": _written(tie.left, currency),
        "right": _written(tie.right, currency),
        "about": tie.about,
    }


def _written(units: int, currency: str) -> str:
    return format_amount(from_units(units, currency), currency)
