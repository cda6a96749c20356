"""Whether a payment can be executed now, and by whom: the checks that a person can be told beforehand.

``services/execution.py`` asks the same functions again under the locks; what only the moment can tell (the
code being used up, the money being there) it settles with the database.
"""

from datetime import date
from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

from ledger.access import roles_of
from ledger.clock import database_now, today
from ledger.refusals import (
    Conflict,
    IllegalTransition,
    InsufficientFunds,
    Refusal,
    RoleRequired,
)
from ledger.roles import Role
from treasury import segregation
from treasury.states import (
    PaymentStatus,
    RequisitionStatus,
)

if TYPE_CHECKING:
    from ledger.models import User
    from treasury.models import Payment


class CodeRequired(Conflict):
    """The payment needs a code that its executor has verified within the last five minutes."""

    code = "otp_required"
    title = "Code required"


class RetryLimit(Conflict):
    """The payment has failed as often as it may."""

    code = "retry_limit"
    title = "Retry limit"


class NotApproved(Conflict):
    """The requisition is not approved just now, or what is approved is something else."""

    code = "requisition_not_approved"
    title = "Requisition not approved"


class NotDue(Conflict):
    """The payment is scheduled for a later day; take the day away to execute it now."""

    code = "not_due"
    title = "Not due"


def can_execute(payment: "Payment", user: "User") -> tuple[bool, str]:
    """Return whether the user could execute the payment now, and the reason if not, for people."""
    try:
        _require_executable(payment, user)
    except Refusal as refusal:
        return False, refusal.detail
    return True, ""


def _require_executable(payment: "Payment", user: "User") -> None:
    fund = payment.fund
    roles = roles_of(
        user, company_id=fund.company_id, region_id=fund.region_id, branch_id=fund.branch_id
    )
    if Role.TREASURER not in roles:
        raise RoleRequired("This needs the role Treasurer here.")
    require_duties(payment, user.pk)
    require_executable_state(payment)
    require_due(payment, on=today(fund.company))
    if payment.otp_required and not _has_verified(payment, user):
        raise CodeRequired("This payment needs a code that you have verified.")
    if fund.available_balance < payment.amount:
        raise InsufficientFunds("The fund has less available than this amount.")


def require_duties(
    payment: "Payment", user_id: UUID | None, approvers: frozenset[UUID] | None = None
) -> None:
    """Raise ``SegregationOfDuties`` if this person may never execute the payment.

    ``approvers`` is who approved it, where the caller has read that already.
    """
    segregation.require_not_requester(
        user_id=user_id, requester_id=payment.requester_id, act="execute"
    )
    if payment.separate_executor:
        segregation.require_separate_executor(
            user_id=user_id,
            requester_id=payment.requester_id,
            approver_ids=approver_ids(payment) if approvers is None else approvers,
            separate_executor=True,
        )


def approver_ids(payment: "Payment") -> frozenset[UUID]:
    """Return who approved the requisition as it is now, and in whose name."""
    requisition = payment.requisition
    approvals = requisition.all_approvals.filter(version=requisition.version)
    people = approvals.values_list("approver_id", "on_behalf_of_id")
    return frozenset(filter(None, chain.from_iterable(people)))


def require_executable_state(payment: "Payment") -> None:
    """Raise a ``Conflict`` unless payment and requisition are as they must be before money moves."""
    # The table lets an unknown payment go back to executing: that is the janitor's way, nobody else's.
    if payment.status != PaymentStatus.PENDING:
        raise IllegalTransition(f"A payment that is {payment.status} cannot be executed.")
    require_approved(payment)
    if payment.retry_count >= payment.max_retries:
        raise RetryLimit("This payment has failed as often as it may.")


def require_due(payment: "Payment", *, on: date) -> None:
    """Raise ``NotDue`` while the day of a scheduled payment has not come."""
    if payment.due_on is not None and on < payment.due_on:
        raise NotDue(f"This payment goes out on {payment.due_on}; unschedule it to pay now.")


def require_approved(payment: "Payment") -> None:
    """Raise ``NotApproved`` unless the requisition is approved, for this method and destination."""
    requisition = payment.requisition
    if requisition.status != RequisitionStatus.APPROVED:
        raise NotApproved(f"The requisition is {requisition.status}, not approved.")
    approved = (requisition.method, requisition.destination_index)
    if (payment.method, payment.destination_index) != approved:
        raise NotApproved("The requisition is now approved for another method or destination.")


def _has_verified(payment: "Payment", user: "User") -> bool:
    return payment.codes.filter(
        executor=user,
        payment_version=payment.version,
        verified_at__isnull=False,
        consumed_at=None,
        voided_at=None,
        expires_at__gt=database_now(),
    ).exists()
