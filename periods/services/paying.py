"""Paying an association's expense through treasury: asked for there, paid there, and booked once.

The expense credits the association's clearing account when it is recorded, and the payment debits it. Whether
it is paid is read from the requisition.
"""

from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import IllegalTransition
from periods import duties, locks
from periods.models import Expense
from periods.refusals import ExpenseInPayment, NotPayable, require_live
from periods.services.noting import note
from periods.states import ExpenseKind
from treasury.models import Requisition, TreasuryFund
from treasury.payees import WITHDRAWN
from treasury.services.payments import LateSuccess
from treasury.services.raising import raise_requisition, withdraw_raised
from treasury.services.requisition_content import LONGEST_PURPOSE, Content, write_content
from treasury.services.requisitions import PaymentStarted


@command("expense.pay")
def pay_expense_through_treasury(
    *,
    actor: Actor,
    expense_id: UUID,
    method: str,
    destination: str,
    payee_name: str | None = None,
) -> Expense:
    """Ask treasury to pay an expense out of its association's fund; return it with its ``requisition``.

    All of its amount, to ``payee_name`` (the vendor unless named), also after its period is closed. By whoever
    recorded it, or a requester, who then neither approves nor executes. Raises ``NotFound``,
    ``RoleRequired``, ``InvalidInput`` on the field, ``AlreadyVoid``, ``NotPayable``, ``ExpenseInPayment``
    while another requisition for it lives.
    """
    expense = locks.lock_record(Expense, expense_id)
    duties.may_have_paid(actor, expense)
    association = expense.association
    content = _content(expense, payee_name or expense.vendor, method, destination)
    if association.fund:
        _require_readable(association.fund, content)
    require_live(expense)
    fund = _fund_that_pays(expense)
    if expense.requisition and expense.requisition.status not in WITHDRAWN:
        raise ExpenseInPayment(f"Treasury has been asked: it is {expense.requisition.status}.")
    expense.requisition = raise_requisition(
        actor=actor,
        fund=fund,
        content=content,
        source=expense.reference,
        debit_account_id=association.clearing_account_id,
    )
    expense.save(update_fields=["requisition"])
    note(actor, "expense.pay", expense, association=association)
    return expense


def withdraw_payment(expense: Expense, actor: Actor) -> None:
    """Take back what treasury was asked for a locked expense, which is to change; plain, inside a command.

    Raises ``ExpenseInPayment`` once a payment has left pending, or the expense is paid.
    """
    if expense.requisition_id is None:
        return
    try:
        withdraw_raised(
            actor=actor, company_id=expense.association.company_id, source=expense.reference
        )
    except (PaymentStarted, IllegalTransition, LateSuccess) as refusal:
        message = "This expense is paid, or its payment has begun. Record the difference besides."
        raise ExpenseInPayment(message) from refusal
    expense.requisition = None
    expense.save(update_fields=["requisition"])


def _content(expense: Expense, payee_name: str, method: str, destination: str) -> Content:
    what = f"{expense.payment_type} of {expense.date}"
    purpose = ": ".join(filter(None, (expense.association.name, what, expense.description)))
    return Content(
        amount=expense.amount,
        currency=expense.association.currency,
        purpose=purpose[:LONGEST_PURPOSE],
        payee_name=payee_name,
        method=method,
        destination=destination,
    )


def _require_readable(fund: TreasuryFund, content: Content) -> None:
    """Raise ``InvalidInput`` for what no requisition of the fund could say."""
    write_content(
        Requisition(fund=fund, company_id=fund.company_id, currency=fund.currency), content
    )


def _fund_that_pays(expense: Expense) -> TreasuryFund:
    """Return the fund that owes the expense; raise ``NotPayable`` where somebody paid it already."""
    fund = expense.association.fund
    if expense.kind != ExpenseKind.EXPENSE:
        raise NotPayable("A refund brings money in.")
    if expense.paid_by_id is not None:
        raise NotPayable("An owner has paid this.")
    if fund is None:
        raise NotPayable("This association has no fund: what it pays leaves its own cash.")
    return fund
