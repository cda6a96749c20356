"""What a company has decided about paying: limits of a day, and how long a new destination waits."""

from calendar import day_name
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.access import companies_of
from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Cell
from ledger.admin.columns import column
from ledger.admin.filters import between, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.steps import (
    Given,
    Step,
    StepForm,
    choice,
    day,
    hour,
    line,
    money,
    row_choice,
    several,
    whole,
)
from ledger.money import format_amount
from ledger.roles import Role
from treasury import duties
from treasury.calendar import Roll
from treasury.models import Holiday, LimitScope, PaymentRules, SpendingLimit, TreasuryFund
from treasury.models.limit import LONGEST_COOLING_OFF_H
from treasury.services.calendars import LONGEST_NAME, add_holiday, remove_holiday
from treasury.services.limits import MOST_PAYMENTS, set_payment_rules, set_spending_limit

CFO = frozenset({Role.CFO})
WEEKDAYS = [(str(day), name) for day, name in enumerate(day_name)]
ROLLS = [(roll.value, f"The {roll.value} business day") for roll in Roll]


class MostForm(StepForm):
    most_payments = whole(
        "Payments a day", least=1, most=MOST_PAYMENTS, help_text="Empty: any number."
    )
    most_amount = money("Amount a day", required=False, help_text="Empty: any amount.")

    def prepare(self) -> None:
        if self.rows:
            row: SpendingLimit = self.rows[0]
            most = row.most_amount
            self.initial = {
                "most_payments": row.most_payments,
                "most_amount": None if most is None else format_amount(most, row.currency),
            }


class NewLimit(MostForm):
    company = row_choice("Company")
    currency = line("Currency", max_length=3, help_text="Three letters: KES, UGX, RWF, …")
    scope = choice("Counted together", LimitScope.choices)
    fund = row_choice("Fund", required=False, help_text="Of a limit of funds; empty: all of them.")
    field_order = ("company", "currency", "scope", "fund", "most_payments", "most_amount")

    def prepare(self) -> None:
        companies = companies_of(self.user, Role.CFO)
        self.fields["company"].queryset = companies  # type: ignore[attr-defined]
        funds = TreasuryFund.objects.filter(company__in=companies)
        self.fields["fund"].queryset = funds  # type: ignore[attr-defined]


class RulesForm(StepForm):
    cooling_off_hours = whole(
        "Hours until a new destination is paid to",
        least=0,
        most=LONGEST_COOLING_OFF_H,
        help_text="Counted from the first approval; 0: at once.",
    )

    weekend = several(
        "Days without payments", WEEKDAYS, help_text="Scheduled payments roll over them."
    )
    cut_off = hour("Cut-off", help_text="Local time; empty: none. After it, the next business day.")
    roll = choice("What is due on no business day goes out on", ROLLS)

    def prepare(self) -> None:
        rules: PaymentRules = self.rows[0] if self.rows else PaymentRules()
        self.initial = {
            "cooling_off_hours": rules.cooling_off_hours,
            "weekend": [str(day) for day in rules.weekend],
            "cut_off": rules.cut_off,
            "roll": rules.roll,
        }


class NewRules(RulesForm):
    company = row_choice("Company")
    field_order = ("company", "cooling_off_hours", "weekend", "cut_off", "roll")

    def prepare(self) -> None:
        super().prepare()
        self.fields["company"].queryset = companies_of(self.user, Role.CFO)  # type: ignore[attr-defined]


def _set_limit(actor: Actor, row: SpendingLimit | None, given: Given) -> SpendingLimit:
    fund = given.get("fund")
    return set_spending_limit(
        actor=actor,
        company_id=row.company_id if row else given["company"].pk,
        currency=row.currency if row else given["currency"].upper(),
        scope=row.scope if row else given["scope"],
        fund_id=row.fund_id if row else fund and fund.pk,
        most_payments=given["most_payments"],
        most_amount=given["most_amount"] or None,
    )


def _set_rules(actor: Actor, row: PaymentRules | None, given: Given) -> PaymentRules:
    wanted = {name: value for name, value in given.items() if name != "company"}
    wanted["weekend"] = [int(day) for day in given["weekend"]]
    company_id = row.company_id if row else given["company"].pk
    return set_payment_rules(actor=actor, company_id=company_id, **wanted)


def _may(actor: Actor, row: SpendingLimit | PaymentRules | Holiday) -> None:
    duties.may_keep_funds(actor, row.company)


LIMIT_HINT = "What left earlier today counts. A payment beyond the limit waits for another day."


def _most(row: SpendingLimit) -> Cell:
    parts = []
    if row.most_payments is not None:
        parts.append(f"{row.most_payments:,} payments")
    if row.most_amount is not None:
        parts.append(f"{row.currency} {format_amount(row.most_amount, row.currency)}")
    return cells.text(" and ".join(parts) or "No limit")


def _state(row: SpendingLimit) -> Badge:
    return Badge("On", "good") if row.is_on else Badge("Off", "quiet")


@admin.register(SpendingLimit)
class SpendingLimitAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("scope", "fund", "most", "state", "currency", "company")
    list_filter = (seen("company"), "scope", "currency")
    list_select_related = ("company", "fund")
    search_fields = ("company__name", "fund__name", "currency")
    amount_fields = ("most_amount",)
    most = column(_most, title="at most a day", order="most_amount", name="most")
    state = column(_state, title="state", name="state")
    creation = Step(
        name="set", label="Set a limit of a day", done="in force at once", run=_set_limit,
        roles=CFO, form=NewLimit, tone="main", hint=LIMIT_HINT,
    )  # fmt: skip
    steps = (
        Step(
            name="change", label="Change", done="in force at once", run=_set_limit, roles=CFO,
            may=_may, form=MostForm, bulk=False, hint=LIMIT_HINT,
        ),
    )  # fmt: skip

    def page_for(self, request: HttpRequest, row: SpendingLimit) -> Page:
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("Counted together", cells.text(row.get_scope_display())),
            Fact("Fund", cells.link(row.fund) if row.fund else cells.text("")),
            Fact("At most a day", _most(row)),
        )
        return Page(
            f"Limit of a day for {row.get_scope_display().lower()}, {row.currency}",
            badges=(_state(row),),
            panels=(Panel("Limit", facts), _history(row)),
        )


@admin.register(PaymentRules)
class PaymentRulesAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("company", "cooling_off_hours", "cut_off", "roll")
    list_filter = (seen("company"),)
    list_select_related = ("company",)
    search_fields = ("company__name",)
    creation = Step(
        name="set", label="Set how a company pays", done="in force at once", run=_set_rules,
        roles=CFO, form=NewRules, tone="main",
    )  # fmt: skip
    steps = (
        Step(
            name="change", label="Change", done="in force at once", run=_set_rules, roles=CFO,
            may=_may, form=RulesForm, bulk=False,
        ),
    )  # fmt: skip

    def page_for(self, request: HttpRequest, row: PaymentRules) -> Page:
        hours = f"{row.cooling_off_hours} hours" if row.cooling_off_hours else "at once"
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("A payee's new destination is paid to after", cells.text(hours)),
            Fact("Days without payments", cells.text(_weekend(row))),
            Fact("Cut-off", cells.text(f"{row.cut_off:%H:%M}" if row.cut_off else "None")),
            Fact("What is due on such a day goes out on", cells.text(row.get_roll_display())),
        )
        panels = (Panel("Rules", facts), _history(row))
        return Page(f"How {row.company} pays", panels=panels)


def _weekend(row: PaymentRules) -> str:
    return ", ".join(day_name[day] for day in row.weekend) or "None"


class NewHoliday(StepForm):
    company = row_choice("Company")
    on = day("Date")
    name = line("Name", max_length=LONGEST_NAME)

    def prepare(self) -> None:
        self.fields["company"].queryset = companies_of(self.user, Role.CFO)  # type: ignore[attr-defined]


def _add_holiday(actor: Actor, _row: None, given: Given) -> Holiday:
    company_id = given["company"].pk
    return add_holiday(actor=actor, company_id=company_id, on=given["on"], name=given["name"])


def _remove_holiday(actor: Actor, row: Holiday, _given: Given) -> None:
    remove_holiday(actor=actor, holiday_id=row.pk)


@admin.register(Holiday)
class HolidayAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("name", "on", "company")
    list_filter = (seen("company"), between("on"))
    list_select_related = ("company",)
    search_fields = ("name", "company__name")
    date_hierarchy = "on"
    creation = Step(
        name="add", label="Add a holiday", done="nothing goes out on it", run=_add_holiday,
        roles=CFO, form=NewHoliday, tone="main", hint="Payments that were due on it move.",
    )  # fmt: skip
    steps = (
        Step(
            name="remove", label="Remove", done="an ordinary day again", run=_remove_holiday,
            roles=CFO, may=_may, tone="danger", ends_row=True,
            hint="Payments that had moved because of it go out on their day again.",
        ),
    )  # fmt: skip

    def page_for(self, request: HttpRequest, row: Holiday) -> Page:
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("Date", cells.text(f"{row.on:%A, %-d %B %Y}")),
        )
        return Page(row.name, panels=(Panel("Holiday", facts), _history(row)))


def _history(row: Any) -> Panel:
    return history([f"treasury.company:{row.company_id}"], row.company)
