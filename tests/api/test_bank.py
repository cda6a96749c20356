"""Banks, their files and their reports over the API."""

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from payments.models import Provider
from tests.api.caller import Caller, read
from tests.conftest import SentTasks
from tests.payments import bank as wire
from tests.treasury.bank import PAYEE, make_bank
from tests.treasury.desk import Desk, make_desk
from tests.treasury.factories import acting
from treasury.models import BatchRow, Payment
from treasury.services.payments import create_payment

TERMS = {
    "currency": "KES",
    "name": "KCB, current",
    "holder": "Acme Treasury Ltd",
    "account": "KE/01100/KCBLKENX/01123456789000",
}


def waiting(desk: Desk, **details: Any) -> Payment:
    """A payment that the API has executed and that waits for a file."""
    wanted = {"amount": "250.50", "method": "bank", "destination": PAYEE} | details
    requisition = desk.approved(**wanted)
    payment = create_payment(actor=acting(desk.treasurer), requisition_id=requisition.pk)
    path = f"/api/payments/{payment.pk}/execute/"
    assert Caller(desk.treasurer).post(path, expect=202)["status"] == "executing"
    return payment


def made(desk: Desk, bank: Provider, **details: Any) -> Any:
    body = {"provider": str(bank.pk)} | details
    return Caller(desk.treasurer).post("/api/bank-files/", body, 201)


def brought(desk: Desk, bank: Provider, data: bytes, expect: int = 202) -> Any:
    file = SimpleUploadedFile("report.xml", data, "application/xml")
    client = Caller(desk.reconciler).client
    body = {"provider": str(bank.pk), "file": file}
    return read(client.post("/api/bank-reports/", body, format="multipart"), expect)


def test_a_cfo_adds_a_bank_and_everybody_sees_its_account_masked(desk: Desk) -> None:
    answer = Caller(desk.cfo).post("/api/providers/", TERMS, 201)
    assert (answer["kind"], answer["currency"], answer["status"]) == ("bank", "KES", "running")
    assert answer["bank"]["account"].endswith("000")
    assert "0112345678" not in str(answer)
    assert answer["bank"]["acceptance_hours"] == 72
    assert Caller(desk.auditor).results("/api/providers/?kind=bank") == [answer]
    path = f"/api/providers/{answer['id']}/"
    changed = Caller(desk.cfo).patch(path, {"acceptance_hours": 24, "charge_bearer": "DEBT"})
    assert changed["bank"] == answer["bank"] | {"acceptance_hours": 24, "charge_bearer": "DEBT"}
    assert "01123456789000" not in str(Caller(desk.auditor).get(f"{path}history/"))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("account", "12345", "account_invalid"),
        ("account", "DE89370400440532013001", "account_invalid"),
        ("bic", "NOPE", "bic_invalid"),
        ("holder", "王小明", "characters_not_carried"),
        ("currency", "XYZ", "unknown_currency"),
        ("acceptance_hours", "72", "invalid_input"),
        ("charge_bearer", "ALL", "invalid_input"),
    ],
)
def test_a_bank_with_bad_terms_is_refused_on_the_field(
    desk: Desk, field: str, value: str, code: str
) -> None:
    refused = Caller(desk.cfo).post("/api/providers/", TERMS | {field: value}, 400)
    assert list(refused["errors"]) == [field]
    assert refused["code"] == code
    assert not Provider.objects.exists()


def test_a_gateways_account_is_not_changed_here(desk: Desk) -> None:
    gateway = Provider.objects.create(
        company=desk.company,
        kind="mpesa",
        name="M-Pesa",
        base_url="http://127.0.0.1:9",
        short_code="600000",
        credentials="{}",
    )
    path = f"/api/providers/{gateway.pk}/"
    Caller(desk.cfo).patch(path, {"name": "Mine"}, 404)


def test_a_provider_is_stopped_and_resumed(desk: Desk) -> None:
    path = f"/api/providers/{make_bank(desk.company).pk}/"
    refused = Caller(desk.treasurer).post(f"{path}stop/", {}, 400)
    assert list(refused["errors"]) == ["reason"]
    stopped = Caller(desk.treasurer).post(f"{path}stop/", {"reason": "A strange report"}, 200)
    assert (stopped["status"], stopped["stopped_reason"]) == ("stopped", "A strange report")
    Caller(desk.treasurer).post(f"{path}resume/", None, 403)
    assert Caller(desk.auditor).get(path)["status"] == "stopped"
    resumed = Caller(desk.cfo).post(f"{path}resume/", None, 200)
    assert (resumed["status"], resumed["stopped_at"]) == ("running", None)
    told = Caller(desk.auditor).results(f"{path}history/")
    assert [(event["action"], event["outcome"]) for event in told][-3:] == [
        ("provider.stop", "done"),
        ("provider.resume", "refused"),
        ("provider.resume", "done"),
    ]


def test_from_requisition_to_settled(desk: Desk, sent_tasks: SentTasks) -> None:
    bank = make_bank(desk.company)
    payment, other = waiting(desk), waiting(desk, amount="100")
    file = made(desk, bank)
    assert (file["payments"], file["total"], file["currency"]) == (2, "350.50", "KES")
    path = f"/api/bank-files/{file['file_id']}/"
    content = Caller(desk.cfo).client.get(f"{path}content/")
    assert hashlib.sha256(content.content).hexdigest() == file["sha256"]
    assert content["Content-Type"] == "application/xml"
    assert file["message_id"] in content["Content-Disposition"]
    wire.require_valid(content.content)
    lines = Caller(desk.auditor).results(f"{path}payments/")
    assert [line["payment"] for line in lines] == [str(payment.pk), str(other.pk)]
    rows = [
        wire.transaction(lines[0]["end_to_end_id"], "ACSC", bank_reference="KCB1"),
        wire.transaction(lines[1]["end_to_end_id"], "RJCT", "AC04"),
    ]
    name = file["message_id"]
    data = wire.report(name, wire.block(name, *rows), status="PART")
    report = brought(desk, bank, data)
    sent_tasks.run()
    found = Caller(desk.auditor).results(f"/api/bank-reports/{report['report_id']}/rows/")
    assert [(row["payment"], row["effect"]) for row in found] in (
        [(str(payment.pk), "waiting"), (str(other.pk), "waiting")],
        [(str(payment.pk), "settled"), (str(other.pk), "failed")],
    )
    history = Caller(desk.auditor).results(f"{path}history/")
    assert [event["action"] for event in history] == ["bank_file.make", "bank_file.download"]


def test_the_same_report_again_is_the_same_answer(desk: Desk) -> None:
    bank = make_bank(desk.company)
    waiting(desk)
    name = made(desk, bank)["message_id"]
    data = wire.report(name, status="ACCP")
    first = brought(desk, bank, data)
    again = brought(desk, bank, data, 200)
    assert again["report_id"] == first["report_id"]
    refused = brought(desk, bank, wire.report(name, status="RJCT"), 409)
    assert refused["code"] == "report_differs"


def test_nothing_waiting_is_said(desk: Desk) -> None:
    bank = make_bank(desk.company)
    refused = Caller(desk.treasurer).post("/api/bank-files/", {"provider": str(bank.pk)}, 409)
    assert refused["code"] == "nothing_waiting"


def test_a_file_is_made_once_for_a_key(desk: Desk) -> None:
    bank = make_bank(desk.company)
    waiting(desk)
    call = Caller(desk.treasurer)
    body = {"provider": str(bank.pk)}
    answers = [
        call.post("/api/bank-files/", body, 201, headers={"Idempotency-Key": "f1"})
        for _ in range(2)
    ]
    assert answers[0] == answers[1]


def test_another_companys_bank_is_unknown(desk: Desk) -> None:
    other = make_bank(make_desk(balance=Decimal(0)).company)
    refused = Caller(desk.treasurer).post("/api/bank-files/", {"provider": str(other.pk)}, 400)
    assert list(refused["errors"]) == ["provider"]
    data = wire.report("X", status="RJCT")
    assert list(brought(desk, other, data, 400)["errors"]) == ["provider"]


def test_a_hostile_report_is_refused_on_file(desk: Desk) -> None:
    bank = make_bank(desk.company)
    refused = brought(desk, bank, b"<!DOCTYPE a []><a/>", 400)
    assert (list(refused["errors"]), refused["code"]) == (["file"], "report_unreadable")
    assert list(brought(desk, bank, b" " * 7 * 1024 * 1024, 400)["errors"]) == ["body"]


def test_a_file_of_one_batch_holds_that_batch_alone(desk: Desk) -> None:
    bank = make_bank(desk.company)
    outside = waiting(desk)
    asked = [
        desk.approved(amount="10", method="bank", destination=PAYEE, payee_name=name)
        for name in ("One", "Two")
    ]
    body = {"requisitions": [str(one.pk) for one in asked]}
    batch = Caller(desk.treasurer).post("/api/batches/", body, 201)["batch_id"]
    Caller(desk.cfo).post(f"/api/batches/{batch}/approve/")
    for row in BatchRow.objects.filter(batch=batch):
        Caller(desk.treasurer).post(f"/api/payments/{row.payment_id}/execute/", expect=202)
    assert made(desk, bank, batch=batch)["payments"] == 2
    rest = made(desk, bank)
    lines = Caller(desk.auditor).results(f"/api/bank-files/{rest['file_id']}/payments/")
    assert [line["payment"] for line in lines] == [str(outside.pk)]
    strange = {"provider": str(bank.pk), "batch": str(outside.pk)}
    refused = Caller(desk.treasurer).post("/api/bank-files/", strange, 400)
    assert list(refused["errors"]) == ["batch"]
