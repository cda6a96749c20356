"""Meters and their readings."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import amount_column, badge_column, column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from periods.admin import record_steps, tables
from periods.models import Meter, Reading

KINDS = {"ACTUAL": "good", "ESTIMATED": "careful", "INTERPOLATED": "busy", "CORRECTION": "quiet"}


@admin.register(Meter)
class MeterAdmin(SeenAdmin):
    scope = "association__"
    list_display = ("shown", "association", "payment_type", "property", "digits", "retired_on")
    list_filter = (seen("association"), between("created_at"), between("retired_on"))
    list_select_related = ("association", "property")
    search_fields = ("label", "payment_type", "property__label")
    creation = record_steps.ADD_METER
    shown = column(cells.text, title="meter", order="label", name="shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meter]:
        rows: QuerySet[Meter] = super().get_queryset(request)
        return rows.select_related("association__company", "property", "budget_item")

    def page_for(self, request: HttpRequest, row: Meter) -> Page:
        facts = (
            Fact("Association", cells.link(row.association)),
            Fact("Property", cells.link(row.property) if row.property else cells.text("all: main")),
            Fact("Counts for", cells.text(row.payment_type)),
            Fact("Digits", cells.text(row.digits)),
            Fact("Multiplier", cells.text(f"{row.multiplier.normalize():f}")),
            Fact("Not read from", cells.day(row.retired_on)),
        )
        readings = tables.readings_panel(row.readings.order_by("-to_on"), row.association.currency)
        return Page(
            str(row),
            panels=(
                Panel("Meter", facts),
                readings,
                history([row.reference], row.association.company),
            ),
        )


@admin.register(Reading)
class ReadingAdmin(SeenAdmin):
    scope = "association__"
    list_display = (
        "meter",
        "period",
        "to_on",
        "kind_badge",
        "consumed_figure",
        "total_cost_figure",
    )
    list_filter = (by("kind"), seen("association"), seen("period"), between("to_on"))
    list_select_related = ("meter__property", "period", "association")
    search_fields = ("meter__label", "meter__payment_type", "meter__property__label")
    amount_fields = ("total_cost",)
    ordering = ("-to_on", "meter")
    steps = record_steps.READING
    kind_badge = badge_column("kind", KINDS)  # type: ignore[arg-type]
    consumed_figure = column(
        lambda row: cells.text(f"{row.consumption.normalize():f}"),
        title="consumption",
        order="consumption",
        name="consumed_figure",
    )
    total_cost_figure = amount_column(
        "total_cost", title="cost", currency=lambda row: row.association.currency
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reading]:
        rows: QuerySet[Reading] = super().get_queryset(request)
        return rows.select_related("meter__property", "period", "association__company")

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        currency = row.association.currency
        facts = (
            Fact("Meter", cells.link(row.meter)),
            Fact("Period", cells.link(row.period)),
            Fact("From", cells.day(row.from_on)),
            Fact("To", cells.day(row.to_on)),
            Fact("Kind", cells.text(row.get_kind_display())),
            Fact("Start", cells.text(row.meter_start_reading)),
            Fact("End", cells.text(row.meter_end_reading)),
            Fact("Consumption", cells.text(f"{row.consumption.normalize():f}")),
            Fact("Price of a unit", cells.text(row.unit_price)),
            Fact("Cost", cells.amount(row.total_cost, currency)),
        )
        charges = tables.charges_panel(row.charges.all(), currency)
        return Page(
            f"{row.meter}, {row.period}",
            panels=(
                Panel("Reading", facts),
                charges,
                history([row.reference], row.association.company),
            ),
        )
