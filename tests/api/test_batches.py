"""Batches over the API: from a file or a list to a result for each row."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger.clock import today
from ledger.models import OutboxEvent, User
from ledger.roles import Role
from tests.api.caller import Caller, read
from tests.conftest import SentTasks
from tests.treasury.desk import SYSTEM, Desk, rival_of
from tests.treasury.test_events import told
from treasury.models import Batch, Payment, Requisition
from treasury.services.batch_execution import continue_batches

HEADER = "payee_name,method,destination,amount,purpose,reference\n"
GOOD = "Amina Traders,cash,Front desk,1000.00,Paper,A1\n"
OTHER = "Juma Stores,cash,Gate,250,Brooms,A2\n"


def sent(by: User, text: str, expect: int = 201, **more: Any) -> Any:
    file = SimpleUploadedFile("payroll.csv", text.encode())
    client = Caller(by).client
    return read(client.post("/api/batches/", {"file": file, **more}, format="multipart"), expect)


def listed(by: User, requisitions: list[Requisition], expect: int = 201, **more: Any) -> Any:
    body = {"requisitions": [str(one.pk) for one in requisitions], **more}
    return Caller(by).post("/api/batches/", body, expect)


def rows_of(by: User, batch: Any) -> list[dict[str, Any]]:
    return Caller(by).results(f"/api/batches/{batch['batch_id']}/rows/")


@pytest.fixture
def confirm(desk: Desk, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """Approve, send the code and give it back; returns the address of the batch."""

    def do(batch: Any) -> str:
        path = f"/api/batches/{batch['batch_id']}/"
        approved = Caller(desk.cfo).post(path + "approve/")
        assert approved["status"] == "approved"
        with django_capture_on_commit_callbacks(execute=True):
            Caller(desk.treasurer).post(path + "send_otp/")
        found = re.search(r"^(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
        assert found
        Caller(desk.treasurer).post(path + "verify_otp/", {"otp": found[1]})
        return path

    return do


def test_a_file_is_tried_made_approved_confirmed_and_executed(
    desk: Desk,
    confirm: Any,
    sent_tasks: SentTasks,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    text = HEADER + GOOD + OTHER + "Nobody,cash,Gate,1e9,Fraud,A3\n"
    dry = sent(desk.requester, text, 200, dry_run="true")
    assert (dry["dry_run"], dry["batch_id"], dry["count"], dry["total"]) == (
        True, None, 2, "1250.00",
    )  # fmt: skip
    assert dry["errors"] == [
        {
            "row": 4,
            "field": "amount",
            "code": "amount_invalid",
            "message": 'An amount is written with digits, such as "1000.00".',
        }
    ]
    assert Batch.objects.count() == Requisition.objects.count() == 0
    batch = sent(desk.requester, text)
    assert batch["errors"] == dry["errors"]
    assert batch["progress"] == {"waiting": 2, "done": 0, "refused": 1, "cancelled": 0}
    path = confirm(batch)
    body = str(mail.outbox[-1].body)
    assert "KES 1,250.00" in body
    assert "Amina Traders" in body
    with django_capture_on_commit_callbacks(execute=True):
        started = Caller(desk.treasurer).post(path + "execute/", expect=202)
    assert started["status"] == "executing"
    sent_tasks.run()
    done = Caller(desk.auditor).get(path)
    assert done["status"] == "completed"
    last = Caller(desk.auditor).results(path + "history/")[-1]
    assert (last["action"], last["after"]["amount_done"]) == ("batch.complete", done["total"])
    assert done["progress"] == {"waiting": 0, "done": 2, "refused": 1, "cancelled": 0}
    rows = rows_of(desk.auditor, batch)
    assert [(row["number"], row["status"], row["payment_status"]) for row in rows] == [
        (2, "done", "success"),
        (3, "done", "success"),
        (4, "refused", None),
    ]
    assert desk.account().balance == 100_000 - 1250
    history = Caller(desk.auditor).results(path + "history/")
    assert [event["action"] for event in history] == [
        "batch.create", "batch.approve", "batch.send_otp", "batch.verify_otp", "batch.execute",
        "batch.complete",
    ]  # fmt: skip


def test_what_the_dry_run_says_the_real_run_does(desk: Desk) -> None:
    lines = [
        GOOD,
        "Amina Traders,cash,Front desk,1000,Again,\n",
        "X,cash,,10,No destination,\n",
        "X,mpesa,0712345678,0.5,Too fine,\n",
        "X,mpesa,12,50,No phone,\n",
        "=cmd(),cash,Gate,50,Formula,\n",
        "X,carrier pigeon,Gate,50,No rail,\n",
        "X,cash,Gate,\uff11\uff10,Full width,\n",
        "X,cash,Gate,NaN,Not a number,\n",
        "X,cash,Gate,-5,Negative,\n",
    ]
    text = HEADER + "".join(lines)
    dry = sent(desk.requester, text, 200, dry_run="true")
    real = sent(desk.requester, text)
    assert dry["errors"] == real["errors"]
    assert [error["code"] for error in dry["errors"]] == [
        "invalid_input", "amount_precision", "phone_invalid", "formula", "invalid_input",
        "amount_invalid", "amount_invalid", "amount_not_positive",
    ]  # fmt: skip
    facts = ("number", "status", "payee_name", "amount", "error_code", "warnings")
    assert [[row[name] for name in facts] for row in dry["rows"]] == [
        [row[name] for name in facts] for row in rows_of(desk.auditor, real)
    ]
    warned = [[one["code"] for one in row["warnings"]] for row in dry["rows"]]
    assert warned[:2] == [["new_payee"], ["duplicate_row", "new_payee"]]


def test_approved_requisitions_are_paid_as_one_set_and_one_bad_row_blocks_no_other(
    desk: Desk,
    confirm: Any,
    sent_tasks: SentTasks,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    much = desk.approved(amount="50000")
    more = desk.approved(amount="49000", payee_name="Second")
    over = desk.approved(amount="5000", payee_name="Too much")
    last = desk.approved(amount="900", payee_name="Last")
    unapproved = desk.request(amount="10")
    batch = listed(desk.treasurer, [much, more, over, last, unapproved])
    assert [error["code"] for error in batch["errors"]] == ["requisition_not_approved"]
    path = confirm(batch)
    with django_capture_on_commit_callbacks(execute=True):
        Caller(desk.treasurer).post(path + "execute/", expect=202)
    sent_tasks.run()
    rows = rows_of(desk.auditor, batch)
    assert [(row["status"], row["error_code"]) for row in rows] == [
        ("done", ""),
        ("done", ""),
        ("refused", "insufficient_funds"),
        ("done", ""),
        ("refused", "requisition_not_approved"),
    ]
    assert desk.account().balance == 100


def test_the_uploader_neither_approves_nor_executes_what_he_asked_for(desk: Desk) -> None:
    both = rival_of(desk, Role.REQUESTER, Role.CFO, Role.TREASURER)
    batch = sent(both, HEADER + GOOD)
    path = f"/api/batches/{batch['batch_id']}/"
    answer = Caller(both).post(path + "approve/", expect=403)
    assert answer["code"] == "segregation_of_duties"
    Caller(desk.cfo).post(path + "approve/")
    answer = Caller(both).post(path + "send_otp/", expect=403)
    assert answer["code"] == "segregation_of_duties"


def test_above_the_tier_two_persons_approve(desk: Desk) -> None:
    text = HEADER + GOOD + "Big,cash,Gate,60000,Roof,\n"
    path = f"/api/batches/{sent(desk.requester, text)['batch_id']}/"
    assert Caller(desk.cfo).post(path + "approve/")["status"] == "submitted"
    assert Caller(desk.cfo).post(path + "approve/", expect=409)["code"] == "already_approved"
    done = Caller(desk.approver).post(path + "approve/")
    assert done["status"] == "approved"
    assert [approval["role"] for approval in done["approvals"]] == ["cfo", "approver"]
    assert set(Requisition.objects.values_list("status", flat=True)) == {"approved"}


def test_without_a_code_nothing_is_executed(desk: Desk) -> None:
    batch = listed(desk.treasurer, [desk.approved()])
    path = f"/api/batches/{batch['batch_id']}/"
    answer = Caller(desk.treasurer).post(path + "execute/", expect=409)
    assert answer["code"] == "illegal_transition"
    Caller(desk.cfo).post(path + "approve/")
    assert Caller(desk.treasurer).post(path + "execute/", expect=409)["code"] == "otp_required"


def test_a_change_voids_approval_and_code(desk: Desk, confirm: Any) -> None:
    batch = listed(desk.treasurer, [desk.approved(), desk.approved(amount="20")])
    path = confirm(batch)
    payment = Payment.objects.get(amount=20)
    Caller(desk.treasurer).patch(f"/api/payments/{payment.pk}/", {"amount": "19"})
    refused = Caller(desk.treasurer).post(path + "execute/", expect=409)
    assert refused["code"] == "batch_changed"
    now = Caller(desk.cfo).get(path)
    assert (now["status"], now["approvals"], now["total"]) == ("submitted", [], "1019.00")
    assert now["set_hash"] != batch["set_hash"]
    stale = {"set_hash": batch["set_hash"]}
    answer = Caller(desk.cfo).post(path + "approve/", stale, expect=409)
    assert answer["code"] == "batch_changed"
    Caller(desk.cfo).post(path + "approve/", {"set_hash": now["set_hash"]})
    assert Caller(desk.treasurer).post(path + "execute/", expect=409)["code"] == "otp_required"


def test_rows_and_the_code_show_where_cash_is_handed_over_and_mask_a_number(
    desk: Desk, confirm: Any
) -> None:
    counter = "The second counter behind the main hall: Ms Atieno"
    lines = GOOD + f"Juma,mpesa,0712345678,50,Fare,\nAsha,cash,{counter},-1,Fare,\n"
    batch = sent(desk.requester, HEADER + lines)
    shown = [row["destination_shown"] for row in rows_of(desk.auditor, batch)]
    assert shown == ["Front desk", "+254••••••678", counter]
    confirm(batch)
    for where in shown[:2]:
        assert where in str(mail.outbox[-1].body)


def test_only_a_treasurer_puts_requisitions_or_what_is_due_together(desk: Desk) -> None:
    refused = [
        listed(desk.requester, [desk.approved()], 403),
        Caller(desk.requester).post("/api/batches/", {"due_by": str(today(desk.company))}, 403),
    ]
    assert {answer["code"] for answer in refused} == {"role_required"}


def test_a_dry_run_with_a_key_keeps_nothing_and_leaves_the_key_free(desk: Desk) -> None:
    body = {"requisitions": [str(desk.approved().pk)], "dry_run": True}
    client, key = Caller(desk.treasurer), {"Idempotency-Key": "k"}
    for _ in range(2):
        assert client.post("/api/batches/", body, 200, key)["dry_run"]
    assert not Batch.objects.exists()
    client.post("/api/batches/", {**body, "dry_run": False}, 201, key)


def test_the_same_request_with_a_key_makes_one_batch(desk: Desk) -> None:
    one = desk.approved()
    body = {"requisitions": [str(one.pk)]}
    client = Caller(desk.treasurer)
    first = client.post("/api/batches/", body, 201, {"Idempotency-Key": "k"})
    again = client.post("/api/batches/", body, 201, {"Idempotency-Key": "k"})
    assert first["batch_id"] == again["batch_id"]


def test_a_requisition_waits_in_one_batch_alone(desk: Desk) -> None:
    one = desk.approved()
    listed(desk.treasurer, [one])
    answer = listed(desk.treasurer, [one], 400)
    assert answer["code"] == "in_batch"
    assert list(answer["errors"]) == ["rows.1.requisition"]


def test_a_pending_payment_is_adopted(desk: Desk) -> None:
    payment = desk.pending()
    batch = listed(desk.treasurer, [payment.requisition])
    assert rows_of(desk.auditor, batch)[0]["payment"] == str(payment.pk)


def test_another_companys_requisition_is_as_one_that_does_not_exist(desk: Desk) -> None:
    from tests.treasury.desk import make_desk

    answer = listed(desk.treasurer, [make_desk().approved()], 400)
    assert answer["detail"] == "There is no such requisition."


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"\xff\xfe\x00", "file_unreadable"),
        (b"PK\x03\x04 nonsense", "file_unreadable"),
        (b"payee,amount\nA,1\n", "unknown_column"),
        (b"payee_name,amount\nA,1\n", "missing_column"),
        (HEADER.encode(), "file_unreadable"),
        (HEADER.encode() + b'"open', "file_unreadable"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_by_name(desk: Desk, name: bytes, code: str) -> None:
    file = SimpleUploadedFile("a.csv", name)
    client = Caller(desk.requester).client
    answer = read(client.post("/api/batches/", {"file": file}, format="multipart"), 400)
    assert (answer["code"], list(answer["errors"])) == (code, ["file"])


@pytest.mark.parametrize("route", ["batches/", "batches/?awaiting=me", "batches/{batch}/rows/"])
def test_a_longer_list_costs_no_more_queries(desk: Desk, route: str) -> None:
    first = sent(desk.requester, HEADER + GOOD)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            Caller(desk.cfo).get("/api/" + route.format(batch=first["batch_id"]))
        return len(captured)

    few = queries()
    for number in range(3):
        sent(desk.requester, HEADER + GOOD.replace("Amina", f"A{number}") + OTHER)
    assert queries() == few <= 9


def test_it_waits_for_the_cfo_and_then_for_the_treasurer(desk: Desk) -> None:
    batch = listed(desk.treasurer, [desk.approved()])
    waiting = "/api/batches/?awaiting=me"
    assert [row["batch_id"] for row in Caller(desk.cfo).results(waiting)] == [batch["batch_id"]]
    assert Caller(desk.treasurer).results(waiting) == []
    Caller(desk.cfo).post(f"/api/batches/{batch['batch_id']}/approve/")
    assert Caller(desk.cfo).results(waiting) == []
    assert len(Caller(desk.treasurer).results(waiting)) == 1


def test_a_batch_its_requisitions_and_its_payments_tell_their_lives(
    desk: Desk, confirm: Any
) -> None:
    batch = sent(desk.requester, HEADER + GOOD + OTHER)
    path = confirm(batch)
    Caller(desk.treasurer).post(path + "execute/", expect=202)
    Caller(desk.treasurer).post(path + "pause/")
    Caller(desk.treasurer).post(path + "resume/", expect=202)
    continue_batches(actor=SYSTEM, today=today)
    assert told(f"treasury.batch:{batch['batch_id']}") == [
        *("batch.created", "batch.approved", "batch.executing", "batch.paused"),
        *("batch.executing", "batch.completed"),
    ]
    payment = Payment.objects.select_related("requisition").get(amount=250)
    assert told(payment.reference) == ["payment.created", "payment.succeeded"]
    assert told(payment.requisition.reference) == [
        *("requisition.submitted", "requisition.approved", "requisition.paid"),
    ]
    payload = OutboxEvent.objects.get(kind="batch.created").payload
    assert (payload["count"], payload["amount"]) == (2, "1250.00")
    assert "Amina" not in str(list(OutboxEvent.objects.values_list("payload", flat=True)))


def test_a_batch_that_changed_and_was_cancelled_tells_so(desk: Desk, confirm: Any) -> None:
    batch = sent(desk.requester, HEADER + GOOD + OTHER)
    path = confirm(batch)
    payment = Payment.objects.get(amount=250)
    Caller(desk.treasurer).patch(f"/api/payments/{payment.pk}/", {"amount": "249"})
    Caller(desk.treasurer).post(path + "execute/", expect=409)
    Caller(desk.treasurer).post(path + "cancel/")
    assert told(f"treasury.batch:{batch['batch_id']}") == [
        "batch.created", "batch.approved", "batch.voided", "batch.cancelled",
    ]  # fmt: skip
    assert told(payment.reference) == ["payment.created", "payment.edited", "payment.cancelled"]
    assert told(payment.requisition.reference) == [
        "requisition.submitted", "requisition.approved", "requisition.cancelled",
    ]  # fmt: skip
