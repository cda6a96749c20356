"""Closing a period: its expenses are shared, everything ties, and the balance sheet is handed out."""

import time
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.money import minor_unit
from ledger.refusals import Conflict
from periods import duties, locks
from periods.copying import copy_rows, written_amount
from periods.facts import facts_of
from periods.models import BalanceSheet, ServicePeriod
from periods.reckoning import Reckoned, opening_of, reckon_with
from periods.refusals import require_open
from periods.services.noting import note
from periods.services.opening import tell_period
from periods.services.recalculating import Reclosed, carry_forward
from periods.services.sharing_out import share_out
from periods.services.tying import require_tied
from periods.sharing import allocation_of
from periods.sheet_document import COLUMNS, canonical, document_of, fingerprint, has_something
from periods.states import PeriodStatus
from periods.units import from_units


class PreviousPeriodOpen(Conflict):
    """Periods are closed in their order."""

    code = "previous_period_open"
    title = "Previous period open"


@command("period.close")
def close_period(*, actor: Actor, period_id: UUID) -> ServicePeriod:
    """Share a period's expenses among the owners, post that, and hand out its balance sheet; return it.

    A close that changes nothing since the last one makes no new version; what a reopened one changes is
    carried into the periods after it. Raises ``NotFound``,
    ``RoleRequired``, ``PeriodClosed``, ``PreviousPeriodOpen``, and what keeps an expense from being shared:
    ``BudgetItemMissing``, ``ReadingMissing``, ``OwnershipGap`` (409), ``ItemWithoutWeight``,
    ``NegativeWeight`` (422); ``SheetDoesNotTie`` when a tie-out does not hold; ``NoOpenPeriod``.
    """
    association, chain = locks.lock_chain(period_id)
    duties.may_close(actor, association)
    period, *later = chain
    require_open(period)
    _require_previous_closed(period)
    before = BalanceSheet.objects.filter(period=period).order_by("version").last()
    began = time.monotonic_ns()
    after = close(actor, period)
    if before:
        carry_forward(actor, Reclosed(period, before, after, began), later)
    return period


def close(actor: Actor, period: ServicePeriod) -> BalanceSheet:
    """Close a locked period and return its balance sheet, the last one where nothing changed."""
    before = facts_of(period, currency=period.association.currency)
    allocation = allocation_of(period)
    if allocation.problems:
        raise allocation.problems[0]
    share_out(actor, period, allocation)
    reckoned = reckon_with(period, allocation, opening_of(period), pending={})
    require_tied(period, reckoned.sheet)
    sheet = _hand_out(actor, period, reckoned)
    period.status, period.version = PeriodStatus.CLOSED, sheet.version
    period.closed_at, period.closed_by = database_now(), actor.user
    period.save(update_fields=["status", "version", "closed_at", "closed_by"])
    note(actor, "period.close", period, association=period.association, before=before)
    tell_period("period.closed", period)
    return sheet


def _require_previous_closed(period: ServicePeriod) -> None:
    earlier = ServicePeriod.objects.filter(
        association=period.association, start_date__lt=period.start_date
    )
    first = earlier.exclude(status=PeriodStatus.CLOSED).order_by("start_date").first()
    if first:
        raise PreviousPeriodOpen(f"Close {first.name} first.")


def _hand_out(actor: Actor, period: ServicePeriod, reckoned: Reckoned) -> BalanceSheet:
    """Write the next version of the sheet, unless the last one says the same."""
    document = canonical(document_of(period, reckoned))
    digest = fingerprint(document)
    last = BalanceSheet.objects.filter(period=period).order_by("version").last()
    if last and last.hash == digest:
        return last
    currency = period.association.currency
    sheet = BalanceSheet.objects.create(
        association=period.association,
        period=period,
        version=last.version + 1 if last else 1,
        hash=digest,
        rule=reckoned.allocation.rule,
        cash_closing=from_units(reckoned.sheet.totals.cash_closing, currency),
        equity_closing=from_units(reckoned.sheet.totals.equity_closing, currency),
        document=document,
        generated_by=duties.person(actor),
    )
    decimals = minor_unit(currency)
    rows = (
        (
            sheet.pk,
            reckoned.owners[row.owner],
            *(written_amount(getattr(row, name), decimals) for name in COLUMNS),
        )
        for row in reckoned.sheet.owners
        if has_something(row)
    )
    copy_rows("periods_sheetline", ("sheet_id", "owner_id", *COLUMNS), rows)
    return sheet
