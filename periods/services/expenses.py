"""Expenses: what all owners share, and who laid it out."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import Money, parse_amount
from ledger.refusals import InvalidInput
from periods import duties, locks
from periods.models import BudgetItem, Expense, Owner, ServicePeriod
from periods.refusals import RefundTooLarge, require_live, require_open, require_within
from periods.services import recording
from periods.services.booking import book_expense
from periods.services.paying import withdraw_payment
from periods.services.recording import UNCHANGED, Unchanged
from periods.states import ExpenseKind
from treasury.texts import optional_text, require_text

Amount = str | int | Decimal
LONGEST_TYPE = 80
LONGEST_VENDOR = 160
LONGEST_DESCRIPTION = 500
NOTHING = Decimal(0)


@command("expense.record")
def record_expense(
    *,
    actor: Actor,
    period_id: UUID,
    payment_type: str,
    amount: Amount,
    date: date,
    kind: str = ExpenseKind.EXPENSE,
    paid_by: UUID | None = None,
    vendor: str = "",
    description: str = "",
    budget_item: UUID | None = None,
    refund_of: UUID | None = None,
) -> Expense:
    """Record a cost, or a refund of one, on a day of an open period and return it.

    ``paid_by`` is the owner who laid it out, None for the association's cash; ``budget_item`` says how it is
    shared and may come later; ``refund_of`` names the expense that a refund mirrors, whose weights it then
    takes. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``,
    ``RefundTooLarge``.
    """
    period = recording.begin(actor, period_id)
    expense = Expense(association=period.association, period=period, kind=_kind(kind))
    asked: dict[str, Any] = {
        "payment_type": payment_type,
        "amount": amount,
        "date": date,
        "paid_by": paid_by,
        "vendor": vendor,
        "description": description,
        "budget_item": budget_item,
        "refund_of": refund_of,
    }
    for name, value in _content(expense, asked).items():
        setattr(expense, name, value)
    require_open(period)
    if expense.kind == ExpenseKind.REFUND:  # what is new has no refunds itself
        _require_covered(expense, expense.amount)
    return recording.insert(expense, book_expense, actor)


@command("expense.edit")
def edit_expense(
    *,
    actor: Actor,
    expense_id: UUID,
    payment_type: str | None = None,
    amount: Amount | None = None,
    date: date | None = None,
    paid_by: UUID | Unchanged | None = UNCHANGED,
    vendor: str | None = None,
    description: str | None = None,
    budget_item: UUID | Unchanged | None = UNCHANGED,
) -> Expense:
    """Change an expense of an open period; what is left out stays. Its posting is reversed and made anew.

    Another amount or payer withdraws what treasury was asked to pay. Raises ``NotFound``, ``RoleRequired``,
    ``InvalidInput`` on the field, ``PeriodClosed``, ``AlreadyVoid``, ``ExpenseInPayment`` where that has begun,
    ``RefundTooLarge``.
    """
    expense = locks.lock_record(Expense, expense_id)
    duties.may_record(actor, expense.association)
    asked: dict[str, Any] = {
        name: value
        for name, value in (
            ("payment_type", payment_type),
            ("amount", amount),
            ("date", date),
            ("vendor", vendor),
            ("description", description),
        )
        if value is not None
    }
    if not isinstance(paid_by, Unchanged):
        asked["paid_by"] = paid_by
    if not isinstance(budget_item, Unchanged):
        asked["budget_item"] = budget_item
    content = _content(expense, asked)
    if any(getattr(expense, name) != value for name, value in _what_is_paid(content)):
        _require_changeable(expense)
        _require_covered(expense, content.get("amount", expense.amount))
        withdraw_payment(expense, actor)
    return recording.change(expense, content, book_expense, actor)


@command("expense.void")
def void_expense(*, actor: Actor, expense_id: UUID, reason: str) -> Expense:
    """Take an expense of an open period out of the books, saying why, and out of treasury's hands.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``, ``PeriodClosed``, ``AlreadyVoid``,
    ``ExpenseInPayment`` once a payment has begun, ``RefundTooLarge`` while it has refunds.
    """
    expense = locks.lock_record(Expense, expense_id)
    duties.may_record(actor, expense.association)
    _require_changeable(expense)
    if expense.kind == ExpenseKind.EXPENSE:
        _require_covered(expense, NOTHING)
    withdraw_payment(expense, actor)
    return recording.void(expense, reason, actor)


def _what_is_paid(content: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in content.items() if name in {"amount", "paid_by"}]


def _require_changeable(expense: Expense) -> None:
    """Refuse what cannot change at all, before anything is taken out of treasury's hands."""
    require_open(expense.period)
    require_live(expense)


def _require_covered(expense: Expense, amount: Decimal) -> None:
    """Raise ``RefundTooLarge`` where refunds would come to more than their expense, were this the amount.

    Looks at the refunds of a locked expense, or with a refund at all of the expense that it names.
    """
    whole, refund = expense, NOTHING
    if expense.kind == ExpenseKind.REFUND:
        if expense.refund_of is None:
            return
        locked = locks.lock_refunded(expense.refund_of.pk, expense.association_id)
        whole, refund = locked or expense.refund_of, amount
        amount = whole.amount
    others = whole.refunds.filter(voided_at=None).exclude(pk=expense.pk)
    refunded = refund + (others.aggregate(sum=Sum("amount"))["sum"] or NOTHING)
    if refunded > amount:
        currency = expense.association.currency
        raise RefundTooLarge(
            f"{Money(refunded, currency)} would be refunded of {Money(amount, currency)}."
        )


def _kind(kind: str) -> ExpenseKind:
    if kind not in ExpenseKind.values:
        raise InvalidInput.on("kind", "This is expense or refund.")
    return ExpenseKind(kind)


def _content(expense: Expense, asked: dict[str, Any]) -> dict[str, Any]:
    """Read what was asked for, field by field."""
    period = expense.period
    read: dict[str, Callable[[Any], Any]] = {
        "payment_type": lambda value: require_text(
            value, field="payment_type", longest=LONGEST_TYPE
        ),
        "amount": lambda value: parse_amount(value, expense.association.currency),
        "date": lambda value: _within(period, value),
        "paid_by": lambda value: _payer(period, value),
        "vendor": lambda value: optional_text(value, field="vendor", longest=LONGEST_VENDOR),
        "description": lambda value: optional_text(
            value, field="description", longest=LONGEST_DESCRIPTION
        ),
        "budget_item": lambda value: _item(period, value),
        "refund_of": lambda value: _refunded(expense, value),
    }
    return {name: read[name](value) for name, value in asked.items()}


def _within(period: ServicePeriod, day: date) -> date:
    require_within(period, day)
    return day


def _payer(period: ServicePeriod, owner_id: UUID | None) -> Owner | None:
    if owner_id is None:
        return None
    return recording.owner_of(period, owner_id, field="paid_by")


def _item(period: ServicePeriod, item_id: UUID | None) -> BudgetItem | None:
    if item_id is None:
        return None
    item = BudgetItem.objects.filter(pk=item_id, period=period).first()
    if item is None:
        raise InvalidInput.on("budget_item", "There is no such budget item in this period.")
    return item


def _refunded(refund: Expense, expense_id: UUID | None) -> Expense | None:
    if expense_id is None:
        return None
    if refund.kind != ExpenseKind.REFUND:
        raise InvalidInput.on("refund_of", "Only a refund names what it refunds.")
    expense = locks.lock_refunded(expense_id, refund.association_id)
    if expense is None:
        raise InvalidInput.on("refund_of", "There is no such expense.")
    return expense
