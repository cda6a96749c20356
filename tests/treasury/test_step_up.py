"""Above the company's threshold whoever decides has shown his second factor, in this session, just now."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from knox.models import AuthToken
from rest_framework.test import APIClient

from ledger.actor import Actor
from ledger.admin.cells import page_of
from ledger.models import AuditEvent, User
from ledger.refusals import InvalidInput, RoleRequired
from ledger.services.second_factor import step_up
from tests.ledger.test_second_factor import WRONG, enrolled
from tests.treasury.desk import SYSTEM, Desk, make_desk
from tests.treasury.factories import acting, today
from treasury.models import PaymentPolicy
from treasury.services.execution import execute_payment
from treasury.services.payments import create_payment, edit_payment
from treasury.services.policies import set_step_up_threshold
from treasury.services.replenishment import approve_replenishment, replenish
from treasury.services.requisitions import approve_requisition
from treasury.services.step_up import StepUpRequired
from treasury.services.variances import approve_variance

THRESHOLD = "500.00"


@pytest.fixture
def desk(db: None) -> Desk:
    desk = make_desk()
    limit(desk, THRESHOLD)
    return desk


def limit(desk: Desk, amount: str | None) -> None:
    set_step_up_threshold(
        actor=acting(desk.cfo), company_id=desk.company.pk, currency="KES", step_up_above=amount
    )


def at(user: User, carrier: str = "c") -> Actor:
    return replace(acting(user), carrier=carrier * 64)


def stepped_up(user: User) -> Actor:
    _, phone, _ = enrolled(user)
    actor = at(user)
    step_up(actor=actor, code=phone.code())
    return actor


def unlimited(desk: Desk, make: Callable[[], Any]) -> Any:
    """What was made while there was no threshold, which counts again afterwards."""
    limit(desk, None)
    made = make()
    limit(desk, THRESHOLD)
    return made


def test_executing_above_it_needs_a_fresh_second_factor(desk: Desk) -> None:
    requisition = unlimited(desk, lambda: desk.approved(amount="500.01"))

    payment = create_payment(actor=acting(desk.treasurer), requisition_id=requisition.pk)
    assert payment.step_up_required
    for actor in (acting(desk.treasurer), at(desk.treasurer)):
        with pytest.raises(StepUpRequired):
            execute_payment(actor=actor, payment_id=payment.pk, today=today)
    actor = stepped_up(desk.treasurer)
    with pytest.raises(StepUpRequired):  # shown in another session
        execute_payment(actor=at(desk.treasurer, "d"), payment_id=payment.pk, today=today)
    done = execute_payment(actor=actor, payment_id=payment.pk, today=today)
    assert done.status == "success"
    refused = AuditEvent.objects.filter(subject=payment.reference, code="step_up_required")
    assert refused.count() == 3


def test_up_to_it_nothing_is_needed(desk: Desk) -> None:
    payment = desk.pending(amount="500.00")
    assert not payment.step_up_required
    assert desk.paid(amount="500.00").status == "success"


def test_an_edit_asks_the_policy_again(desk: Desk) -> None:
    requisition = unlimited(desk, lambda: desk.approved(amount="600"))

    payment = create_payment(
        actor=acting(desk.treasurer), requisition_id=requisition.pk, amount="400"
    )
    edited = edit_payment(actor=acting(desk.treasurer), payment_id=payment.pk, amount="600")
    assert (payment.step_up_required, edited.step_up_required) == (False, True)


def test_approving_above_it_needs_one_too(desk: Desk) -> None:
    requisition = desk.request(amount="501")
    with pytest.raises(StepUpRequired):
        approve_requisition(actor=acting(desk.approver), requisition_id=requisition.pk)
    done = approve_requisition(actor=stepped_up(desk.approver), requisition_id=requisition.pk)
    assert done.status == "approved"


def test_variances_and_replenishments_too(desk: Desk) -> None:
    payment = desk.paid(amount="400.00")
    variance = desk.variance(payment, "1000.00")
    request = replenish(
        actor=acting(desk.treasurer), fund_id=desk.fund.pk, amount="900", reason="Low"
    )
    with pytest.raises(StepUpRequired):
        approve_variance(actor=acting(desk.cfo), variance_id=variance.pk, today=today)
    with pytest.raises(StepUpRequired):
        approve_replenishment(actor=acting(desk.cfo), replenishment_id=request.pk)
    actor = stepped_up(desk.cfo)
    approve_variance(actor=actor, variance_id=variance.pk, today=today)
    approve_replenishment(actor=actor, replenishment_id=request.pk)


def test_the_threshold_is_a_cfo_s_and_in_the_trail(desk: Desk) -> None:
    for actor in (acting(desk.treasurer), acting(desk.approver)):
        with pytest.raises(RoleRequired):
            set_step_up_threshold(
                actor=actor, company_id=desk.company.pk, currency="KES", step_up_above="1"
            )
    with pytest.raises(InvalidInput):
        limit(desk, "1.234")
    limit(desk, None)
    event = AuditEvent.objects.filter(action="policy.set_step_up_threshold", outcome="done")
    assert [one.after for one in event.order_by("at")] == [{"KES": "500.00"}, {"KES": None}]
    assert PaymentPolicy.objects.get(company=desk.company).code_above == Decimal(200_000)
    set_step_up_threshold(
        actor=SYSTEM, company_id=desk.company.pk, currency="UGX", step_up_above="7"
    )


def test_the_database_takes_no_threshold_below_zero(desk: Desk) -> None:
    with pytest.raises(DatabaseError, match="treasury_paymentpolicy_step_up"), transaction.atomic():
        PaymentPolicy.objects.update(step_up_above=-1)


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=user)[1]}")
    return client


def test_a_token_is_good_after_it_showed_the_second_factor_and_no_other_token(desk: Desk) -> None:
    payment = unlimited(desk, lambda: desk.pending(amount="900"))
    payment.step_up_required = True
    payment.save(update_fields=["step_up_required"])
    _, phone, _ = enrolled(desk.treasurer)
    mine, other = client_of(desk.treasurer), client_of(desk.treasurer)
    path = f"/api/payments/{payment.pk}/execute/"
    refused: Any = mine.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "step_up_required")
    wrong: Any = mine.post("/api/auth/step-up/", {"code": WRONG})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "second_factor_invalid")
    shown: Any = mine.post("/api/auth/step-up/", {"code": phone.code()})
    assert (shown.status_code, list(shown.json())) == (200, ["verified_until"])
    assert other.post(path).status_code == 409
    assert mine.post(path).status_code == 200


def test_who_has_none_is_told_so(desk: Desk) -> None:
    answer: Any = client_of(desk.treasurer).post("/api/auth/step-up/", {"code": "123456"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_enrolled")


def test_the_admin_leads_to_where_it_is_shown(desk: Desk) -> None:
    requisition = desk.request(amount="900")
    desk.approver.is_staff = True
    desk.approver.save()
    _, phone, _ = enrolled(desk.approver)
    browser = Client()
    browser.force_login(desk.approver)
    step = "/admin/treasury/requisition/steps/approve/"
    refused = browser.post(step, {"id": requisition.pk, "comment": ""})
    assert refused.status_code == 409
    assert "/account/step-up/?next=" in refused.content.decode()
    browser.post("/account/step-up/", {"code": phone.code(), "next": page_of(requisition)})
    assert browser.post(step, {"id": requisition.pk, "comment": ""}).status_code == 302
    requisition.refresh_from_db()
    assert requisition.status == "approved"
