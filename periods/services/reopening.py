"""Reopening a closed period: for a reason, and by two persons once statements of it were sent.

Until the second confirms, whoever asked may take it back; instead of confirming, he may reject it.
"""

from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.refusals import Conflict, InvalidInput, NotFound, RuleBroken
from periods import duties, locks
from periods.allocation import NoWeight
from periods.facts import facts_of
from periods.models import ReopenRequest, ServicePeriod
from periods.selectors import statements_sent, waiting_reopening
from periods.services.consumption_charges import follow_all
from periods.services.noting import note
from periods.services.opening import tell_period
from periods.services.sharing_out import take_back
from periods.states import PeriodStatus
from treasury.texts import require_text


class PeriodNotClosed(Conflict):
    """Only a closed period is opened again."""

    code = "period_not_closed"
    title = "Period not closed"


class ReopeningWaits(Conflict):
    """Somebody asked for this already; another person confirms it."""

    code = "reopening_waits"
    title = "Reopening waits"


class WeightsMissing(RuleBroken):
    """A reopened period follows today's weights, and there are none."""

    code = "no_weight"
    title = "No weight"


@command("period.reopen")
def reopen_period(*, actor: Actor, period_id: UUID, reason: str) -> ReopenRequest:
    """Open a closed period again and return the request, which waits where statements were sent.

    What the close shared is taken back, and consumption is charged by today's weights; closed periods after
    this one are stale until it is closed again. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``
    (``reason_required``), ``PeriodNotClosed``, ``ReopeningWaits``, ``WeightsMissing``, ``OwnershipGap``.
    """
    association, chain = locks.lock_chain(period_id)
    duties.may_close(actor, association)
    period = chain[0]
    request = ReopenRequest(
        association=association,
        period=period,
        reason=_reason(reason, "Say why it is opened again."),
        needs_approval=statements_sent(period),
        requested_by=duties.person(actor),
    )
    _require_closed(period)
    if waiting_reopening(period):
        raise ReopeningWaits("Somebody asked to reopen this period already.")
    if not request.needs_approval:
        request.reopened_at = database_now()
    request.save(force_insert=True)
    request.refresh_from_db(fields=["requested_at"])
    note(actor, "period.ask_to_reopen", request, association=association)
    if not request.needs_approval:
        _reopen(actor, chain)
    return request


@command("period.approve_reopening")
def approve_reopening(*, actor: Actor, period_id: UUID) -> ReopenRequest:
    """Confirm, as another person, that a period is opened again, and return the request.

    Raises ``NotFound`` when nobody asked for it, ``RoleRequired``, ``SegregationOfDuties``,
    ``PeriodNotClosed``, ``WeightsMissing``, ``OwnershipGap``.
    """
    association, chain = locks.lock_chain(period_id)
    duties.may_close(actor, association)
    period = chain[0]
    request = _asked_for(period)
    duties.may_decide_reopening(actor, request, act="confirm")
    _require_closed(period)
    before = facts_of(request, currency=association.currency)
    request.approved_by, request.reopened_at = duties.person(actor), database_now()
    request.save(update_fields=["approved_by", "reopened_at"])
    note(actor, "period.approve_reopening", request, association=association, before=before)
    _reopen(actor, chain)
    return request


@command("period.withdraw_reopening")
def withdraw_reopening(*, actor: Actor, period_id: UUID) -> ReopenRequest:
    """Take back that one asked to reopen a period, while nobody has confirmed it; return the request.

    Raises ``NotFound`` when nobody asked for it, ``RoleRequired`` where somebody else did.
    """
    association, (period, *_) = locks.lock_chain(period_id)
    duties.may_close(actor, association)
    request = _asked_for(period)
    duties.may_withdraw_reopening(actor, request)
    before = facts_of(request, currency=association.currency)
    request.withdrawn_at = database_now()
    request.save(update_fields=["withdrawn_at"])
    note(actor, "period.withdraw_reopening", request, association=association, before=before)
    return request


@command("period.reject_reopening")
def reject_reopening(*, actor: Actor, period_id: UUID, reason: str) -> ReopenRequest:
    """Say no, as another person and with a reason, to opening a period again; return the request.

    Raises ``NotFound`` when nobody asked for it, ``RoleRequired``, ``SegregationOfDuties``, ``InvalidInput``.
    """
    association, (period, *_) = locks.lock_chain(period_id)
    duties.may_close(actor, association)
    request = _asked_for(period)
    duties.may_decide_reopening(actor, request, act="reject")
    before = facts_of(request, currency=association.currency)
    request.rejection_reason = _reason(reason, "Say why it stays closed.")
    request.rejected_by, request.rejected_at = duties.person(actor), database_now()
    request.save(update_fields=["rejected_by", "rejected_at", "rejection_reason"])
    note(actor, "period.reject_reopening", request, association=association, before=before)
    return request


def _reopen(actor: Actor, chain: list[ServicePeriod]) -> None:
    """Take back what the close of the first period did; those after it are stale from now on."""
    period, *later = chain
    before = facts_of(period, currency=period.association.currency)
    take_back(actor, period)
    period.status, period.closed_at, period.closed_by = PeriodStatus.OPEN, None, None
    period.save(update_fields=["status", "closed_at", "closed_by"])
    _follow_weights(actor, period)
    closed = [one.pk for one in later if one.status == PeriodStatus.CLOSED]
    ServicePeriod.objects.filter(pk__in=closed).update(status=PeriodStatus.STALE)
    note(actor, "period.reopen", period, association=period.association, before=before)
    tell_period("period.reopened", period)


def _follow_weights(actor: Actor, period: ServicePeriod) -> None:
    """Charge its consumption by today's weights, by which its expenses will be shared: a sheet has one set."""
    try:
        follow_all(period, actor)
    except NoWeight as error:
        raise WeightsMissing(
            "Consumption that all share would be left with nobody to pay it: no property that shares it has"
            " a weight today. Give one a weight, then open the period."
        ) from error


def _asked_for(period: ServicePeriod) -> ReopenRequest:
    """Return the request that waits."""
    request = waiting_reopening(period)
    if request is None:
        raise NotFound("Nobody asked to reopen this period.")
    return request


def _require_closed(period: ServicePeriod) -> None:
    if period.status == PeriodStatus.OPEN:
        raise PeriodNotClosed(f"{period.name} is open.")


def _reason(reason: str, wanted: str) -> str:
    if not reason.strip():
        raise InvalidInput.on("reason", wanted, code="reason_required")
    return require_text(reason, field="reason")
