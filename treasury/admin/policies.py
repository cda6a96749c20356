"""What a company has decided: whose approval an amount needs, and above what a code."""

from django.contrib import admin
from django.http import HttpRequest

from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import amount_column
from ledger.admin.filters import seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.steps import Given, Step, StepForm, money
from ledger.roles import Role
from treasury import duties
from treasury.admin import fund_steps
from treasury.models import ApprovalTier, PaymentPolicy
from treasury.services.policies import set_step_up_threshold


@admin.register(ApprovalTier)
class ApprovalTierAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("company", "currency", "up_to_figure", "needs")
    list_filter = (seen("company"), "currency")
    list_select_related = ("company",)
    search_fields = ("company__name", "currency")
    amount_fields = ("up_to",)
    creation = fund_steps.SET_TIERS
    up_to_figure = amount_column("up_to", title="up to and including")

    def page_for(self, request: HttpRequest, row: ApprovalTier) -> Page:
        up_to = cells.amount(row.up_to, row.currency) if row.up_to else cells.text("Any amount")
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("Up to and including", up_to),
            Fact("Needs", cells.text(row.get_needs_display()), wide=True),
        )
        title = f"Approval limit of {row.company}, {row.currency}"
        return Page(title, panels=(Panel("Limit", facts), _history(row)))


class StepUpForm(StepForm):
    amount = money("Amount", required=False, help_text="Empty: for no amount.")


def _set_step_up(actor: Actor, row: PaymentPolicy, given: Given) -> PaymentPolicy:
    return set_step_up_threshold(
        actor=actor,
        company_id=row.company_id,
        currency=row.currency,
        step_up_above=given["amount"] or None,
    )


SET_STEP_UP = Step(
    name="second-factor",
    label="Set the limit for a second factor",
    done="in force for every later approval, and for payments made from now on",
    run=_set_step_up,
    roles=frozenset({Role.CFO}),
    may=lambda actor, row: duties.may_keep_funds(actor, row.company),
    form=StepUpForm,
    hint="Whoever approves or executes more than the amount shows the second factor of his account.",
    bulk=False,
)


@admin.register(PaymentPolicy)
class PaymentPolicyAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("company", "currency", "code_above_figure", "step_up_above_figure")
    list_filter = (seen("company"), "currency")
    list_select_related = ("company",)
    search_fields = ("company__name", "currency")
    amount_fields = ("code_above",)
    creation = fund_steps.SET_THRESHOLD
    steps = (SET_STEP_UP,)
    step_up_above_figure = amount_column("step_up_above", title="second factor above")
    code_above_figure = amount_column("code_above", title="code needed above")

    def page_for(self, request: HttpRequest, row: PaymentPolicy) -> Page:
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("A code is needed above", cells.amount(row.code_above, row.currency)),
            Fact("A second factor is needed above", cells.amount(row.step_up_above, row.currency)),
        )
        title = f"Code limit of {row.company}, {row.currency}"
        return Page(title, panels=(Panel("Limit", facts), _history(row)))


def _history(row: ApprovalTier | PaymentPolicy) -> Panel:
    return history([f"treasury.company:{row.company_id}"], row.company)
