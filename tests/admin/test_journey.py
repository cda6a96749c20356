"""A payment's whole way through the admin, one person after the other."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger.actor import Actor
from ledger.admin.cells import page_of
from tests.admin.office import PDF, Office, do, outcomes_of, signed_in, step_url, text_of
from tests.treasury.factories import make_provider
from treasury.models import (
    Payment,
    PaymentPolicy,
    ReplenishmentRequest,
    Requisition,
    TreasuryFund,
    VarianceAdjustment,
)
from treasury.services.policies import set_code_threshold

ReadCode = Callable[[Payment], str]
CONTENT = {
    "amount": "1,500.00",
    "payee_name": "Amina Traders",
    "method": "cash",
    "destination": "Front desk",
    "purpose": "Paper",
}


@pytest.fixture
def with_codes(office: Office) -> None:
    set_code_threshold(
        actor=Actor.system("tests"), company_id=office.company.pk, currency="KES", code_above="1000"
    )


@pytest.fixture
def ask_for_code(
    office: Office, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> ReadCode:
    """Have a code sent through the admin, and read it from the mail."""

    def ask(payment: Payment) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            answer = do(office.treasurer, "send-code", payment)
        assert answer.status_code == 302
        found = re.search(r"^(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
        assert found
        return found[1]

    return ask


def test_asking_for_money_submits_a_requisition(office: Office) -> None:
    client = signed_in(office.requester)
    data = {"fund": str(office.fund.pk), **CONTENT}
    answer = client.post("/admin/treasury/requisition/add/", data, follow=True)
    row = Requisition.objects.get()
    assert (row.amount, row.status, row.requested_by) == (
        Decimal(1500),
        "submitted",
        office.requester,
    )
    assert "it waits for approval" in text_of(answer)


def test_only_funds_within_sight_can_be_chosen(office: Office, other_office: Office) -> None:
    client = signed_in(office.requester)
    data = {"fund": str(other_office.fund.pk), **CONTENT}
    assert client.post("/admin/treasury/requisition/add/", data).status_code == 400
    assert not Requisition.objects.exists()


def test_whoever_is_no_requester_is_not_asked_for_a_requisition(office: Office) -> None:
    client = signed_in(office.auditor)
    assert client.get("/admin/treasury/requisition/add/").status_code == 403
    data = {"fund": str(office.fund.pk), **CONTENT}
    assert client.post("/admin/treasury/requisition/add/", data).status_code == 403


def test_changing_a_requisition_voids_its_approvals(office: Office) -> None:
    row = office.approved()
    do(office.requester, "edit", row, **CONTENT | {"amount": "1700"})
    row.refresh_from_db()
    assert (row.amount, row.status, row.version) == (Decimal(1700), "submitted", 2)
    page = text_of(signed_in(office.approver).get(page_of(row)))
    assert "void: it was edited since" in page


def test_evidence_is_attached_and_handed_out_to_be_saved(
    office: Office, other_office: Office
) -> None:
    row = office.request()
    file = SimpleUploadedFile("quotation.pdf", PDF, content_type="application/pdf")
    assert do(office.requester, "attach", row, file=file).status_code == 302
    attachment = row.attachments.get()
    url = f"/admin/treasury/attachment/{attachment.pk}/file/"
    answer = signed_in(office.approver).get(url)
    assert b"".join(answer.streaming_content) == PDF  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert signed_in(other_office.approver).get(url).status_code == 404


def test_a_payment_goes_its_whole_way(
    office: Office, with_codes: None, ask_for_code: ReadCode
) -> None:
    row = office.request(amount="1500.00")
    do(office.approver, "approve", row, comment="Fine.")
    answer = do(office.treasurer, "pay", row, amount="")
    payment = Payment.objects.get()
    assert answer["Location"] == page_of(payment)
    code = ask_for_code(payment)
    assert do(office.treasurer, "execute", payment, otp=code).status_code == 302
    payment.refresh_from_db()
    assert (payment.status, payment.execution.executor) == ("success", office.treasurer)
    assert payment.execution.ip_address == "192.0.2.44"
    do(office.reconciler, "reconcile", payment, note="Receipt 7")
    payment.refresh_from_db()
    assert payment.status == "reconciled"


def test_one_page_tells_all_of_a_payment(office: Office) -> None:
    payment = office.paid()
    office.variance(payment, "900.00", reason="A hundred came back")
    do(office.reconciler, "reconcile", payment, note="Receipt 7")
    page = text_of(signed_in(office.auditor).get(page_of(payment)))
    for part in (
        "KES 1,000.00",
        "Amina Traders",
        "Requisition and approvals",
        "Fine.",
        "Payment to Amina Traders",
        "A hundred came back",
        "Receipt 7",
        "Payment: reconcile",
        "192.0.2.44",
        "EAT",
    ):
        assert part in page, part


def test_a_wrong_code_is_said_beside_the_code(
    office: Office, with_codes: None, ask_for_code: ReadCode
) -> None:
    payment = office.pending(amount="1500.00")
    code = ask_for_code(payment)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    answer = do(office.treasurer, "execute", payment, otp=wrong)
    assert (answer.status_code, "This code is not valid." in text_of(answer)) == (400, True)
    payment.refresh_from_db()
    assert payment.status == "pending"


def test_a_code_may_be_entered_first_and_the_payment_executed_after(
    office: Office, with_codes: None, ask_for_code: ReadCode
) -> None:
    payment = office.pending(amount="1500.00")
    code = ask_for_code(payment)
    assert do(office.treasurer, "enter-code", payment, otp=code).status_code == 302
    page = signed_in(office.treasurer).get(step_url(payment, "execute"), {"id": str(payment.pk)})
    assert 'name="otp"' not in text_of(page)
    do(office.treasurer, "execute", payment)
    payment.refresh_from_db()
    assert payment.status == "success"


def test_many_payments_at_once_need_their_codes_entered_before(
    office: Office, with_codes: None
) -> None:
    free, guarded = office.pending(amount="900.00"), office.pending(amount="1500.00")
    page = outcomes_of(office.treasurer, "execute", free, guarded)
    assert "1 of 2 done" in page
    assert "This payment needs a code that you have verified." in page


def test_a_payment_through_a_gateway_is_left_to_a_worker(office: Office) -> None:
    make_provider(office.company)
    payment = office.pending(method="mpesa", destination="0712345678")
    do(office.treasurer, "execute", payment)
    payment.refresh_from_db()
    assert payment.status == "executing"
    page = text_of(signed_in(office.auditor).get(page_of(payment)))
    assert "Attempt 1" in page
    assert "Sending" in page


def test_a_variance_is_recorded_and_approved(office: Office) -> None:
    payment = office.paid()
    given = {"original_amount": "1,000.00", "adjusted_amount": "900.00", "reason": "Change"}
    do(office.reconciler, "record-variance", payment, **given)
    variance = VarianceAdjustment.objects.get()
    do(office.cfo, "approve", variance)
    variance.refresh_from_db()
    assert (variance.status, variance.approved_by) == ("approved", office.cfo)
    assert office.account().balance == 99_100


def test_a_fund_is_replenished_by_three_people(office: Office) -> None:
    do(office.treasurer, "replenish", office.fund, amount="2,000", reason="Float")
    row = ReplenishmentRequest.objects.get()
    do(office.cfo, "approve", row)
    assert do(office.treasurer, "fund", row).status_code == 302
    assert office.account().balance == 102_000


def test_a_cancelled_payment_can_be_made_again(office: Office) -> None:
    payment = office.pending()
    do(office.treasurer, "cancel", payment)
    do(office.treasurer, "pay", payment.requisition, amount="400")
    assert sorted(Payment.objects.values_list("status", "amount")) == [
        ("cancelled", Decimal(1000)),
        ("pending", Decimal(400)),
    ]


def test_a_cfo_opens_a_fund_and_sets_its_limits(office: Office) -> None:
    client = signed_in(office.cfo)
    place = {"company": str(office.company.pk), "currency": "ugx"}
    levels = {"reorder_level": "1,000", "target_level": "5,000"}
    client.post("/admin/treasury/treasuryfund/add/", {**place, **levels, "name": "Kampala"})
    fund = TreasuryFund.objects.get(name="Kampala")
    assert (fund.currency, fund.target_level) == ("UGX", Decimal(5000))
    client.post("/admin/treasury/paymentpolicy/add/", {**place, "amount": "30,000"})
    assert PaymentPolicy.objects.get(currency="UGX").code_above == 30_000
    client.post("/admin/treasury/approvaltier/add/", {**place, "amount": "1,500,000"})
    tiers = office.company.approval_tiers.filter(currency="UGX")
    assert [tier.needs for tier in tiers] == ["one", "approver_and_cfo"]


def test_a_payment_in_review_takes_two_people(office: Office) -> None:
    page = signed_in(office.cfo).get(
        step_url(office.pending(), "resolve"), {"id": str(Payment.objects.get().pk)}
    )
    assert "It is pending." in text_of(page)
