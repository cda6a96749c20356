"""Providers: the accounts with gateways and banks. What is secret is taken and never shown."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.access import companies_of, require_role, require_role_somewhere
from ledger.api.fields import Reference, TextField, WholeNumberField
from ledger.api.filters import AnyOf, BooleanFilter, CharFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Editing, History, Listing, Making, Showing
from ledger.api.serializers import Input, Output
from ledger.encryption import mask
from ledger.refusals import NotFound
from ledger.roles import Role
from ledger.selectors import companies_seen_by
from payments.models import BankAccount, Provider
from payments.selectors import providers_seen_by
from payments.services.banks import (
    LONGEST_WINDOW_H,
    SHORTEST_WINDOW_H,
    USUAL_WINDOW_H,
    Terms,
    add_bank_provider,
    change_bank_provider,
)
from payments.services.providers import LONGEST_REASON, resume_provider, stop_provider


class BankAccountSerializer(serializers.ModelSerializer):
    """The account that a bank's files debit, its number masked."""

    account = serializers.SerializerMethodField()
    acceptance_hours = serializers.IntegerField(read_only=True)

    class Meta:
        model = BankAccount
        fields = ("holder", "account", "bic", "charge_bearer", "acceptance_hours")

    @extend_schema_field(serializers.CharField())
    def get_account(self, bank: BankAccount) -> str:
        return mask(bank.account)


class ProviderSerializer(Output):
    """A provider; ``bank`` is empty where it is a gateway.

    ``unanswered`` calls in a row had no answer; until ``rests_until`` it is not called.
    """

    status = serializers.ChoiceField(Provider.Status.choices, read_only=True)
    bank = BankAccountSerializer(read_only=True, allow_null=True, default=None)

    class Meta:
        model = Provider
        fields = (
            "id", "company", "kind", "name", "currency", "short_code", "status", "stopped_at",
            "stopped_reason", "unanswered", "rests_until", "created_at", "bank",
        )  # fmt: skip


class ProviderFilter(FilterSet):
    company = UUIDFilter("company_id")
    kind = AnyOf("kind", Provider.Kind.choices)
    currency = CharFilter("currency")
    active = BooleanFilter("active")


class BankInput(Input):
    """An account at a bank; what a gateway needs is entered in the admin."""

    company = Reference(
        companies_seen_by,
        noun="company",
        required=False,
        help_text="The caller's only one, if left out.",
    )
    currency = TextField(max_length=3)
    name = TextField(max_length=80)
    holder = TextField(max_length=140, help_text="As the bank knows it.")
    account = TextField(max_length=160, help_text="An IBAN, or country/code/account number.")
    bic = TextField(max_length=11, required=False, allow_blank=True)
    charge_bearer = serializers.ChoiceField(BankAccount.ChargeBearer.choices, required=False)
    acceptance_hours = WholeNumberField(
        required=False,
        least=SHORTEST_WINDOW_H,
        most=LONGEST_WINDOW_H,
        help_text=f"After how long without a report a payment is in doubt; {USUAL_WINDOW_H} hours.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "company" not in attrs:
            found = list(companies_of(self.context["user"], Role.CFO)[:2])
            if len(found) != 1:
                raise serializers.ValidationError({"company": ["Say which company."]})
            attrs["company"] = found[0]
        return attrs


class ProviderList(Listing, Making):
    """GET: List the accounts with gateways and banks
    POST: Add a bank account that payment files debit
    """

    rows = staticmethod(providers_seen_by)
    action, Input, Output = "provider.add_bank", BankInput, ProviderSerializer
    filterset_class = ProviderFilter
    ordering = ("name", "id")
    ordering_fields = ("name", "created_at")
    refusals = {
        400: "account_invalid, bic_invalid, characters_not_carried, unknown_currency",
        409: "provider_exists",
    }

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.CFO)
        if company := self.named("company"):
            require_role(self.actor, Role.CFO, place=Provider(company=company))

    def make(self, data: dict[str, Any]) -> Provider:
        company, currency = data.pop("company"), data.pop("currency")
        return add_bank_provider(
            actor=self.actor, company_id=company.pk, currency=currency, terms=Terms(**data)
        )


class BankEditInput(Input):
    name = TextField(max_length=80, required=False)
    holder = TextField(max_length=140, required=False)
    account = TextField(max_length=160, required=False)
    bic = TextField(max_length=11, required=False, allow_blank=True)
    charge_bearer = serializers.ChoiceField(BankAccount.ChargeBearer.choices, required=False)
    acceptance_hours = WholeNumberField(
        required=False, least=SHORTEST_WINDOW_H, most=LONGEST_WINDOW_H
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Say what is to change.")
        return attrs


class ProviderDetail(Showing, Editing):
    """GET: Show a provider
    PATCH: Change a bank account that payment files debit
    """

    rows, key, noun = staticmethod(providers_seen_by), "provider_id", "payments.provider"
    action, Input, Output = "provider.change_bank", BankEditInput, ProviderSerializer
    refusals = {
        400: "account_invalid, bic_invalid, characters_not_carried",
        409: "provider_exists",
    }

    def permit(self, row: Provider) -> None:
        require_role(self.actor, Role.CFO, place=row)

    def act(self, row: Provider, data: dict[str, Any]) -> Provider:
        if row.kind != Provider.Kind.BANK:
            raise NotFound("A gateway's account is changed in the admin.")
        return change_bank_provider(actor=self.actor, provider_id=row.pk, **data)


class StopInput(Input):
    reason = TextField(
        max_length=LONGEST_REASON, help_text="Everybody who sees the provider sees it."
    )


class ProviderStop(Doing):
    """Stop calling a provider; payments through it wait until it is resumed."""

    rows, key, noun = staticmethod(providers_seen_by), "provider_id", "payments.provider"
    action, Input, Output = "provider.stop", StopInput, ProviderSerializer

    def permit(self, row: Provider) -> None:
        require_role(self.actor, Role.TREASURER, Role.CFO, place=row)

    def act(self, row: Provider, data: dict[str, Any]) -> Provider:
        return stop_provider(actor=self.actor, provider_id=row.pk, **data)


class ProviderResume(Doing):
    """Let a stopped provider be called again; what waited for it goes out. A running one stays as it is."""

    rows, key, noun = staticmethod(providers_seen_by), "provider_id", "payments.provider"
    action, Output = "provider.resume", ProviderSerializer

    def permit(self, row: Provider) -> None:
        require_role(self.actor, Role.CFO, place=row)

    def act(self, row: Provider, data: dict[str, Any]) -> Provider:
        return resume_provider(actor=self.actor, provider_id=row.pk)


class ProviderHistory(History):
    """Read what happened to a provider, oldest first."""

    rows, key, noun = staticmethod(providers_seen_by), "provider_id", "payments.provider"
