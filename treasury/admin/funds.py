"""Funds: what they hold, what of it may be spent, and when they must be filled."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.books import statement_panel
from ledger.admin.cells import Badge, Cell, Level, Link, list_of
from ledger.admin.columns import amount_column, column
from ledger.admin.filters import between, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.money import Money
from treasury.admin import fund_steps
from treasury.admin.tables import payments_table, replenishments_table, requisitions_table
from treasury.models import Payment, ReplenishmentRequest, Requisition, TreasuryFund

SHOWN = 10


def level_badge(fund: TreasuryFund) -> Badge:
    return Badge("Low", "bad") if fund.check_reorder_needed() else Badge("Enough", "good")


def level(fund: TreasuryFund) -> Cell:
    """What is available against what the fund should have, as words and a bar."""
    asks = f"asks below {fund.reorder_level:,.0f}" if fund.reorder_level else "never asks"
    full = f"{percent(fund)} % of {fund.target_level:,.0f}" if fund.target_level else "no target"
    text = f"{full}, {asks}"
    return Level(text, percent(fund), level_badge(fund).tone)


def percent(fund: TreasuryFund) -> int:
    """What is available in per cent of the target, between 0 and 100."""
    if fund.target_level <= 0:
        return 100
    return int(min(max(fund.available_balance / fund.target_level * 100, Decimal(0)), Decimal(100)))


def place(fund: TreasuryFund) -> Cell:
    return cells.text(" / ".join(str(part) for part in (fund.region, fund.branch) if part))


@admin.register(TreasuryFund)
class FundAdmin(SeenAdmin):
    list_display = (
        "name",
        "company",
        "place",
        "low",
        "balance_figure",
        "held_figure",
        "available_figure",
        "level",
    )
    list_filter = (seen("company"), seen("region"), "currency", between("last_replenished"))
    list_select_related = ("company", "region", "branch", "account")
    search_fields = ("name", "company__name", "region__name", "branch__name")
    amount_fields = ("account__balance", "reorder_level", "target_level")
    creation = fund_steps.OPEN_FUND
    steps = fund_steps.FUND
    low = column(level_badge, title="level", name="low")
    place = column(place, title="region and branch", name="place")
    level = column(level, title="of target", name="level")
    balance_figure = amount_column("current_balance", title="balance", order="account__balance")
    held_figure = amount_column("held", order="account__held")
    available_figure = amount_column("available_balance", title="available", order=None)

    def in_short(self, row: TreasuryFund) -> str:
        available = Money(row.available_balance, row.currency)
        return f"{row.name}, {row.company}: {available} available"

    def page_for(self, request: HttpRequest, row: TreasuryFund) -> Page:
        panels = (
            Panel("Fund", _facts(row)),
            _requisitions(row),
            _payments(row),
            _replenishments(row),
            statement_panel(row.account, "Statement of its account"),
            history([f"treasury.fund:{row.pk}"], row.company),
        )
        return Page(row.name, badges=(level_badge(row),), panels=panels)


def _facts(fund: TreasuryFund) -> tuple[Fact, ...]:
    def money(value: Decimal) -> Cell:
        return cells.amount(value, fund.currency)

    return (
        Fact("Company", cells.link(fund.company)),
        Fact("Region and branch", place(fund)),
        Fact("Account in the books", cells.link(fund.account)),
        Fact("Balance", money(fund.current_balance)),
        Fact("Held for payments on their way", money(fund.held)),
        Fact("Available", money(fund.available_balance)),
        Fact("Reorder level", money(fund.reorder_level)),
        Fact("Target level", money(fund.target_level)),
        Fact("Available of target", level(fund)),
        Fact("Last replenished", cells.instant(fund.last_replenished, fund.company)),
    )


def _panel(title: str, model: Any, fund: TreasuryFund, table: Any, empty: str) -> Panel:
    all_rows = Link("All of them", list_of(model, fund__fund_id__exact=fund.pk))
    return Panel(title, table=table, empty=empty, links=(all_rows,))


def _requisitions(fund: TreasuryFund) -> Panel:
    rows = fund.requisitions.select_related("company", "requested_by")[:SHOWN]
    table = requisitions_table(rows)
    return _panel("Requisitions", Requisition, fund, table, "Nobody has asked for money yet.")


def _payments(fund: TreasuryFund) -> Panel:
    rows = fund.payments.select_related("requisition", "company", "executor")[:SHOWN]
    table = payments_table(rows)
    return _panel("Payments", Payment, fund, table, "Nothing has been paid from this fund yet.")


def _replenishments(fund: TreasuryFund) -> Panel:
    rows = fund.replenishments.select_related("fund", "company", "requested_by")[:SHOWN]
    empty = "This fund has not had to be filled yet."
    return _panel("Replenishments", ReplenishmentRequest, fund, replenishments_table(rows), empty)
