"""Attachments: evidence that a requester puts beside his requisition before it is approved.

The file is whole on the disk before its row is committed, so that a row never points at half a file. What
a crash in between leaves is a file without a row, which the clean-up takes away.
"""

import hashlib
import os
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import Conflict, RoleRequired
from treasury import duties, locks
from treasury.evidence import require_kind, safe_name
from treasury.models import Attachment, Requisition
from treasury.services.noting import note
from treasury.states import RequisitionStatus

FOLDER = "attachments"
MOST = 20
# A file without a row may belong to a transaction that is still open; after this it does not.
ORPHAN_AFTER = timedelta(hours=1)


class EvidenceFixed(Conflict):
    """Evidence can be added only until the requisition is approved or closed."""

    code = "evidence_fixed"
    title = "Evidence fixed"


class AlreadyAttached(Conflict):
    """The requisition has this very file."""

    code = "already_attached"
    title = "Already attached"


class TooManyAttachments(Conflict):
    """The requisition has as many files as one may have."""

    code = "too_many_attachments"
    title = "Too many attachments"


@command("requisition.attach")
def add_attachment(*, actor: Actor, requisition_id: UUID, name: str, data: bytes) -> Attachment:
    """Keep a PDF, PNG or JPEG as evidence for a submitted requisition, and return its row.

    ``name`` is what people see; what the file is, its bytes say. By the requisition's requester. Raises
    ``NotFound``, ``RoleRequired``, ``InvalidInput`` on ``file``, ``EvidenceFixed``, ``AlreadyAttached``,
    ``TooManyAttachments``.
    """
    requisition = locks.lock_requisition(requisition_id)
    duties.may_change_requisition(actor, requisition)
    if actor.user is None:
        raise RoleRequired("Evidence is brought by a person.")
    kind = require_kind(data)
    digest = hashlib.sha256(data).hexdigest()
    _require_room(requisition, digest)
    attachment = Attachment(
        requisition=requisition,
        name=safe_name(name, kind),
        sha256=digest,
        size=len(data),
        content_type=kind.content_type,
        uploaded_by=actor.user,
    )
    path = attachment.file.name = _store(data, kind.ending)
    try:
        attachment.save(force_insert=True)
        _record(actor, attachment)
    except BaseException:
        default_storage.delete(path)
        raise
    attachment.refresh_from_db()
    return attachment


def read_attachment(attachment: Attachment) -> bytes:
    """Return the bytes of an attachment; raise ``CorruptAttachment`` when they are not those that came."""
    with attachment.file.open("rb") as file:
        data: bytes = file.read()
    if hashlib.sha256(data).hexdigest() != attachment.sha256:
        raise CorruptAttachment(f"attachment {attachment.pk} is not the file that was attached")
    return data


class CorruptAttachment(RuntimeError):
    """The stored file differs from the one that was attached: somebody or something changed it."""


def delete_orphans() -> int:
    """Delete files that no row names, once they are old enough; returns how many."""
    now = timezone.now()  # files are stamped by the machine, not by the database
    found = 0
    folders, _ = default_storage.listdir(FOLDER) if default_storage.exists(FOLDER) else ([], [])
    for folder in folders:
        _, names = default_storage.listdir(f"{FOLDER}/{folder}")
        found += sum(_delete_if_orphan(f"{FOLDER}/{folder}/{name}", now) for name in names)
    return found


def _delete_if_orphan(path: str, now: datetime) -> bool:
    if now - default_storage.get_modified_time(path) < ORPHAN_AFTER:
        return False
    if Attachment.objects.filter(file=path).exists():
        return False
    default_storage.delete(path)
    return True


def _require_room(requisition: Requisition, digest: str) -> None:
    if requisition.status != RequisitionStatus.SUBMITTED:
        raise EvidenceFixed(f"The evidence of a requisition that is {requisition.status} is fixed.")
    known = list(requisition.attachments.values_list("sha256", flat=True))
    if digest in known:
        raise AlreadyAttached("This file is attached already.")
    if len(known) >= MOST:
        raise TooManyAttachments(f"A requisition has at most {MOST} attachments.")


def _store(data: bytes, ending: str) -> str:
    """Write the file under a name that nobody can guess, down to the disk, and return that name."""
    token = secrets.token_hex(24)
    path = default_storage.save(f"{FOLDER}/{token[:2]}/{token[2:]}.{ending}", ContentFile(data))
    try:
        local = default_storage.path(path)
    except NotImplementedError:  # kept elsewhere, by a store that answers when it is safe
        return path
    descriptor = os.open(local, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def _record(actor: Actor, attachment: Attachment) -> None:
    requisition = attachment.requisition
    facts = {
        "attachment": str(attachment.pk),
        "name": attachment.name,
        "sha256": attachment.sha256,
        "size": attachment.size,
        "content_type": attachment.content_type,
    }
    note(actor, "requisition.attach", requisition, facts)
