"""What is new about a payee: the note that approvers see beside a requisition.

A payee is known in a company once another requisition that was not refused or withdrawn names him; so is
a destination once one of his carries it. Both are compared by keyed hashes, so that no destination is
decrypted and spelling, case and spaces of a name do not count.
"""

from uuid import UUID

from ledger.encryption import blind_index
from treasury.models import Requisition
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
