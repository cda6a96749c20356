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
from ledger.money import format_amount, minor_unit
from periods import duties
from periods.copying import copy_rows
from periods.models import BalanceSheet, Owner, ServicePeriod
from periods.services.tying import SheetDoesNotTie
from periods.sheet_document import COLUMNS, canonical, fingerprint
from periods.units import to_units

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
    """Applies a correction to the documents of sheets, in minor units."""

    def __init__(self, correction: Correction, currency: str, numbers: Mapping[UUID, int]) -> None:
        self.correction = correction
        self.decimals = minor_unit(currency)
        self.zero = format_amount(ZERO, currency)
        self.numbers = {str(pk): number for pk, number in numbers.items()}
        self.differences = {
            str(pk): to_units(one, currency) for pk, one in correction.differences.items()
        }
        self.moved = {
            "owners": to_units(correction.owners, currency),
            "cash": to_units(correction.cash, currency),
            "equity": to_units(correction.equity, currency),
        }

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document with the correction in it."""
        rows = {row["owner_id"]: row for row in document["owners"]}
        for owner, difference in self.differences.items():
            row = rows.setdefault(owner, {"owner_id": owner, **dict.fromkeys(COLUMNS, self.zero)})
            self._move(row, "opening", difference)
            self._move(row, "closing", difference)
            if row["opening"] == self.zero and all(row[name] == self.zero for name in COLUMNS):
                del rows[owner]
        document["owners"] = sorted(rows.values(), key=self._number)
        for name, what in MOVED.items():
            self._move(document["totals"], name, self.moved[what])
        for tie in document["ties"]:
            if tie["name"] in TIED:
                self._move(tie, "left", self.moved[TIED[tie["name"]]])
                self._move(tie, "right", self.moved[TIED[tie["name"]]])
        return document

    def _move(self, row: dict[str, Any], name: str, by: int) -> None:
        units = int(row[name].replace(".", "")) + by
        if self.decimals:
            digits = str(abs(units)).rjust(self.decimals + 1, "0")
            sign = "-" if units < 0 else ""
            row[name] = f"{sign}{digits[: -self.decimals]}.{digits[-self.decimals :]}"
        else:
            row[name] = str(units)

    def _number(self, row: dict[str, Any]) -> int:
        return self.numbers[row["owner_id"]]


# Per period of the chain: T5, T6 and T7 for all owners at once, from the lines and the ledger. What is known
# is added up rather than joined, so that it costs what it has rows, whatever the planner thinks of them.
BROKEN = """
    WITH sheet AS (
        SELECT sheet.id, period.id AS period_id, period.name,
               sheet.cash_closing - sheet.equity_closing AS owed,
               row_number() OVER (ORDER BY period.start_date)::integer AS place
        FROM periods_serviceperiod period
        JOIN periods_balancesheet sheet
            ON sheet.period_id = period.id AND sheet.version = period.version
        WHERE period.id = ANY(%(periods)s)
    ), fact AS (
        SELECT owner.id AS owner_id, sheet.place, 0::numeric AS opening, 0::numeric AS closing,
               0::numeric AS net, 0::numeric AS held
        FROM periods_owner owner CROSS JOIN sheet WHERE owner.association_id = %(association)s
        UNION ALL
        SELECT line.owner_id, sheet.place, line.opening, line.closing, 0, 0
        FROM sheet JOIN periods_sheetline line ON line.sheet_id = sheet.id
        UNION ALL
        SELECT owner.id, greatest(1, width_bucket(total.on, %(starts)s::date[])), 0, 0,
               total.credit - total.debit, 0
        FROM periods_owner owner JOIN ledger_dailytotal total ON total.account_id = owner.account_id
        WHERE owner.association_id = %(association)s AND total.on <= %(end)s
        UNION ALL
        SELECT carried.owner_id, sheet.place, 0, 0, 0, carried.difference
        FROM sheet
        JOIN periods_recalculationrun run
            ON run.period_id = sheet.period_id AND run.adjusted_period_id IS NOT NULL
        JOIN periods_carrieddifference carried ON carried.run_id = run.id
    ), line AS (
        SELECT owner_id, place, sum(opening) AS opening, sum(closing) AS closing, sum(net) AS net,
               sum(held) AS held
        FROM fact GROUP BY owner_id, place
    ), chained AS (
        SELECT place, opening, closing,
               lag(closing - held) OVER chain AS brought, sum(net) OVER chain AS in_the_books
        FROM line WINDOW chain AS (PARTITION BY owner_id ORDER BY place)
    ), checked AS (
        SELECT place, sum(closing) AS owed, bool_or(closing <> in_the_books) AS breaks_t7,
               bool_or(opening <> brought) AS breaks_t6
        FROM chained GROUP BY place
    )
    SELECT sheet.name, CASE WHEN breaks_t7 THEN 'T7' WHEN breaks_t6 THEN 'T6' ELSE 'T5' END
    FROM checked JOIN sheet USING (place)
    WHERE breaks_t7 OR breaks_t6 OR checked.owed <> sheet.owed
    ORDER BY place
"""


def require_chain_tied(period: ServicePeriod, later: Sequence[ServicePeriod]) -> None:
    """Raise ``SheetDoesNotTie`` when one of the later periods' sheets does not fit books or chain."""
    chain = [period, *later]
    with connection.cursor() as cursor:
        cursor.execute(
            BROKEN,
            {
                "periods": [one.pk for one in chain],
                "starts": [one.start_date for one in chain],
                "end": chain[-1].end_date,
                "association": period.association_id,
            },
        )
        broken = cursor.fetchall()
    if broken:
        said = [f"{name}: {tie}" for name, tie in broken]
        message = f"Recalculated, these do not tie: {', '.join(said)}."
        raise SheetDoesNotTie(message, errors={"ties": said})
