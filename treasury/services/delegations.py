"""Delegations: letting a colleague approve for a while, and ending that early."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from ledger.access import companies_of
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.models import Company, Membership, User
from ledger.refusals import Conflict, InvalidInput, RoleRequired
from ledger.roles import READING_ROLES, Role
from treasury import locks
from treasury.dates import Today
from treasury.models import Delegation
from treasury.services.noting import note
from treasury.texts import require_text

LONGEST = timedelta(days=92)
LONGEST_REASON = 255


class DelegationEnded(Conflict):
    """It is over already."""

    code = "delegation_ended"
    title = "Delegation ended"


@command("delegation.create")
def create_delegation(
    *,
    actor: Actor,
    company_id: UUID,
    role: str,
    delegate_id: UUID,
    from_on: date,
    until_on: date,
    reason: str,
    today: Today,
) -> Delegation:
    """Let a colleague approve in the actor's role from one day to another, both inclusive.

    The days are the company's; the first is not in the past and there are at most 92. The colleague works
    for the company already. Raises ``RoleRequired`` unless the actor has the role himself, and
    ``InvalidInput`` on the field.
    """
    company = Company.objects.filter(pk=company_id).first()
    if company is None:
        raise InvalidInput.on("company", "There is no such company.")
    delegator = _delegator(actor, company, role)
    delegate = _delegate(company, delegate_id, delegator)
    reason = require_text(reason, field="reason", longest=LONGEST_REASON)
    _require_days(from_on, until_on, today(company))
    delegation = Delegation(
        company=company,
        role=role,
        delegator=delegator,
        delegate=delegate,
        from_on=from_on,
        until_on=until_on,
        reason=reason,
    )
    delegation.save(force_insert=True)
    delegation.refresh_from_db(fields=["created_at"])
    note(actor, "delegation.create", delegation, delegation_facts(delegation))
    return delegation


@command("delegation.end")
def end_delegation(*, actor: Actor, delegation_id: UUID) -> Delegation:
    """End a delegation before its last day; by either of the two or another CFO of the company.

    Raises ``NotFound``, ``RoleRequired``, ``DelegationEnded``.
    """
    delegation = locks.lock_delegation(delegation_id)
    may_end_delegation(actor, delegation)
    if delegation.ended_at is not None:
        raise DelegationEnded("This delegation has been ended.")
    before = delegation_facts(delegation)
    delegation.ended_at = database_now()
    delegation.ended_by = actor.user
    delegation.save(update_fields=["ended_at", "ended_by"])
    note(actor, "delegation.end", delegation, delegation_facts(delegation), before=before)
    return delegation


def may_end_delegation(actor: Actor, delegation: Delegation) -> None:
    """The delegator, the delegate, or a CFO of the company."""
    if actor.user is None:
        raise RoleRequired("A delegation is ended by a person.")
    if actor.user_id in {delegation.delegator_id, delegation.delegate_id}:
        return
    if not companies_of(actor.user, Role.CFO).filter(pk=delegation.company_id).exists():
        raise RoleRequired("This needs the role CFO here.")


def delegation_facts(delegation: Delegation) -> dict[str, Any]:
    """Return the delegation as the audit trail keeps it."""
    return {
        "role": delegation.role,
        "delegator": str(delegation.delegator_id),
        "delegate": str(delegation.delegate_id),
        "from_on": delegation.from_on.isoformat(),
        "until_on": delegation.until_on.isoformat(),
        "reason": delegation.reason,
        "ended": delegation.ended_at is not None,
    }


def _delegator(actor: Actor, company: Company, role: str) -> User:
    """The actor, where he has the role by a membership of his own."""
    if role not in Delegation.DelegatedRole.values:
        raise InvalidInput.on("role", "Only the roles of approver and CFO are delegated.")
    held = Membership.objects.filter(user=actor.user, company=company, role=role)
    if actor.user is None or not held.exists():
        raise RoleRequired(f"Only whoever is {Role(role).label} here may delegate that.")
    return actor.user


def _delegate(company: Company, delegate_id: UUID, delegator: User) -> User:
    """The colleague: another person who is active and works for the company."""
    colleagues = User.objects.filter(
        is_active=True, memberships__company=company, memberships__role__in=list(READING_ROLES)
    )
    delegate = colleagues.filter(pk=delegate_id).distinct().first()
    if delegate is None:
        raise InvalidInput.on("delegate", "There is no such colleague in this company.")
    if delegate.pk == delegator.pk:
        raise InvalidInput.on("delegate", "Choose somebody else than yourself.")
    return delegate


def _require_days(from_on: date, until_on: date, today: date) -> None:
    if from_on < today:
        raise InvalidInput.on("from_on", "A delegation does not begin in the past.")
    if until_on < from_on:
        raise InvalidInput.on("until_on", "The last day is not before the first.")
    if until_on - from_on >= LONGEST:
        raise InvalidInput.on("until_on", f"A delegation lasts at most {LONGEST.days} days.")
