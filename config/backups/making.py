"""Making a backup while everybody works on: one snapshot of the database, then what it points at.

The anchor file is read before the snapshot: whatever it publishes is in there. Attachments are read after it:
a file is on the disk before its row is committed, and goes only when no row names it.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from config.backups import archive, contents, programs
from config.embedded.postgres import RUNTIME
from ledger.services.operation import note_done

ATTACHED = "SELECT file, sha256 FROM treasury_attachment ORDER BY file"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made; ``missing`` are attachments whose file is gone or altered on the disk."""

    path: Path
    size: int
    entries: int
    missing: list[str]


def make_backup(path: Path) -> Made:
    """Write the backup to ``path``. Raises ``BackupError``; then there is no file of that name."""
    anchor = _anchor()
    url = settings.DATABASE_OWNER_URL
    with _snapshot(url) as (connection, snapshot), archive.written(path) as writer:
        facts = _facts(connection)
        attached = dict(connection.execute(ATTACHED).fetchall())
        _add_dump(writer, connection, snapshot, url)
        writer.add_bytes(archive.ANCHOR, anchor)
        missing = _add_media(writer, attached)
        writer.finish({**facts, "missing": missing}, settings.BURSAR_CHAIN_KEY)
    size = path.stat().st_size
    note_done("backup", size=size, entries=facts["ledger"]["entries"])
    return Made(path, size, facts["ledger"]["entries"], missing)


@contextmanager
def _snapshot(url: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """One REPEATABLE READ transaction that stays open, and the name by which pg_dump joins it."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield connection, str((row or ("",))[0])


def _facts(connection: psycopg.Connection) -> dict[str, Any]:
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "server_major": connection.info.server_version // 10000,
        "owner": connection.info.user,
        "migrations": contents.migrations_of(connection),
        "ledger": contents.ledger_of(connection),
        "rights": contents.rights_of(connection, RUNTIME),
        "keys": contents.fingerprints(),
    }


def _add_dump(
    writer: archive.Writer, connection: psycopg.Connection, snapshot: str, url: str
) -> None:
    major = connection.info.server_version // 10000
    program = programs.fitting("pg_dump", major=major)
    with tempfile.TemporaryDirectory(dir=settings.BURSAR_HOME, prefix="backup-") as folder:
        dump = Path(folder) / archive.DATABASE
        programs.run(
            program,
            *("--format=custom", "--no-comments", "--lock-wait-timeout=30s"),
            *(f"--snapshot={snapshot}", f"--file={dump}"),
            url=url,
        )
        writer.add(archive.DATABASE, dump)


def _anchor() -> bytes:
    """The anchor file as it is now, without half a line that is just being written."""
    path = Path(settings.BURSAR_ANCHOR)
    if not path.exists():
        return b""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return file.read()


def _add_media(writer: archive.Writer, attached: dict[str, str]) -> list[str]:
    """Add every file below ``MEDIA_ROOT``; returns the attachments that are not as their rows say."""
    root = Path(settings.MEDIA_ROOT)
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")) if root.exists() else []:
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(root).as_posix()
            found[name] = writer.add(f"{archive.MEDIA}/{name}", path)
    return sorted(name for name, digest in attached.items() if found.get(name) != digest)
