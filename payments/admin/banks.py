"""Bank accounts that files debit: their terms, entered by a CFO, the number shown masked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.access import companies_of, require_role
from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import badge_column, column
from ledger.admin.filters import by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.steps import Given, Step, StepForm, choice, line, row_choice
from ledger.encryption import mask
from ledger.models import Company
from ledger.roles import Role
from payments.admin.providers import state
from payments.models import BankAccount
from payments.services.banks import (
    USUAL_WINDOW_H,
    Terms,
    add_bank_provider,
    change_bank_provider,
)

CFO = frozenset({Role.CFO})
ACCOUNT_HELP = "An IBAN, or country, bank and branch code and number, such as KE/01100/01123456789."


class TermsForm(StepForm):
    """What a bank account is known by."""

    name = line("Name", max_length=80, help_text="As people here call it.")
    holder = line("Holder", max_length=140, help_text="As the bank knows it.")
    account = line("Account", max_length=160, help_text=ACCOUNT_HELP)
    bic = line("BIC", max_length=11, required=False)
    charge_bearer = choice("Charges", BankAccount.ChargeBearer.choices)
    acceptance_hours = line(
        "Hours without a report",
        max_length=4,
        help_text="After so long a payment that the bank is silent about is in doubt.",
    )


class NewBankForm(TermsForm):
    company = row_choice("Company")
    currency = line("Currency", max_length=3, help_text="Such as KES.")
    field_order = ("company", "currency", "name", "holder", "account", "bic", "charge_bearer")

    def prepare(self) -> None:
        companies = self.fields["company"]
        assert isinstance(companies, forms.ModelChoiceField)
        companies.queryset = companies_of(self.user, Role.CFO).order_by("name")
        self.fields["acceptance_hours"].initial = USUAL_WINDOW_H


class ChangeForm(TermsForm):
    def prepare(self) -> None:
        """Start from the present terms, but for the number: it is never shown whole."""
        bank: BankAccount = self.rows[0]
        self.fields["account"].required = False
        self.fields["account"].help_text = f"{mask(bank.account)} now; leave empty to keep it."
        for name in ("holder", "bic", "charge_bearer", "acceptance_hours"):
            self.fields[name].initial = getattr(bank, name)
        self.fields["name"].initial = bank.provider.name


def _hours(text: str) -> int:
    """Whole hours as typed; anything else is as none, which the command refuses."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _given(given: Given) -> dict[str, Any]:
    names = ("name", "holder", "account", "bic", "charge_bearer")
    hours = _hours(given["acceptance_hours"])
    return {name: given[name] for name in names} | {"acceptance_hours": hours}


def _add(actor: Actor, _row: None, given: Given) -> BankAccount:
    company: Company = given["company"]
    provider = add_bank_provider(
        actor=actor,
        company_id=company.pk,
        currency=given["currency"],
        terms=Terms(**_given(given)),
    )
    return provider.bank


def _change(actor: Actor, row: BankAccount, given: Given) -> object:
    changes = _given(given)
    if not changes["account"]:
        del changes["account"]
    return change_bank_provider(actor=actor, provider_id=row.pk, **changes)


def _may_change(actor: Actor, row: BankAccount) -> None:
    require_role(actor, Role.CFO, place=row.provider)


ADD = Step(
    name="add",
    label="Add a bank account",
    done="added",
    run=_add,
    roles=CFO,
    form=NewBankForm,
    hint="Payments by bank in its currency are collected into files that debit it.",
    bulk=False,
)
CHANGE = Step(
    name="change",
    label="Change",
    done="changed",
    run=_change,
    roles=CFO,
    may=_may_change,
    form=ChangeForm,
    hint="Files that were made stay as they are.",
    bulk=False,
)


@admin.register(BankAccount)
class BankAccountAdmin(SeenAdmin):
    scope = "provider__"
    by_company_only = True
    list_display = ("name", "company", "currency", "number", "charge_bearer_badge", "state")
    list_filter = (by("charge_bearer"), seen("provider__company"), by("provider__currency"))
    search_fields = ("provider__name", "holder", "provider__company__name")
    steps = (CHANGE,)
    creation = ADD
    name = column(
        lambda row: cells.text(row.provider.name, row.holder),
        title="name",
        order="provider__name",
        name="name",
    )
    company = column(lambda row: cells.text(row.provider.company), title="company", name="company")
    currency = column(
        lambda row: cells.text(row.provider.currency),
        title="currency",
        order="provider__currency",
        name="currency",
    )
    number = column(lambda row: cells.text(mask(row.account)), title="account", name="number")
    charge_bearer_badge = badge_column("charge_bearer", {}, title="charges")
    state = column(lambda row: state(row.provider), title="state", name="state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankAccount]:
        rows: QuerySet[BankAccount] = super().get_queryset(request)
        return rows.select_related("provider__company")

    def page_for(self, request: HttpRequest, row: BankAccount) -> Page:
        provider = row.provider
        facts = (
            Fact("Company", cells.link(provider.company)),
            Fact("Holder", cells.text(row.holder)),
            Fact("Account", cells.text(mask(row.account))),
            Fact("BIC", cells.text(row.bic)),
            Fact("Currency", cells.text(provider.currency)),
            Fact("Charges", cells.text(row.get_charge_bearer_display())),
            Fact("In doubt after", cells.text(f"{row.acceptance_hours} hours without a report")),
            Fact("Stop and resume", cells.link(provider, "the provider")),
        )
        return Page(
            provider.name,
            badges=(state(provider),),
            panels=(Panel("Bank account", facts), history([provider.subject], provider.company)),
        )
