"""Associations: who owns what in them, how they share, what their owners owe."""

from decimal import Decimal

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from periods.admin import estate_steps, tones
from periods.models import Association, LateFeeRule, Owner

SHOWN = 100


@admin.register(Association)
class AssociationAdmin(SeenAdmin):
    list_display = ("name", "company", "branch", "currency", "fund", "remainder_rule")
    list_filter = (seen("company"), by("remainder_rule"), "currency", between("created_at"))
    list_select_related = ("company", "region", "branch", "fund")
    search_fields = ("name", "company__name")
    creation = estate_steps.CREATE_ASSOCIATION
    steps = estate_steps.ASSOCIATION

    def get_queryset(self, request: HttpRequest) -> QuerySet[Association]:
        rows: QuerySet[Association] = super().get_queryset(request)
        return rows.select_related("company", "fund", "late_fee_rule")

    def page_for(self, request: HttpRequest, row: Association) -> Page:
        owners = list(row.owners.select_related("account").order_by("number")[: SHOWN + 1])
        return Page(
            row.name,
            panels=(
                Panel("Association", _facts(row)),
                _owners(owners, row.currency),
                _periods(row),
                history([row.reference, *_rule_of(row)], row.company),
            ),
        )


def _rule_of(row: Association) -> list[str]:
    rule = getattr(row, "late_fee_rule", None)
    return [rule.reference] if rule else []


def _facts(row: Association) -> tuple[Fact, ...]:
    return (
        Fact("Company", cells.link(row.company)),
        Fact("Branch", cells.text(row.branch)),
        Fact("Fund", cells.link(row.fund)),
        Fact("Cents left over go to", cells.text(row.get_remainder_rule_display())),
        Fact("A correction", cells.text(row.get_recalculation_display())),
        Fact("Late fees", cells.text(_terms(getattr(row, "late_fee_rule", None), row.currency))),
        Fact("Cash", cells.link(row.cash_account)),
        Fact("Costs to share", cells.link(row.costs_account)),
        Fact("Expenses to pay", cells.link(row.clearing_account)),
        Fact("Own means", cells.link(row.equity_account)),
    )


def _terms(rule: LateFeeRule | None, currency: str) -> str:
    if rule is None:
        return "none"
    fee = f"{currency} {rule.fixed_fee.normalize():f} after {rule.grace_days} days"
    if not rule.yearly_percent:
        return fee
    return f"{fee}, {rule.yearly_percent.normalize():f} % a year"


def _owners(owners: list[Owner], currency: str) -> Panel:
    def owed(balance: Decimal) -> cells.Cell:
        return cells.amount(balance, currency)

    rows = [
        (
            cells.text(owner.number),
            cells.link(owner),
            cells.text(owner.email),
            owed(owner.account.balance),
            tones.balance_badge(owner.account.balance),
        )
        for owner in owners[:SHOWN]
    ]
    more = f"The first {SHOWN}; the list of owners has all." if len(owners) > SHOWN else ""
    table = Table(("No.", "Owner", "E-mail", "Balance", "State"), rows, frozenset({"Balance"}))
    return Panel("Owners", table=table, note=more, empty="It has no owners yet.")


def _periods(row: Association) -> Panel:
    rows = [
        (
            cells.link(period),
            cells.day(period.start_date),
            cells.day(period.end_date),
            cells.text(period.version or "none yet"),
            tones.period_badge(period),
        )
        for period in row.periods.order_by("-start_date")[:SHOWN]
    ]
    table = Table(("Period", "From", "To", "Version", "Status"), rows)
    return Panel("Periods", table=table, empty="No period was opened yet.")
