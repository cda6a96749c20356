"""What a glance at something that waits should tell: chips, each a word in a colour."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ledger.admin.cells import Badge
from ledger.money import Money
from ledger.once import once
from treasury import payees, tiers
from treasury.effects import effect_of
from treasury.models import ApprovalTier
from treasury.risk import Risk
from treasury.worklist.items import Item

DUE_AFTER = timedelta(hours=24)
LATE_AFTER = timedelta(hours=72)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LABELS = {
    "requisition": "Requisition",
    "variance": "Variance",
    "replenishment": "Replenishment",
    "review": "Outcome unknown",
    "batch": "Batch",
    "late": "Success after failure",
    "return": "Money came back",
}
Needs = Callable[[Item], str]


def needs_of(items: Iterable[Item]) -> Needs:
    """Return what tells which approvals an item needs; the tiers are read once for all."""
    companies = frozenset(item.fund.company_id for item in items)
    known: dict[tuple[object, str], list[tiers.Tier]] = {}
    for row in once(("tiers", companies), lambda: _tiers_of(companies)):
        tier = tiers.Tier(row.up_to, row.needs)
        known.setdefault((row.company_id, row.currency), []).append(tier)

    def needs(item: Item) -> str:
        return tiers.needed_for(item.amount, known.get((item.fund.company_id, item.currency), ()))

    return needs


def _tiers_of(companies: Collection[UUID]) -> list[ApprovalTier]:
    return list(ApprovalTier.objects.filter(company__in=companies).order_by())


def age_of(since: datetime, now: datetime) -> Badge:
    """How long it has waited, in words, and whether that is too long."""
    waited = max(now - since, timedelta(0))
    if waited < HOUR:
        words = f"{int(waited.total_seconds() // 60)} min"
    elif waited < 2 * DAY:
        words = f"{int(waited / HOUR)} h"
    else:
        words = f"{waited.days} days"
    if waited >= LATE_AFTER:
        return Badge(f"{words}: overdue", "bad")
    if waited >= DUE_AFTER:
        return Badge(f"{words}: due", "careful")
    return Badge(words)


def doubts_of(item: Item) -> list[Badge]:
    """What is unusual about an item and about the fund it goes out of."""
    note = getattr(item.row, "payee_note", "")
    found = (
        (note == payees.NEW_DESTINATION, Badge("Changed destination", "bad")),
        (item.looks_paid_twice, Badge("Looks like a duplicate", "bad")),
        (note == payees.NEW_PAYEE, Badge("First payment to this payee", "careful")),
    )
    badges = [badge for holds, badge in found if holds] + _doubts_of_fund(item)
    return [*badges, Badge("Question open", "busy")] if item.has_question else badges


def _doubts_of_fund(item: Item) -> list[Badge]:
    """Whether the fund has enough; of money that comes back it is not asked, which would be read row by row."""
    if item.kind == "return":
        return []
    effect = effect_of(item)
    if effect.is_short:
        return [Badge("Fund has not enough", "bad")]
    return [Badge("Fund low after", "careful")] if effect.is_low_after else []


def tier_of(item: Item, needs: Needs) -> list[Badge]:
    """For a requisition, whose agreement its amount needs."""
    if item.kind != "requisition":
        return []
    two = needs(item) == tiers.APPROVER_AND_CFO
    return [Badge("Two approvals", "busy") if two else Badge("One approval")]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue as the page shows it."""

    item: Item
    label: str
    age: Badge
    chips: list[Badge]
    money: str
    is_current: bool

    @property
    def is_risky(self) -> bool:
        return self.item.risk == Risk.HIGH


def rows_of(items: Iterable[Item], now: datetime, current: str) -> list[Row]:
    """Return the lines of a page of the queue."""
    items = list(items)
    needs = needs_of(items)
    return [
        Row(
            item,
            LABELS[item.kind],
            age_of(item.since, now),
            [*doubts_of(item), *tier_of(item, needs)],
            str(Money(item.amount, item.currency)),
            item.key == current,
        )
        for item in items
    ]
