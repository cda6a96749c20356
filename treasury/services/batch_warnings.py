"""What people should look at in the rows of a batch to be: new payees, and what looks asked for twice."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from ledger.clock import database_now
from treasury import payees
from treasury.models import Requisition
from treasury.services.requisition_content import risk_of, tiers_of

if TYPE_CHECKING:
    from treasury.services.batch_rows import Plan

LOOK_BACK = timedelta(days=90)
MOST_WARNINGS = 5
ROWS_AT_ONCE = 1_000
Payee = tuple[str, str, Decimal]


def warn(plan: "Plan") -> None:
    """Write beside each row that can be paid what people should look at; it stops nothing."""
    rows = plan.payable
    earlier = _paid_before(plan)
    known, table = _known_payees(plan), tiers_of(plan.batch.company_id, plan.batch.currency)
    first: dict[Payee, int] = {}
    alike = {(payee, amount) for payee, _, amount in earlier}
    for row in rows:
        requisition = plan.targets[row.pk]
        payee = _payee(requisition, row.amount)
        if payee in first:
            row.warnings.append(_warning("duplicate_row", f"As in row {first[payee]}."))
        first.setdefault(payee, row.number)
        for other, message in earlier.get(payee, [])[:MOST_WARNINGS]:
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


def _paid_before(plan: "Plan") -> dict[Payee, list[tuple[UUID, str]]]:
    """What was asked for of these payees within 90 days, not withdrawn: by payee, destination, amount."""
    found: dict[Payee, list[tuple[UUID, str]]] = {}
    since = database_now() - LOOK_BACK
    for some in _chunks([plan.targets[row.pk] for row in plan.payable]):
        rows = Requisition.objects.filter(
            company=plan.batch.company_id,
            payee_index__in={one.payee_index for one in some if one.payee_index},
            requested_at__gte=since,
        ).exclude(status__in=payees.WITHDRAWN)
        values = ("pk", "payee_index", "destination_index", "amount", "status", "requested_at")
        for pk, payee, destination, amount, status, at in rows.order_by(
            "-requested_at"
        ).values_list(*values):
            words = f"The same amount to this payee: requested on {at:%d %b %Y}, {status}."
            found.setdefault((payee, destination, amount), []).append((pk, words))
    return found


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
