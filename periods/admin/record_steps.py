"""What can be done to records of a period, meters and plans, each by the command that the API uses too."""

from typing import Any

from ledger.actor import Actor
from ledger.admin.steps import Given, Reasoned, Step
from ledger.roles import Role
from periods import duties
from periods.admin import forms
from periods.admin.asking import (
    RECORDERS,
    item_content,
    making,
    number_of,
    pk_of,
)
from periods.models import (
    BudgetItem,
    Contribution,
    Expense,
    InstalmentPlan,
    Meter,
    Reading,
    ServiceCharge,
)
from periods.services.budget_items import edit_budget_item
from periods.services.charges import edit_charge, void_charge
from periods.services.contributions import (
    edit_contribution,
    void_contribution,
)
from periods.services.expenses import edit_expense, void_expense
from periods.services.instalments import withdraw_instalments
from periods.services.meters import add_meter
from periods.services.paying import pay_expense_through_treasury
from periods.services.readings import void_reading


def _edit_contribution(actor: Actor, row: Contribution, given: Given) -> object:
    content = dict(given)
    owner = content.pop("owner")
    return edit_contribution(actor=actor, contribution_id=row.pk, owner_id=owner.pk, **content)


def _void_contribution(actor: Actor, row: Contribution, given: Given) -> object:
    return void_contribution(actor=actor, contribution_id=row.pk, reason=given["reason"])


def _edit_expense(actor: Actor, row: Expense, given: Given) -> object:
    content = dict(given)
    return edit_expense(
        actor=actor,
        expense_id=row.pk,
        paid_by=pk_of(content.pop("paid_by")),
        budget_item=pk_of(content.pop("budget_item")),
        **content,
    )


def _void_expense(actor: Actor, row: Expense, given: Given) -> object:
    return void_expense(actor=actor, expense_id=row.pk, reason=given["reason"])


def _pay(actor: Actor, row: Expense, given: Given) -> object:
    return pay_expense_through_treasury(actor=actor, expense_id=row.pk, **given)


def _is_payable(row: Expense) -> bool:
    return bool(
        row.association.fund_id
        and row.kind == "expense"
        and row.paid_by_id is None
        and row.voided_at is None
        and row.requisition_id is None
    )


def _edit_charge(actor: Actor, row: ServiceCharge, given: Given) -> object:
    return edit_charge(actor=actor, charge_id=row.pk, **given)


def _void_charge(actor: Actor, row: ServiceCharge, given: Given) -> object:
    return void_charge(actor=actor, charge_id=row.pk, reason=given["reason"])


def _edit_item(actor: Actor, row: BudgetItem, given: Given) -> object:
    return edit_budget_item(actor=actor, item_id=row.pk, **item_content(given))


def _void_reading(actor: Actor, row: Reading, _given: Given) -> object:
    return void_reading(actor=actor, reading_id=row.pk)


def _add_meter(actor: Actor, _row: None, given: Given) -> Meter:
    return add_meter(
        actor=actor,
        association_id=given["association"].pk,
        budget_item_id=given["budget_item"].pk,
        property_id=pk_of(given["property"]),
        digits=number_of(given, "digits"),
        multiplier=given["multiplier"],
        label=given["label"],
    )


def _withdraw(actor: Actor, row: InstalmentPlan, _given: Given) -> object:
    return withdraw_instalments(actor=actor, plan_id=row.pk)


def _is_live(row: Any) -> bool:
    return bool(row.period.status == "OPEN" and row.voided_at is None)


def _is_own(row: ServiceCharge) -> bool:
    return _is_live(row) and row.kind == "charge"


def _editing(run: Any, form: Any, fits: Any = _is_live) -> Step:
    return Step(
        name="edit",
        label="Edit",
        done="changed",
        run=run,
        roles=RECORDERS,
        form=form,
        fits=fits,
        bulk=False,
        hint="What stands in the books is reversed and posted anew.",
    )


def _voiding(run: Any, fits: Any = _is_live) -> Step:
    return Step(
        name="void",
        label="Void",
        done="void",
        run=run,
        roles=RECORDERS,
        form=Reasoned,
        fits=fits,
        tone="danger",
    )


CONTRIBUTION = (
    _editing(_edit_contribution, forms.EditContribution),
    _voiding(_void_contribution),
)
EXPENSE = (
    Step(
        name="pay",
        label="Pay through treasury",
        done="asked for; its requisition waits for approval",
        run=_pay,
        roles=frozenset({*RECORDERS, Role.REQUESTER}),
        fits=_is_payable,
        may=duties.may_have_paid,
        form=forms.Pay,
        tone="main",
        bulk=False,
        hint="All of it, out of the association's fund. Whoever asks neither approves nor executes it.",
    ),
    _editing(_edit_expense, forms.EditExpense),
    _voiding(_void_expense),
)
CHARGE = (
    _editing(_edit_charge, forms.EditCharge, _is_own),
    _voiding(_void_charge, _is_own),
)
ITEM = (
    Step(
        name="edit",
        label="Edit",
        done="changed",
        run=_edit_item,
        roles=RECORDERS,
        form=forms.EditItem,
        fits=lambda row: row.period.status == "OPEN",
        bulk=False,
    ),
)
READING = (
    Step(
        name="void",
        label="Void",
        done="void",
        run=_void_reading,
        roles=RECORDERS,
        fits=_is_live,
        tone="danger",
        hint="What was charged for it is taken back.",
    ),
)
ADD_METER = making(_add_meter, forms.NewMeter, label="Set up a meter", done="set up")
PLAN = (
    Step(
        name="withdraw",
        label="Withdraw",
        done="withdrawn",
        run=_withdraw,
        roles=RECORDERS,
        fits=lambda row: row.withdrawn_at is None,
        tone="danger",
        bulk=False,
        hint="The rest is asked for no more; late fees that were charged stay.",
    ),
)
