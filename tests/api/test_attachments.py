"""Attachments over the API."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.caller import Caller, read
from tests.treasury.desk import Desk, make_desk
from treasury.models import Attachment, Requisition

PDF = b"%PDF-1.7 an invoice"


def attach(
    desk: Desk, requisition: Requisition, data: bytes = PDF, expect: int = 201, key: str = ""
) -> Any:
    file = SimpleUploadedFile("invoice.pdf", data, "application/pdf")
    path = f"/api/requisitions/{requisition.pk}/attachments/"
    client = Caller(desk.requester).client
    headers = {"Idempotency-Key": key} if key else None
    answer = client.post(path, {"file": file}, format="multipart", headers=headers)
    return read(answer, expect)


def test_a_requester_attaches_evidence_and_others_read_it(desk: Desk) -> None:
    requisition = desk.request()
    answer = attach(desk, requisition)
    assert answer["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert (answer["size"], answer["content_type"]) == (len(PDF), "application/pdf")
    assert answer["uploaded_by"] == str(desk.requester.pk)
    path = f"/api/requisitions/{requisition.pk}/attachments/"
    assert Caller(desk.approver).results(path) == [answer]
    shown = Caller(desk.approver).get(f"/api/requisitions/{requisition.pk}/")
    assert shown["attachments"] == [answer]
    file = Caller(desk.approver).client.get(f"{path}{answer['attachment_id']}/")
    assert (file.status_code, file.content) == (200, PDF)
    assert file["Content-Type"] == "application/pdf"
    assert file["Content-Disposition"] == 'attachment; filename="invoice.pdf"'
    assert file["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_input"),
        (b"MZ a program", "attachment_type"),
        (PDF + b"x" * 5 * 1024 * 1024, "attachment_too_large"),
    ],
)
def test_what_is_no_evidence_is_refused_on_file(desk: Desk, data: bytes, code: str) -> None:
    refused = attach(desk, desk.request(), data, 400)
    assert (list(refused["errors"]), refused["code"]) == (["file"], code)
    assert not Attachment.objects.exists()


def test_a_huge_upload_is_refused_on_body(desk: Desk) -> None:
    refused = attach(desk, desk.request(), PDF + b"x" * 10 * 1024 * 1024, 400)
    assert list(refused["errors"]) == ["body"]


def test_a_body_without_a_file_names_it(desk: Desk) -> None:
    path = f"/api/requisitions/{desk.request().pk}/attachments/"
    assert list(Caller(desk.requester).post(path, {}, 400)["errors"]) == ["file"]
    refused = Caller(desk.requester).post(path, {"file": "text", "more": 1}, 400)
    assert set(refused["errors"]) == {"file", "more"}


def test_evidence_is_fixed_after_approval(desk: Desk) -> None:
    assert attach(desk, desk.approved(), expect=409)["code"] == "evidence_fixed"


def test_only_the_requester_attaches(desk: Desk) -> None:
    path = f"/api/requisitions/{desk.request().pk}/attachments/"
    assert Caller(desk.approver).post(path, {}, 403)["code"] == "role_required"


def test_evidence_of_another_company_is_not_found(desk: Desk) -> None:
    requisition = desk.request()
    attachment = attach(desk, requisition)["attachment_id"]
    stranger = Caller(make_desk().auditor)
    path = f"/api/requisitions/{requisition.pk}/attachments/"
    stranger.get(path, 404)
    stranger.get(f"{path}{attachment}/", 404)
    elsewhere = desk.request()
    Caller(desk.auditor).get(f"/api/requisitions/{elsewhere.pk}/attachments/{attachment}/", 404)


def test_a_repeated_upload_with_a_key_is_the_first_one(desk: Desk) -> None:
    requisition = desk.request()
    first = attach(desk, requisition, key="upload-1")
    assert attach(desk, requisition, key="upload-1") == first
    refused = attach(desk, requisition, PDF + b" changed", 422, "upload-1")
    assert refused["code"] == "idempotency_mismatch"
    assert Attachment.objects.get().size == len(PDF)
