"""Restoring a backup into an empty database: everything is checked before anything is written, and the
database is written in one transaction."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from django.db.migrations.loader import MigrationLoader

from config.backups import BackupError, archive, contents, programs
from config.embedded.postgres import RUNTIME
from config.preparation import Login, default_rights
from ledger.services.verification import Report, verify


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. ``report`` is None when the backup is of an older version: migrate, then verify."""

    manifest: dict[str, Any]
    report: Report | None


def restore_backup(path: Path, *, set_anchor_aside: bool = False) -> Restored:
    """Restore the archive into the empty database of ``DATABASE_OWNER_URL`` and an empty ``MEDIA_ROOT``.

    Raises ``BackupError`` and leaves everything as it was when the archive is damaged, was written under other
    keys or by a newer version, or when there is something already. ``set_anchor_aside`` renames an anchor
    file that is there; without it one that differs is a reason to refuse.
    """
    with _staged(path) as (folder, manifest), psycopg.connect(_url(), autocommit=True) as target:
        _require_fit(manifest, target)
        anchor = _Anchor(folder / archive.ANCHOR)
        anchor.require_place(set_aside=set_anchor_aside)
        with ExitStack() as undo:
            _place_media(folder / archive.MEDIA, undo)
            anchor.place(undo)
            _load(folder / archive.DATABASE, target)
            undo.pop_all()  # the database has it now
        _require_same(manifest, target)
    return Restored(manifest, verify() if _is_current(manifest) else None)


def _url() -> str:
    url: str = settings.DATABASE_OWNER_URL
    return url


@contextmanager
def _staged(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Unpack the archive beside its final place, and check all of it."""
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    settings.BURSAR_HOME.mkdir(parents=True, exist_ok=True)  # on a new machine nothing is there yet
    with tempfile.TemporaryDirectory(dir=settings.BURSAR_HOME, prefix="restore-") as name:
        manifest = archive.unpack(path, Path(name))
        _require_keys(manifest)
        archive.require_seal(manifest, settings.BURSAR_CHAIN_KEY)
        yield Path(name), manifest


def _require_keys(manifest: dict[str, Any]) -> None:
    """Without the keys it was written under the data could be restored and not be read."""
    configured = contents.fingerprints()
    for variable, wanted in manifest["keys"].items():
        if not set(wanted) <= set(configured.get(variable, [])):
            raise BackupError(
                f"{variable} is not what this backup was written under; keys are kept apart from backups."
            )


def _require_fit(manifest: dict[str, Any], target: psycopg.Connection) -> None:
    major = target.info.server_version // 10000
    if manifest["server_major"] > major:
        message = f"The backup is of PostgreSQL {manifest['server_major']}"
        raise BackupError(f"{message}; a server of version {major} cannot take it.")
    if manifest["owner"] != target.info.user:
        raise BackupError(f"DATABASE_OWNER_URL must name the role {manifest['owner']}.")
    if not contents.is_empty(target):
        raise BackupError("The database is not empty; a backup is restored into an empty one only.")
    unknown = set(manifest["migrations"]) - _known_migrations()
    if unknown:
        raise BackupError("The backup is of a newer version of Bursar; restore it with that one.")


def _known_migrations() -> set[str]:
    loader = MigrationLoader(None)
    return {f"{app}.{name}" for app, name in loader.disk_migrations}


def _is_current(manifest: dict[str, Any]) -> bool:
    return set(manifest["migrations"]) == _known_migrations()


# --- Files ------------------------------------------------------------------------------------------------


class _Anchor:
    """The anchor file of the backup, and its place."""

    def __init__(self, saved: Path) -> None:
        self._saved = saved
        self._place = Path(settings.BURSAR_ANCHOR)
        self._set_aside = False

    def require_place(self, *, set_aside: bool) -> None:
        """Raise ``BackupError`` when another anchor file is there: it may say what the backup lacks."""
        self._set_aside = set_aside and self._place.exists()
        if self._set_aside or not self._place.exists():
            return
        if self._place.read_bytes() != self._saved.read_bytes():
            raise BackupError(
                f"{self._place} is there and differs from the backup's: it may publish entries that the"
                " backup lacks. Keep it: --set-anchor-aside renames it."
            )

    def place(self, undo: ExitStack) -> None:
        if self._set_aside:
            number = 1
            while (other := self._place.with_name(f"{self._place.name}.before-{number}")).exists():
                number += 1
            self._place.rename(other)
            undo.callback(other.rename, self._place)
        if self._saved.stat().st_size and not self._place.exists():
            self._place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self._saved, self._place)
            undo.callback(self._place.unlink, missing_ok=True)


def _place_media(saved: Path, undo: ExitStack) -> None:
    """Put the attachments into their place.

    A file that is there already must be the same: it is from a restore that was cut off.
    """
    root = Path(settings.MEDIA_ROOT)
    wanted = [path for path in sorted(saved.rglob("*")) if path.is_file()] if saved.exists() else []
    pairs = [(path, root / path.relative_to(saved)) for path in wanted]
    for path, place in pairs:
        if place.exists() and place.read_bytes() != path.read_bytes():
            raise BackupError(
                f"{place} is there and differs from the backup's; nothing was changed."
            )
    for path, place in pairs:
        if not place.exists():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(path, place)
            undo.callback(place.unlink, missing_ok=True)


# --- The database -----------------------------------------------------------------------------------------


def _load(dump: Path, target: psycopg.Connection) -> None:
    """Load the dump in one transaction.

    What the owner's defaults would give to the runtime role would come on top of what the dump gives, and let
    it write where it may only read: they are taken away before, and are part of the dump.
    """
    major = target.info.server_version // 10000
    program = programs.fitting("pg_restore", major=major)
    owner = Login.of(_url(), variable="DATABASE_OWNER_URL").role
    default_rights(target, owner=owner, runtime=RUNTIME, grant=False)
    try:
        programs.run(
            program,
            *("--single-transaction", "--exit-on-error", "--no-owner", "--no-comments", str(dump)),
            url=_url(),
        )
    except BaseException:
        default_rights(target, owner=owner, runtime=RUNTIME, grant=True)
        raise


def _require_same(manifest: dict[str, Any], target: psycopg.Connection) -> None:
    if contents.ledger_of(target) != manifest["ledger"]:
        raise BackupError(
            "The heads of the restored ledger are not those of the backup: do not use it."
        )
    if contents.rights_of(target, RUNTIME) != manifest["rights"]:
        raise BackupError(
            f"{RUNTIME} has other rights than in the backup: do not use this database."
        )
    django_connection.close()
