"""The audit trail."""

from django.contrib import admin
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, Table, action_words, changes, outcome_badge
from ledger.exports import AUDIT
from ledger.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(SeenAdmin):
    whole_company = True
    export = AUDIT
    list_display = (
        "action_said",
        "outcome_badge",
        "who",
        "detail",
        "address",
        "at_shown",
    )
    list_filter = (by("outcome"), seen("company"), "action", between("at", "when"))
    list_select_related = ("company",)
    search_fields = ("action", "subject", "actor_name", "code", "detail", "request_id")
    outcome_badge = badge_column("outcome", {"done": "good", "refused": "bad"})
    who = column(
        lambda event: cells.Text(event.actor_name), title="who", order="actor_name", name="who"
    )
    address = column(lambda event: cells.text(event.ip_address), title="from", name="address")
    at_shown = instant_column("at", title="when")
    action_said = column(
        lambda event: cells.Text(action_words(event.action)),
        title="what",
        order="action",
        name="action_said",
    )

    def page_for(self, request: HttpRequest, row: AuditEvent) -> Page:
        facts = (
            Fact("Who", cells.text(row.actor_name)),
            Fact("When", cells.instant(row.at, row.company)),
            Fact("Company", cells.link(row.company)),
            Fact("Address", cells.text(row.ip_address)),
            Fact("Request", cells.text(row.request_id)),
            Fact("Browser or program", cells.text(row.user_agent), wide=True),
            Fact("What it was about", cells.text(row.subject), wide=True),
            Fact("Reason", cells.text(row.detail, note=row.code), wide=True),
        )
        table = Table(
            ("What", "Before", "After"),
            [tuple(cells.Text(part) for part in change) for change in changes(row)],
        )
        return Page(
            action_words(row.action),
            badges=(outcome_badge(row),),
            panels=(Panel("Event", facts), Panel("What changed", table=table, empty="Nothing.")),
        )
