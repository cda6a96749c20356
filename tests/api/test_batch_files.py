"""What a file may say of each row, and what each row says in the end."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from openpyxl import Workbook, load_workbook

from ledger.clock import today
from ledger.models import User
from tests.api.caller import Caller, read
from tests.api.test_batches import confirm, rows_of, sent
from tests.conftest import SentTasks
from tests.treasury.desk import SYSTEM, Desk, refused_by
from tests.treasury.factories import PHONE, make_provider
from treasury.locks import lock_attempt
from treasury.models import (
    Batch,
    BatchCode,
    BatchRow,
    Payment,
    PaymentAttempt,
    PaymentExecution,
    Requisition,
)
from treasury.payees import NEW_DESTINATION, NEW_PAYEE
from treasury.risk import Risk
from treasury.services.batch_execution import continue_batches
from treasury.services.limits import set_payment_rules
from treasury.services.outcomes import conclude_success
from treasury.services.scheduling import execute_due

__all__ = ["confirm"]

HEADER = "payee_name,method,destination,amount,purpose,scheduled_for\n"


def line(payee: str = "Amina Traders", day: date | str = "", **changes: Any) -> str:
    cells = {"method": "cash", "destination": "Front desk", "amount": "100", **changes}
    return f"{payee},{cells['method']},{cells['destination']},{cells['amount']},Paper,{day}\n"


@pytest.fixture
def every_day(desk: Desk) -> Desk:
    set_payment_rules(actor=SYSTEM, company_id=desk.company.pk, weekend=[])
    return desk


def run(batch: Any) -> None:
    continue_batches(actor=SYSTEM, today=today)


@pytest.mark.parametrize(
    ("day", "code"),
    [("2001-01-01", "day_passed"), ("tomorrow", "invalid"), ("2031-02-30", "invalid")],
)
def test_a_day_in_a_file_is_refused_as_the_api_refuses_it(desk: Desk, day: str, code: str) -> None:
    dry = sent(desk.requester, HEADER + line() + line("Juma", day), expect=200, dry_run=True)
    assert [(error["row"], error["field"], error["code"]) for error in dry["errors"]] == [
        (3, "scheduled_for", code)
    ]
    body = {"requisition": str(desk.approved().pk), "scheduled_for": day}
    assert "scheduled_for" in Caller(desk.treasurer).post("/api/payments/", body, 400)["errors"]


def test_a_row_with_a_day_goes_out_on_it_with_its_batch(every_day: Desk, confirm: Any) -> None:
    desk, day = every_day, today(every_day.company)
    later = day + timedelta(days=2)
    batch = sent(desk.requester, HEADER + line() + line("Juma", day) + line("Rose", later))
    path = confirm(batch)
    Caller(desk.treasurer).post(path + "execute/", expect=202)
    run(batch)
    shown = rows_of(desk.auditor, batch)
    assert [row["payment_status"] for row in shown] == ["success", "success", "pending"]
    assert [row["scheduled_for"] for row in shown] == [None, str(day), str(later)]
    waiting = Payment.objects.get(pk=shown[2]["payment"])
    assert (waiting.due_on, waiting.scheduled_by) == (later, desk.requester)
    assert execute_due(actor=SYSTEM, today=today) == 0  # the batch carries it out


def test_a_day_rolls_over_a_holiday_and_a_workbook_s_date_is_a_day(desk: Desk) -> None:
    monday = today(desk.company) + timedelta(days=7 - today(desk.company).weekday())
    saturday = monday + timedelta(days=5)
    book = Workbook()
    assert book.active is not None
    book.active.append([*HEADER.strip().split(",")])
    book.active.append(["Amina Traders", "cash", "Front desk", "100", "Paper", saturday])
    stream = io.BytesIO()
    book.save(stream)
    file = SimpleUploadedFile("payroll.xlsx", stream.getvalue())
    client = Caller(desk.requester).client
    batch = read(client.post("/api/batches/", {"file": file}, format="multipart"), 201)
    Caller(desk.cfo).post(f"/api/batches/{batch['batch_id']}/approve/")
    payment = Payment.objects.get()
    assert (payment.scheduled_for, payment.due_on) == (saturday, saturday + timedelta(days=2))


def test_what_its_requester_gave_a_day_never_goes_out_in_his_name(
    every_day: Desk, confirm: Any
) -> None:
    desk = every_day
    batch = sent(desk.requester, HEADER + line("Juma", today(desk.company)))
    confirm(batch)
    payment = Payment.objects.get()
    BatchRow.objects.filter(payment=payment).update(status="refused", error_code="internal")
    assert execute_due(actor=SYSTEM, today=today) == 0
    payment.refresh_from_db()
    assert (payment.status, payment.tries) == ("pending", 0)


def test_the_day_of_a_row_is_part_of_what_is_approved(desk: Desk) -> None:
    day = today(desk.company) + timedelta(days=3)
    first = sent(desk.requester, HEADER + line("Juma", day))
    row = BatchRow.objects.get(batch=first["batch_id"])
    refused_by(
        "is refused",
        "UPDATE treasury_batchrow SET scheduled_for = NULL WHERE row_id = %s",
        row.pk,
    )


def test_what_a_row_raises_is_noted_and_weighed_like_any_requisition(desk: Desk) -> None:
    known = desk.approved(payee_name="Rose Supplies", amount="70")
    text = (
        line("New Comer", amount="10")
        + line("Rose Supplies", destination=known.destination, amount="71")
        + line("Rose Supplies", destination="Back door", amount="72")
        + line("Rose Supplies", destination=known.destination, amount="70")
        + line("Rose Supplies", destination=known.destination, amount="60000")
    )
    batch = sent(desk.requester, HEADER + text)
    rows = Requisition.objects.filter(batch_rows__batch=batch["batch_id"])
    found = list(rows.order_by("batch_rows__number").values_list("payee_note", "risk"))
    single = desk.request(payee_name="Another New", amount="10")
    assert (single.payee_note, single.risk) == found[0] == (NEW_PAYEE, Risk.RAISED)
    assert found[1:] == [
        ("", Risk.ORDINARY),
        (NEW_DESTINATION, Risk.HIGH),
        ("", Risk.HIGH),
        ("", Risk.RAISED),
    ]
    assert [row["risk"] for row in rows_of(desk.cfo, batch)] == [risk for _, risk in found]


def executed(desk: Desk, text: str, confirm: Any) -> Any:
    batch = sent(desk.requester, HEADER + text)
    Caller(desk.treasurer).post(confirm(batch) + "execute/", expect=202)
    run(batch)
    return batch


def test_executions_say_who_verified_the_code_of_the_batch(
    desk: Desk, confirm: Any, sent_tasks: SentTasks
) -> None:
    make_provider(desk.company)
    batch = executed(
        desk, line() + line("Juma") + line("Rose", method="mpesa", destination=PHONE), confirm
    )
    attempt = PaymentAttempt.objects.get()
    finish(attempt)
    code = BatchCode.objects.get(batch=batch["batch_id"], consumed_at__isnull=False)
    assert set(PaymentExecution.objects.values_list("otp_verified_at", "otp_verified_by")) == {
        (code.verified_at, desk.treasurer.pk)
    }
    assert (PaymentExecution.objects.count(), attempt.batch_code) == (3, code)
    other = desk.pending(method="mpesa", destination=PHONE)
    Caller(desk.treasurer).post(f"/api/payments/{other.pk}/execute/", expect=202)
    refused_by(
        "did not go out with the batch",
        "UPDATE treasury_paymentattempt SET batch_code_id = %s WHERE payment_id = %s",
        code.pk,
        other.pk,
    )


def finish(attempt: PaymentAttempt) -> None:

    with transaction.atomic():
        conclude_success(
            lock_attempt(attempt.pk), receipt="SG1", said="paid", today=today, actor=SYSTEM
        )


def body(by: User, batch: Any, wanted: str) -> bytes:
    answer = Caller(by).client.get(f"/api/batches/{batch['batch_id']}/rows/?format={wanted}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_the_rows_come_as_a_file_with_what_became_of_each(desk: Desk, confirm: Any) -> None:
    text = line() + line("Juma", amount="50000") + line("Rose", amount="49950")
    batch = executed(desk, text, confirm)
    assert Batch.objects.get().status == "completed"
    rows = list(csv.DictReader(io.StringIO(body(desk.auditor, batch, "csv").decode())))
    assert [(row["payee_name"], row["status"], row["payment_status"]) for row in rows] == [
        ("Amina Traders", "done", "success"),
        ("Juma", "done", "success"),
        ("Rose", "refused", "pending"),
    ]
    assert rows[0]["otp_verified_at"]
    assert rows[2]["error_code"] == "insufficient_funds"
    sheet: Any = load_workbook(io.BytesIO(body(desk.auditor, batch, "xlsx"))).active
    assert sheet.max_row == 4
