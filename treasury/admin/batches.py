"""Batches: what is in the set, who agreed, how far it is, and what came of each row."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.cells import Badge, Cell
from ledger.admin.columns import amount_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.live import LiveAdmin, watched
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.exports import CONTENT_TYPES
from ledger.money import Money
from payments.services import breaker
from treasury.admin import batch_steps, tones
from treasury.admin.batch_preview import remarks
from treasury.models import Batch, BatchApproval, BatchRow
from treasury.services.batch_approval import current_approvals, is_unchanged, needed_roles
from treasury.states import BatchRowStatus, BatchStatus

ROWS_SHOWN = 100


@admin.register(Batch)
class BatchAdmin(LiveAdmin):
    scope = "fund__"
    own_company = True
    live_tones = tones.BATCH
    list_display = (
        "name",
        "count",
        "total_figure",
        "status_badge",
        "progress",
        "fund",
        "created_by",
        "created_at_shown",
    )
    list_filter = (by("status"), by("source"), seen("fund"), seen("company"), between("created_at"))
    list_select_related = ("fund", "company", "created_by")
    search_fields = ("name", "fund__name", "created_by__username", "batch_id__istartswith")
    amount_fields = ("total",)
    date_hierarchy = "created_at"
    creation = batch_steps.CREATE
    steps = batch_steps.STEPS
    total_figure = amount_column("total")
    status_badge = column(
        lambda row: watched(row, tones.BATCH, _how_far(row)),
        title="status",
        order="status",
        name="status_badge",
    )
    created_at_shown = instant_column("created_at", title="made")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = super().get_queryset(request)
        rows = rows.annotate(
            rows_processed=Count(
                "rows", filter=Q(rows__status__in=(BatchRowStatus.DONE, BatchRowStatus.CANCELLED))
            ),
            rows_refused=Count("rows", filter=Q(rows__status=BatchRowStatus.REFUSED)),
            rows_in_all=Count("rows"),
        )
        return rows.select_related("fund__company", "company", "created_by", "executor")

    @admin.display(description="progress")
    def progress(self, row: Any) -> str:
        refused = f", {row.rows_refused:,} refused" if row.rows_refused else ""
        return f"{row.rows_processed:,} of {row.rows_in_all:,}{refused}"

    def live_text(self, row: Any) -> str:
        return _how_far(row)

    def in_short(self, row: Batch) -> str:
        return f"{row.name}: {row.count:,} payments, {Money(row.total, row.currency)}"

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        notices = []
        if row.status == BatchStatus.APPROVED and not is_unchanged(row):
            notices.append("A part of it has changed: it is to be approved again.")
        if row.status == BatchStatus.EXECUTING:
            notices += _halted(row)
        return Page(
            self.in_short(row),
            badges=(watched(row, tones.BATCH, _how_far(row)),),
            notices=notices,
            panels=(
                Panel("Batch", _facts(row)),
                _approvals(row),
                *rows_panels(row),
                history([row.reference], row.company),
            ),
        )


def _how_far(row: Any) -> str:
    """The status of a batch that is on its way with how far it is, empty for others."""
    if row.status not in {BatchStatus.EXECUTING, BatchStatus.PAUSED}:
        return ""
    done = row.rows_processed + row.rows_refused
    return f"{row.get_status_display()}: {done:,} of {row.rows_in_all:,}"


def _halted(row: Batch) -> list[str]:
    """Say why rows of a batch that is being executed do not go out."""
    methods = set(
        row.rows.filter(status=BatchRowStatus.WAITING).values_list("payment__method", flat=True)
    )
    providers = breaker.halted(company_id=row.company_id, currency=row.currency)
    return [
        f"{one.name} is stopped: {one.stopped_reason} Its rows wait until a CFO resumes it."
        if one.stopped_at
        else f"{one.name} does not answer just now. Its rows wait until it does."
        for one in providers.filter(kind__in=methods)
    ]


def _facts(row: Any) -> tuple[Fact, ...]:
    company = row.company
    needs = " and ".join(sorted(str(role.label) for role in needed_roles(row)))
    done = row.rows_processed + row.rows_refused
    percent = 100 * done // max(row.rows_in_all, 1)
    level = cells.Level(f"{done:,} of {row.rows_in_all:,} rows", percent, "good")
    facts = [
        Fact("Payments", cells.text(f"{row.count:,}")),
        Fact("Total", cells.amount(row.total, row.currency)),
        Fact("Progress", level),
        Fact("Fund", cells.link(row.fund)),
        Fact("From", cells.text(row.get_source_display())),
        Fact("Needs", cells.text(needs)),
        Fact("Made by", cells.text(row.created_by)),
        Fact("Made", cells.instant(row.created_at, company)),
        Fact("Approved", cells.instant(row.approved_at, company)),
        Fact("Executor", cells.text(row.executor)),
        Fact("Started", cells.instant(row.started_at, company)),
        Fact("Finished", cells.instant(row.finished_at, company)),
        Fact("Set", cells.Code(row.set_hash), wide=True),
    ]
    if row.cancel_reason:
        facts.append(Fact("Why it was cancelled", cells.text(row.cancel_reason), wide=True))
    return tuple(facts)


def _approvals(row: Batch) -> Panel:
    rows = [
        (
            cells.text(approval.approver, _for(approval)),
            Badge(approval.get_role_display(), "good"),
            cells.instant(approval.approved_at, row.company),
            cells.text(approval.comment),
        )
        for approval in current_approvals(row)
    ]
    table = Table(("Approved by", "As", "Approved", "Comment"), rows)
    return Panel("Approvals", table=table, empty="Nobody has approved this set yet.")


def _for(approval: BatchApproval) -> str:
    return f"for {approval.on_behalf_of}" if approval.on_behalf_of else ""


def rows_panels(batch: Batch) -> tuple[Panel, ...]:
    """Return what is in the set: the rows that were refused, if any, and those that are paid."""
    refused = Q(status=BatchRowStatus.REFUSED)
    left_out = _rows(batch, "Refused rows", refused)
    paid = _rows(batch, "Rows", ~refused)
    return (left_out, paid) if left_out.table and left_out.table.rows else (paid,)


def _rows(batch: Batch, title: str, which: Q) -> Panel:
    rows = batch.rows.filter(which).select_related("payment", "requisition").order_by("number")
    shown = list(rows[: ROWS_SHOWN + 1])
    more = f"The first {ROWS_SHOWN}; the files have all." if len(shown) > ROWS_SHOWN else ""
    path = f"/api/batches/{batch.pk}/rows/?format="
    files = [cells.Link(f"All rows as {kind.upper()}", path + kind) for kind in CONTENT_TYPES]
    table = Table(
        ("Row", "Payee", "Amount", "Method", "Destination", "Goes out on", "Result", "Remarks"),
        [
            (
                cells.text(row.number),
                _payee(row),
                cells.amount(row.amount, row.currency),
                cells.text(row.get_method_display()),
                cells.text(row.destination_shown),
                cells.day(_day_of(row)),
                _result(row),
                cells.text(" ".join(remarks(row))),
            )
            for row in shown[:ROWS_SHOWN]
        ],
        frozenset({"Amount"}),
    )
    links = files if shown else ()
    return Panel(title, table=table, note=more, links=links, empty="None.")


def _day_of(row: BatchRow) -> date | None:
    return row.payment.due_on if row.payment else row.scheduled_for


def _payee(row: BatchRow) -> Cell:
    page = row.payment or row.requisition
    return cells.link(page, row.payee_name or "—") if page else cells.text(row.payee_name)


def _result(row: BatchRow) -> Cell:
    if row.payment and row.status == BatchRowStatus.DONE:
        return tones.status_badge(row.payment, tones.PAYMENT)
    return tones.status_badge(row, tones.BATCH_ROW)
