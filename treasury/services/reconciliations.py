"""Reconciliation: somebody who did not execute a payment compared it with the outside world."""

from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import RoleRequired
from treasury import duties, locks
from treasury.models import Payment, Reconciliation
from treasury.services.facts import payment_facts
from treasury.services.noting import note_payment
from treasury.services.telling import tell_payment
from treasury.states import PAYMENT, PaymentStatus, require_transition
from treasury.texts import optional_text

LONGEST_NOTE = 255


@command("payment.reconcile")
def reconcile_payment(*, actor: Actor, payment_id: UUID, note: str = "") -> Payment:
    """Mark a successful payment as reconciled, and return it. By a reconciler who did not execute it.

    Raises ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``, ``InvalidInput``, ``IllegalTransition``.
    """
    payment = locks.lock_payment(payment_id)
    duties.may_reconcile(actor, payment)
    note = optional_text(note, field="note", longest=LONGEST_NOTE)
    require_transition(PAYMENT, payment.status, PaymentStatus.RECONCILED, noun="payment")
    if actor.user is None:
        raise RoleRequired("A payment is reconciled by a person.")
    before = payment_facts(payment)
    Reconciliation.objects.create(
        payment=payment,
        executor_id=payment.execution.executor_id,
        reconciled_by=actor.user,
        note=note,
    )
    payment.status = PaymentStatus.RECONCILED
    payment.save(update_fields=["status"])
    tell_payment(payment)
    note_payment(actor, "payment.reconcile", payment, before=before, more={"note": note})
    return payment
