"""Banks in the admin: adding one, making a file and taking it along, bringing a report."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.urls import reverse

from ledger.models import User
from payments.models import BankAccount
from tests.admin.office import Office, list_url, make_office, signed_in, step_url, text_of
from tests.payments import bank as wire
from tests.treasury.bank import PAYEE, attempt_of, bank_report_of, make_bank, row, state
from tests.treasury.factories import acting, person, today
from treasury.models import BankFile, BankReport
from treasury.services.bank_reports import apply_bank_report
from treasury.services.execution import execute_payment


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def add(user: User, model: type[Model], **given: Any) -> Any:
    """Send the form that makes a row, and follow where it leads."""
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    return signed_in(user).post(path, given, follow=True)


def test_from_a_bank_account_to_a_settled_payment(office: Office) -> None:
    terms = {
        "company": office.company.pk, "currency": "KES", "name": "KCB", "holder": "Acme Ltd",
        "account": "KE/01100/01123456789", "charge_bearer": "SHAR", "acceptance_hours": "48",
    }  # fmt: skip
    page = text_of(add(office.cfo, BankAccount, **terms))
    assert "KCB" in page
    assert "01123456789" not in page
    bank = BankAccount.objects.get()
    payment = office.pending(amount="10", method="bank", destination=PAYEE)
    execute_payment(actor=acting(office.treasurer), payment_id=payment.pk, today=today)
    assert "It waits for the next bank file." in text_of(
        signed_in(office.treasurer).get(reverse("admin:treasury_payment_change", args=[payment.pk]))
    )
    page = text_of(add(office.treasurer, BankFile, bank=bank.pk))
    file = BankFile.objects.get()
    assert file.message_id in page
    assert attempt_of(payment).reference.hex in page
    content = signed_in(office.auditor).get(
        reverse("admin:treasury_bankfile_content", args=[file.pk])
    )
    assert hashlib.sha256(content.content).hexdigest() == file.sha256
    rows = wire.block(file.message_id, row(attempt_of(payment), "ACSC", "NARR", text="<b>Paid</b>"))
    data = SimpleUploadedFile("r.xml", wire.report(file.message_id, rows))
    add(office.reconciler, BankReport, bank=bank.pk, file=data)
    report = BankReport.objects.get()
    apply_bank_report(actor=acting(office.treasurer), report_id=report.pk, today=today)
    assert state(attempt_of(payment)) == ("succeeded", "success")
    client = signed_in(office.auditor)
    page = text_of(client.get(reverse("admin:treasury_bankreport_change", args=[report.pk])))
    assert "&lt;b&gt;Paid&lt;/b&gt;" in page
    page = text_of(client.get(reverse("admin:treasury_payment_change", args=[payment.pk])))
    assert file.message_id in page


def test_a_refusal_is_shown_beside_its_field(office: Office) -> None:
    bank = make_bank(office.company)
    file = SimpleUploadedFile("r.xml", b"<!DOCTYPE a []><a/>")
    answer = add(office.treasurer, BankReport, bank=bank.pk, file=file)
    assert answer.status_code == 400
    assert "no document type" in text_of(answer)
    answer = add(office.treasurer, BankFile, bank=bank.pk)
    assert answer.status_code == 409
    assert "No payment waits" in text_of(answer)


def test_the_account_is_kept_when_it_is_left_empty(office: Office) -> None:
    bank = make_bank(office.company).bank
    given = {"name": "Moved", "holder": "Acme", "charge_bearer": "DEBT", "acceptance_hours": "5"}
    answer = signed_in(office.cfo).post(step_url(bank, "change"), {"id": bank.pk, **given})
    assert answer.status_code == 302
    bank.refresh_from_db()
    assert (bank.account[-4:], bank.holder, bank.acceptance_hours) == ("9000", "Acme", 5)


def test_a_requester_downloads_nothing_and_a_stranger_finds_nothing(office: Office) -> None:
    file = bank_report_of(office).file
    assert file
    path = reverse("admin:treasury_bankfile_content", args=[file.pk])
    assert signed_in(office.requester).get(path).status_code == 403
    stranger = make_office().auditor
    assert signed_in(stranger).get(path).status_code == 404
    assert file.message_id not in text_of(signed_in(stranger).get(list_url(BankFile)))


def test_who_makes_no_file_is_not_offered_to(office: Office) -> None:
    make_bank(office.company)
    assert add(office.requester, BankFile).status_code == 403
    branch_only = person(office.company, is_staff=True)
    assert add(branch_only, BankFile).status_code == 403
