"""What can be done in periods, each by the command that the API uses too."""

from typing import Any
from uuid import UUID

from ledger.actor import Actor
from ledger.admin.steps import Given, Reasoned, Step
from ledger.clock import today
from ledger.refusals import InvalidInput
from ledger.roles import Role
from periods import duties
from periods.admin import forms
from periods.models import (
    Association,
    BudgetItem,
    Contribution,
    Expense,
    InstalmentPlan,
    Meter,
    Owner,
    Property,
    Reading,
    ServiceCharge,
    ServicePeriod,
)
from periods.services.associations import create_association, edit_association
from periods.services.budget_items import create_budget_item, edit_budget_item
from periods.services.charges import edit_charge, record_charge, void_charge
from periods.services.closing import close_period
from periods.services.contributions import (
    edit_contribution,
    record_contribution,
    void_contribution,
)
from periods.services.expenses import edit_expense, record_expense, void_expense
from periods.services.instalments import plan_instalments, withdraw_instalments
from periods.services.late_fees import charge_late_fees, set_late_fee_rule
from periods.services.meters import add_meter
from periods.services.opening import open_period
from periods.services.owners import add_owner, edit_owner
from periods.services.paying import pay_expense_through_treasury
from periods.services.properties import add_property, edit_property, transfer_property
from periods.services.readings import record_reading, void_reading
from periods.services.reopening import approve_reopening, reopen_period
from periods.services.statements import remind_owners, send_statements
from treasury.segregation import require_second_person

KEEPERS = frozenset(duties.KEEPERS)
RECORDERS = frozenset(duties.RECORDERS)
CFO = frozenset({Role.CFO})
OPEN = frozenset({"OPEN"})
CLOSED = frozenset({"CLOSED", "STALE"})


def _pk(row: Any) -> UUID | None:
    return row.pk if row else None


def _number(given: Given, field: str) -> int:
    try:
        return int(given[field])
    except ValueError:
        raise InvalidInput.on(field, "This is a whole number.") from None


# --- Associations, owners, properties -----------------------------------------------------------------


def _create_association(actor: Actor, _row: None, given: Given) -> Association:
    return create_association(
        actor=actor,
        company_id=given["company"].pk,
        name=given["name"],
        currency=given["currency"].upper(),
        branch_id=_pk(given["branch"]),
        fund_id=_pk(given["fund"]),
        remainder_rule=given["remainder_rule"],
        recalculation=given["recalculation"],
    )


def _edit_association(actor: Actor, row: Association, given: Given) -> object:
    return edit_association(actor=actor, association_id=row.pk, **given)


def _set_late_fees(actor: Actor, row: Association, given: Given) -> object:
    return set_late_fee_rule(
        actor=actor,
        association_id=row.pk,
        grace_days=_number(given, "grace_days"),
        fixed_fee=given["fixed_fee"],
        yearly_percent=given["yearly_percent"],
        cap=given["cap"] or None,
    )


def _remind_all(actor: Actor, row: Association, _given: Given) -> object:
    return remind_owners(actor=actor, association_id=row.pk, owner_ids=None, today=today)


def _remind(actor: Actor, row: Owner, _given: Given) -> object:
    made = remind_owners(
        actor=actor, association_id=row.association_id, owner_ids=[row.pk], today=today
    )
    if not made:
        raise InvalidInput("He owes nothing, has no address, or was reminded today.")
    return made[0]


def _add_owner(actor: Actor, _row: None, given: Given) -> Owner:
    return add_owner(
        actor=actor,
        association_id=given["association"].pk,
        name=given["name"],
        email=given["email"],
        user_id=_pk(given["login"]),
    )


def _edit_owner(actor: Actor, row: Owner, given: Given) -> object:
    return edit_owner(
        actor=actor,
        owner_id=row.pk,
        name=given["name"],
        email=given["email"],
        user_id=_pk(given["login"]),
    )


def _add_property(actor: Actor, _row: None, given: Given) -> Property:
    return add_property(
        actor=actor,
        association_id=given["association"].pk,
        owner_id=given["owner"].pk,
        label=given["label"],
        share_weight=given["share_weight"],
    )


def _edit_property(actor: Actor, row: Property, given: Given) -> object:
    return edit_property(actor=actor, property_id=row.pk, **given)


def _transfer(actor: Actor, row: Property, given: Given) -> object:
    return transfer_property(
        actor=actor, property_id=row.pk, owner_id=given["owner"].pk, from_on=given["from_on"]
    )


CREATE_ASSOCIATION = Step(
    name="create",
    label="Set up an association",
    done="set up",
    run=_create_association,
    roles=KEEPERS,
    form=forms.NewAssociation,
    tone="main",
)
ASSOCIATION = (
    Step(
        name="remind",
        label="Remind owners in debt",
        done="reminders go out by mail",
        run=_remind_all,
        roles=KEEPERS,
        tone="main",
        hint="Everybody who owes something and has an address gets a mail, at most one a day.",
    ),
    Step(
        name="late-fees",
        label="Set late fees",
        done="late fees are set",
        run=_set_late_fees,
        roles=KEEPERS,
        form=forms.LateFees,
        bulk=False,
        hint="For instalments that are not paid in time. What was charged before stays.",
    ),
    Step(
        name="edit",
        label="Edit",
        done="changed",
        run=_edit_association,
        roles=KEEPERS,
        form=forms.EditAssociation,
        bulk=False,
        hint="Closed periods keep the rule that they were closed under.",
    ),
)
ADD_OWNER = Step(
    name="create",
    label="Add an owner",
    done="added",
    run=_add_owner,
    roles=KEEPERS,
    form=forms.NewOwner,
    tone="main",
)
OWNER = (
    Step(
        name="remind",
        label="Remind of debt",
        done="a reminder goes out by mail",
        run=_remind,
        roles=KEEPERS,
        tone="main",
        fits=lambda row: row.account.balance < 0,
        hint="He gets a mail that says what he owes, at most one a day.",
    ),
    Step(
        name="edit",
        label="Edit",
        done="changed",
        run=_edit_owner,
        roles=KEEPERS,
        form=forms.EditOwner,
        bulk=False,
    ),
)
ADD_PROPERTY = Step(
    name="create",
    label="Add a property",
    done="added",
    run=_add_property,
    roles=KEEPERS,
    form=forms.NewProperty,
    tone="main",
)
PROPERTY = (
    Step(
        name="transfer",
        label="Transfer to another owner",
        done="transferred",
        run=_transfer,
        roles=KEEPERS,
        form=forms.Transfer,
        bulk=False,
    ),
    Step(
        name="edit",
        label="Edit",
        done="changed",
        run=_edit_property,
        roles=KEEPERS,
        form=forms.EditProperty,
        bulk=False,
        hint="It counts for periods that are closed from now on.",
    ),
)


# --- Periods ------------------------------------------------------------------------------------------


def _open_period(actor: Actor, _row: None, given: Given) -> ServicePeriod:
    return open_period(
        actor=actor,
        association_id=given["association"].pk,
        name=given["name"],
        start_date=given["start_date"],
        end_date=given["end_date"],
    )


def _contribution(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return record_contribution(
        actor=actor,
        period_id=row.pk,
        owner_id=given["owner"].pk,
        amount=given["amount"],
        date=given["date"],
        comment=given["comment"],
    )


def _expense(actor: Actor, row: ServicePeriod, given: Given) -> object:
    content = dict(given)
    return record_expense(
        actor=actor,
        period_id=row.pk,
        paid_by=_pk(content.pop("paid_by")),
        budget_item=_pk(content.pop("budget_item")),
        **content,
    )


def _charge(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return record_charge(
        actor=actor,
        period_id=row.pk,
        owner_id=given["owner"].pk,
        amount=given["amount"],
        description=given["description"],
        date=given["date"],
        today=today,
    )


def _item_content(given: Given) -> dict[str, Any]:
    content = dict(given)
    content["scope"] = [UUID(pk) for pk in content["scope"]]
    content["base_percent"] = content["base_percent"] or None
    return content


def _item(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return create_budget_item(actor=actor, period_id=row.pk, **_item_content(given))


def _reading(actor: Actor, row: ServicePeriod, given: Given) -> object:
    content: dict[str, Any] = {name: value or None for name, value in given.items()}
    content |= {name: bool(given[name]) for name in ("rolled_over", "confirmed")}
    meter = content.pop("meter")
    return record_reading(actor=actor, period_id=row.pk, meter_id=meter.pk, **content)


def _instalments(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return plan_instalments(
        actor=actor,
        period_id=row.pk,
        amount=given["amount"],
        instalments=_number(given, "instalments"),
        first_due_on=given["first_due_on"],
        description=given["description"],
        every_months=_number(given, "every_months"),
        budget_item=_pk(given["budget_item"]),
    )


def _late_fees(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return charge_late_fees(actor=actor, period_id=row.pk, on=given["on"])


def _close(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return close_period(actor=actor, period_id=row.pk)


def _reopen(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return reopen_period(actor=actor, period_id=row.pk, reason=given["reason"])


def _approve_reopening(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return approve_reopening(actor=actor, period_id=row.pk)


def _waits_to_be_reopened(row: ServicePeriod) -> bool:
    return row.reopen_requests.filter(reopened_at=None).exists()


def _may_approve_reopening(actor: Actor, row: ServicePeriod) -> None:
    duties.may_close(actor, row.association)
    request = row.reopen_requests.filter(reopened_at=None).first()
    if request:
        require_second_person(
            user_id=actor.user_id, first_id=request.requested_by_id, act="confirm"
        )


def _send(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return send_statements(actor=actor, period_id=row.pk)


OPEN_PERIOD = Step(
    name="create",
    label="Open a period",
    done="open",
    run=_open_period,
    roles=KEEPERS,
    form=forms.NewPeriod,
    tone="main",
    hint="It starts the day after the last one ends.",
)


def _recording(name: str, label: str, run: Any, form: Any) -> Step:
    """A step that records something in an open period."""
    return Step(
        name=name,
        label=label,
        done="recorded",
        run=run,
        roles=RECORDERS,
        states=OPEN,
        form=form,
        bulk=False,
    )


PERIOD = (
    Step(
        name="close",
        label="Close",
        done="closed",
        run=_close,
        roles=CFO,
        states=OPEN,
        tone="main",
        bulk=False,
        hint="Its expenses are shared among the owners as its page shows, and posted. Later periods that"
        " wait for it are recalculated.",
    ),
    Step(
        name="statements",
        label="Send statements",
        done="statements go out by mail",
        run=_send,
        roles=KEEPERS,
        states=frozenset({"CLOSED"}),
        tone="main",
        bulk=False,
        hint="Each owner gets his own, once for each version of the balance sheet. To reopen the period then"
        " takes two people.",
    ),
    Step(
        name="approve-reopening",
        label="Confirm the reopening",
        done="open again",
        run=_approve_reopening,
        roles=CFO,
        states=CLOSED,
        fits=_waits_to_be_reopened,
        may=_may_approve_reopening,
        tone="main",
        bulk=False,
        hint="Statements were sent, so that it takes a second person.",
    ),
    Step(
        name="reopen",
        label="Reopen",
        done="to be opened again",
        run=_reopen,
        roles=CFO,
        states=CLOSED,
        fits=lambda row: not _waits_to_be_reopened(row),
        form=Reasoned,
        tone="danger",
        bulk=False,
        hint="What it shared is taken back, and later periods are stale until it is closed again.",
    ),
    _recording("contribution", "Record a contribution", _contribution, forms.NewContribution),
    _recording("expense", "Record an expense", _expense, forms.NewExpense),
    _recording("charge", "Charge an owner", _charge, forms.NewCharge),
    _recording("item", "Add a budget item", _item, forms.NewItem),
    _recording("reading", "Record a reading", _reading, forms.NewReading),
    _recording("instalments", "Ask for instalments", _instalments, forms.Instalments),
    _recording("late-fees", "Charge late fees", _late_fees, forms.OnDay),
)


# --- Records ------------------------------------------------------------------------------------------


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
        paid_by=_pk(content.pop("paid_by")),
        budget_item=_pk(content.pop("budget_item")),
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
    return edit_budget_item(actor=actor, item_id=row.pk, **_item_content(given))


def _void_reading(actor: Actor, row: Reading, _given: Given) -> object:
    return void_reading(actor=actor, reading_id=row.pk)


def _add_meter(actor: Actor, _row: None, given: Given) -> Meter:
    return add_meter(
        actor=actor,
        association_id=given["association"].pk,
        budget_item_id=given["budget_item"].pk,
        property_id=_pk(given["property"]),
        digits=_number(given, "digits"),
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
ADD_METER = Step(
    name="create",
    label="Set up a meter",
    done="set up",
    run=_add_meter,
    roles=KEEPERS,
    form=forms.NewMeter,
    tone="main",
)
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
