"""Money that came back and late successes, ended by two people in the admin."""

import pytest

from ledger.admin.cells import page_of
from ledger.models import Account
from tests.admin.office import Office, do, make_office, signed_in, text_of
from tests.payments import bank as wire
from tests.treasury.bank import attempt_of, bank_report_of, row
from tests.treasury.factories import acting, today
from treasury.models import Payment, PaymentAttempt
from treasury.services.bank_reports import apply_bank_report, import_bank_report


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def test_a_return_is_proposed_and_confirmed_on_the_payments_page(office: Office) -> None:
    payment = office.paid()
    assert do(office.reconciler, "reverse", payment, evidence="Line 12").status_code == 302
    page = text_of(signed_in(office.cfo).get(page_of(payment)))
    assert "Money that came back" in page
    assert "Line 12" in page
    again = do(office.reconciler, "reverse", payment, evidence="Line 12")
    assert again.status_code == 403
    assert do(office.cfo, "reverse", payment, evidence="Seen").status_code == 302
    assert Payment.objects.get(pk=payment.pk).status == "reversed"


def test_a_late_success_is_ended_on_the_payments_page(office: Office) -> None:
    report = bank_report_of(office)
    apply_bank_report(actor=acting(office.treasurer), report_id=report.pk, today=today)
    attempt = PaymentAttempt.objects.get()
    name = report.original_message_id
    data = wire.report(name, wire.block(name, row(attempt, "ACSC")), message_id="LATE")
    late = import_bank_report(
        actor=acting(office.treasurer), provider_id=report.provider_id, data=data
    )
    apply_bank_report(actor=acting(office.treasurer), report_id=late.report.pk, today=today)
    payment = Payment.objects.get(pk=attempt.payment_id)
    assert "End the late success" in text_of(signed_in(office.cfo).get(page_of(payment)))
    for user in (office.treasurer, office.cfo):
        given = {"outcome": "returned", "evidence": "Statement"}
        assert do(user, "clear-late-success", payment, **given).status_code == 302
    assert Account.objects.get(pk=office.fund.suspense_account_id).balance == 0
    assert attempt_of(payment).state == "failed"
    assert "End the late success" not in text_of(signed_in(office.cfo).get(page_of(payment)))
