"""What is new about a payee, and what looks as if it were asked for twice: what approvers see beside it.

A payee is known in a company once another requisition that was not refused or withdrawn names him; so is
a destination once one of his carries it. Both are compared by keyed hashes, so that no destination is
decrypted and spelling, case and spaces of a name do not count.
"""

from uuid import UUID

from django.db.models import QuerySet

from ledger.clock import DatabaseClock
from ledger.encryption import blind_index
from treasury.models import Requisition
from treasury.risk import LOOKS_TWICE_WITHIN
from treasury.states import RequisitionStatus
from treasury.texts import same_name

NEW_PAYEE = "New payee: nobody of this name was asked to be paid here before."
NEW_DESTINATION = "New destination: this payee was to be paid elsewhere before."
WITHDRAWN = (RequisitionStatus.REJECTED, RequisitionStatus.CANCELLED)


def payee_index(name: str) -> str:
    """Return the keyed hash by which a payee's requisitions are found."""
    return blind_index(f"payee {same_name(name)}")


def payee_note(*, company_id: UUID, payee_index: str, destination_index: str, besides: UUID) -> str:
    """Return what is new about payee and destination in the company, "" when both are known.

    ``besides`` is the requisition that the note is for: it does not make its own payee known.
    """
    earlier = Requisition.objects.filter(company=company_id, payee_index=payee_index)
    earlier = earlier.exclude(status__in=WITHDRAWN).exclude(pk=besides)
    if not earlier.exists():
        return NEW_PAYEE
    if not earlier.filter(destination_index=destination_index).exists():
        return NEW_DESTINATION
    return ""


def look_alikes(requisition: Requisition) -> QuerySet[Requisition]:
    """Return other requisitions of the company for the same payee and amount, of late, not withdrawn."""
    rows = Requisition.objects.filter(
        company=requisition.company_id,
        payee_index=requisition.payee_index,
        amount=requisition.amount,
        currency=requisition.currency,
        requested_at__gte=DatabaseClock() - LOOKS_TWICE_WITHIN,
    )
    return rows.exclude(status__in=WITHDRAWN).exclude(pk=requisition.pk)
