"""Files for banks and what banks report: made, downloaded, brought and read here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ledger.access import visible
from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Cell, Link
from ledger.admin.columns import amount_column, column, instant_column
from ledger.admin.filters import between, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.admin.requests import actor_of, user_of
from ledger.admin.steps import Given, Step, StepForm, row_choice, upload
from ledger.clock import today
from ledger.money import Money
from ledger.refusals import RoleRequired
from ledger.roles import Role
from payments.models import Provider
from treasury.admin import tones
from treasury.admin.bank_panels import effect_badge, said_cell
from treasury.bank_selectors import (
    bank_files_seen_by,
    bank_lines_of,
    bank_reports_seen_by,
    bank_rows_of,
    waiting_for_a_file,
)
from treasury.models import BankFile, BankFileLine, BankReport, BankReportRow
from treasury.services.bank_files import download_bank_file, make_bank_file
from treasury.services.bank_reports import import_bank_report

MOST_SHOWN = 500
# Who may take a file along: it holds whole account numbers.
TAKERS = frozenset({Role.TREASURER, Role.CFO, Role.AUDITOR})


# --- What is asked ------------------------------------------------------------------------------------


class OfABank(StepForm):
    """A form that begins with one of the banks where the person has a role in the whole company."""

    bank = row_choice("Bank")
    roles: tuple[Role, ...] = (Role.TREASURER,)

    def prepare(self) -> None:
        banks = self.fields["bank"]
        assert isinstance(banks, forms.ModelChoiceField)
        rows = Provider.objects.filter(kind=Provider.Kind.BANK, active=True).order_by("name")
        seen_here = visible(rows, self.user, by_company_only=True, roles=self.roles)
        banks.queryset = seen_here.defer("credentials", "token")


class BankAndWhatWaits(forms.ModelChoiceField):
    """A choice of banks that says beside each what waits for it."""

    def label_from_instance(self, obj: Any) -> str:
        amounts = list(waiting_for_a_file(obj).values_list("amount", flat=True))
        if not amounts:
            return f"{obj}: nothing waits"
        total = Money(sum(amounts, start=amounts[0] * 0), obj.currency)
        return f"{obj}: {len(amounts):,} waiting, {total}"


class NewFile(OfABank):
    bank = BankAndWhatWaits(
        label="Bank", queryset=None, empty_label="Choose…", widget=UnfoldAdminSelectWidget()
    )
    execute_on = forms.DateField(
        label="Pay on",
        required=False,
        help_text="The date the bank is asked to pay on; today, if left empty.",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )


class NewReport(OfABank):
    file = upload("Report", help_text="A payment status report (pain.002), up to 5 MB.")
    roles = (Role.TREASURER, Role.RECONCILER)


# --- What is done -------------------------------------------------------------------------------------


def _make(actor: Actor, _row: None, given: Given) -> BankFile:
    return make_bank_file(
        actor=actor, provider_id=given["bank"].pk, execute_on=given["execute_on"], today=today
    )


def _bring(actor: Actor, _row: None, given: Given) -> BankReport:
    data: bytes = given["file"].read()
    return import_bank_report(actor=actor, provider_id=given["bank"].pk, data=data).report


MAKE = Step(
    name="make",
    label="Make a bank file",
    done="made; download it and take it to the bank",
    run=_make,
    roles=frozenset({Role.TREASURER}),
    form=NewFile,
    hint="Collects every payment that waits for this bank. A payment is in one file for ever, and a file"
    " is never made again.",
    bulk=False,
)
BRING = Step(
    name="bring",
    label="Bring a report",
    done="kept; its rows are acted on within seconds",
    run=_bring,
    roles=frozenset({Role.TREASURER, Role.RECONCILER}),
    form=NewReport,
    hint="What the bank says of each payment. The same report twice does no harm.",
    bulk=False,
)


# --- Files --------------------------------------------------------------------------------------------


def content_url(file: BankFile) -> str:
    """Where the file's bytes are handed out."""
    return reverse("admin:treasury_bankfile_content", args=[file.pk])


@admin.register(BankFile)
class BankFileAdmin(SeenAdmin):
    by_company_only = True
    list_display = (
        "message_id", "bank", "payments", "total_figure", "pay_on", "made_by", "made_at_shown",
    )  # fmt: skip
    list_filter = (seen("provider"), seen("company"), "currency", between("made_at", "made"))
    search_fields = ("message_id", "provider__name", "sha256__istartswith")
    amount_fields = ("total",)
    date_hierarchy = "made_at"
    creation = MAKE
    bank = column(lambda row: cells.text(row.provider.name), title="bank", name="bank")
    total_figure = amount_column("total")
    pay_on = column(
        lambda row: cells.day(row.execute_on), title="pay on", order="execute_on", name="pay_on"
    )
    made_at_shown = instant_column("made_at", title="made")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankFile]:
        return bank_files_seen_by(user_of(request)).order_by(*BankFile._meta.ordering or ())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.content_view)
        name = "treasury_bankfile_content"
        return [path("<uuid:object_id>/content/", view, name=name), *super().get_urls()]

    def content_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Hand out the bytes, to be saved; who took them is on record."""
        row: BankFile = self.row_or_404(request, str(object_id))
        try:
            file = download_bank_file(actor=actor_of(request), bank_file_id=row.pk)
        except RoleRequired as refusal:
            raise PermissionDenied(refusal.detail) from None
        answer = HttpResponse(bytes(file.content), content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    def _download(self, request: HttpRequest, row: BankFile) -> Cell:
        size = f"{row.size:,} bytes"
        if TAKERS.isdisjoint(self.roles_at(request, row)):
            return cells.text(row.name, note=size)
        return Link(f"Download ({size})", content_url(row))

    def page_for(self, request: HttpRequest, row: BankFile) -> Page:
        facts = (
            Fact("Bank", cells.link(row.provider)),
            Fact("Payments", cells.text(f"{row.payments:,}")),
            Fact("Total", cells.amount(row.total, row.currency)),
            Fact("Pay on", cells.day(row.execute_on)),
            Fact("Made by", cells.text(row.made_by)),
            Fact("Made", cells.instant(row.made_at, row.company)),
            Fact("File", self._download(request, row)),
            Fact("SHA-256", cells.Code(row.sha256), wide=True),
        )
        reports = row.reports.order_by("uploaded_at")
        heard = [Link(f"Report {report}", cells.page_of(report)) for report in reports]
        note = "" if heard else "The bank has reported nothing about it yet."
        return Page(
            f"{Money(row.total, row.currency)} from {row.provider.name}",
            panels=(
                Panel("Bank file", facts, links=heard, note=note),
                Panel("Payments in it", table=_lines_table(row)),
                history([row.reference], row.company),
            ),
        )


def _lines_table(file: BankFile) -> Table:
    return Table(
        ("Number", "Payee", "Amount", "State", "End-to-end id"),
        [_line(row) for row in bank_lines_of(file)[:MOST_SHOWN]],
        frozenset({"Amount"}),
    )


def _line(row: BankFileLine) -> tuple[Cell, ...]:
    attempt = row.attempt
    payment = attempt.payment
    return (
        cells.text(row.number),
        cells.link(payment, payment.requisition.payee_name),
        cells.amount(attempt.amount, attempt.currency),
        Badge(attempt.get_state_display(), tones.ATTEMPT.get(attempt.state, "quiet")),
        cells.Code(attempt.reference.hex),
    )


# --- Reports ------------------------------------------------------------------------------------------


def progress(row: Any) -> Badge:
    """How far the rows of a report have got."""
    return Badge(f"{row.waiting} waiting", "busy") if row.waiting else Badge("Done", "good")


@admin.register(BankReport)
class BankReportAdmin(SeenAdmin):
    by_company_only = True
    list_display = (
        "message_id", "bank", "about", "row_count", "progress", "uploaded_by", "uploaded_at_shown",
    )  # fmt: skip
    list_filter = (seen("provider"), seen("company"), between("uploaded_at", "brought"))
    search_fields = ("message_id", "original_message_id", "rows__end_to_end_id")
    date_hierarchy = "uploaded_at"
    creation = BRING
    bank = column(lambda row: cells.text(row.provider.name), title="bank", name="bank")
    about = column(
        lambda row: cells.text(row.original_message_id), title="about file", name="about"
    )
    row_count = column(lambda row: cells.text(row.row_count), title="rows", name="row_count")
    progress = column(progress, title="rows acted on", name="progress")
    uploaded_at_shown = instant_column("uploaded_at", title="brought")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankReport]:
        return bank_reports_seen_by(user_of(request)).order_by(*BankReport._meta.ordering or ())

    def page_for(self, request: HttpRequest, row: BankReport) -> Page:
        about = cells.link(row.file) if row.file else Badge("A file that is not ours", "careful")
        facts = (
            Fact("Bank", cells.link(row.provider)),
            Fact("About", about),
            Fact("Says of the whole file", cells.text(row.status)),
            Fact("Brought by", cells.text(row.uploaded_by)),
            Fact("Brought", cells.instant(row.uploaded_at, row.company)),
            Fact("Size", cells.text(f"{row.size:,} bytes")),
            Fact("SHA-256", cells.Code(row.sha256), wide=True),
        )
        return Page(
            f"Report {row.message_id}",
            badges=(progress(row),),
            panels=(
                Panel("Bank report", facts),
                Panel("Rows", table=_rows_table(row), empty="It says nothing of any payment."),
                history([row.reference], row.company),
            ),
        )


def _rows_table(report: BankReport) -> Table:
    return Table(
        ("Row", "Payment", "The bank says", "Came of it", "End-to-end id"),
        [_row(row) for row in bank_rows_of(report)[:MOST_SHOWN]],
    )


def _row(row: BankReportRow) -> tuple[Cell, ...]:
    payment = row.attempt.payment if row.attempt else None
    named = row.end_to_end_id or row.uetr
    return (
        cells.text(row.number, note="" if row.listed else "said of all"),
        cells.link(payment, payment.requisition.payee_name) if payment else cells.NOTHING,
        said_cell(row),
        effect_badge(row),
        cells.Code(named) if named else cells.NOTHING,
    )
