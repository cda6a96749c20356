"""Asking for money: what is taken, what is refused, and what an edit undoes."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from ledger import audit
from ledger.models import AuditEvent
from ledger.refusals import IllegalTransition, InvalidInput, RoleRequired
from ledger.roles import Role
from tests.treasury.desk import CASH, Desk, make_desk, rival_of
from tests.treasury.factories import acting, person, today
from treasury.models import OneTimeCode, Requisition
from treasury.payees import NEW_DESTINATION, NEW_PAYEE
from treasury.services.codes import send_otp
from treasury.services.execution import execute_payment
from treasury.services.payments import create_payment
from treasury.services.requisitions import (
    PaymentStarted,
    approve_requisition,
    cancel_requisition,
    create_requisition,
    edit_requisition,
    reject_requisition,
)


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def test_a_requisition_is_submitted_in_the_currency_of_its_fund(desk: Desk) -> None:
    made = desk.request()
    assert (made.status, made.version, made.currency) == ("submitted", 1, "KES")
    assert (made.amount, made.requested_by, made.company) == (
        Decimal(1000),
        desk.requester,
        desk.company,
    )
    assert made.requested_at is not None
    assert made.amount_left == 0


def test_creation_is_audited_with_a_masked_destination(desk: Desk) -> None:
    made = desk.request(method="mpesa", destination="0712345678")
    event = audit.history_of(made.reference).get()
    assert (event.action, event.actor, event.company) == (
        "requisition.create",
        desk.requester,
        desk.company,
    )
    assert event.after
    assert event.after["destination"] == "+254••••••678"
    assert "712345" not in str(event.after)


def test_a_phone_is_stored_as_e164_and_encrypted(desk: Desk) -> None:
    made = desk.request(method="mpesa", destination="0712345678")
    assert made.destination == "+254712345678"
    with connection.cursor() as cursor:
        cursor.execute("SELECT destination FROM treasury_requisition")
        assert "712345678" not in cursor.fetchone()[0]


BAD = [
    ("amount", {"amount": "0"}, "amount_not_positive"),
    ("amount", {"amount": "-5"}, "amount_not_positive"),
    ("amount", {"amount": "10.001"}, "amount_precision"),
    ("amount", {"amount": "NaN"}, "amount_invalid"),
    ("amount", {"amount": "1e5"}, "amount_invalid"),
    ("amount", {"amount": "１０００"}, "amount_invalid"),
    ("amount", {"amount": "1" * 21}, "amount_too_large"),
    ("currency", {"currency": "UGX"}, "currency_mismatch"),
    ("currency", {"currency": "XXX"}, "currency_mismatch"),
    ("method", {"method": "cheque"}, "invalid_input"),
    ("destination", {"method": "bank"}, "account_invalid"),
    (
        "payee_name",
        {"method": "bank", "destination": "KE/68000/0123456789", "payee_name": "王小明"},
        "characters_not_carried",
    ),
    ("destination", {"destination": "  "}, "invalid_input"),
    ("destination", {"destination": "a" * 161}, "invalid_input"),
    ("destination", {"method": "mpesa", "destination": "12345"}, "phone_invalid"),
    ("destination", {"method": "mpesa", "destination": "+256772123456"}, "phone_invalid"),
    ("amount", {"method": "mpesa", "destination": "0712345678", "amount": "9"}, None),
    ("amount", {"method": "mpesa", "destination": "0712345678", "amount": "250001"}, None),
    ("amount", {"method": "mpesa", "destination": "0712345678", "amount": "10.50"}, None),
    ("purpose", {"purpose": ""}, "required"),
    ("purpose", {"purpose": "a" * 501}, "too_long"),
    ("payee_name", {"payee_name": " "}, "required"),
    ("payee_name", {"payee_name": "Ami\x00na"}, "invalid_input"),
]


@pytest.mark.parametrize(("field", "details", "code"), BAD)
def test_bad_input_is_refused_on_its_field_and_writes_nothing(
    desk: Desk, field: str, details: dict[str, Any], code: str | None
) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.request(**details)
    assert list(refused.value.errors) == [field]
    assert code in {None, refused.value.code}
    assert not Requisition.objects.exists()


def test_a_whole_amount_with_zero_decimals_is_taken_in_a_currency_without_any(desk: Desk) -> None:
    desk = make_desk(currency="RWF", balance=Decimal(0))
    assert desk.request(amount="15000.00").amount == 15_000
    with pytest.raises(InvalidInput) as refused:
        desk.request(amount="15000.50")
    assert refused.value.code == "amount_precision"


def test_an_unknown_fund_is_refused_on_the_field(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        create_requisition(actor=acting(desk.requester), fund_id=desk.company.pk, **CASH)
    assert "fund" in refused.value.errors


def test_only_a_requester_of_the_place_asks_for_money(desk: Desk) -> None:
    stranger = person(make_desk(name="Other").company, Role.REQUESTER)
    for user in (desk.treasurer, desk.auditor, stranger):
        with pytest.raises(RoleRequired):
            create_requisition(actor=acting(user), fund_id=desk.fund.pk, **CASH)


def test_the_role_is_asked_for_before_the_input_is_read(desk: Desk) -> None:
    with pytest.raises(RoleRequired):
        create_requisition(
            actor=acting(desk.auditor), fund_id=desk.fund.pk, **(CASH | {"amount": "NaN"})
        )


# --- The note about the payee ---------------------------------------------------------------------------


def test_a_new_payee_is_noted(desk: Desk) -> None:
    assert desk.request().payee_note == NEW_PAYEE


def test_a_known_payee_and_destination_have_no_note(desk: Desk) -> None:
    desk.request()
    assert desk.request(payee_name="  AMINA   traders").payee_note == ""


def test_a_known_payee_with_a_new_destination_is_noted(desk: Desk) -> None:
    desk.request(method="mpesa", destination="0712345678")
    assert desk.request(method="mpesa", destination="0712345679").payee_note == NEW_DESTINATION


def test_a_destination_of_another_payee_does_not_make_a_payee_known(desk: Desk) -> None:
    desk.request()
    assert desk.request(payee_name="Somebody else").payee_note == NEW_PAYEE


def test_a_withdrawn_requisition_makes_nobody_known(desk: Desk) -> None:
    first = desk.request()
    cancel_requisition(actor=acting(desk.requester), requisition_id=first.pk)
    assert desk.request().payee_note == NEW_PAYEE


def test_what_another_company_paid_makes_nobody_known(desk: Desk) -> None:
    desk.request()
    assert make_desk(name="Other").request().payee_note == NEW_PAYEE


def test_an_edit_to_a_new_destination_renews_the_note(desk: Desk) -> None:
    desk.request(method="mpesa", destination="0712345678")
    again = desk.request(method="mpesa", destination="0712345678")
    edited = edit_requisition(
        actor=acting(desk.requester), requisition_id=again.pk, destination="0712345679"
    )
    assert edited.payee_note == NEW_DESTINATION


# --- Edit -----------------------------------------------------------------------------------------------


def test_an_edit_makes_the_next_version_and_voids_the_approvals(desk: Desk) -> None:
    approved = desk.approved()
    edited = edit_requisition(
        actor=acting(desk.requester), requisition_id=approved.pk, amount="1200.00"
    )
    assert (edited.status, edited.version, edited.amount) == ("submitted", 2, Decimal(1200))
    assert edited.approved_at is None
    again = approve_requisition(actor=acting(desk.approver), requisition_id=edited.pk)
    assert again.status == "approved"


def test_an_edit_records_what_was_and_what_is(desk: Desk) -> None:
    made = desk.request()
    edit_requisition(actor=acting(desk.requester), requisition_id=made.pk, purpose="Ink")
    event = audit.history_of(made.reference).get(action="requisition.edit")
    assert event.before
    assert event.after
    assert (event.before["purpose"], event.after["purpose"]) == ("Paper for the office", "Ink")


def test_an_edit_cancels_pending_payments_and_kills_their_codes(desk: Desk) -> None:
    payment = desk.pending()
    send_otp(actor=acting(desk.treasurer), payment_id=payment.pk)
    edited = edit_requisition(
        actor=acting(desk.requester), requisition_id=payment.requisition_id, amount="500"
    )
    payment.refresh_from_db()
    assert (payment.status, edited.committed) == ("cancelled", Decimal(0))
    assert not OneTimeCode.objects.filter(voided_at=None).exists()
    assert audit.history_of(payment.reference).filter(action="payment.cancel").exists()


def test_nothing_changes_once_a_payment_has_left_pending(desk: Desk) -> None:
    requisition = desk.approved()
    part = desk.treasurer
    payment = create_payment(actor=acting(part), requisition_id=requisition.pk, amount="400")
    execute_payment(actor=acting(part), payment_id=payment.pk, today=today)
    for act in (edit_requisition, cancel_requisition):
        details = {"amount": "900"} if act is edit_requisition else {}
        with pytest.raises(PaymentStarted) as refused:
            act(actor=acting(desk.requester), requisition_id=requisition.pk, **details)
        assert (refused.value.status, refused.value.code) == (409, "payment_started")
    requisition.refresh_from_db()
    assert (requisition.status, requisition.amount) == ("approved", Decimal(1000))


def test_only_its_requester_edits_and_cancels_a_requisition(desk: Desk) -> None:
    made = desk.request()
    admin = person(desk.company, is_superuser=True)
    for user in (rival_of(desk, Role.REQUESTER), desk.approver, admin):
        with pytest.raises(RoleRequired):
            edit_requisition(actor=acting(user), requisition_id=made.pk, amount="1")
        with pytest.raises(RoleRequired):
            cancel_requisition(actor=acting(user), requisition_id=made.pk)


def test_an_edit_of_the_method_checks_the_present_destination(desk: Desk) -> None:
    made = desk.request()
    with pytest.raises(InvalidInput) as refused:
        edit_requisition(actor=acting(desk.requester), requisition_id=made.pk, method="mpesa")
    assert "destination" in refused.value.errors


def test_an_edit_that_says_nothing_is_refused(desk: Desk) -> None:
    made = desk.request()
    with pytest.raises(InvalidInput):
        edit_requisition(actor=acting(desk.requester), requisition_id=made.pk)


@pytest.mark.parametrize("end", ["reject", "cancel", "pay"])
def test_what_is_over_is_not_edited(desk: Desk, end: str) -> None:
    requisition = desk.paid().requisition if end == "pay" else desk.request()
    if end == "reject":
        reject_requisition(actor=acting(desk.approver), requisition_id=requisition.pk, reason="No.")
    if end == "cancel":
        cancel_requisition(actor=acting(desk.requester), requisition_id=requisition.pk)
    with pytest.raises(IllegalTransition):
        edit_requisition(actor=acting(desk.requester), requisition_id=requisition.pk, amount="2")


# --- Cancel ---------------------------------------------------------------------------------------------


def test_a_cancelled_requisition_takes_its_pending_payments_along(desk: Desk) -> None:
    payment = desk.pending()
    cancelled = cancel_requisition(
        actor=acting(desk.requester), requisition_id=payment.requisition_id
    )
    payment.refresh_from_db()
    assert (cancelled.status, payment.status) == ("cancelled", "cancelled")
    assert cancelled.cancelled_at is not None


def test_a_refused_attempt_is_in_the_audit_trail(desk: Desk) -> None:
    made = desk.request()
    with pytest.raises(RoleRequired):
        cancel_requisition(actor=acting(desk.approver), requisition_id=made.pk)
    event = AuditEvent.objects.get(outcome="refused")
    assert (event.subject, event.company, event.actor) == (
        made.reference,
        desk.company,
        desk.approver,
    )
    assert (event.action, event.code) == ("requisition.cancel", "role_required")
