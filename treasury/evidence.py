"""Evidence files: what they really are, by their first bytes, and how large they may be. Pure: no ORM."""

import unicodedata
from dataclasses import dataclass

from ledger.refusals import InvalidInput

LARGEST = 5 * 1024 * 1024
LONGEST_NAME = 160


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken: its first bytes, and how it is served and stored."""

    magic: bytes
    content_type: str
    ending: str


KINDS = (
    Kind(b"%PDF-", "application/pdf", "pdf"),
    Kind(b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    Kind(b"\xff\xd8\xff", "image/jpeg", "jpg"),
)


def require_kind(data: bytes) -> Kind:
    """Return what the file is by its first bytes; its name is not asked.

    Raises ``InvalidInput`` on ``file``: empty, ``attachment_too_large``, ``attachment_type``.
    """
    if not data:
        raise InvalidInput.on("file", "This file is empty.")
    if len(data) > LARGEST:
        message = f"A file has at most {LARGEST // 1024 // 1024} MB."
        raise InvalidInput.on("file", message, code="attachment_too_large")
    for kind in KINDS:
        if data.startswith(kind.magic):
            return kind
    message = "Evidence is a PDF, PNG or JPEG file."
    raise InvalidInput.on("file", message, code="attachment_type")


def safe_name(name: str, kind: Kind) -> str:
    """Return the name as people see it: without folders or control characters, and with a right ending."""
    last = name.replace("\\", "/").rpartition("/")[2]
    text = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    stem = text.rpartition(".")[0] or text or "evidence"
    return f"{stem[: LONGEST_NAME - 1 - len(kind.ending)]}.{kind.ending}"
