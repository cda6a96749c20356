"""Recalculating: what closing a reopened period does to the closed ones after it (reference 4h).

What happens in a period does not depend on what it opens with, so that a correction moves an owner's balance
by the same difference in every later one. RECALCULATE writes new versions of their sheets, FREEZE_DOWNSTREAM
leaves them and charges the differences in the first open period; both stop where a period is open.

Plain functions inside a command that holds the chain's locks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.db import connection

from ledger import audit, outbox
from ledger.actor import Actor
from ledger.refusals import Conflict
from periods import duties
from periods.models import (
    BalanceSheet,
    CarriedDifference,
    RecalculatedPeriod,
    RecalculationRun,
    ReopenRequest,
    ServicePeriod,
)
from periods.services import adjusting
from periods.services.noting import note
from periods.services.opening import period_facts
from periods.services.reissuing import Correction, reissue, require_chain_tied
from periods.states import PeriodStatus, Recalculation

NANOSECONDS_IN_A_MILLISECOND = 1_000_000


class NoOpenPeriod(Conflict):
    """There is no open period to charge the differences in."""

    code = "no_open_period"
    title = "No open period"


@dataclass(frozen=True, slots=True)
class Reclosed:
    """A reopened period that was closed again: its sheet before and after, and when it began in ns."""

    period: ServicePeriod
    before: BalanceSheet
    after: BalanceSheet
    began: int


# Owners whose closing balance is another one now; who has no line has nothing.
DIFFERENCES = """
    SELECT coalesce(now.owner_id, before.owner_id),
           coalesce(now.closing, 0) - coalesce(before.closing, 0) AS difference
    FROM (SELECT owner_id, closing FROM periods_sheetline WHERE sheet_id = %(before)s) AS before
    FULL JOIN (SELECT owner_id, closing FROM periods_sheetline WHERE sheet_id = %(after)s) AS now
        ON now.owner_id = before.owner_id
    WHERE coalesce(now.closing, 0) <> coalesce(before.closing, 0)
"""


def carry_forward(
    actor: Actor, reclosed: Reclosed, later: Sequence[ServicePeriod]
) -> RecalculationRun | None:
    """Carry what closing a period again changed into the periods after it; return the recorded run.

    Stale periods are closed again. Nothing is recorded where nothing changed. Raises ``NoOpenPeriod``,
    ``SheetDoesNotTie``.
    """
    stale = list(takewhile(lambda one: one.status == PeriodStatus.STALE, later))
    correction = _correction(reclosed)
    if reclosed.before.pk == reclosed.after.pk or not (stale or correction.is_some):
        _close_again(stale)
        return None
    frozen = reclosed.period.association.recalculation == Recalculation.FREEZE_DOWNSTREAM
    if frozen and stale and correction.is_some:
        return _adjust(actor, reclosed, correction, stale, later[len(stale) :])
    sheets = reissue(actor, correction, stale) if correction.is_some else _unchanged(stale)
    _close_again(stale)
    if correction.is_some:
        require_chain_tied(reclosed.period, stale)
    return _record(actor, reclosed, correction, sheets)


def _correction(reclosed: Reclosed) -> Correction:
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, {"before": reclosed.before.pk, "after": reclosed.after.pk})
        differences: dict[UUID, Decimal] = dict(cursor.fetchall())
    before, after = reclosed.before, reclosed.after
    return Correction(
        differences,
        after.cash_closing - before.cash_closing,
        after.equity_closing - before.equity_closing,
    )


def _adjust(
    actor: Actor,
    reclosed: Reclosed,
    correction: Correction,
    stale: Sequence[ServicePeriod],
    rest: Sequence[ServicePeriod],
) -> RecalculationRun:
    """Leave the closed periods as they are, and charge the differences in the first open one."""
    if not rest:
        message = "Open the next period first: what this changes is charged there."
        raise NoOpenPeriod(message)
    _close_again(stale)
    run = _new_run(actor, reclosed, Recalculation.FREEZE_DOWNSTREAM)
    run.adjusted_period, run.cash_difference = rest[0], correction.cash
    run.journal_entry_id = adjusting.hold_back(
        actor, run.reference, reclosed.period, stale[0].start_date, correction.differences
    )
    adjusting.charge(actor, reclosed.period, rest[0], correction.differences)
    return _save(actor, run, reclosed, correction, _unchanged(stale))


def _record(
    actor: Actor,
    reclosed: Reclosed,
    correction: Correction,
    sheets: Sequence[tuple[UUID, UUID, UUID]],
) -> RecalculationRun:
    run = _new_run(actor, reclosed, Recalculation.RECALCULATE)
    return _save(actor, run, reclosed, correction, sheets)


def _new_run(actor: Actor, reclosed: Reclosed, policy: Recalculation) -> RecalculationRun:
    period = reclosed.period
    requests = ReopenRequest.objects.filter(period=period, reopened_at__isnull=False)
    return RecalculationRun(
        association=period.association,
        period=period,
        request=requests.order_by("reopened_at").last(),
        policy=policy,
        cash_difference=Decimal(0),
        run_by=duties.person(actor),
    )


def _save(
    actor: Actor,
    run: RecalculationRun,
    reclosed: Reclosed,
    correction: Correction,
    sheets: Sequence[tuple[UUID, UUID, UUID]],
) -> RecalculationRun:
    """Write the run with what every period had before and after; ``sheets`` are those of the later ones."""
    run.duration_ms = (time.monotonic_ns() - reclosed.began) // NANOSECONDS_IN_A_MILLISECOND
    run.save(force_insert=True)
    run.refresh_from_db(fields=["run_at"])
    of_all = [(reclosed.period.pk, reclosed.before.pk, reclosed.after.pk), *sheets]
    RecalculatedPeriod.objects.bulk_create(
        RecalculatedPeriod(run=run, period_id=period, before_id=before, after_id=after)
        for period, before, after in of_all
    )
    CarriedDifference.objects.bulk_create(
        CarriedDifference(run=run, owner_id=owner, difference=difference)
        for owner, difference in correction.differences.items()
    )
    note(actor, "period.recalculate", run, association=run.association)
    _tell(actor, run, [period for period, before, after in sheets if before != after])
    return run


def _tell(actor: Actor, run: RecalculationRun, changed: Sequence[UUID]) -> None:
    """Tell clients about, and note, every later period that has a new version."""
    if not changed:
        return
    association = run.association
    periods = ServicePeriod.objects.filter(pk__in=changed).order_by("start_date")
    events: list[tuple[str, dict[str, Any]]] = [
        (period.reference, period_facts(period)) for period in periods
    ]
    outbox.publish_many(
        kind="period.recalculated", company_id=association.company_id, events=events
    )
    audit.record_many(
        actor=actor,
        action="period.recalculated",
        company_id=association.company_id,
        changes=[audit.Change(subject, after=facts) for subject, facts in events],
    )


def _unchanged(periods: Sequence[ServicePeriod]) -> list[tuple[UUID, UUID, UUID]]:
    """Each period with its sheet twice: before and after."""
    sheets = dict(
        BalanceSheet.objects.filter(period__in=periods)
        .order_by("version")
        .values_list("period_id", "pk")
    )
    return [(period.pk, sheets[period.pk], sheets[period.pk]) for period in periods]


def _close_again(stale: Sequence[ServicePeriod]) -> None:
    """Close stale periods: what they start from is final again."""
    if stale:
        rows = ServicePeriod.objects.filter(pk__in=[one.pk for one in stale])
        rows.update(status=PeriodStatus.CLOSED)
