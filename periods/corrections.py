"""Corrections as people look at them: what a recalculation changed, period by period and owner by owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from periods.models import Owner, RecalculationRun, ServicePeriod, SheetLine

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Change:
    """With what an owner closed a period, before and after."""

    owner: Owner
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class CorrectedPeriod:
    """A period that a run looked at; the same version and hash twice where nothing changed."""

    period: ServicePeriod
    version_before: int
    version_after: int
    hash_before: str
    hash_after: str
    changes: Sequence[Change]


def corrected_periods(run: RecalculationRun) -> list[CorrectedPeriod]:
    """Return what the run did to each period, in the order of time, with the owners whose closing changed."""
    rows = list(run.periods.select_related("period", "before", "after"))
    sheets = {sheet for row in rows for sheet in (row.before_id, row.after_id)}
    lines = SheetLine.objects.filter(sheet__in=sheets).values_list(
        "sheet_id", "owner_id", "closing"
    )
    closings = {(sheet, owner): closing for sheet, owner, closing in lines}
    owners = list(Owner.objects.filter(association=run.association_id).order_by("number"))
    return [
        CorrectedPeriod(
            row.period,
            row.before.version,
            row.after.version,
            row.before.hash,
            row.after.hash,
            [
                Change(owner, before, after)
                for owner in owners
                if (before := closings.get((row.before_id, owner.pk), ZERO))
                != (after := closings.get((row.after_id, owner.pk), ZERO))
            ],
        )
        for row in rows
    ]
