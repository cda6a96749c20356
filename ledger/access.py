"""Access: which roles a person has at a place, and which rows he may see.

A membership in a company reaches all of it, one in a region that region and its branches, one in a
branch that branch. What belongs to the company as a whole (its regions, providers, policies) is seen by its
members everywhere; what tells about all of its parts (books, audit trail, events) by those alone whose
membership reaches all of it.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from ledger.actor import Actor
from ledger.models import Company, Membership, User
from ledger.once import once
from ledger.refusals import RoleRequired
from ledger.roles import READING_ROLES, Role
from ledger.rows import rows_of

Row = TypeVar("Row", bound=Model)
# Asked by every command. A null says: all of the company, all of the region.
ROLES_AT = """
    SELECT role FROM ledger_membership
    WHERE user_id = %s AND company_id = %s
        AND (region_id IS NULL OR region_id = %s AND (branch_id IS NULL OR branch_id = %s))
"""
Reached = tuple[UUID, UUID | None, UUID | None]


class Place(Protocol):
    """Anything that lies in a company and perhaps in a region and branch of it."""

    @property
    def company_id(self) -> UUID: ...
    @property
    def region_id(self) -> UUID | None: ...
    @property
    def branch_id(self) -> UUID | None: ...


def roles_of(
    user: User,
    *,
    company_id: UUID,
    region_id: UUID | None = None,
    branch_id: UUID | None = None,
) -> frozenset[Role]:
    """Return the roles that the user has at this place; a superuser has every one."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(Role)
    held = rows_of(ROLES_AT, (user.pk, company_id, region_id, branch_id))
    return frozenset(Role(role) for (role,) in held)


def roles_somewhere(user: User) -> frozenset[str]:
    """Return the roles that the user has at any place; a superuser has every one."""
    if user.is_superuser and user.is_active:
        return frozenset(Role.values)
    return frozenset(role for role, _ in memberships_of(user))


def require_role(
    actor: Actor, *roles: Role, place: Place, held: frozenset[Role] | None = None
) -> None:
    """Raise ``RoleRequired`` unless the actor has one of the roles at the place; a job may always.

    ``held`` are his roles there, where the caller has read them already.
    """
    if actor.user is None:
        return
    if held is None:
        held = roles_of(
            actor.user,
            company_id=place.company_id,
            region_id=place.region_id,
            branch_id=place.branch_id,
        )
    if held.isdisjoint(roles):
        raise RoleRequired(f"This needs the role {_either(roles)} here.")


def require_role_somewhere(actor: Actor, *roles: Role) -> None:
    """Raise ``RoleRequired`` unless the actor has one of the roles at any place; a job may always."""
    if actor.user is not None and not companies_of(actor.user, *roles).exists():
        raise RoleRequired(f"This needs the role {_either(roles)}.")


def _either(roles: Iterable[Role]) -> str:
    return " or ".join(str(role.label) for role in roles)


def visible(
    rows: QuerySet[Row],
    user: User,
    *,
    prefix: str = "",
    roles: Iterable[Role] = READING_ROLES,
    by_company_only: bool = False,
    whole_company: bool = False,
    own_company: bool = False,
) -> QuerySet[Row]:
    """Return the rows that the user may see.

    ``prefix`` leads from the row to what has ``company``, ``region`` and ``branch`` ("fund__"); rows that
    lie in a company as a whole pass ``by_company_only``, or ``whole_company`` when a membership in a part of it
    does not count. Where a law ties the row's ``own_company`` to that of what the prefix leads to, that is
    asked alone, without a join. Everything else is filtered out, so that another
    company's object is not found rather than forbidden.
    """
    if user.is_superuser and user.is_active:
        return rows
    places = _places(user, roles, whole_company=whole_company)
    reach = _reach_of(places, prefix, by_company_only=by_company_only, own_company=own_company)
    if prefix and _has_company(rows.model):
        # Says nothing new, but an index that begins with the row's own company is found by it.
        reach &= Q(company__in={company for company, _, _ in places})
    return rows.filter(reach)


def _has_company(model: type[Model]) -> bool:
    return any(field.name == "company" for field in model._meta.get_fields())


def within_reach(
    user: User,
    prefix: str = "",
    roles: Iterable[Role] = READING_ROLES,
    *,
    by_company_only: bool = False,
    whole_company: bool = False,
    own_company: bool = False,
) -> Q:
    """Return the condition behind ``visible``, to be combined with others without a subquery."""
    if user.is_superuser and user.is_active:
        return ~Q(pk__in=())
    places = _places(user, roles, whole_company=whole_company)
    return _reach_of(places, prefix, by_company_only=by_company_only, own_company=own_company)


def _places(user: User, roles: Iterable[Role], *, whole_company: bool) -> list[Reached]:
    """Return the company, region and branch of each membership with one of the roles."""
    wanted = frozenset(roles)
    found = (place for role, place in memberships_of(user) if role in wanted)
    if whole_company:
        found = (place for place in found if place[1] is None)
    return list(dict.fromkeys(found))


def memberships_of(user: User) -> list[tuple[str, Reached]]:
    """Return each role of somebody who is active, and where he has it."""

    def read() -> list[tuple[str, Reached]]:
        rows = Membership.objects.filter(user=user, user__is_active=True)
        told = rows.values_list("role", "company", "region", "branch")
        return [(role, (company, region, branch)) for role, company, region, branch in told]

    return once(("memberships", user.pk), read)


def _reach_of(
    places: Iterable[Reached], prefix: str, *, by_company_only: bool, own_company: bool
) -> Q:
    reach = Q(pk__in=())
    for place in places:
        reach |= _reach(prefix, *place, by_company_only=by_company_only, own_company=own_company)
    return reach


def _reach(
    prefix: str,
    company: UUID,
    region: UUID | None,
    branch: UUID | None,
    *,
    by_company_only: bool,
    own_company: bool,
) -> Q:
    """Return the condition that one membership gives."""
    reach = Q(**{"company" if own_company else f"{prefix}company": company})
    if by_company_only or region is None:
        return reach
    reach &= Q(**{f"{prefix}region": region})
    return reach if branch is None else reach & Q(**{f"{prefix}branch": branch})


def companies_of(user: User, *roles: Role) -> QuerySet[Company]:
    """Return the companies in which the user has one of the roles, or any reading role."""
    if user.is_superuser and user.is_active:
        return Company.objects.all()
    return Company.objects.filter(
        memberships__user=user,
        memberships__user__is_active=True,
        memberships__role__in=list(roles or READING_ROLES),
    ).distinct()


def companies_read_as_a_whole(user: User) -> QuerySet[Company]:
    """Return the companies all of which the user may read: their books, their audit trail."""
    if user.is_superuser and user.is_active:
        return Company.objects.all()
    reaching = Membership.objects.filter(
        user=user, user__is_active=True, region=None, role__in=list(READING_ROLES)
    )
    return Company.objects.filter(pk__in=reaching.values("company"))
