"""Taking a payment back in the books, once the money itself came back."""

from uuid import UUID

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import Conflict
from ledger.services import posting
from treasury import duties, locks
from treasury.dates import Today
from treasury.models import Payment
from treasury.services.facts import payment_facts
from treasury.services.telling import tell_payment
from treasury.states import PAYMENT, PaymentStatus, VarianceStatus, require_transition
from treasury.texts import require_text


class VariancePending(Conflict):
    """A variance of the payment waits for its decision."""

    code = "variance_pending"
    title = "Variance pending"


@command("payment.reverse")
def reverse_payment(*, actor: Actor, payment_id: UUID, evidence: str, today: Today) -> Payment:
    """Reverse a payment whose money came back, variances included, and return it; by a CFO.

    The fund is credited by mirror entries dated today; nothing that was booked is changed. ``evidence``
    says how the return is known. Raises ``RoleRequired``, ``SegregationOfDuties`` for its requester and
    executor, ``InvalidInput``, ``IllegalTransition``, ``VariancePending``.
    """
    payment = locks.lock_payment(payment_id)
    duties.may_reverse(actor, payment)
    text = require_text(evidence, field="evidence")
    require_transition(PAYMENT, payment.status, PaymentStatus.REVERSED, noun="payment")
    if payment.variances.filter(status=VarianceStatus.PENDING).exists():
        raise VariancePending("Decide on the variance of this payment first.")
    before = payment_facts(payment)
    for number, entry_id in enumerate(_entries_of(payment), start=1):
        posting.reverse(
            journal_entry_id=entry_id,
            reference=f"{payment.reference}:reversal:{number}",
            description=f"Money came back from {payment.requisition.payee_name}",
            effective_on=today(payment.fund.company),
            posted_by_id=actor.user_id,
        )
    payment.status = PaymentStatus.REVERSED
    payment.save(update_fields=["status"])
    tell_payment(payment)
    audit.record(
        actor=actor,
        action="payment.reverse",
        subject=payment.reference,
        company_id=payment.company_id,
        before=before,
        after={**payment_facts(payment), "evidence": text},
    )
    return payment


def _entries_of(payment: Payment) -> list[UUID]:
    """What the payment booked, its own entry first: with that money back, a correction can go out."""
    corrections = payment.variances.filter(journal_entry__isnull=False).order_by("created_at")
    return [
        payment.execution.journal_entry_id,
        *corrections.values_list("journal_entry", flat=True),
    ]
