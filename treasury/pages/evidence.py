"""What a person decides by: the request, what it does to the books, documents, history, the past."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.admin import cells
from ledger.admin.cells import Badge, Link
from ledger.admin.pages import Fact, Panel, Table, history
from ledger.encryption import mask
from ledger.models import User
from ledger.money import Money
from treasury.admin import tones
from treasury.admin.batches import rows_panels
from treasury.admin.payment_page import attempt_panels, voucher_url
from treasury.admin.requisitions import approvals_panel
from treasury.effects import Effect, effect_of
from treasury.models import LateSuccess, Payment, PaymentAttempt, Question, Resolution
from treasury.pages.chips import LABELS, age_of, doubts_of, needs_of, tier_of
from treasury.worklist.items import Item

SIMILAR = 5
FIGURES = frozenset({"Before", "After", "Debit", "Credit", "Amount"})


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that waits, with all that speaks for and against it."""

    item: Item
    title: str
    label: str
    badges: list[Badge]
    notices: list[str]
    request: Panel
    effect: Effect
    books: Panel
    figures: list[tuple[str, str, str]]
    others: list[Panel]
    questions: list[Question]
    proposed: str
    outcomes: list[tuple[str, str]]
    is_finding: bool
    admin_url: str


def detail_of(item: Item, user: User, now: datetime) -> Detail:
    """Return what the page shows of one thing that waits."""
    effect = effect_of(item)
    company = item.fund.company
    badges = [age_of(item.since, now), *doubts_of(item), *tier_of(item, needs_of([item]))]
    return Detail(
        item=item,
        title=f"{Money(item.amount, item.currency)} · {item.title}",
        label=LABELS[item.kind],
        badges=badges,
        notices=_notices(item, effect),
        request=Panel("Request", REQUESTS[item.kind](item.row)),
        effect=effect,
        books=_books(effect),
        figures=_figures(effect),
        others=[*OTHERS[item.kind](item.row), history(_subjects(item), company)],
        questions=list(
            Question.objects.filter(subject=item.row.reference).select_related(
                "asked_by", "asked_of"
            )
        ),
        proposed=_proposed(item),
        outcomes=OUTCOMES.get(item.kind, []),
        is_finding=item.kind in {"review", "late", "return"},
        admin_url=cells.page_of(item.row),
    )


def _notices(item: Item, effect: Effect) -> list[str]:
    found = [getattr(item.row, "payee_note", "")]
    if item.looks_paid_twice:
        found.append("The same payee and amount was asked for within the last 90 days.")
    if effect.is_short:
        found.append("The fund has less available than this: approving it pays nothing yet.")
    return [text for text in found if text]


def _proposed(item: Item) -> str:
    """How it ended, as somebody proposed; empty where nobody did."""
    rows = {"review": "resolutions", "late": "late_successes"}.get(item.kind)
    if rows is None:
        return ""
    return next((one.outcome for one in getattr(item.row, rows).all() if one.is_open), "")


OUTCOMES: dict[str, list[tuple[str, str]]] = {
    "review": list(Resolution.Outcome.choices),
    "late": list(LateSuccess.Outcome.choices),
}


def _subjects(item: Item) -> list[str]:
    if item.kind == "variance":
        return [item.row.reference, item.row.payment.reference]
    return [item.row.reference]


# --- What it does to the books --------------------------------------------------------------------------


def _books(effect: Effect) -> Panel:
    currency = effect.fund.currency
    rows = [
        (
            cells.text(line.account),
            cells.amount(line.debit, currency),
            cells.amount(line.credit, currency),
        )
        for line in effect.lines
    ]
    return Panel(
        "What would be posted",
        table=Table(("Account", "Debit", "Credit"), rows, FIGURES),
        note=f"Posted {effect.when}.",
    )


def _figures(effect: Effect) -> list[tuple[str, str, str]]:
    """The fund before and after, in its currency: its balance, what is held, what may be spent."""
    currency, level = effect.fund.currency, effect.fund.reorder_level
    figures = [*effect.figures, ("Reorder level", level, level)]
    return [
        (name, f"{Money(before, currency).amount:,f}", f"{Money(after, currency).amount:,f}")
        for name, before, after in figures
    ]


# --- The request itself ---------------------------------------------------------------------------------


def _requisition(row: Any) -> tuple[Fact, ...]:
    return (
        Fact("Payee", cells.text(row.payee_name)),
        Fact("Paid by", tones.method_badge(row)),
        Fact("Destination", cells.text(_shown(row))),
        Fact("Requested by", cells.text(row.requested_by)),
        Fact("Requested", cells.instant(row.requested_at, row.fund.company)),
        Fact("Version", cells.text(row.version)),
        Fact("Purpose", cells.text(row.purpose), wide=True),
    )


def _variance(row: Any) -> tuple[Fact, ...]:
    return (
        Fact("The books say", cells.amount(row.original_amount, row.currency)),
        Fact("The payee got", cells.amount(row.adjusted_amount, row.currency)),
        Fact("Difference", cells.amount(row.variance_amount, row.currency)),
        Fact("Payment", cells.link(row.payment)),
        Fact("Voucher", Link("Voucher (PDF)", voucher_url(row.payment))),
        Fact("Recorded by", cells.text(row.recorded_by)),
        Fact("Recorded", cells.instant(row.created_at, row.payment.fund.company)),
        Fact("Reason", cells.text(row.reason), wide=True),
    )


def _replenishment(row: Any) -> tuple[Fact, ...]:
    return (
        Fact("Fund", cells.link(row.fund, row.fund.name)),
        Fact("Asked by", cells.text(row.requested_by or "The fund itself")),
        Fact("Asked", cells.instant(row.created_at, row.fund.company)),
        Fact("It held then", cells.amount(row.current_balance, row.currency)),
        Fact("Target level", cells.amount(row.fund.target_level, row.currency)),
        Fact("Reason", cells.text(row.reason), wide=True),
    )


def _review(row: Any) -> tuple[Fact, ...]:
    return (
        Fact("Payee", cells.text(row.requisition.payee_name)),
        Fact("Paid by", tones.method_badge(row)),
        Fact("Destination", cells.text(_shown(row))),
        Fact("Requested by", cells.text(row.requester)),
        Fact("Executed by", cells.text(row.executor)),
        Fact("Payment", cells.link(row)),
        Fact("What the gateway said last", cells.text(row.last_error), wide=True),
    )


def _shown(row: Any) -> str:
    """Where the money goes: a counter in words, a number masked."""
    return str(row.destination) if row.method == "cash" else mask(row.destination)


def _batch(row: Any) -> tuple[Fact, ...]:
    return (
        Fact("Batch", cells.link(row, row.name)),
        Fact("Payments", cells.text(f"{row.count:,}")),
        Fact("In all", cells.amount(row.total, row.currency)),
        Fact("Made by", cells.text(row.created_by)),
        Fact("Made", cells.instant(row.created_at, row.fund.company)),
        Fact("Fingerprint of the set", cells.Code(row.set_hash[:16]), wide=True),
    )


REQUESTS: dict[str, Callable[[Any], tuple[Fact, ...]]] = {
    "requisition": _requisition,
    "variance": _variance,
    "replenishment": _replenishment,
    "review": _review,
    "batch": _batch,
    "late": _review,
    "return": _review,
}


# --- Documents, approvals, the past ---------------------------------------------------------------------


def _documents(row: Any) -> Panel:
    rows = [
        (
            Link(
                one.name,
                f"/api/requisitions/{row.pk}/attachments/{one.pk}/",
            ),
            cells.text(f"{one.size / 1024:,.0f} KB"),
            cells.text(one.uploaded_by),
        )
        for one in row.attachments.select_related("uploaded_by")
    ]
    return Panel(
        "Documents", table=Table(("File", "Size", "Brought by"), rows), empty="No file is attached."
    )


def _similar(row: Any) -> Panel:
    """What this payee was paid before, newest first."""
    payments = Payment.objects.filter(
        company=row.company_id, requisition__payee_index=row.payee_index
    ).exclude(requisition=row)
    payments = payments.select_related("requisition", "company")
    rows = [
        (
            cells.link(one, one.requisition.purpose),
            cells.amount(one.amount, one.currency),
            tones.status_badge(one, tones.PAYMENT),
            cells.instant(one.created_at, one.company),
        )
        for one in payments[:SIMILAR]
    ]
    return Panel(
        "Paid to this payee before",
        table=Table(("For", "Amount", "Status", "Made"), rows, FIGURES),
        empty="Nothing was paid to this payee yet.",
    )


def _findings(found: Any, row: Any) -> Panel:
    """What people said about the money, how they know, and what they made of it."""
    rows = [
        (
            Badge(one.get_outcome_display() if hasattr(one, "outcome") else "It came back"),
            cells.text(one.proposed_by),
            cells.instant(one.proposed_at, row.fund.company),
            cells.text(one.evidence),
        )
        for one in found.select_related("proposed_by")
    ]
    headings = ("Finding", "Says", "When", "Because")
    return Panel("Findings", table=Table(headings, rows), empty="Nobody has proposed anything yet.")


def _attempts(row: Any) -> list[PaymentAttempt]:
    """What was tried with the gateway: without it nobody can say how the money ended."""
    return list(row.attempts.select_related("provider", "executor").order_by("number"))


OTHERS: dict[str, Callable[[Any], list[Panel]]] = {
    "requisition": lambda row: [_documents(row), approvals_panel(row), _similar(row)],
    "variance": lambda row: [
        _documents(row.payment.requisition),
        _similar(row.payment.requisition),
    ],
    "replenishment": lambda row: [],
    "review": lambda row: [
        _findings(row.resolutions, row),
        _similar(row.requisition),
        *attempt_panels(row, _attempts(row)),
    ],
    "batch": lambda row: list(rows_panels(row)),
    "late": lambda row: [_findings(row.late_successes, row), _similar(row.requisition)],
    "return": lambda row: [_findings(row.reversals, row), _similar(row.requisition)],
}
