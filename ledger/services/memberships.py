"""Giving and taking roles. Only an administrator does, and the trail of the person keeps it."""

from uuid import UUID

from django.db import IntegrityError, transaction

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.models import Branch, Company, Membership, Region, User
from ledger.refusals import Conflict, InvalidInput, NotFound, RoleRequired
from ledger.roles import Role


class MembershipExists(Conflict):
    """The person has this role at this place already."""

    code = "membership_exists"
    title = "Membership exists"


@command("membership.grant")
def grant_membership(
    *,
    actor: Actor,
    user_id: UUID,
    company_id: UUID,
    role: Role,
    region_id: UUID | None = None,
    branch_id: UUID | None = None,
) -> Membership:
    """Give the user a role in a company, or in a region or branch of it, and return the membership.

    Raises ``RoleRequired`` unless the actor administers Bursar, ``NotFound`` for the user or company,
    ``InvalidInput`` on ``region`` or ``branch`` that lie elsewhere and on ``role``, ``MembershipExists``.
    """
    _require_administrator(actor)
    user = User.objects.filter(pk=user_id).first()
    if user is None or not Company.objects.filter(pk=company_id).exists():
        raise NotFound("There is no such person or company.")
    if role not in Role.values:
        raise InvalidInput.on("role", "There is no such role.")
    _require_place(company_id, region_id, branch_id)
    membership = Membership(
        user=user, company_id=company_id, region_id=region_id, branch_id=branch_id, role=role
    )
    try:
        with transaction.atomic():
            membership.save(force_insert=True)
    except IntegrityError as error:
        raise MembershipExists(f"{user} has this role there already.") from error
    audit.record(
        actor=actor,
        action="membership.grant",
        subject=_subject(user_id),
        company_id=company_id,
        after=_facts(membership),
    )
    return membership


@command("membership.revoke")
def revoke_membership(*, actor: Actor, user_id: UUID, membership_id: UUID) -> None:
    """Take a membership from the user; what he did with it stays.

    Raises ``RoleRequired`` unless the actor administers Bursar, ``NotFound`` when the user has no such
    membership.
    """
    _require_administrator(actor)
    membership = (
        Membership.objects.select_related("user", "company", "region", "branch")
        .filter(pk=membership_id, user=user_id)
        .first()
    )
    if membership is None:
        raise NotFound("There is no such membership.")
    facts = _facts(membership)
    membership.delete()
    audit.record(
        actor=actor,
        action="membership.revoke",
        subject=_subject(user_id),
        company_id=membership.company_id,
        before=facts,
    )


def _require_administrator(actor: Actor) -> None:
    if actor.user is not None and not (actor.user.is_active and actor.user.is_superuser):
        raise RoleRequired("Only an administrator gives and takes roles.")


def _require_place(company_id: UUID, region_id: UUID | None, branch_id: UUID | None) -> None:
    if region_id and not Region.objects.filter(pk=region_id, company=company_id).exists():
        raise InvalidInput.on("region", "This region belongs to another company.")
    if branch_id and not region_id:
        raise InvalidInput.on("region", "Say which region the branch is in.")
    if branch_id and not Branch.objects.filter(pk=branch_id, region=region_id).exists():
        raise InvalidInput.on("branch", "This branch belongs to another region.")


def _subject(user_id: UUID) -> str:
    return f"ledger.user:{user_id}"


def _facts(membership: Membership) -> dict[str, str]:
    places = (membership.company, membership.region, membership.branch)
    return {
        "role": str(Role(membership.role).label),
        "place": " / ".join(str(place) for place in places if place),
    }
