"""Codes and execution over the API."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger.actor import Actor
from ledger.roles import Role
from tests.api.caller import Caller
from tests.conftest import SentTasks
from tests.treasury import factories
from tests.treasury.desk import SYSTEM, Desk, rival_of
from tests.treasury.gateway import Gateway, outcome
from treasury.models import OneTimeCode, Payment, PaymentAttempt, PaymentExecution
from treasury.services import outcomes
from treasury.services.dispatching import dispatch_attempt
from treasury.services.policies import set_code_threshold

Send = Callable[[Payment, Any], str]
PHONE = {"method": "mpesa", "destination": "0712345678"}


@pytest.fixture
def strict(desk: Desk) -> Desk:
    """The desk, where every payment above 1,000 needs a code."""
    set_code_threshold(actor=SYSTEM, company_id=desk.company.pk, currency="KES", code_above="1000")
    return desk


@pytest.fixture
def send(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Send:
    """Have a code sent and read it in the mail."""

    def send_and_read(payment: Payment, user: Any) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            Caller(user).post(f"/api/payments/{payment.pk}/send_otp/")
        found = re.search(r"^(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
        assert found
        return found.group(1)

    return send_and_read


def path_of(payment: Payment, verb: str = "") -> str:
    return f"/api/payments/{payment.pk}/{verb}/".replace("//", "/")


def test_a_code_makes_its_caller_the_executor(strict: Desk, send: Send) -> None:
    payment = strict.pending(amount="1000.01")
    code = send(payment, strict.treasurer)
    shown = Caller(strict.auditor).get(path_of(payment))
    assert (shown["otp_required"], shown["otp_verified"]) == (True, False)
    assert shown["executor"] == str(strict.treasurer.pk)
    assert shown["otp_sent_timestamp"].endswith("Z")
    assert code not in str(shown)
    verified = Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": code})
    assert verified["otp_verified"] is True
    done = Caller(strict.treasurer).post(path_of(payment, "execute"))
    assert done["execution"]["otp_verified_by"] == str(strict.treasurer.pk)
    assert done["execution"]["otp_verified_at"] == verified["otp_verified_timestamp"]


def test_no_second_code_within_a_minute(strict: Desk, send: Send) -> None:
    payment = strict.pending(amount="2000")
    send(payment, strict.treasurer)
    answer = Caller(strict.treasurer).client.post(path_of(payment, "send_otp"))
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_another_treasurer_takes_over_and_the_old_code_dies(strict: Desk, send: Send) -> None:
    payment = strict.pending(amount="2000")
    second = rival_of(strict, Role.TREASURER)
    old = send(payment, strict.treasurer)
    new = send(payment, second)
    refused = Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": old}, 403)
    assert refused["code"] == "not_the_executor"
    assert OneTimeCode.objects.get(voided_at=None).tries == 0
    assert Caller(second).post(path_of(payment, "verify_otp"), {"otp": new})["otp_verified"]


def test_wrong_and_used_and_dead_codes_are_answered_alike(strict: Desk, send: Send) -> None:
    payment = strict.pending(amount="2000")
    code = send(payment, strict.treasurer)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    verify = path_of(payment, "verify_otp")
    caller = Caller(strict.treasurer)
    for_wrong = caller.post(verify, {"otp": wrong}, 400)
    caller.post(verify, {"otp": code})
    for_used = caller.post(verify, {"otp": code}, 400)
    caller.patch(path_of(payment), {"amount": "1999"})
    Payment.objects.filter(pk=payment.pk).update(executor=strict.treasurer)
    for_dead = caller.post(verify, {"otp": code}, 400)
    assert for_wrong == for_used == for_dead
    assert (for_wrong["code"], list(for_wrong["errors"])) == ("otp_invalid", ["otp"])


def test_after_five_tries_the_right_code_is_wrong_too(strict: Desk, send: Send) -> None:
    payment = strict.pending(amount="2000")
    code = send(payment, strict.treasurer)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": wrong}, 400)
    refused = Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": code}, 400)
    assert refused["code"] == "otp_invalid"


@pytest.mark.parametrize("otp", ["12345", "1234567", "abcdef", "１２３４５６", "", 123456, None])
def test_what_is_no_code_costs_no_try(strict: Desk, send: Send, otp: Any) -> None:
    payment = strict.pending(amount="2000")
    send(payment, strict.treasurer)
    body = {"otp": otp}
    refused = Caller(strict.treasurer).post(path_of(payment, "verify_otp"), body, 400)
    assert list(refused["errors"]) == ["otp"]
    assert OneTimeCode.objects.get().tries == 0


def test_without_a_verified_code_nothing_is_executed(strict: Desk) -> None:
    payment = strict.pending(amount="2000")
    refused = Caller(strict.treasurer).post(path_of(payment, "execute"), None, 409)
    assert refused["code"] == "otp_required"
    assert not PaymentExecution.objects.exists()


def test_cash_is_final_at_once(desk: Desk) -> None:
    payment = desk.pending()
    answer = Caller(desk.treasurer).post(path_of(payment, "execute"), {}, 200)
    assert (answer["status"], answer["executor"]) == ("success", str(desk.treasurer.pk))
    execution = answer["execution"]
    assert execution["payment"] == str(payment.pk)
    assert execution["ip_address"] == "127.0.0.1"
    assert (execution["otp_verified_at"], execution["otp_verified_by"]) == (None, None)
    again = Caller(desk.treasurer).post(path_of(payment, "execute"), None, 409)
    assert again["code"] == "illegal_transition"
    assert desk.account().balance == 99_000


def test_execute_takes_no_body(desk: Desk) -> None:
    payment = desk.pending()
    refused = Caller(desk.treasurer).post(path_of(payment, "execute"), {"amount": "1"}, 400)
    assert list(refused["errors"]) == ["amount"]
    payment.refresh_from_db()
    assert payment.status == "pending"


def test_a_worker_calls_the_gateway(desk: Desk, gateway: Gateway, sent_tasks: SentTasks) -> None:
    factories.make_provider(desk.company)
    payment = desk.pending(**PHONE)
    answer = Caller(desk.treasurer).post(path_of(payment, "execute"), None, 202)
    assert (answer["status"], answer["execution"]) == ("executing", None)
    fund = Caller(desk.auditor).get(f"/api/funds/{desk.fund.pk}/")
    assert (fund["held"], fund["current_balance"]) == ("1000.00", "100000.00")
    assert gateway.sent == []


def test_without_a_provider_nothing_is_held(desk: Desk) -> None:
    payment = desk.pending(**PHONE)
    refused = Caller(desk.treasurer).post(path_of(payment, "execute"), None, 409)
    assert refused["code"] == "provider_unavailable"
    assert desk.account().held == 0


def test_more_than_the_fund_has_is_not_paid(desk: Desk) -> None:
    payments = [desk.pending(amount="50000") for _ in range(3)]
    for payment in payments[:2]:
        Caller(desk.treasurer).post(path_of(payment, "execute"))
    refused = Caller(desk.treasurer).post(path_of(payments[2], "execute"), None, 409)
    assert refused["code"] == "insufficient_funds"
    assert desk.account().balance == 0


@pytest.mark.parametrize("verb", ["send_otp", "execute"])
def test_nobody_executes_what_he_requested_or_approved(desk: Desk, verb: str) -> None:
    for user in (desk.requester, desk.approver):
        user.memberships.create(company=desk.company, role=Role.TREASURER)
    desk.requester.is_superuser = True
    desk.requester.save()
    payment = desk.pending()
    for user in (desk.requester, desk.approver):
        refused = Caller(user).post(path_of(payment, verb), {"junk": 1}, 403)
        assert refused["code"] == "segregation_of_duties"


@pytest.mark.parametrize("verb", ["send_otp", "verify_otp", "execute", "cancel", "retry"])
def test_only_a_treasurer_moves_a_payment(desk: Desk, verb: str) -> None:
    payment = desk.pending()
    for user in (desk.requester, desk.approver, desk.cfo, desk.reconciler, desk.auditor):
        refused = Caller(user).post(path_of(payment, verb), {"junk": 1}, 403)
        assert refused["code"] == "role_required"


@pytest.fixture
def sent(desk: Desk, gateway: Gateway, sent_tasks: SentTasks) -> PaymentAttempt:
    """An attempt that waits to be sent."""
    factories.make_provider(desk.company)
    payment = desk.pending(**PHONE)
    Caller(desk.treasurer).post(path_of(payment, "execute"), None, 202)
    return PaymentAttempt.objects.select_related("payment").get(payment=payment)


def test_a_definite_refusal_fails_and_can_be_retried(
    desk: Desk, gateway: Gateway, sent: PaymentAttempt
) -> None:
    gateway.replies = [outcome("failed_final", "2001", "The initiator information is invalid.")]
    dispatch_attempt(actor=SYSTEM, attempt_id=sent.pk, today=factories.today)
    failed = Caller(desk.auditor).get(path_of(sent.payment))
    assert (failed["status"], failed["retry_count"]) == ("failed", 1)
    assert "2001" in failed["last_error"]
    assert desk.account().held == 0
    again = Caller(desk.treasurer).post(path_of(sent.payment, "retry"))
    assert (again["status"], again["executor"]) == ("pending", None)


def test_retries_end(desk: Desk, gateway: Gateway, sent: PaymentAttempt) -> None:
    Caller(desk.treasurer).post(path_of(sent.payment, "retry"), None, 409)
    Payment.objects.filter(pk=sent.payment_id).update(max_retries=1)
    gateway.replies = [outcome("failed_final")]
    dispatch_attempt(actor=SYSTEM, attempt_id=sent.pk, today=factories.today)
    refused = Caller(desk.treasurer).post(path_of(sent.payment, "retry"), None, 409)
    assert refused["code"] == "retry_limit"
    assert Caller(desk.treasurer).post(path_of(sent.payment, "cancel"))["status"] == "cancelled"


def put_in_review(attempt: PaymentAttempt) -> Payment:
    with transaction.atomic():
        outcomes.put_in_review(attempt, said="nobody knows", actor=Actor.system("tests"))
    return attempt.payment


@pytest.mark.parametrize(("outcome", "status"), [("paid", "success"), ("not_paid", "failed")])
def test_two_people_end_a_review(
    desk: Desk, sent: PaymentAttempt, outcome: str, status: str
) -> None:
    path = path_of(put_in_review(sent), "resolve")
    body = {"outcome": outcome, "evidence": "The statement of the 3rd"}
    proposed = Caller(desk.cfo).post(path, body)
    assert proposed["status"] == "review"
    assert proposed["resolution"]["proposed_by"] == str(desk.cfo.pk)
    assert proposed["resolution"]["outcome"] == outcome
    alone = Caller(desk.cfo).post(path, body, 403)
    assert alone["code"] == "segregation_of_duties"
    executor = Caller(desk.treasurer).post(path, {"junk": 1}, 403)
    assert executor["code"] == "segregation_of_duties"
    confirmed = Caller(rival_of(desk, Role.TREASURER)).post(path, body)
    assert (confirmed["status"], confirmed["resolution"]) == (status, None)


def test_two_findings_that_differ_end_nothing(desk: Desk, sent: PaymentAttempt) -> None:
    path = path_of(put_in_review(sent), "resolve")
    Caller(desk.cfo).post(path, {"outcome": "paid", "evidence": "A receipt"})
    body = {"outcome": "not_paid", "evidence": "No line on the statement"}
    refused = Caller(rival_of(desk, Role.CFO)).post(path, body, 409)
    assert refused["code"] == "resolution_differs"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outcome": "paid"}, "evidence"),
        ({"outcome": "paid", "evidence": " "}, "evidence"),
        ({"outcome": "perhaps", "evidence": "x"}, "outcome"),
        ({"evidence": "x"}, "outcome"),
    ],
)
def test_a_finding_is_whole(
    desk: Desk, sent: PaymentAttempt, body: dict[str, str], field: str
) -> None:
    path = path_of(put_in_review(sent), "resolve")
    assert list(Caller(desk.cfo).post(path, body, 400)["errors"]) == [field]


def test_only_what_is_in_review_is_resolved(desk: Desk) -> None:
    body = {"outcome": "paid", "evidence": "x"}
    refused = Caller(desk.cfo).post(path_of(desk.pending(), "resolve"), body, 409)
    assert refused["code"] == "illegal_transition"


def test_attempts_show_what_was_sent_without_secrets(
    desk: Desk, gateway: Gateway, sent: PaymentAttempt
) -> None:
    dispatch_attempt(actor=SYSTEM, attempt_id=sent.pk, today=factories.today)
    (attempt,) = Caller(desk.auditor).results(path_of(sent.payment, "attempts"))
    assert attempt["attempt_id"] == str(sent.pk)
    assert (attempt["number"], attempt["state"], attempt["amount"]) == (1, "accepted", "1000.00")
    assert attempt["reference"] == str(sent.reference)
    assert (attempt["exchanges"], attempt["callbacks"]) == ([], [])


def test_a_payment_that_cannot_be_executed_now_says_why_in_its_history(desk: Desk) -> None:
    payment = desk.pending(**PHONE)
    Caller(desk.treasurer).post(path_of(payment, "execute"), None, 409)
    told = Caller(desk.auditor).results(path_of(payment, "history"))[-1]
    assert (told["action"], told["outcome"]) == ("payment.execute", "refused")
    assert told["code"] == "provider_unavailable"
    assert told["actor"] == str(desk.treasurer.pk)


def test_what_paying_answers_is_what_is_read_afterwards(strict: Desk, send: Send) -> None:
    payment = strict.pending(amount="2000")
    code = send(payment, strict.treasurer)
    Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": code})
    answered = Caller(strict.treasurer).post(path_of(payment, "execute"))
    assert answered == Caller(strict.treasurer).get(path_of(payment))


def test_bad_form_is_the_weaker_refusal(desk: Desk) -> None:
    """404 and 403 come before 400, for a body where there is none and for a key that is none."""
    payment = desk.pending(amount="10")
    stranger = factories.person(factories.make_company(), Role.TREASURER)
    for body, headers in (({"x": 1}, {}), (None, {"Idempotency-Key": " "})):
        for user, status in ((stranger, 404), (desk.auditor, 403), (desk.treasurer, 400)):
            Caller(user).post(path_of(payment, "execute"), body, status, headers)
    assert not PaymentExecution.objects.exists()


def test_who_may_no_longer_execute_is_not_given_the_old_answer(desk: Desk) -> None:
    payment = desk.pending(amount="10")
    key = {"Idempotency-Key": "k"}
    Caller(desk.treasurer).post(path_of(payment, "execute"), None, 200, key)
    desk.treasurer.memberships.all().delete()
    Caller(desk.treasurer).post(path_of(payment, "execute"), None, 404, key)
