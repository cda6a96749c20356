"""Entering a provider's credentials. They go in and are never sent back to the browser."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from ledger.access import companies_of, require_role
from ledger.actor import Actor
from ledger.admin.steps import Given, Step, StepForm, choice, line, row_choice
from ledger.models import Company
from ledger.roles import Role
from payments.credentials import Credentials
from payments.models import Provider
from payments.services import add_provider, change_credentials

ADDRESS_HELP = "Such as https://api.safaricom.co.ke"
CERTIFICATE_HELP = "The gateway's public certificate, beginning with -----BEGIN CERTIFICATE-----."


def secret(label: str) -> forms.CharField:
    """A field that never shows what it was given, not even beside an error."""
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(label=label, max_length=200, widget=widget, strip=False)


class CredentialsForm(StepForm):
    """All of an account's secrets at once: they come from the portal together."""

    consumer_key = secret("Consumer key")
    consumer_secret = secret("Consumer secret")
    initiator_name = line("Initiator name", max_length=80)
    initiator_password = secret("Initiator password")
    certificate = forms.CharField(
        label="Certificate",
        max_length=10_000,
        help_text=CERTIFICATE_HELP,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )

    def prepare(self) -> None:
        if len(self.rows) == 1:
            self.fields["initiator_name"].initial = self.rows[0].initiator_name


class NewProviderForm(CredentialsForm):
    """A provider with everything it needs to be called."""

    company = row_choice("Company")
    kind = choice("Gateway", [(Provider.Kind.MPESA.value, Provider.Kind.MPESA.label)])
    name = line("Name", max_length=80)
    base_url = line("Address", max_length=200, help_text=ADDRESS_HELP)
    short_code = line("Short code", max_length=20)
    field_order = ("company", "kind", "name", "base_url", "short_code")

    def prepare(self) -> None:
        companies = self.fields["company"]
        assert isinstance(companies, forms.ModelChoiceField)
        companies.queryset = companies_of(self.user, Role.CFO).order_by("name")


def _secrets(given: Mapping[str, Any]) -> Credentials:
    return Credentials(
        consumer_key=given["consumer_key"],
        consumer_secret=given["consumer_secret"],
        initiator_password=given["initiator_password"],
    )


def _add(actor: Actor, _row: None, given: Given) -> Provider:
    company: Company = given["company"]
    return add_provider(
        actor=actor,
        company_id=company.pk,
        kind=Provider.Kind(given["kind"]),
        name=given["name"],
        base_url=given["base_url"],
        short_code=given["short_code"],
        initiator_name=given["initiator_name"],
        credentials=_secrets(given),
        certificate=given["certificate"],
    )


def _change(actor: Actor, row: Provider, given: Given) -> Provider:
    return change_credentials(
        actor=actor,
        provider_id=row.pk,
        credentials=_secrets(given),
        initiator_name=given["initiator_name"],
        certificate=given["certificate"],
    )


def _may_change(actor: Actor, row: Provider) -> None:
    require_role(actor, Role.CFO, place=row)


ADD = Step(
    name="add",
    label="Add a provider",
    done="added",
    run=_add,
    roles=frozenset({Role.CFO}),
    form=NewProviderForm,
    bulk=False,
)
CHANGE = Step(
    name="credentials",
    label="Enter new credentials",
    done="has new credentials",
    run=_change,
    roles=frozenset({Role.CFO}),
    may=_may_change,
    form=CredentialsForm,
    fits=lambda row: row.kind != Provider.Kind.BANK,
    hint="They are encrypted and never shown again. A stopped provider stays stopped.",
    bulk=False,
)
