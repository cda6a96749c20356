"""What can be done to a fund, a replenishment, a variance, a company's policy."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from ledger.access import companies_of
from ledger.actor import Actor
from ledger.admin.steps import Given, Reasoned, Step, StepForm, line, money, row_choice
from ledger.clock import today
from ledger.models import Branch, Region
from ledger.money import format_amount
from ledger.roles import Role
from treasury import duties
from treasury.models import (
    ApprovalTier,
    PaymentPolicy,
    ReplenishmentRequest,
    TreasuryFund,
    VarianceAdjustment,
)
from treasury.services.funds import open_fund, set_fund_levels
from treasury.services.policies import set_approval_tiers, set_code_threshold
from treasury.services.replenishment import (
    approve_replenishment,
    fund_replenishment,
    reject_replenishment,
    replenish,
)
from treasury.services.variances import approve_variance, reject_variance
from treasury.tiers import APPROVER_AND_CFO, ONE, Tier

CFO = frozenset({Role.CFO})
TREASURER = frozenset({Role.TREASURER})
PENDING = frozenset({"pending"})


# --- Funds ------------------------------------------------------------------------------------------


class Replenish(StepForm):
    amount = money("Amount")
    reason = line("Reason", max_length=500)

    def prepare(self) -> None:
        if len(self.rows) == 1:
            fund: TreasuryFund = self.rows[0]
            lacking = fund.target_level - fund.available_balance
            if lacking > 0:
                self.fields["amount"].initial = format_amount(lacking, fund.currency)
            self.fields["amount"].help_text = f"{fund.currency}; what lacks to the target level."


class Levels(StepForm):
    reorder_level = money("Reorder level", help_text="Below this the fund asks to be filled.")
    target_level = money("Target level", help_text="Up to this it asks to be filled.")

    def prepare(self) -> None:
        if self.rows:
            fund: TreasuryFund = self.rows[0]
            self.initial = {
                "reorder_level": format_amount(fund.reorder_level, fund.currency),
                "target_level": format_amount(fund.target_level, fund.currency),
            }


class NewFund(Levels):
    """A fund of a company, or of a region or branch that its choice names."""

    company = row_choice("Company")
    region = row_choice("Region", required=False, help_text="Empty: the company as a whole.")
    branch = row_choice("Branch", required=False, help_text="Empty: the region as a whole.")
    name = line("Name", max_length=120)
    currency = line("Currency", max_length=3, help_text="Three letters: KES, UGX, RWF, …")
    field_order = (
        "company",
        "region",
        "branch",
        "name",
        "currency",
        "reorder_level",
        "target_level",
    )

    def prepare(self) -> None:
        companies = companies_of(self.user, Role.CFO)
        _offer(self, "company", companies)
        _offer(self, "region", Region.objects.filter(company__in=companies))
        _offer(self, "branch", Branch.objects.filter(region__company__in=companies))


def _offer(form: StepForm, name: str, rows: QuerySet[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows


def _replenish(actor: Actor, row: TreasuryFund, given: Given) -> object:
    return replenish(actor=actor, fund_id=row.pk, amount=given["amount"], reason=given["reason"])


def _set_levels(actor: Actor, row: TreasuryFund, given: Given) -> object:
    return set_fund_levels(
        actor=actor,
        fund_id=row.pk,
        reorder_level=given["reorder_level"],
        target_level=given["target_level"],
    )


def _open(actor: Actor, _row: None, given: Given) -> TreasuryFund:
    region, branch = given["region"], given["branch"]
    return open_fund(
        actor=actor,
        company_id=given["company"].pk,
        name=given["name"],
        currency=given["currency"].upper(),
        region_id=region.pk if region else None,
        branch_id=branch.pk if branch else None,
        reorder_level=given["reorder_level"],
        target_level=given["target_level"],
    )


OPEN_FUND = Step(
    name="open",
    label="Open a fund",
    done="open, with its accounts; it is empty until it is replenished",
    run=_open,
    roles=CFO,
    form=NewFund,
    tone="main",
)
FUND = (
    Step(
        name="replenish",
        label="Replenish",
        done="a replenishment waits for the CFO",
        run=_replenish,
        roles=TREASURER,
        may=duties.may_replenish,
        form=Replenish,
        tone="main",
        hint="Nothing is credited before a CFO approves it and the money is there.",
    ),
    Step(
        name="levels",
        label="Set levels",
        done="the levels are set",
        run=_set_levels,
        roles=CFO,
        may=duties.may_keep_funds,
        form=Levels,
        bulk=False,
    ),
)


# --- Replenishments and variances -------------------------------------------------------------------


def _approve_replenishment(actor: Actor, row: ReplenishmentRequest, _given: Given) -> object:
    return approve_replenishment(actor=actor, replenishment_id=row.pk)


def _fund_replenishment(actor: Actor, row: ReplenishmentRequest, _given: Given) -> object:
    return fund_replenishment(actor=actor, replenishment_id=row.pk, today=today)


def _reject_replenishment(actor: Actor, row: ReplenishmentRequest, given: Given) -> object:
    return reject_replenishment(actor=actor, replenishment_id=row.pk, reason=given["reason"])


REPLENISHMENT = (
    Step(
        name="approve",
        label="Approve",
        done="approved; it waits to be funded",
        run=_approve_replenishment,
        roles=CFO,
        states=PENDING,
        may=duties.may_approve_replenishment,
        tone="main",
    ),
    Step(
        name="fund",
        label="Fund",
        done="the fund is credited",
        run=_fund_replenishment,
        roles=TREASURER,
        states=frozenset({"approved"}),
        may=duties.may_fund_replenishment,
        tone="main",
        hint="The money is there: the fund is credited with today's date.",
    ),
    Step(
        name="reject",
        label="Reject",
        done="rejected",
        run=_reject_replenishment,
        roles=CFO,
        states=frozenset({"pending", "approved"}),
        may=duties.may_reject_replenishment,
        form=Reasoned,
        tone="danger",
    ),
)


def _approve_variance(actor: Actor, row: VarianceAdjustment, _given: Given) -> object:
    return approve_variance(actor=actor, variance_id=row.pk, today=today)


def _reject_variance(actor: Actor, row: VarianceAdjustment, given: Given) -> object:
    return reject_variance(actor=actor, variance_id=row.pk, reason=given["reason"])


VARIANCE = (
    Step(
        name="approve",
        label="Approve",
        done="approved and posted to the fund",
        run=_approve_variance,
        roles=CFO,
        states=PENDING,
        may=duties.may_approve_variance,
        tone="main",
        hint="It is posted with today's date: money that was paid beyond the payment's amount leaves the fund, money that was not paid returns to it.",
    ),
    Step(
        name="reject",
        label="Reject",
        done="rejected; the books stay as they are",
        run=_reject_variance,
        roles=CFO,
        states=PENDING,
        may=duties.may_reject_variance,
        form=Reasoned,
        tone="danger",
    ),
)


# --- A company's policy -----------------------------------------------------------------------------


class CurrencyAmount(StepForm):
    company = row_choice("Company")
    currency = line("Currency", max_length=3, help_text="Three letters: KES, UGX, RWF, …")
    amount = money("Amount")

    def prepare(self) -> None:
        _offer(self, "company", companies_of(self.user, Role.CFO))


def _set_tiers(actor: Actor, _row: object, given: Given) -> ApprovalTier:
    """One approval up to and including the amount; an approver's and a CFO's above it."""
    made = set_approval_tiers(
        actor=actor,
        company_id=given["company"].pk,
        currency=given["currency"].upper(),
        tiers=(Tier(given["amount"], ONE), Tier(None, APPROVER_AND_CFO)),
    )
    return made[0]


def _set_threshold(actor: Actor, _row: object, given: Given) -> PaymentPolicy:
    return set_code_threshold(
        actor=actor,
        company_id=given["company"].pk,
        currency=given["currency"].upper(),
        code_above=given["amount"],
    )


SET_TIERS = Step(
    name="set",
    label="Set an approval limit",
    done="in force for every later approval",
    run=_set_tiers,
    roles=CFO,
    form=CurrencyAmount,
    tone="main",
    hint="Up to and including the amount one approval is enough; above it an approver and a CFO must agree.",
)
SET_THRESHOLD = Step(
    name="set",
    label="Set a code limit",
    done="in force for payments made from now on",
    run=_set_threshold,
    roles=CFO,
    form=CurrencyAmount,
    tone="main",
    hint="Payments above the amount need a code that is sent to their executor.",
)
