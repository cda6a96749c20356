"""Heads of the chain, published outside the database in an append-only file of JSON lines.

Whoever can rewrite the database, key and all, cannot rewrite what was published before. Each line seals
the one before it under the chain key, so the file itself cannot be edited unseen. What is cut from the
ledger together with its head before the next publication cannot be seen; that window is five minutes.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of an account at the moment of publication: its number and its seal (hex)."""

    account_id: UUID
    entry_count: int
    chain_head: str
    at: str


@dataclass(slots=True)
class Published:
    """What the file says: the newest head of each account, and where the file itself was altered.

    ``missing`` are the seals that were looked for and not found.
    """

    missing: set[str] = field(default_factory=set)
    heads: dict[UUID, Head] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    last_seal: str = ""


def _seal(previous: str, facts: dict[str, Any]) -> str:
    text = json.dumps([previous, facts], sort_keys=True, separators=(",", ":"))
    key: bytes = settings.BURSAR_CHAIN_KEY
    return hmac.new(key, b"anchor" + text.encode(), hashlib.sha256).hexdigest()


def read(sought: Iterable[str] = ()) -> Published:
    """Read the whole file, looking for these seals; an absent file has no heads."""
    path = Path(settings.BURSAR_ANCHOR)
    if not path.exists():
        return Published(set(sought))
    with path.open(encoding="utf-8", errors="replace") as file:
        return _read_lines(file, sought)


def _read_lines(lines: Iterable[str], sought: Iterable[str] = ()) -> Published:
    published = Published(set(sought))
    for number, line in enumerate(lines, 1):
        try:
            facts = json.loads(line)
            seal = facts.pop("seal")
            head = Head(
                UUID(facts["account"]),
                int(facts["entries"]),
                str(facts["head"]),
                str(facts["at"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            published.faults.append((f"line {number}", "it cannot be read"))
            continue
        if not hmac.compare_digest(str(seal), _seal(published.last_seal, facts)):
            published.faults.append((f"line {number}", "its seal is broken"))
        published.last_seal = str(seal)
        published.missing.discard(published.last_seal)
        published.heads[head.account_id] = head
    return published


def publish(heads: Iterable[Head]) -> int:
    """Append the heads that are newer than the published ones; return how many.

    Safe to run twice at once: the file is locked while it is read and appended to, and is on disk when
    this returns.
    """
    path = Path(settings.BURSAR_ANCHOR)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", errors="replace") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = _new_lines(heads, _read_lines(file))
        # What a crash left of a line stays a line of its own.
        file.writelines(["\n", *lines] if lines and _is_torn(file.fileno()) else lines)
        file.flush()
        os.fsync(file.fileno())
    return len(lines)


def _is_torn(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _new_lines(heads: Iterable[Head], published: Published) -> list[str]:
    lines: list[str] = []
    previous = published.last_seal
    for head in heads:
        known = published.heads.get(head.account_id)
        if known and known.entry_count >= head.entry_count:
            continue
        facts = {
            "account": str(head.account_id),
            "entries": head.entry_count,
            "head": head.chain_head,
            "at": head.at,
        }
        previous = _seal(previous, facts)
        lines.append(json.dumps({**facts, "seal": previous}) + "\n")
    return lines
