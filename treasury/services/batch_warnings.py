"""What people should look at in the rows of a batch to be: new payees, and what looks asked for twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from ledger.clock import database_now
from ledger.rows import rows_of
from treasury import payees
from treasury.models import Requisition
from treasury.services.requisition_content import risk_of, tiers_of

if TYPE_CHECKING:
    from treasury.services.batch_rows import Plan

LOOK_BACK = timedelta(days=90)
MOST_WARNINGS = 5
ROWS_AT_ONCE = 1_000
Payee = tuple[str, str, Decimal]
# Each looks no further than it has to, by an index: a payee may have been paid ten thousand times.
NEWEST_ALIKE = """
    SELECT wanted.*, other.*
    FROM unnest(%s::text[], %s::text[], %s::numeric[]) AS wanted (payee, destination, amount)
    CROSS JOIN LATERAL (
        SELECT requisition_id, status, requested_at FROM treasury_requisition
        WHERE company_id = %s AND payee_index = wanted.payee AND amount = wanted.amount
          AND destination_index = wanted.destination AND requested_at >= %s AND stage <> 'withdrawn'
        ORDER BY requested_at DESC LIMIT %s) other
"""
ANY_ALIKE = """
    SELECT wanted.*
    FROM unnest(%s::text[], %s::numeric[]) AS wanted (payee, amount)
    CROSS JOIN LATERAL (
        SELECT FROM treasury_requisition
        WHERE company_id = %s AND payee_index = wanted.payee AND amount = wanted.amount
          AND requested_at >= %s AND stage <> 'withdrawn'
        LIMIT 1) other
"""


def warn(plan: "Plan") -> None:
    """Write beside each row that can be paid what people should look at; it stops nothing."""
    rows, since = plan.payable, database_now() - LOOK_BACK
    earlier, alike = _asked_before(plan, since), _amounts_before(plan, since)
    known, table = _known_payees(plan), tiers_of(plan.batch.company_id, plan.batch.currency)
    first: dict[Payee, int] = {}
    for row in rows:
        requisition = plan.targets[row.pk]
        payee = _payee(requisition, row.amount)
        if payee in first:
            row.warnings.append(_warning("duplicate_row", f"As in row {first[payee]}."))
        first.setdefault(payee, row.number)
        for other, message in earlier.get(payee, ()):
            if other != requisition.pk:
                row.warnings.append(_warning("duplicate_payee", message, requisition=str(other)))
        if row.raised:
            requisition.payee_note = _note(requisition, known)
            same = (requisition.payee_index, requisition.amount)
            requisition.risk = risk_of(requisition, looks_paid_twice=same in alike, table=table)
            alike.add(same)
        if requisition.payee_note:
            row.warnings.append(_warning("new_payee", requisition.payee_note))


def _warning(code: str, message: str, **more: str) -> dict[str, str]:
    return {"code": code, "message": message, **more}


def _payee(requisition: Requisition, amount: Decimal | None) -> Payee:
    return (requisition.payee_index, requisition.destination_index, amount or Decimal(0))


def _asked_before(plan: "Plan", since: datetime) -> dict[Payee, list[tuple[UUID, str]]]:
    """The newest that was asked for since then and not withdrawn, for each payee, destination and amount."""
    payable = {_payee(plan.targets[row.pk], row.amount) for row in plan.payable}
    wanted = [list(column) for column in zip(*filter(_is_known, payable), strict=True)]
    found: dict[Payee, list[tuple[UUID, str]]] = {}
    if wanted:
        told = (*wanted, plan.batch.company_id, since, MOST_WARNINGS)
        for payee, destination, amount, pk, status, at in rows_of(NEWEST_ALIKE, told):
            words = f"The same amount to this payee: requested on {at:%d %b %Y}, {status}."
            found.setdefault((payee, destination, amount), []).append((pk, words))
    return found


def _is_known(payee: Payee) -> bool:
    return bool(payee[0])


def _amounts_before(plan: "Plan", since: datetime) -> set[tuple[str, Decimal]]:
    """The payees and amounts that are asked for with the batch, and were already since then."""
    raised = {(one.payee_index, one.amount) for one in plan.raised if one.payee_index}
    wanted = [list(column) for column in zip(*raised, strict=True)]
    return set(rows_of(ANY_ALIKE, (*wanted, plan.batch.company_id, since))) if wanted else set()


def _known_payees(plan: "Plan") -> set[tuple[str, str]]:
    """The payees of the raised requisitions that the company knows, with their destinations."""
    found: set[tuple[str, str]] = set()
    for some in _chunks(plan.raised):
        rows = Requisition.objects.filter(
            company=plan.batch.company_id, payee_index__in={one.payee_index for one in some}
        ).exclude(status__in=payees.WITHDRAWN)
        found |= set(rows.values_list("payee_index", "destination_index").distinct())
    return found | {(payee, "") for payee, _ in found}


def _note(requisition: Requisition, known: set[tuple[str, str]]) -> str:
    if (requisition.payee_index, "") not in known:
        return payees.NEW_PAYEE
    if (requisition.payee_index, requisition.destination_index) not in known:
        return payees.NEW_DESTINATION
    return ""


def _chunks(rows: Sequence[Requisition]) -> Iterable[Sequence[Requisition]]:
    return (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))
