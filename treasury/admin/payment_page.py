"""All of a payment on one page: asked for, agreed, sent, answered, booked, corrected, reconciled."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q

from ledger.admin import cells
from ledger.admin.books import entries_table, journal_link
from ledger.admin.cells import Badge, Cell
from ledger.admin.pages import Fact, Panel, Table, history
from ledger.models import JournalEntry, LedgerEntry
from payments.models import GatewayRequest, Provider
from treasury.admin import tones
from treasury.admin.bank_panels import filed_panels
from treasury.admin.findings import findings_panels
from treasury.admin.tables import approvals_table, variances_table
from treasury.models import (
    Callback,
    Enquiry,
    Payment,
    PaymentAttempt,
    PaymentExecution,
    Reconciliation,
    Resolution,
    VarianceAdjustment,
)


def payment_panels(payment: Payment) -> tuple[Panel, ...]:
    """Every panel of a payment's page, in the order in which things happen."""
    execution = (
        PaymentExecution.objects.select_related("executor", "otp_verified_by", "journal_entry")
        .filter(payment=payment)
        .first()
    )
    variances = list(payment.variances.select_related("recorded_by", "approved_by", "rejected_by"))
    attempts = list(payment.attempts.select_related("provider", "executor").order_by("number"))
    return (
        Panel("Payment", _facts(payment)),
        _requisition(payment),
        *attempt_panels(payment, attempts),
        _execution(payment, execution),
        _ledger_entries(payment, variances),
        Panel(
            "Variances", table=variances_table(variances), empty="The amount was never corrected."
        ),
        _reconciliation(payment),
        *_resolutions(payment),
        *findings_panels(payment),
        history(_subjects(payment, attempts, variances), payment.company),
    )


def voucher_url(payment: Payment) -> str:
    """Where the voucher of a payment is handed out."""
    return f"/api/payments/{payment.pk}/voucher/"


def _facts(payment: Payment) -> tuple[Fact, ...]:
    company = payment.company
    facts = [
        Fact("Amount", cells.amount(payment.amount, payment.currency)),
        Fact("Destination", cells.text(payment.destination)),
        Fact("Fund", cells.link(payment.fund)),
        Fact("Executor", cells.text(payment.executor)),
        Fact("Code", _code(payment)),
        Fact("Code sent", cells.instant(payment.otp_sent_timestamp, company)),
        Fact("Tries", cells.text(f"{payment.retry_count} failed of {payment.max_retries}")),
        Fact("Tried again", _tried_again(payment)),
        Fact("Goes out on", _day_of(payment)),
        Fact("Made by", cells.text(payment.created_by)),
        Fact("Made", cells.instant(payment.created_at, company)),
        Fact("Version", cells.text(payment.version)),
        Fact("Number", cells.Code(str(payment.pk)), wide=True),
    ]
    if payment.last_error:
        facts.append(Fact("Last error", cells.text(payment.last_error), wide=True))
    return tuple(facts)


def _tried_again(payment: Payment) -> Cell:
    """When a refusal that may pass is tried again, and how."""
    if payment.retry_at is None:
        return cells.text("")
    needs_person = payment.otp_required or payment.step_up_required
    how = "put before its executor, for a code" if needs_person else "by itself"
    local = payment.retry_at.astimezone(ZoneInfo(payment.company.time_zone))
    return cells.text(f"{local:%-d %B %Y, %H:%M}", how)


def _day_of(payment: Payment) -> Cell:
    """The business day of a scheduled payment, and whose decision it was."""
    if payment.due_on is None:
        return cells.text("")
    wanted = payment.scheduled_for
    moved = f" for {wanted:%-d %B %Y}" if wanted and wanted != payment.due_on else ""
    note = f"scheduled{moved} by {payment.scheduled_by}"
    return cells.text(f"{payment.due_on:%-d %B %Y}", note)


def _code(payment: Payment) -> Cell:
    if not payment.otp_required:
        return Badge("Not needed")
    return Badge("Verified", "good") if payment.otp_verified else Badge("Needed", "careful")


def _requisition(payment: Payment) -> Panel:
    row = payment.requisition
    approvals = row.all_approvals.select_related("approver")
    return Panel(
        "Requisition and approvals",
        facts=(
            Fact("Requisition", cells.link(row)),
            Fact("Status", tones.status_badge(row, tones.REQUISITION)),
            Fact("Requested by", cells.text(row.requested_by)),
            Fact("Requested", cells.instant(row.requested_at, payment.company)),
            Fact("Purpose", cells.text(row.purpose, note=row.payee_note), wide=True),
        ),
        table=approvals_table(approvals, row),
    )


# --- Attempts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Exchanges:
    """What went to and fro for some attempts, by attempt."""

    requests: Mapping[str, Sequence[GatewayRequest]]
    callbacks: Mapping[object, Sequence[Callback]]
    enquiries: Mapping[object, Sequence[Enquiry]]


def attempt_panels(payment: Payment, attempts: Sequence[PaymentAttempt]) -> list[Panel]:
    if not attempts:
        empty = "Nothing was sent: this method has no gateway, or nobody has executed it yet."
        return [Panel("Attempts", empty=empty)]
    exchanges = _exchanges(attempts)
    panels = []
    for attempt in attempts:
        panels += _attempt(payment, attempt, exchanges)
    return panels


def _exchanges(attempts: Sequence[PaymentAttempt]) -> _Exchanges:
    subjects = [attempt.subject for attempt in attempts]
    requests = GatewayRequest.objects.filter(subject__in=subjects).select_related("response")
    found: defaultdict[str, list[GatewayRequest]] = defaultdict(list)
    for request in requests.order_by("at", "id"):
        found[request.subject].append(request)
    callbacks: defaultdict[object, list[Callback]] = defaultdict(list)
    for callback in Callback.objects.filter(attempt__in=attempts):
        callbacks[callback.attempt_id].append(callback)
    enquiries: defaultdict[object, list[Enquiry]] = defaultdict(list)
    for enquiry in Enquiry.objects.filter(attempt__in=attempts):
        enquiries[enquiry.attempt_id].append(enquiry)
    return _Exchanges(found, callbacks, enquiries)


def _attempt(payment: Payment, attempt: PaymentAttempt, exchanges: _Exchanges) -> list[Panel]:
    title = f"Attempt {attempt.number}"
    if attempt.provider.kind == Provider.Kind.BANK:
        facts = Panel(title, facts=_attempt_facts(payment, attempt))
        return [facts, *filed_panels(payment, attempt)]
    sent = exchanges.requests.get(attempt.subject, ())
    panels = [
        Panel(title, facts=_attempt_facts(payment, attempt)),
        Panel(
            f"{title}: sent and answered",
            table=_calls_table(payment, sent),
            note="Secrets, names and most of each phone number are left out before this is stored.",
            empty="Nothing has been sent yet.",
        ),
    ]
    if found := exchanges.enquiries.get(attempt.pk):
        panels.append(Panel(f"{title}: asked", table=_enquiries_table(payment, found)))
    if heard := exchanges.callbacks.get(attempt.pk):
        note = "What the gateway called us with; none of it moves money by itself."
        panels.append(Panel(f"{title}: heard", table=_callbacks_table(payment, heard), note=note))
    return panels


def _attempt_facts(payment: Payment, attempt: PaymentAttempt) -> tuple[Fact, ...]:
    company = payment.company
    state = Badge(attempt.get_state_display(), tones.ATTEMPT.get(attempt.state, "quiet"))
    facts = [
        Fact("State", state),
        Fact("Provider", cells.text(attempt.provider)),
        Fact("Amount", cells.amount(attempt.amount, attempt.currency)),
        Fact("Executor", cells.text(attempt.executor, note=attempt.ip_address or "")),
        Fact("Reserved", cells.instant(attempt.created_at, company)),
        Fact("Accepted", cells.instant(attempt.accepted_at, company)),
        Fact("Unknown since", cells.instant(attempt.unknown_since, company)),
        Fact("Finished", cells.instant(attempt.finished_at, company)),
        Fact("Next look", cells.instant(attempt.next_query_at, company)),
        Fact("Gateway's reference", cells.text(attempt.gateway_reference)),
        Fact("Gateway's status", cells.text(attempt.gateway_status)),
        Fact("Our reference", cells.Code(str(attempt.reference)), wide=True),
    ]
    if attempt.last_error:
        facts.append(Fact("Error", cells.text(attempt.last_error), wide=True))
    return tuple(facts)


def _calls_table(payment: Payment, requests: Iterable[GatewayRequest]) -> Table:
    rows = [
        (
            cells.instant(request.at, payment.company, exact=True),
            cells.text(request.operation, note=f"{request.method} {request.url}"),
            cells.code(request.body),
            _answer(request),
        )
        for request in requests
    ]
    return Table(("When", "Call", "Sent", "Answered"), rows)


def _answer(request: GatewayRequest) -> Cell:
    response = getattr(request, "response", None)
    if response is None:
        return Badge("No answer known", "careful")
    said = response.error or f"HTTP {response.http_status}"
    fine = response.http_status is not None and response.http_status < 400 and not response.error
    head = Badge(f"{said}, {response.duration_ms:,} ms", "good" if fine else "bad")
    return cells.Many((head, cells.code(response.body)))


def _enquiries_table(payment: Payment, enquiries: Iterable[Enquiry]) -> Table:
    rows = [
        (
            cells.instant(enquiry.sent_at, payment.company, exact=True),
            cells.instant(enquiry.answered_at, payment.company, exact=True),
            cells.text(enquiry.finding),
        )
        for enquiry in enquiries
    ]
    return Table(("Asked", "Answered", "What was made of it"), rows)


def _callbacks_table(payment: Payment, callbacks: Iterable[Callback]) -> Table:
    rows = [
        (
            cells.instant(callback.received_at, payment.company, exact=True),
            Badge("Right address", "good") if callback.trusted else Badge("Wrong address", "bad"),
            cells.text(callback.says),
            cells.text(callback.ip_address),
        )
        for callback in callbacks
    ]
    return Table(("When", "Address", "Says", "From"), rows)


# --- After the money has moved ----------------------------------------------------------------------


def _execution(payment: Payment, execution: PaymentExecution | None) -> Panel:
    if execution is None:
        return Panel("Execution", empty="No money has left the fund for this payment.")
    company = payment.company
    facts = (
        Fact("Executed by", cells.text(execution.executor)),
        Fact("Executed", cells.instant(execution.created_at, company)),
        Fact("Gateway's reference", cells.text(execution.gateway_reference)),
        Fact("Gateway's status", cells.text(execution.gateway_status)),
        Fact("Code verified by", cells.text(execution.otp_verified_by)),
        Fact("Code verified", cells.instant(execution.otp_verified_at, company)),
        Fact("Address", cells.text(execution.ip_address)),
        Fact("Journal entry", journal_link(execution.journal_entry)),
        Fact("Voucher", cells.Link("Voucher (PDF)", voucher_url(payment))),
        Fact("Browser or program", cells.text(execution.user_agent), wide=True),
    )
    return Panel("Execution", facts)


def _ledger_entries(payment: Payment, variances: Sequence[VarianceAdjustment]) -> Panel:
    """Everything that was booked for it: its own entry, corrections, suspense, and what was booked back."""
    corrections = {variance.journal_entry_id for variance in variances} - {None}
    # Whatever is posted for a payment has a reference that begins with the payment's own.
    journal = JournalEntry.objects.filter(
        Q(reference__startswith=payment.reference) | Q(pk__in=corrections)
    )
    entries = (
        LedgerEntry.objects.filter(journal_entry__in=journal.values("pk"))
        .select_related("journal_entry", "account", "company")
        .order_by("posted_at", "journal_entry", "-side", "account__code")
    )
    return Panel("Ledger entries", table=entries_table(entries), empty="Nothing was posted.")


def _reconciliation(payment: Payment) -> Panel:
    row = Reconciliation.objects.select_related("reconciled_by").filter(payment=payment).first()
    if row is None:
        return Panel("Reconciliation", empty="Nobody has compared this with the outside world yet.")
    facts = (
        Fact("Reconciled by", cells.text(row.reconciled_by)),
        Fact("Reconciled", cells.instant(row.reconciled_at, payment.company)),
        Fact("Note", cells.text(row.note), wide=True),
    )
    return Panel("Reconciliation", facts)


def _resolutions(payment: Payment) -> list[Panel]:
    found = list(payment.resolutions.select_related("proposed_by", "confirmed_by"))
    if not found:
        return []
    rows = [_resolution(payment, resolution) for resolution in found]
    headings = ("Outcome", "Proposed by", "Evidence", "Confirmed by", "Further evidence")
    return [Panel("Review", table=Table(headings, rows))]


def _resolution(payment: Payment, row: Resolution) -> tuple[Cell, ...]:
    withdrawn = row.withdrawn_at is not None
    return (
        Badge(row.get_outcome_display(), "quiet" if withdrawn else "busy"),
        cells.text(row.proposed_by, note="withdrawn" if withdrawn else ""),
        cells.text(row.evidence),
        cells.text(row.confirmed_by),
        cells.text(row.confirming_evidence),
    )


def _subjects(
    payment: Payment, attempts: Sequence[PaymentAttempt], variances: Sequence[VarianceAdjustment]
) -> list[str]:
    return [
        f"treasury.payment:{payment.pk}",
        *(attempt.subject for attempt in attempts),
        *(f"treasury.variance:{variance.pk}" for variance in variances),
    ]
