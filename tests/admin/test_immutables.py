"""What is written stays as written: no form adds, changes or deletes it, not even a superuser's."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from ledger.admin.cells import page_of
from tests.admin.office import Office, list_url, seen_admins, signed_in

LISTED = sorted(seen_admins(), key=lambda model: model._meta.label)
MADE_BY_A_COMMAND = {
    "ledger.WebhookEndpoint",
    "treasury.Delegation",
    "treasury.Requisition",
    "treasury.TreasuryFund",
    "treasury.ApprovalTier",
    "treasury.PaymentPolicy",
    "ledger.Membership",
    "payments.BankAccount",
    "payments.Provider",
    "treasury.BankFile",
    "treasury.Batch",
    "treasury.Holiday",
    "treasury.SpendingLimit",
    "treasury.PaymentRules",
    "treasury.BankReport",
    "periods.Association",
    "periods.Meter",
    "periods.Owner",
    "periods.Property",
    "periods.ServicePeriod",
}


def columns(row: Model) -> dict[str, Any]:
    return type(row)._default_manager.filter(pk=row.pk).values().get()


def address(row: Model, page: str) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}"
    return reverse(name, args=[] if page == "add" else [row.pk])


def test_posting_to_a_row_s_page_is_refused(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    client = signed_in(office.administrator)
    data = {"status": "success", "amount": "1", "executor": str(office.requester.pk), "_save": "1"}
    for model in LISTED:
        before = columns(everything[model])
        assert client.post(page_of(everything[model]), data).status_code == 403, model
        assert columns(everything[model]) == before, model


def test_no_row_is_deleted_by_form(office: Office, everything: dict[type[Model], Model]) -> None:
    client = signed_in(office.administrator)
    for model in admin.site._registry:
        url = address(everything[model], "delete")
        assert client.get(url).status_code == 403, model
        assert client.post(url, {"post": "yes"}).status_code == 403, model
        assert columns(everything[model]), model


def test_no_row_is_deleted_from_a_list(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    client = signed_in(office.administrator)
    for model in admin.site._registry:
        row = everything[model]
        data = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
        client.post(list_url(model), data)
        assert columns(row), model


def test_a_row_is_added_by_a_command_or_not_at_all(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    client = signed_in(office.administrator)
    for model in LISTED:
        many = model._default_manager.count()
        url = address(everything[model], "add")
        expected = (200, 400) if model._meta.label in MADE_BY_A_COMMAND else (403, 403)
        answers = (client.get(url).status_code, client.post(url, {}).status_code)
        assert (answers, model._default_manager.count()) == (expected, many), model


def test_the_history_of_a_row_stands_on_its_page(office: Office) -> None:
    row = office.paid()
    answer = signed_in(office.auditor).get(address(row, "history"))
    assert answer["Location"] == f"{page_of(row)}#history"
