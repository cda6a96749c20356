"""Above a company's threshold whoever decides has shown his second factor a moment ago."""

from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.refusals import Conflict
from ledger.services.second_factor import has_stepped_up
from treasury.models import PaymentPolicy


class StepUpRequired(Conflict):
    """The amount needs a fresh second factor, shown in this session or by this token."""

    code = "step_up_required"
    title = "Second factor required"


def require_step_up(actor: Actor, *, company_id: UUID, currency: str, amount: Decimal) -> None:
    """Raise ``StepUpRequired`` above the company's threshold, unless the actor has just shown who he is."""
    policy = PaymentPolicy.objects.filter(company=company_id, currency=currency)
    above = policy.values_list("step_up_above", flat=True).first()
    if above is not None and amount > above:
        require_fresh(actor)


def require_fresh(actor: Actor) -> None:
    """Raise ``StepUpRequired`` unless the actor has just shown his second factor."""
    if not has_stepped_up(actor):
        raise StepUpRequired(
            "This amount needs your second factor. Confirm that it is you at /account/step-up/ or"
            " /api/auth/step-up/, and ask again."
        )
