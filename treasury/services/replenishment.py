"""Replenishment: a fund runs low or a treasurer asks, a CFO agrees, a treasurer fills it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command, require_transaction
from ledger.models import Account, Side
from ledger.money import format_amount, parse_amount
from ledger.refusals import Conflict, RoleRequired
from ledger.services import posting
from ledger.services.posting import Line, Posting
from treasury import duties, locks
from treasury.dates import Today
from treasury.models import ReplenishmentRequest, TreasuryFund
from treasury.services.noting import note
from treasury.services.step_up import require_step_up
from treasury.services.telling import tell_replenishment
from treasury.states import (
    OPEN_REPLENISHMENTS,
    REPLENISHMENT,
    ReplenishmentStatus,
    require_transition,
)
from treasury.texts import require_text

Amount = str | int | Decimal
APPROVED = ("status", "approved_by", "approved_at", "approved_for", "delegation")


class ReplenishmentPending(Conflict):
    """The fund has a request that is neither funded nor rejected."""

    code = "replenishment_pending"
    title = "Replenishment pending"


def request_if_low(fund: TreasuryFund, actor: Actor) -> ReplenishmentRequest | None:
    """Ask for a locked fund to be filled up to its target if less is available than its reorder level.

    Runs in the caller's transaction. Returns the new request; None when enough is there, or when a request
    is open already.
    """
    require_transaction()
    account = Account.objects.get(pk=fund.account_id)
    if account.available >= fund.reorder_level or _is_open(fund):
        return None
    return _create(
        actor,
        ReplenishmentRequest(
            fund=fund,
            current_balance=account.balance,
            requested_amount=fund.target_level - account.available,
            reason="Less is available than the reorder level.",
            auto_triggered=True,
        ),
    )


@command("fund.replenish")
def replenish(*, actor: Actor, fund_id: UUID, amount: Amount, reason: str) -> ReplenishmentRequest:
    """Ask for an amount to be added to a fund, in its currency, and return the pending request.

    By a treasurer. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on ``amount`` and ``reason``,
    ``ReplenishmentPending`` while another request is open.
    """
    fund = locks.lock_fund(fund_id)
    duties.may_replenish(actor, fund)
    wanted = parse_amount(amount, fund.currency)
    reason = require_text(reason, field="reason")
    if _is_open(fund):
        raise ReplenishmentPending("A replenishment of this fund is still open.")
    request = ReplenishmentRequest(
        fund=fund,
        current_balance=fund.current_balance,
        requested_amount=wanted,
        reason=reason,
        requested_by=actor.user,
    )
    return _create(actor, request)


@command("replenishment.approve")
def approve_replenishment(*, actor: Actor, replenishment_id: UUID) -> ReplenishmentRequest:
    """Agree that the fund is filled; nothing is credited yet. By a CFO who did not record it.

    Raises ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``, ``IllegalTransition``.
    """
    request = locks.lock_replenishment(replenishment_id)
    authority = next(iter(duties.may_approve_replenishment(actor, request)), None)
    _require_step(request, ReplenishmentStatus.APPROVED)
    require_step_up(
        actor,
        company_id=request.company_id,
        currency=request.currency,
        amount=request.requested_amount,
    )
    before = replenishment_facts(request)
    request.status = ReplenishmentStatus.APPROVED
    request.approved_by = _person(actor)
    request.approved_at = database_now()
    if authority and authority.delegation:
        request.approved_for_id = authority.on_behalf_of_id
        request.delegation = authority.delegation
    request.save(update_fields=[*APPROVED])
    more = authority.facts() if authority else {}
    _record(actor, "replenishment.approve", request, before=before, more=more)
    tell_replenishment(request)
    return request


@command("replenishment.reject")
def reject_replenishment(
    *, actor: Actor, replenishment_id: UUID, reason: str
) -> ReplenishmentRequest:
    """Refuse a pending or approved request, saying why. By a CFO who did not record it.

    Raises ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``, ``InvalidInput``, ``IllegalTransition``.
    """
    request = locks.lock_replenishment(replenishment_id)
    ways = duties.may_reject_replenishment(actor, request)
    reason = require_text(reason, field="reason")
    _require_step(request, ReplenishmentStatus.REJECTED)
    before = replenishment_facts(request)
    request.status = ReplenishmentStatus.REJECTED
    request.rejected_by = _person(actor)
    request.rejected_at = database_now()
    request.rejection_reason = reason
    request.save(update_fields=["status", "rejected_by", "rejected_at", "rejection_reason"])
    _record(actor, "replenishment.reject", request, before=before, more=ways[0].facts())
    tell_replenishment(request)
    return request


@command("replenishment.fund")
def fund_replenishment(
    *, actor: Actor, replenishment_id: UUID, today: Today
) -> ReplenishmentRequest:
    """Credit the fund with what was approved, dated today, and mark when it was last replenished.

    By a treasurer who did not approve it. Raises ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``,
    ``IllegalTransition``.
    """
    request = locks.lock_replenishment(replenishment_id)
    duties.may_fund_replenishment(actor, request)
    _require_step(request, ReplenishmentStatus.FUNDED)
    before = replenishment_facts(request)
    now = database_now()
    request.journal_entry_id = _post(request, actor, today)
    request.status = ReplenishmentStatus.FUNDED
    request.funded_by = _person(actor)
    request.funded_at = now
    request.save(update_fields=["status", "funded_by", "funded_at", "journal_entry"])
    fund = request.fund
    fund.last_replenished = now
    fund.save(update_fields=["last_replenished"])
    _record(actor, "replenishment.fund", request, before=before)
    tell_replenishment(request)
    request_if_low(fund, actor)
    return request


def check_reorder_levels(*, actor: Actor) -> int:
    """Let every fund that is low and has not asked ask to be filled; returns how many did.

    Safe to run twice at once: each fund is looked at again under its lock, in a transaction of its own.
    """
    low = TreasuryFund.objects.filter(
        account__balance__lt=F("account__held") + F("reorder_level")
    ).exclude(replenishments__status__in=OPEN_REPLENISHMENTS)
    fund_ids = list(low.order_by("pk").values_list("pk", flat=True))
    return sum(_check_fund(actor=actor, fund_id=fund_id) for fund_id in fund_ids)


@command("fund.check_reorder_level")
def _check_fund(*, actor: Actor, fund_id: UUID) -> bool:
    return request_if_low(locks.lock_fund(fund_id), actor) is not None


def replenishment_facts(request: ReplenishmentRequest) -> dict[str, Any]:
    """Return the request as the audit trail keeps it."""
    return {
        "status": str(request.status),
        "fund": str(request.fund_id),
        "amount": format_amount(request.requested_amount, request.currency),
        "currency": request.currency,
        "reason": request.reason,
        "auto_triggered": request.auto_triggered,
        "rejection_reason": request.rejection_reason,
    }


def _is_open(fund: TreasuryFund) -> bool:
    return fund.replenishments.filter(status__in=OPEN_REPLENISHMENTS).exists()


def _create(actor: Actor, request: ReplenishmentRequest) -> ReplenishmentRequest:
    fund = request.fund
    request.company_id, request.currency = fund.company_id, fund.currency
    request.save(force_insert=True)
    request.refresh_from_db(fields=["created_at"])
    _record(actor, "replenishment.request", request, before=None)
    tell_replenishment(request)
    return request


def _post(request: ReplenishmentRequest, actor: Actor, today: Today) -> UUID:
    fund, amount = request.fund, request.requested_amount
    return posting.post(
        Posting(
            company_id=request.company_id,
            reference=request.reference,
            description=f"Replenishment of {fund.name}",
            effective_on=today(fund.company),
            lines=(
                Line(fund.account_id, Side.DEBIT, amount, request.currency),
                Line(fund.funding_account_id, Side.CREDIT, amount, request.currency),
            ),
            posted_by_id=actor.user_id,
        )
    )


def _person(actor: Actor) -> Any:
    if actor.user is None:
        raise RoleRequired("A replenishment is decided by people.")
    return actor.user


def _require_step(request: ReplenishmentRequest, target: ReplenishmentStatus) -> None:
    require_transition(REPLENISHMENT, request.status, target, noun="replenishment")


def _record(
    actor: Actor,
    action: str,
    request: ReplenishmentRequest,
    *,
    before: dict[str, Any] | None,
    more: dict[str, str] | None = None,
) -> None:
    note(actor, action, request, replenishment_facts(request) | (more or {}), before=before)
