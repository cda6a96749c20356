"""Owners and properties."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import column
from ledger.admin.filters import between, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.money import Money
from periods.admin import estate_steps, tables, tones
from periods.models import Contribution, Expense, Owner, Property, ServiceCharge
from periods.owner_view import statements_of


@admin.register(Owner)
class OwnerAdmin(SeenAdmin):
    scope = "association__"
    list_display = ("name", "association", "number", "email", "balance_figure", "state")
    list_filter = (seen("association"), seen("company"), between("created_at"))
    list_select_related = ("association", "account")
    search_fields = ("name", "email", "association__name")
    amount_fields = ("account__balance",)
    creation = estate_steps.ADD_OWNER
    steps = estate_steps.OWNER
    balance_figure = column(
        lambda row: cells.amount(row.account.balance, row.currency),
        title="balance",
        order="account__balance",
        name="balance",
    )
    state = column(
        lambda row: tones.balance_badge(row.account.balance), title="state", name="state"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Owner]:
        rows: QuerySet[Owner] = super().get_queryset(request)
        return rows.select_related("association__company", "account", "user")

    def in_short(self, row: Owner) -> str:
        return f"{row.name}, {row.association}: {Money(row.account.balance, row.currency)}"

    def page_for(self, request: HttpRequest, row: Owner) -> Page:
        live = {"voided_at": None}
        return Page(
            row.name,
            badges=(tones.balance_badge(row.account.balance),),
            panels=(
                Panel("Owner", _facts(row)),
                _held(row),
                _statements(row),
                tables.contributions_panel(
                    Contribution.objects.filter(owner=row, **live).order_by("-date"), row.currency
                ),
                tables.expenses_panel(
                    Expense.objects.filter(paid_by=row, **live).order_by("-date"), row.currency
                ),
                tables.charges_panel(
                    ServiceCharge.objects.filter(owner=row, **live).order_by("-date"),
                    row.currency,
                ),
                history([row.reference], row.association.company),
            ),
        )


def _facts(row: Owner) -> tuple[Fact, ...]:
    return (
        Fact("Association", cells.link(row.association)),
        Fact("Number", cells.text(row.number)),
        Fact("E-mail", cells.text(row.email)),
        Fact("Login", cells.text(row.user)),
        Fact("Balance now", cells.amount(row.account.balance, row.currency)),
        Fact("Account", cells.link(row.account)),
    )


def _held(row: Owner) -> Panel:
    rows = [
        (cells.link(held.property), tables.held_from(held), tables.held_until(held))
        for held in row.ownerships.select_related("property").order_by("from_on")
    ]
    table = Table(("Property", "From", "Until"), rows)
    return Panel("Properties", table=table, empty="He owns nothing here.")


def _statements(row: Owner) -> Panel:
    rows = [
        (
            cells.link(statement, f"{statement}"),
            cells.link(statement.period),
            cells.amount(statement.closing, row.currency),
            cells.instant(statement.sent_at, row.association.company),
        )
        for statement in statements_of(row)
    ]
    heads = ("Statement", "Period", "Closing", "Sent")
    table = Table(heads, rows, frozenset({"Closing"}))
    return Panel("Statements", table=table, empty="No statement was issued to him yet.")


@admin.register(Property)
class PropertyAdmin(SeenAdmin):
    scope = "association__"
    list_display = ("label", "association", "number", "weight", "owned_by", "active")
    list_filter = (seen("association"), "active", between("created_at"))
    list_select_related = ("association",)
    search_fields = ("label", "association__name", "ownerships__owner__name")
    creation = estate_steps.ADD_PROPERTY
    steps = estate_steps.PROPERTY
    weight = column(
        lambda row: cells.text(f"{row.share_weight.normalize():f}"),
        title="share weight",
        order="share_weight",
        name="weight",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Property]:
        rows: QuerySet[Property] = super().get_queryset(request)
        rows = rows.select_related("association__company")
        return rows.prefetch_related("ownerships__owner")

    @admin.display(description="owner")
    def owned_by(self, row: Any) -> str:
        return str(next(held.owner for held in row.ownerships.all() if held.until_on is None))

    def page_for(self, request: HttpRequest, row: Property) -> Page:
        rows = [
            (cells.link(held.owner), tables.held_from(held), tables.held_until(held))
            for held in row.ownerships.all()
        ]
        facts = (
            Fact("Association", cells.link(row.association)),
            Fact("Number", cells.text(row.number)),
            Fact("Share weight", cells.text(f"{row.share_weight.normalize():f}")),
            Fact("Shares in costs", cells.yes_no(row.active)),
        )
        table = Table(("Owner", "From", "Until"), rows)
        return Page(
            row.label,
            panels=(
                Panel("Property", facts),
                Panel("Owners", table=table),
                history([row.reference], row.association.company),
            ),
        )
