"""Approval tiers: which approvals an amount needs, and which of them are still missing. Pure: no ORM.

A company's tiers are data. The tier of an amount is the one with the least limit that covers it; an amount
that no tier covers needs both approvals, so that missing data never makes it easier.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger.roles import Role

ONE = "one"
APPROVER_AND_CFO = "approver_and_cfo"
APPROVING_ROLES = (Role.APPROVER, Role.CFO)


@dataclass(frozen=True, slots=True)
class Tier:
    """Amounts up to and including ``up_to`` (None: any) need ``needs``, one of the names above."""

    up_to: Decimal | None
    needs: str


def needed_for(amount: Decimal, tiers: Iterable[Tier]) -> str:
    """Return what the amount needs, by the company's tiers in its currency."""
    covering = [tier for tier in tiers if tier.up_to is None or amount <= tier.up_to]
    if not covering:
        return APPROVER_AND_CFO
    return min(covering, key=lambda tier: (tier.up_to is None, tier.up_to or 0)).needs


def missing_roles(needs: str, given: Collection[str]) -> frozenset[Role]:
    """Return the roles of which an approval would help, after those ``given``; none: it is complete."""
    if needs == ONE:
        return frozenset() if given else frozenset(APPROVING_ROLES)
    return frozenset(role for role in APPROVING_ROLES if role.value not in given)


def is_complete(needs: str, given: Collection[str]) -> bool:
    """Whether the approvals given, each by another person, are all that is needed."""
    return not missing_roles(needs, given)


def role_to_give(held: Collection[Role], missing: Collection[Role]) -> Role | None:
    """Return the role in which a person's approval counts; None when he has none that is missing.

    Who could give either gives the CFO's, which fewer people can.
    """
    for role in (Role.CFO, Role.APPROVER):
        if role in held and role in missing:
            return role
    return None
