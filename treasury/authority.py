"""In which role somebody may decide at a place: his own, or that of a colleague who delegated it to him.

A delegation holds from its first to its last day, by the civil date of the company and the database's
clock, as long as the delegator has the role there himself; what he has by delegation he cannot hand on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import DateField, F, Func, Q, QuerySet

from ledger.access import Place, roles_of, within_reach
from ledger.actor import Actor
from ledger.models import User
from ledger.once import once
from ledger.refusals import RoleRequired, SegregationOfDuties
from ledger.roles import Role
from treasury import segregation
from treasury.models import Delegation


class CivilDate(Func):
    """Today, by the database's clock, in the time zone that the expression names."""

    template = "(ledger_clock() AT TIME ZONE %(expressions)s)::date"
    output_field = DateField()
    arity = 1


@dataclass(frozen=True, slots=True)
class Authority:
    """A role to decide in, and the delegation it comes from; None where it is the person's own."""

    role: Role
    delegation: Delegation | None = None

    @property
    def on_behalf_of_id(self) -> UUID | None:
        return self.delegation.delegator_id if self.delegation else None

    def facts(self) -> dict[str, str]:
        """Return what the audit trail keeps of acting for somebody; nothing where nobody does."""
        if self.delegation is None:
            return {}
        return {
            "on_behalf_of": str(self.delegation.delegator_id),
            "delegation": str(self.delegation.pk),
        }


def active_delegations(user: User) -> QuerySet[Delegation]:
    """Return the delegations under which the user may act today."""
    rows = Delegation.objects.filter(delegate=user, ended_at=None, delegator__is_active=True)
    rows = rows.annotate(civil_date=CivilDate(F("company__time_zone")))
    rows = rows.filter(from_on__lte=F("civil_date"), until_on__gte=F("civil_date"))
    return rows.select_related("delegator").order_by("created_at", "delegation_id")


def acts_for(user: User, *roles: Role) -> list[Delegation]:
    """Return the same, of these roles or any, as a list; a page reads it once (``ledger.once``)."""
    found = once(("delegations", user.pk), lambda: list(active_delegations(user)))
    return [one for one in found if one.role in roles] if roles else found


def fund_in_reach(user: User, *roles: Role) -> Q:
    """The condition that a row's fund lies where the user has one of the roles.

    For rows whose company a law ties to the fund's: requisitions, payments, batches, replenishments.
    """
    return within_reach(user, "fund__", roles, own_company=True)


def authorities(user: User, place: Place, *roles: Role) -> list[Authority]:
    """Return in which of the roles the user may decide at the place, his own first."""
    where = {
        "company_id": place.company_id,
        "region_id": place.region_id,
        "branch_id": place.branch_id,
    }
    held = roles_of(user, **where)  # type: ignore[arg-type]
    found = [Authority(role) for role in roles if role in held]
    if not held:  # whoever sees nothing here acts for nobody here
        return found
    delegations = active_delegations(user).filter(company=place.company_id, role__in=roles)
    found += [
        Authority(Role(delegation.role), delegation)
        for delegation in delegations
        if Role(delegation.role) in roles_of(delegation.delegator, **where)  # type: ignore[arg-type]
    ]
    return found


def require_authority(actor: Actor, *roles: Role, place: Place) -> list[Authority]:
    """Return how the actor may decide at the place, at least one way; raise ``RoleRequired`` otherwise.

    A scheduled job is asked nothing.
    """
    if actor.user is None:
        return []
    found = authorities(actor.user, place, *roles)
    if not found:
        wanted = " or ".join(str(role.label) for role in roles)
        raise RoleRequired(f"This needs the role {wanted} here.")
    return found


def not_for(found: Collection[Authority], first_id: UUID | None, *, act: str) -> list[Authority]:
    """Return the ways to decide that are not in the name of ``first_id``, who took the first step.

    Raises ``SegregationOfDuties`` where he is the only one the actor could act for.
    """
    fit = [one for one in found if first_id is None or one.on_behalf_of_id != first_id]
    if found and not fit:
        raise SegregationOfDuties(f"Whoever you act for requested this: you may not {act} it.")
    return fit


def persons_of(user_id: UUID, authority: Authority) -> frozenset[UUID]:
    """Return who takes part when the user decides so: himself, and whoever he acts for."""
    return frozenset({user_id, *filter(None, [authority.on_behalf_of_id])})


def apart_from(
    user_id: UUID, found: Collection[Authority], involved: Collection[UUID], *, act: str
) -> list[Authority]:
    """Return the ways to decide in which nobody takes part who has already; raise where there is none."""
    fit = [one for one in found if persons_of(user_id, one).isdisjoint(involved)]
    for one in found if not fit else ():
        segregation.require_apart(persons=persons_of(user_id, one), involved=involved, act=act)
    return fit


def delegated_roles(user: User, place: Place) -> frozenset[Role]:
    """Return the roles that the user has at the place by delegation alone."""
    found = authorities(user, place, Role.APPROVER, Role.CFO)
    return frozenset(one.role for one in found if one.delegation)
