"""Reissuing: new versions of balance sheets whose opening balances changed, many at once.

Only what a correction moves is touched: the opening and closing of its owners, and cash and equity.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from ledger.actor import Actor
from ledger.money import minor_unit
from periods import duties
from periods.copying import copy_rows
from periods.models import BalanceSheet, Owner, ServicePeriod
from periods.services.tying import SheetDoesNotTie
from periods.sheets import COLUMNS, canonical, fingerprint

ZERO = Decimal(0)
SHEET = (
    "id",
    "association_id",
    "period_id",
    "version",
    "hash",
    "rule",
    "cash_closing",
    "equity_closing",
    "document",
    "generated_by_id",
)
# Which totals a correction moves, by what of it.
MOVED = {
    "opening": "owners",
    "closing": "owners",
    "cash_opening": "cash",
    "cash_closing": "cash",
    "equity_opening": "equity",
    "equity_closing": "equity",
}
TIED = {"T3": "owners", "T4": "cash", "T5": "cash", "T6": "owners", "T7": "owners"}


@dataclass(frozen=True, slots=True)
class Correction:
    """By how much each owner, the cash and what belongs to all stand higher from a period's end on."""

    differences: Mapping[UUID, Decimal]
    cash: Decimal
    equity: Decimal

    @property
    def owners(self) -> Decimal:
        return sum(self.differences.values(), ZERO)

    @property
    def is_some(self) -> bool:
        """Whether anything moved."""
        return bool(self.differences or self.cash or self.equity)


# Each line of the old sheet with its owner's difference; owners without a line get one.
LINES = """
    INSERT INTO periods_sheetline (sheet_id, owner_id, opening, contributions, expenses_paid, allocated,
                                   service_charges, closing)
    SELECT sheet.new, owner.id, moved.opening, moved.contributions, moved.expenses_paid, moved.allocated,
           moved.service_charges, moved.closing
    FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS sheet (old, new)
    CROSS JOIN periods_owner owner
    LEFT JOIN unnest(%(owners)s::uuid[], %(differences)s::numeric[]) AS carried (owner_id, difference)
        ON carried.owner_id = owner.id
    LEFT JOIN periods_sheetline line ON line.sheet_id = sheet.old AND line.owner_id = owner.id
    CROSS JOIN LATERAL (
        SELECT coalesce(line.opening, 0) + coalesce(carried.difference, 0) AS opening,
               coalesce(line.contributions, 0) AS contributions,
               coalesce(line.expenses_paid, 0) AS expenses_paid,
               coalesce(line.allocated, 0) AS allocated,
               coalesce(line.service_charges, 0) AS service_charges,
               coalesce(line.closing, 0) + coalesce(carried.difference, 0) AS closing
    ) AS moved
    WHERE owner.association_id = %(association)s
        AND (moved.opening, moved.contributions, moved.expenses_paid, moved.allocated,
             moved.service_charges, moved.closing) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
"""
VERSIONS = """
    UPDATE periods_serviceperiod period SET version = sheet.version
    FROM periods_balancesheet sheet
    WHERE sheet.id = ANY(%(new)s) AND period.id = sheet.period_id
"""


def reissue(
    actor: Actor, correction: Correction, periods: Sequence[ServicePeriod]
) -> list[tuple[UUID, UUID, UUID]]:
    """Write the next version of each locked period's sheet; return period, old and new sheet of each."""
    if not periods:
        return []
    association = periods[0].association
    versions = {period.pk: period.version for period in periods}
    old = [
        sheet
        for sheet in BalanceSheet.objects.filter(period__in=periods).order_by("period__start_date")
        if sheet.version == versions[sheet.period_id]
    ]
    new = [uuid4() for _ in old]
    numbers = dict(Owner.objects.filter(association=association).values_list("pk", "number"))
    changing = _Documents(correction, association.currency, numbers)
    person = duties.person(actor).pk
    copy_rows(
        "periods_balancesheet",
        SHEET,
        (_row(sheet, pk, changing, person) for sheet, pk in zip(old, new, strict=True)),
    )
    parameters: dict[str, Any] = {
        "old": [sheet.pk for sheet in old],
        "new": new,
        "owners": list(correction.differences),
        "differences": list(correction.differences.values()),
        "association": association.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(LINES, parameters)
        cursor.execute(VERSIONS, parameters)
    return [(sheet.period_id, sheet.pk, pk) for sheet, pk in zip(old, new, strict=True)]


def _row(sheet: BalanceSheet, pk: UUID, changing: "_Documents", person: UUID) -> tuple[Any, ...]:
    document = canonical(changing.changed(json.loads(sheet.document)))
    return (
        pk,
        sheet.association_id,
        sheet.period_id,
        sheet.version + 1,
        fingerprint(document),
        sheet.rule,
        sheet.cash_closing + changing.correction.cash,
        sheet.equity_closing + changing.correction.equity,
        document,
        person,
    )


class _Documents:
    """Applies a correction to the documents of sheets."""

    def __init__(self, correction: Correction, currency: str, numbers: Mapping[UUID, int]) -> None:
        self.correction = correction
        self.unit = Decimal(1).scaleb(-minor_unit(currency))
        self.zero = str(ZERO.quantize(self.unit))
        self.numbers = {str(pk): number for pk, number in numbers.items()}
        self.differences = {str(pk): one for pk, one in correction.differences.items()}

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document with the correction in it."""
        rows = {row["owner_id"]: row for row in document["owners"]}
        for owner, difference in self.differences.items():
            row = rows.setdefault(owner, {"owner_id": owner, **dict.fromkeys(COLUMNS, self.zero)})
            self._move(row, "opening", difference)
            self._move(row, "closing", difference)
            if all(row[name] == self.zero for name in COLUMNS):
                del rows[owner]
        document["owners"] = sorted(rows.values(), key=self._number)
        for name, what in MOVED.items():
            self._move(document["totals"], name, getattr(self.correction, what))
        for tie in document["ties"]:
            if tie["name"] in TIED:
                by = getattr(self.correction, TIED[tie["name"]])
                self._move(tie, "left", by)
                self._move(tie, "right", by)
        return document

    def _move(self, row: dict[str, Any], name: str, by: Decimal) -> None:
        row[name] = str((Decimal(row[name]) + by).quantize(self.unit))

    def _number(self, row: dict[str, Any]) -> int:
        return self.numbers[row["owner_id"]]


# Per period of the chain: T5, T6 and T7 for all owners at once, from the lines and the ledger.
BROKEN = """
    WITH sheet AS (
        SELECT sheet.id, period.id AS period_id, period.name, period.start_date, period.end_date,
               sheet.cash_closing - sheet.equity_closing AS owed,
               lag(sheet.id) OVER (ORDER BY period.start_date) AS previous
        FROM periods_serviceperiod period
        JOIN periods_balancesheet sheet
            ON sheet.period_id = period.id AND sheet.version = period.version
        WHERE period.id = ANY(%(periods)s)
    ), line AS (
        SELECT sheet.id AS sheet_id, sheet.previous, sheet.end_date, owner.id AS owner_id,
               coalesce(line.opening, 0) AS opening, coalesce(line.closing, 0) AS closing,
               lag(coalesce(line.closing, 0) - coalesce(held.back, 0)) OVER chain AS brought,
               sum(coalesce(moved.net, 0)) OVER chain AS in_the_books
        FROM sheet
        CROSS JOIN periods_owner owner
        LEFT JOIN periods_sheetline line ON line.sheet_id = sheet.id AND line.owner_id = owner.id
        LEFT JOIN LATERAL (
            SELECT sum(credit - debit) AS net FROM ledger_dailytotal
            WHERE account_id = owner.account_id AND "on" <= sheet.end_date
                AND (sheet.previous IS NULL OR "on" >= sheet.start_date)
        ) AS moved ON true
        LEFT JOIN (
            SELECT run.period_id, carried.owner_id, sum(carried.difference) AS back
            FROM periods_carrieddifference carried
            JOIN periods_recalculationrun run ON run.id = carried.run_id
            WHERE run.adjusted_period_id IS NOT NULL AND run.period_id = ANY(%(periods)s)
            GROUP BY run.period_id, carried.owner_id
        ) AS held ON held.period_id = sheet.period_id AND held.owner_id = owner.id
        WHERE owner.association_id = %(association)s
        WINDOW chain AS (PARTITION BY owner.id ORDER BY sheet.start_date)
    )
    SELECT sheet.name, CASE
        WHEN bool_or(line.closing <> line.in_the_books) THEN 'T7'
        WHEN bool_or(line.opening <> line.brought) THEN 'T6'
        ELSE 'T5' END
    FROM line JOIN sheet ON sheet.id = line.sheet_id
    GROUP BY sheet.id, sheet.name, sheet.owed, sheet.start_date
    HAVING bool_or(line.closing <> line.in_the_books)
        OR bool_or(line.opening <> line.brought)
        OR sum(line.closing) <> sheet.owed
    ORDER BY sheet.start_date
"""


def require_chain_tied(period: ServicePeriod, later: Sequence[ServicePeriod]) -> None:
    """Raise ``SheetDoesNotTie`` when one of the later periods' sheets does not fit books or chain."""
    with connection.cursor() as cursor:
        cursor.execute(
            BROKEN,
            {
                "periods": [period.pk, *(one.pk for one in later)],
                "association": period.association_id,
            },
        )
        broken = cursor.fetchall()
    if broken:
        said = [f"{name}: {tie}" for name, tie in broken]
        message = f"Recalculated, these do not tie: {', '.join(said)}."
        raise SheetDoesNotTie(message, errors={"ties": said})
