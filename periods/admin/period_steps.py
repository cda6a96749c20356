"""What can be done in a period, each by the command that the API uses too."""

from collections.abc import Callable
from typing import Any

from ledger.actor import Actor
from ledger.admin.steps import Given, Reasoned, Step
from ledger.clock import today
from ledger.refusals import InvalidInput
from periods import duties
from periods.admin import forms
from periods.admin.asking import (
    CFO,
    CLOSED,
    KEEPERS,
    OPEN,
    RECORDERS,
    item_content,
    making,
    number_of,
    pk_of,
)
from periods.models import (
    ServicePeriod,
)
from periods.selectors import waiting_reopening
from periods.services.budget_items import create_budget_item, take_over_budget_items
from periods.services.charges import record_charge
from periods.services.closing import close_period
from periods.services.contributions import (
    record_contribution,
)
from periods.services.expenses import record_expense
from periods.services.instalments import plan_instalments
from periods.services.late_fees import charge_late_fees
from periods.services.opening import open_period
from periods.services.readings import record_reading
from periods.services.reopening import (
    approve_reopening,
    reject_reopening,
    reopen_period,
    withdraw_reopening,
)
from periods.services.statements import send_statements


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
        paid_by=pk_of(content.pop("paid_by")),
        budget_item=pk_of(content.pop("budget_item")),
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


def _item(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return create_budget_item(actor=actor, period_id=row.pk, **item_content(given))


def _take_over(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    made = take_over_budget_items(actor=actor, period_id=row.pk)
    if not made:
        raise InvalidInput("This period has every budget item of the one before it.")
    return made


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
        instalments=number_of(given, "instalments"),
        first_due_on=given["first_due_on"],
        description=given["description"],
        every_months=number_of(given, "every_months"),
        budget_item=pk_of(given["budget_item"]),
    )


def _late_fees(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return charge_late_fees(actor=actor, period_id=row.pk, on=given["on"])


def _close(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return close_period(actor=actor, period_id=row.pk)


def _reopen(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return reopen_period(actor=actor, period_id=row.pk, reason=given["reason"])


def _approve_reopening(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return approve_reopening(actor=actor, period_id=row.pk)


def _reject_reopening(actor: Actor, row: ServicePeriod, given: Given) -> object:
    return reject_reopening(actor=actor, period_id=row.pk, reason=given["reason"])


def _withdraw_reopening(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return withdraw_reopening(actor=actor, period_id=row.pk)


def _waits_to_be_reopened(row: ServicePeriod) -> bool:
    return waiting_reopening(row) is not None


def _may_decide_reopening(act: str) -> Callable[[Actor, ServicePeriod], None]:
    def may(actor: Actor, row: ServicePeriod) -> None:
        duties.may_close(actor, row.association)
        if request := waiting_reopening(row):
            duties.may_decide_reopening(actor, request, act=act)

    return may


def _may_withdraw_reopening(actor: Actor, row: ServicePeriod) -> None:
    if request := waiting_reopening(row):
        duties.may_withdraw_reopening(actor, request)


def _send(actor: Actor, row: ServicePeriod, _given: Given) -> object:
    return send_statements(actor=actor, period_id=row.pk)


OPEN_PERIOD = making(
    _open_period,
    forms.NewPeriod,
    label="Open a period",
    done="open",
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
        may=_may_decide_reopening("confirm"),
        tone="main",
        bulk=False,
        hint="Statements were sent, so that it takes a second person.",
    ),
    Step(
        name="reject-reopening",
        label="Reject the reopening",
        done="stays closed",
        run=_reject_reopening,
        roles=CFO,
        states=CLOSED,
        fits=_waits_to_be_reopened,
        may=_may_decide_reopening("reject"),
        form=Reasoned,
        bulk=False,
        hint="The period stays as it is; it can be asked for again.",
    ),
    Step(
        name="withdraw-reopening",
        label="Withdraw the reopening",
        done="stays closed",
        run=_withdraw_reopening,
        roles=CFO,
        states=CLOSED,
        fits=_waits_to_be_reopened,
        may=_may_withdraw_reopening,
        bulk=False,
        hint="The period stays as it is; it can be asked for again.",
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
        hint="What it shared is taken back, its consumption is charged by today's weights, and later periods"
        " are stale until it is closed again.",
    ),
    _recording("contribution", "Record a contribution", _contribution, forms.NewContribution),
    _recording("expense", "Record an expense", _expense, forms.NewExpense),
    _recording("charge", "Charge an owner", _charge, forms.NewCharge),
    _recording("item", "Add a budget item", _item, forms.NewItem),
    Step(
        name="take-over",
        label="Take over the last budget",
        done="planned like the period before it",
        run=_take_over,
        roles=RECORDERS,
        states=OPEN,
        fits=lambda row: row.previous_id is not None,
        bulk=False,
        hint="The budget items of the period before it are copied; those that are here already stay.",
    ),
    _recording("reading", "Record a reading", _reading, forms.NewReading),
    _recording("instalments", "Ask for instalments", _instalments, forms.Instalments),
    _recording("late-fees", "Charge late fees", _late_fees, forms.OnDay),
)
