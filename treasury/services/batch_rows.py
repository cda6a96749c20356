"""The rows of a batch to be: each checked for itself, with what is wrong or remarkable about it.

Runs in the command that makes the batch, whether it is a dry run or not; nothing is written here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.access import require_role, visible
from ledger.actor import Actor
from ledger.models import User
from ledger.money import format_amount, parse_amount
from ledger.refusals import InvalidInput, Refusal
from ledger.roles import Role
from treasury import locks, methods
from treasury.models import Batch, BatchRow, Payment, Requisition
from treasury.readiness import NotApproved
from treasury.services.batch_warnings import warn
from treasury.services.calendars import require_day_to_come
from treasury.services.payments import DiffersFromApproval, ExceedsApproval
from treasury.services.requisition_content import Content, write_content
from treasury.services.requisitions import InBatch
from treasury.sets import Item
from treasury.sheets import Line
from treasury.states import BatchRowStatus, PaymentStatus, RequisitionStatus
from treasury.texts import optional_text, same_name

LONGEST_REFERENCE = 80
WRITTEN_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One payee as he was asked for: a requisition or payment that exists, or a line of a file."""

    number: int
    requisition_id: str = ""
    payment_id: UUID | None = None
    line: Line | None = None

    def cell(self, name: str) -> str:
        return self.line.cells.get(name, "") if self.line else ""


@dataclass
class Plan:
    """What a batch would hold: its rows, and the requisitions that come into being with it."""

    batch: Batch
    rows: list[BatchRow] = field(default_factory=list)
    raised: list[Requisition] = field(default_factory=list)
    targets: dict[UUID, Requisition] = field(default_factory=dict)
    payments: dict[UUID, Payment] = field(default_factory=dict)
    taken: set[UUID] = field(default_factory=set)

    @property
    def payable(self) -> list[BatchRow]:
        return [row for row in self.rows if row.status == BatchRowStatus.WAITING]


def plan_rows(batch: Batch, wanted: Sequence[Wanted], *, actor: Actor, on: date) -> Plan:
    """Return the rows that the batch would have, refused ones among them, in the order asked for.

    ``on`` is the company's civil date.
    """
    assert actor.user is not None
    plan = Plan(batch)
    named = {UUID(one.requisition_id) for one in wanted if WRITTEN_ID.fullmatch(one.requisition_id)}
    known = _lock_named(batch, named, actor.user)
    pending = _pending_payments(known)
    busy = _busy(known)
    for one in wanted:
        row = _blank(batch, one)
        try:
            if one.line and one.line.fault:
                fault = one.line.fault
                raise InvalidInput.on(fault.field, fault.message, code=fault.code)
            row.reference = optional_text(
                one.cell("reference"), field="reference", longest=LONGEST_REFERENCE
            )
            row.scheduled_for = _day_of(one, on)
            if one.requisition_id:
                _plan_named(plan, row, one, known=known, pending=pending, busy=busy, actor=actor)
            else:
                _plan_raised(plan, row, one, actor=actor)
        except Refusal as refusal:
            refuse(row, refusal)
        plan.rows.append(row)
    warn(plan)
    return plan


def _day_of(one: Wanted, on: date) -> date | None:
    """The day that a line names, read and refused as the API's ``scheduled_for``."""
    text = one.cell("scheduled_for")
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if WRITTEN_DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidInput.on("scheduled_for", "A day is written YYYY-MM-DD.", code="invalid")
    require_day_to_come(day, on=on)
    return day


def refuse(row: BatchRow, refusal: Refusal) -> None:
    """Write on a row, as an object, that it is not paid and why."""
    row.status = BatchRowStatus.REFUSED
    row.error_field = next(iter(refusal.errors), "")[:40]
    row.error_code = refusal.code
    row.error_message = refusal.detail


def item_of(row: BatchRow, requisition: Requisition, payment: Payment | None) -> Item:
    """Return the row as it is now: of the payment where there is one, else of what is asked for."""
    source = payment or requisition
    # What a row raised asks for itself: the row is no more than its picture.
    amount = payment.amount if payment else requisition.amount if row.raised else row.amount
    assert amount is not None
    left = payment is not None or amount <= requisition.amount - requisition.committed
    return Item(
        row_id=row.pk,
        number=row.number,
        requisition_id=requisition.pk,
        requisition_version=requisition.version,
        payment_version=payment.version if payment else 1,
        payee_name=requisition.payee_name,
        method=source.method,
        destination_index=source.destination_index,
        amount=amount,
        currency=row.currency,
        open=left and is_open(requisition.status, payment.status if payment else None),
        scheduled_for=row.scheduled_for,
    )


def is_open(requisition_status: str, payment_status: str | None) -> bool:
    """Whether a row that waits can still be paid, as far as its requisition and payment go."""
    standing = {RequisitionStatus.SUBMITTED, RequisitionStatus.APPROVED}
    return requisition_status in standing and payment_status in {None, PaymentStatus.PENDING}


# --- What there is --------------------------------------------------------------------------------------


def _lock_named(batch: Batch, ids: Iterable[UUID], user: User) -> dict[UUID, Requisition]:
    """Lock the named requisitions of the batch's fund; return those that the user may see, by id."""
    seen = visible(Requisition.objects.filter(pk__in=list(ids)), user, prefix="fund__")
    found = dict(seen.values_list("pk", "fund_id"))
    here = [pk for pk, fund_id in found.items() if fund_id == batch.fund_id]
    known = {row.pk: row for row in locks.lock_requisitions(here)} if here else {}
    others = Requisition.objects.filter(pk__in=[pk for pk in found if pk not in known])
    return known | {row.pk: row for row in others}


def _pending_payments(known: dict[UUID, Requisition]) -> dict[UUID, list[Payment]]:
    found: dict[UUID, list[Payment]] = {}
    rows = Payment.objects.filter(requisition__in=list(known), status=PaymentStatus.PENDING)
    in_batches = BatchRow.objects.filter(
        payment__isnull=False,
        requisition__in=list(known),
        status__in=(BatchRowStatus.WAITING, BatchRowStatus.DONE),
    ).values("payment")
    for payment in rows.exclude(pk__in=in_batches).order_by("created_at", "pk"):
        found.setdefault(payment.requisition_id, []).append(payment)
    return found


def _busy(known: dict[UUID, Requisition]) -> set[UUID]:
    rows = BatchRow.objects.filter(requisition__in=list(known), status=BatchRowStatus.WAITING)
    return set(rows.filter(payment=None).values_list("requisition_id", flat=True))


# --- One row --------------------------------------------------------------------------------------------


def _blank(batch: Batch, one: Wanted) -> BatchRow:
    """The row with what can be shown of it even when it is refused."""
    method = one.cell("method").casefold()
    return BatchRow(
        batch=batch,
        number=one.number,
        currency=batch.currency,
        payee_name=_shown(one.cell("payee_name"))[:160],
        method=method if method in methods.Method.values else "",
        amount=_readable_amount(one, batch.currency),
        destination_shown=methods.shown(
            method=method,
            destination=_shown(one.cell("destination"))[: methods.LONGEST_DESTINATION],
        ),
    )


def _readable_amount(one: Wanted, currency: str) -> Decimal | None:
    text = one.cell("amount")
    if not text or one.cell("currency") not in {"", currency}:
        return None
    try:
        return parse_amount(text, currency)
    except Refusal:
        return None


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _plan_named(
    plan: Plan,
    row: BatchRow,
    one: Wanted,
    *,
    known: dict[UUID, Requisition],
    pending: dict[UUID, list[Payment]],
    busy: set[UUID],
    actor: Actor,
) -> None:
    """A row that pays a requisition which exists, or adopts its payment that is pending."""
    requisition = _named(one, known)
    if requisition.fund_id != plan.batch.fund_id:
        message = "This requisition is of another fund; a batch pays out of one."
        raise InvalidInput.on("requisition", message, code="other_fund")
    require_role(actor, Role.TREASURER, place=requisition.fund)
    row.payee_name, row.method = requisition.payee_name, requisition.method
    row.destination_shown = methods.shown(
        method=requisition.method, destination=requisition.destination
    )
    row.amount = requisition.amount
    if one.payment_id is None and (requisition.pk in plan.taken or requisition.pk in busy):
        raise _on("requisition", InBatch("A row that waits pays this requisition already."))
    _require_as_approved(one, requisition)
    if requisition.status != RequisitionStatus.APPROVED:
        raise _on("requisition", NotApproved(f"It is {requisition.status}, not approved."))
    payment = _adopted(one, requisition, pending.get(requisition.pk, []))
    row.amount = payment.amount if payment else _amount(one, requisition)
    methods.require_payable(
        method=requisition.method, amount=row.amount, currency=requisition.currency
    )
    if payment and row.scheduled_for not in (None, payment.scheduled_for):
        message = "Its payment that is pending goes out on another day, or on none."
        raise DiffersFromApproval(message, errors={"scheduled_for": [message]})
    row.payment, row.adopted = payment, payment is not None
    _aim(plan, row, requisition, payment)


def _named(one: Wanted, known: dict[UUID, Requisition]) -> Requisition:
    text = one.requisition_id
    found = known.get(UUID(text)) if WRITTEN_ID.fullmatch(text) else None
    if found is None:
        raise InvalidInput.on("requisition", "There is no such requisition.")
    return found


def _on(name: str, refusal: Refusal) -> Refusal:
    refusal.errors = {name: [refusal.detail]}
    return refusal


def _require_as_approved(one: Wanted, requisition: Requisition) -> None:
    """What a line says beside a requisition is what was approved."""
    if one.line is None:
        return
    method, destination = one.cell("method").casefold(), one.cell("destination")
    if destination:
        destination = methods.normalise_destination(
            method=requisition.method, destination=destination
        )
    for name, given, approved in (
        ("payee_name", same_name(one.cell("payee_name")), same_name(requisition.payee_name)),
        ("method", method, requisition.method),
        ("destination", destination, requisition.destination),
        ("currency", one.cell("currency"), requisition.currency),
    ):
        if given and given != approved:
            message = f"The {name.replace('_', ' ')} is not the one that was approved."
            raise DiffersFromApproval(message, errors={name: [message]})


def _adopted(one: Wanted, requisition: Requisition, pending: list[Payment]) -> Payment | None:
    """The pending payment that the row stands for, where nothing is left to make another of."""
    if one.payment_id is not None:
        found = next((payment for payment in pending if payment.pk == one.payment_id), None)
        if found is None:
            raise _on("payment", InBatch("It is not pending any more, or in a batch already."))
        return found
    if requisition.amount > requisition.committed or len(pending) != 1:
        return None
    given = one.cell("amount")
    if given and parse_amount(given, requisition.currency) != pending[0].amount:
        return None
    return pending[0]


def _amount(one: Wanted, requisition: Requisition) -> Decimal:
    left = requisition.amount - requisition.committed
    if left <= 0:
        raise _on("requisition", ExceedsApproval("Nothing is left of what was approved."))
    given = one.cell("amount")
    wanted = parse_amount(given, requisition.currency) if given else left
    if wanted > left:
        shown = format_amount(left, requisition.currency)
        message = f"Only {requisition.currency} {shown} is left of what was approved."
        raise _on("amount", ExceedsApproval(message))
    return wanted


def _plan_raised(plan: Plan, row: BatchRow, one: Wanted, *, actor: Actor) -> None:
    """A row that asks for money by itself: its requisition is the uploader's."""
    fund = plan.batch.fund
    requisition = Requisition(
        fund=fund,
        company_id=fund.company_id,
        currency=fund.currency,
        requested_by=actor.user,
    )
    content = Content(
        amount=one.cell("amount"),
        currency=one.cell("currency") or None,
        purpose=one.cell("purpose"),
        payee_name=one.cell("payee_name"),
        method=one.cell("method").casefold(),
        destination=one.cell("destination"),
    )
    write_content(requisition, content)
    row.payee_name, row.method = requisition.payee_name, requisition.method
    row.destination_shown = methods.shown(
        method=requisition.method, destination=requisition.destination
    )
    row.amount, row.raised = requisition.amount, True
    plan.raised.append(requisition)
    _aim(plan, row, requisition, None)


def _aim(plan: Plan, row: BatchRow, requisition: Requisition, payment: Payment | None) -> None:
    """Let the row pay the requisition."""
    row.requisition, row.requester_id = requisition, requisition.requested_by_id
    plan.taken.add(requisition.pk)
    plan.targets[row.pk] = requisition
    row.digest = item_of(row, requisition, payment).digest()
