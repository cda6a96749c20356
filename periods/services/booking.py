"""How records of a period stand in the ledger. Plain functions inside a command, on locked rows.

What an owner pays in, or pays for all, is owed to him; what he is charged he owes. Costs wait on an account of
their own until a close shares them among the owners.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.models import Side
from ledger.services import posting
from ledger.services.posting import OPPOSITE, Line, Posting
from periods.models import Association, Contribution, Expense, Owner, ServiceCharge
from periods.models.recorded import Recorded
from periods.states import ExpenseKind


def book_contribution(contribution: Contribution, actor: Actor) -> None:
    """Post an owner's payment: the association has the money and owes it him."""
    association, owner = contribution.association, contribution.owner
    what = f"Contribution of {owner.name}"
    _book(contribution, association.cash_account_id, owner.account_id, what, actor)


def book_expense(expense: Expense, actor: Actor) -> None:
    """Post a cost that waits to be shared, against whoever paid it; a refund is its mirror."""
    association = expense.association
    what = f"{expense.payment_type}: {expense.vendor or expense.description or expense.kind}"
    payer = paying_account(association, expense.paid_by, expense.kind)
    costs = association.costs_account_id
    if expense.kind == ExpenseKind.REFUND:
        _book(expense, payer, costs, what, actor)
    else:
        _book(expense, costs, payer, what, actor)


def book_charge(charge: ServiceCharge, actor: Actor) -> None:
    """Post what one owner owes all of them; a negative charge is owed to him."""
    equity, owner = charge.association.equity_account_id, charge.owner
    what = f"{owner.name}: {charge.description}"
    if charge.amount > 0:
        _book(charge, owner.account_id, equity, what, actor)
    else:
        _book(charge, equity, owner.account_id, what, actor)


def paying_account(association: Association, paid_by: Owner | None, kind: str) -> UUID:
    """The account that an expense is paid from, or its refund to.

    The owner's who laid it out; else the association's cash, but where it has a fund the money leaves it
    through treasury alone, so that the expense is owed until then.
    """
    if paid_by is not None:
        return paid_by.account_id
    if association.fund_id and kind == ExpenseKind.EXPENSE:
        return association.clearing_account_id
    return association.cash_account_id


def unbook(record: Recorded, actor: Actor) -> None:
    """Reverse what stands in the books for the record, as of the day it stands there for."""
    entry = record.journal_entry
    posting.reverse(
        journal_entry_id=entry.pk,
        reference=f"{record.posting_reference}:reversed",
        description=f"Reversed: {entry.description}"[: posting.LONGEST_DESCRIPTION],
        effective_on=entry.effective_on,
        posted_by_id=actor.user_id,
    )


def post_debits(
    actor: Actor,
    association: Association,
    debits: Mapping[UUID, Decimal],
    *,
    reference: str,
    description: str,
    on: date,
) -> UUID | None:
    """Post what each account is debited (less than zero: credited); return the entry, None for nothing.

    The amounts add up to zero.
    """
    lines = tuple(
        Line(account, Side.DEBIT if amount > 0 else Side.CREDIT, abs(amount), association.currency)
        for account, amount in debits.items()
        if amount
    )
    if not lines:
        return None
    return posting.post(
        Posting(
            company_id=association.company_id,
            reference=reference,
            description=description[: posting.LONGEST_DESCRIPTION],
            effective_on=on,
            lines=lines,
            posted_by_id=actor.user_id,
        )
    )


def _book(
    record: Contribution | Expense | ServiceCharge,
    debit: UUID,
    credit: UUID,
    what: str,
    actor: Actor,
) -> None:
    association = record.association
    amount: Decimal = abs(record.amount)
    record.journal_entry_id = posting.post(
        Posting(
            company_id=association.company_id,
            reference=record.posting_reference,
            description=what[: posting.LONGEST_DESCRIPTION],
            effective_on=record.date,
            lines=(
                Line(debit, Side.DEBIT, amount, association.currency),
                Line(credit, OPPOSITE[Side.DEBIT.value], amount, association.currency),
            ),
            posted_by_id=actor.user_id,
        )
    )
