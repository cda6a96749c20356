"""Writing down what was done with a requisition or a payment, for the audit trail; inside the command."""

from typing import Any

from ledger import audit
from ledger.actor import Actor
from treasury.models import Payment, Requisition
from treasury.services.facts import payment_facts, requisition_facts


def note_payment(
    actor: Actor, action: str, payment: Payment, *, before: dict[str, Any] | None
) -> None:
    """Write what was done with a payment, how it was before (None: not there) and how it is now."""
    audit.record(
        actor=actor,
        action=action,
        subject=payment.reference,
        company_id=payment.company_id,
        before=before,
        after=payment_facts(payment),
    )


def note_requisition(
    actor: Actor,
    action: str,
    requisition: Requisition,
    *,
    before: dict[str, Any] | None,
    more: dict[str, Any] | None = None,
) -> None:
    """Write what was done with a requisition, and ``more`` that is known of it."""
    audit.record(
        actor=actor,
        action=action,
        subject=requisition.reference,
        company_id=requisition.company_id,
        before=before,
        after=requisition_facts(requisition) | (more or {}),
    )
