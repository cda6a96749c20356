"""Evidence: what is taken, that row and file stand or fall together, and when it is fixed."""

import hashlib
import os
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError
from pytest_django.fixtures import Settings

from ledger import audit
from ledger.refusals import InvalidInput, RoleRequired
from ledger.roles import Role
from tests.treasury.desk import SYSTEM, Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting
from treasury import evidence
from treasury.models import Attachment
from treasury.selectors import attachments_seen_by
from treasury.services import attachments
from treasury.services.attachments import (
    AlreadyAttached,
    CorruptAttachment,
    EvidenceFixed,
    TooManyAttachments,
    add_attachment,
    read_attachment,
)
from treasury.services.cleaning import clean_up
from treasury.services.requisitions import approve_requisition, edit_requisition

PDF = b"%PDF-1.7\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def attach(desk: Desk, data: bytes = PDF, name: str = "quote.pdf") -> Attachment:
    requisition = desk.request()
    return add_attachment(
        actor=acting(desk.requester), requisition_id=requisition.pk, name=name, data=data
    )


def stored(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_a_file_is_kept_with_its_hash_size_and_kind(desk: Desk, media: Path) -> None:
    made = attach(desk)
    assert made.sha256 == hashlib.sha256(PDF).hexdigest()
    assert (made.size, made.content_type, made.name) == (len(PDF), "application/pdf", "quote.pdf")
    assert made.uploaded_by == desk.requester
    assert read_attachment(made) == PDF
    assert len(stored(media)) == 1


@pytest.mark.parametrize(
    ("data", "content_type", "name"),
    [(PDF, "application/pdf", "a.pdf"), (PNG, "image/png", "a.png"), (JPEG, "image/jpeg", "a.jpg")],
)
def test_the_kind_is_what_the_bytes_say(
    desk: Desk, data: bytes, content_type: str, name: str
) -> None:
    made = attach(desk, data, "a.txt")
    assert (made.content_type, made.name) == (content_type, name)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_input"),
        (b"MZ\x90\x00", "attachment_type"),
        (b"<html><script>", "attachment_type"),
        (b" %PDF-1.7", "attachment_type"),
        (PDF + b"\0" * evidence.LARGEST, "attachment_too_large"),
    ],
)
def test_anything_else_is_refused_and_nothing_is_written(
    desk: Desk, media: Path, data: bytes, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        attach(desk, data, "invoice.pdf")
    assert (list(refused.value.errors), refused.value.code) == (["file"], code)
    assert not Attachment.objects.exists()
    assert stored(media) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\me\\Quote 7.PDF", "Quote 7.pdf"),
        ("quote\x00\n\u202efdp.exe", "quotefdp.pdf"),
        ("", "evidence.pdf"),
        ("a" * 300, "a" * 156 + ".pdf"),
    ],
)
def test_a_name_is_only_shown_and_never_a_path(desk: Desk, name: str, shown: str) -> None:
    made = attach(desk, name=name)
    assert made.name == shown
    assert shown.removesuffix(".pdf") not in str(made.file.name) or shown == "evidence.pdf"


def test_stored_names_cannot_be_guessed(desk: Desk, media: Path) -> None:
    made = attach(desk)
    folder, _, rest = str(made.file.name).rpartition("/")
    assert folder.startswith("attachments/")
    assert len(rest.removesuffix(".pdf")) == 46
    assert str(made.pk) not in str(made.file.name)


def test_only_its_requester_brings_evidence(desk: Desk) -> None:
    requisition = desk.request()
    for user in (desk.approver, rival_of(desk, Role.REQUESTER)):
        with pytest.raises(RoleRequired):
            add_attachment(actor=acting(user), requisition_id=requisition.pk, name="a", data=PDF)


def test_evidence_is_fixed_once_approved_and_open_again_after_an_edit(desk: Desk) -> None:
    approved = desk.approved()
    act = {"actor": acting(desk.requester), "requisition_id": approved.pk}
    with pytest.raises(EvidenceFixed) as refused:
        add_attachment(**act, name="a", data=PDF)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (409, "evidence_fixed")
    edit_requisition(**act, purpose="Ink")  # type: ignore[arg-type]
    assert add_attachment(**act, name="a", data=PDF).size == len(PDF)  # type: ignore[arg-type]


def test_one_file_is_attached_once(desk: Desk, media: Path) -> None:
    made = attach(desk)
    with pytest.raises(AlreadyAttached):
        add_attachment(
            actor=acting(desk.requester),
            requisition_id=made.requisition_id,
            name="other.pdf",
            data=PDF,
        )
    assert len(stored(media)) == 1


def test_there_is_an_end_to_evidence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST", 1)
    made = attach(desk)
    with pytest.raises(TooManyAttachments):
        add_attachment(
            actor=acting(desk.requester),
            requisition_id=made.requisition_id,
            name="b",
            data=PNG,
        )


def test_a_row_that_cannot_be_written_leaves_no_file(
    desk: Desk, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("the disk of the database is full")

    monkeypatch.setattr(Attachment, "save", fail)
    with pytest.raises(DatabaseError):
        attach(desk)
    assert stored(media) == []


def test_a_file_that_cannot_be_written_leaves_no_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(default_storage, "save", fail)
    with pytest.raises(OSError, match="no space"):
        attach(desk)
    assert not Attachment.objects.exists()


def test_a_changed_file_is_not_served(desk: Desk, media: Path) -> None:
    made = attach(desk)
    stored(media)[0].write_bytes(PDF + b"one more line")
    with pytest.raises(CorruptAttachment):
        read_attachment(made)


def test_the_clean_up_takes_old_files_without_a_row_and_no_others(desk: Desk, media: Path) -> None:
    made = attach(desk)
    fresh = media / "attachments" / "aa" / "fresh.pdf"
    old = media / "attachments" / "aa" / "old.pdf"
    fresh.parent.mkdir()
    for path in (fresh, old):
        path.write_bytes(PDF)
    for path in (old, media / str(made.file.name)):
        os.utime(path, (0, 0))
    assert clean_up(actor=SYSTEM) == 1
    assert {path.name for path in stored(media)} == {
        "fresh.pdf",
        Path(str(made.file.name)).name,
    }


def test_an_attachment_is_audited_with_its_hash(desk: Desk) -> None:
    made = attach(desk)
    event = audit.history_of(made.requisition.reference).get(action="requisition.attach")
    assert event.after
    assert event.after["sha256"] == made.sha256


def test_attachments_are_seen_within_scope_only(desk: Desk) -> None:
    made = attach(desk)
    stranger = rival_of(make_desk(name="Other"), Role.AUDITOR)
    assert list(attachments_seen_by(desk.auditor)) == [made]
    assert list(attachments_seen_by(stranger)) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE treasury_attachment SET sha256 = 'x'",
        "UPDATE treasury_attachment SET file = 'attachments/other.pdf'",
        "DELETE FROM treasury_attachment",
        (
            "INSERT INTO treasury_attachment (attachment_id, requisition_id, file, name, sha256, size,"
            " content_type, uploaded_by_id) SELECT gen_random_uuid(), requisition_id, file, name, 'y', 1,"
            " content_type, uploaded_by_id FROM treasury_attachment"
        ),
    ],
)
def test_sql_refuses_to_touch_the_evidence_of_what_is_approved(desk: Desk, sql: str) -> None:
    made = attach(desk)
    approve_requisition(actor=acting(desk.approver), requisition_id=made.requisition_id)
    refused_by("kept as it was written|is fixed", sql)
