"""Writing down what was done, for the audit trail; inside the command."""

from typing import Any
from uuid import UUID

from ledger import audit
from ledger.actor import Actor
from ledger.audit import Facts
from treasury.models import Payment, Requisition
from treasury.services.facts import payment_facts, requisition_facts


def note(actor: Actor, action: str, row: Any, after: Facts, *, before: Facts | None = None) -> None:
    """Write what was done with a row that has a reference and a company: how it was, and how it is now."""
    audit.record(
        actor=actor,
        action=action,
        subject=row.reference,
        company_id=row.company_id,
        before=before,
        after=after,
    )


def note_payment(
    actor: Actor,
    action: str,
    payment: Payment,
    *,
    before: Facts | None,
    more: Facts | None = None,
) -> None:
    """Write what was done with a payment, how it was before (None: not there), and ``more`` that is known."""
    note(actor, action, payment, payment_facts(payment) | (more or {}), before=before)


def note_requisition(
    actor: Actor,
    action: str,
    requisition: Requisition,
    *,
    before: Facts | None,
    more: Facts | None = None,
) -> None:
    """Write what was done with a requisition, and ``more`` that is known of it."""
    after = requisition_facts(requisition) | (more or {})
    note(actor, action, requisition, after, before=before)


def note_company(
    actor: Actor,
    action: str,
    company_id: UUID,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Write which rule of a company was changed, how it was and how it is now."""
    audit.record(
        actor=actor,
        action=action,
        subject=f"treasury.company:{company_id}",
        company_id=company_id,
        before=before,
        after=after,
    )
