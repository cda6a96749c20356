"""A backup is made while everybody works, has no key in it, and comes back whole or not at all."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from config.backups import BackupError, archive, contents, programs
from config.backups.restoring import restore_backup
from config.embedded import postgres
from config.embedded.home import ROOT
from config.preparation import Login, prepare
from tests import database
from tests.operations.business import PAPER
from tests.servers import Deployment, Server

pytestmark = pytest.mark.xdist_group("operations")

BUSINESS = "from tests.operations import business; business"
COUNTS = (
    "SELECT (SELECT count(*) FROM ledger_ledgerentry), (SELECT count(*) FROM ledger_auditevent)"
)


@pytest.fixture(scope="module")
def backup(shop: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup that was made while a process posted all the time."""
    path = tmp_path_factory.mktemp("backup") / "shop.tar"
    with trading(shop) as trader:
        shop.managed("backup", "--to", str(path))
        assert trader.poll() is None
    return path


@contextmanager
def trading(shop: Deployment) -> Iterator[subprocess.Popen[str]]:
    """A process that posts for as long as the block lasts."""
    trader = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", f"{BUSINESS}.trade()"],
        cwd=ROOT,
        env=shop.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert trader.stdout is not None
    try:
        assert trader.stdout.readline() == "1\n"
        yield trader
    finally:
        trader.kill()
        trader.communicate()


@pytest.fixture
def elsewhere(shop: Deployment, tmp_path: Path, settings: Settings) -> Deployment:
    """An instance with the same keys and an empty database; this process is set up like it."""
    home = tmp_path / "other"
    home.mkdir()
    other = Deployment(shop.server, home, shop.redis_url, name="copy")
    told = other.environment()
    with shop.server.superuser() as connection:
        connection.execute("DROP DATABASE IF EXISTS copy WITH (FORCE)")
    prepare(
        admin_url=told["DATABASE_ADMIN_URL"],
        owner=Login.of(told["DATABASE_OWNER_URL"], variable=""),
        runtime=Login.of(told["DATABASE_URL"], variable=""),
    )
    settings.DATABASE_OWNER_URL = told["DATABASE_OWNER_URL"]
    settings.MEDIA_ROOT = home / "media"
    settings.BURSAR_HOME = tmp_path / "made" / "by nobody yet"
    settings.BURSAR_ANCHOR = home / "anchor.jsonl"
    return other


def manifest_of(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        file = tar.extractfile(archive.MANIFEST)
        assert file is not None
        found: dict[str, Any] = json.load(file)["manifest"]
    return found


def is_empty(server: Server, name: str) -> bool:
    with server.superuser(name) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
    return row == (0,)


# --- There and back ---------------------------------------------------------------------------------------


def test_a_backup_under_writes_comes_back_with_the_same_heads(
    elsewhere: Deployment, backup: Path
) -> None:
    told = elsewhere.managed("restore", str(backup))
    assert "the same heads" in told
    assert "The ledger holds" in told
    (attached,) = (elsewhere.home / "media").rglob("*.pdf")
    assert attached.read_bytes() == PAPER
    assert (elsewhere.home / "anchor.jsonl").exists()
    with psycopg.connect(elsewhere.server.url(postgres.RUNTIME, "copy"), autocommit=True) as raw:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute("INSERT INTO ledger_dailytotal DEFAULT VALUES")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute("UPDATE ledger_auditevent SET action = ''")
        saved = manifest_of(backup)["ledger"]
        row = raw.execute("SELECT sum(entry_count) FROM ledger_account").fetchone()
        assert row == (saved["entries"],)
    told = elsewhere.managed("shell", "--no-imports", "-c", f"{BUSINESS}.post_and_prove()")
    assert told.strip() == "the ledger holds"


def test_no_key_and_no_destination_can_be_read_in_a_backup(backup: Path, tmp_path: Path) -> None:
    archive.unpack(backup, tmp_path)
    program = programs.fitting("pg_restore", major=18)
    command = [str(program), "--file=-", str(tmp_path / archive.DATABASE)]
    dump = subprocess.run(command, capture_output=True, check=True).stdout
    whole = backup.read_bytes() + dump
    assert b"Diesel for the generator" in dump
    assert b"Front desk" not in dump
    for name, value in database.HOME.secrets().items():
        assert value.encode() not in whole, name
    assert backup.stat().st_mode & 0o077 == 0


def test_a_backup_is_noted_for_who_watches(shop: Deployment, backup: Path) -> None:
    with shop.server.superuser("bursar") as connection:
        row = connection.execute(
            "SELECT detail ->> 'size' FROM ledger_lastdone WHERE name = 'backup'"
        ).fetchone()
    assert row == (str(backup.stat().st_size),)


# --- Refused, with nothing changed ------------------------------------------------------------------------


def test_what_is_not_empty_is_not_restored_over(
    elsewhere: Deployment, shop: Deployment, backup: Path, settings: Settings
) -> None:
    settings.DATABASE_OWNER_URL = shop.environment()["DATABASE_OWNER_URL"]
    with shop.server.superuser("bursar") as connection:
        before = connection.execute(COUNTS).fetchone()
        with pytest.raises(BackupError, match="not empty"):
            restore_backup(backup)
        assert connection.execute(COUNTS).fetchone() == before
    assert list(elsewhere.home.iterdir()) == []
    assert list(settings.BURSAR_HOME.iterdir()) == []


def test_a_load_that_breaks_off_leaves_nothing(elsewhere: Deployment, backup: Path) -> None:
    with elsewhere.server.superuser("copy") as connection:
        # The triggers come after the data.
        connection.execute(
            "CREATE SCHEMA aside; CREATE FUNCTION aside.stop() RETURNS event_trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'stopped on purpose'; END $$;"
            " CREATE EVENT TRIGGER stop ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER')"
            " EXECUTE FUNCTION aside.stop()"
        )
        with pytest.raises(BackupError, match="stopped on purpose"):
            restore_backup(backup)
        defaults = connection.execute("SELECT count(*) FROM pg_default_acl").fetchone()
    assert is_empty(elsewhere.server, "copy")
    assert defaults == (3,)
    assert not any(path.is_file() for path in elsewhere.home.rglob("*"))


def test_an_anchor_file_that_says_more_is_kept(elsewhere: Deployment, backup: Path) -> None:
    anchor = elsewhere.home / "anchor.jsonl"
    anchor.write_text("published later")
    with pytest.raises(BackupError, match="--set-anchor-aside"):
        restore_backup(backup)
    assert is_empty(elsewhere.server, "copy")
    assert anchor.read_text() == "published later"


def test_a_file_that_is_there_and_differs_is_not_replaced(
    elsewhere: Deployment, backup: Path
) -> None:
    (name,) = (
        row["name"] for row in manifest_of(backup)["files"] if row["name"].startswith("media/")
    )
    there = elsewhere.home / name
    there.parent.mkdir(parents=True)
    there.write_text("another paper")
    with pytest.raises(BackupError, match="differs"):
        restore_backup(backup)
    assert is_empty(elsewhere.server, "copy")
    assert there.read_text() == "another paper"


@pytest.mark.parametrize("name", ["BURSAR_CHAIN_KEY", "BURSAR_INDEX_KEY"])
def test_a_backup_under_another_key_is_refused_by_name(
    name: str, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {**contents.fingerprints(), name: ["another"]}
    monkeypatch.setattr(contents, "fingerprints", lambda: keys)
    with pytest.raises(BackupError, match=name):
        restore_backup(backup)


def cut_short(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def one_bit(content: bytes) -> bytes:
    """One bit in the middle of the dump."""
    place = content.index(b"PGDMP") + 5000
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def one_digit_of_the_list(content: bytes) -> bytes:
    place = content.index(b'"entries": ') + len('"entries": ')
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def with_a_stranger(content: bytes) -> bytes:
    """Another file, of which the list knows nothing."""
    draft = io.BytesIO(content)
    with tarfile.open(fileobj=draft, mode="a") as tar:
        tar.addfile(tarfile.TarInfo("media/stranger.pdf"))
    return draft.getvalue()


@pytest.mark.parametrize("damage", [cut_short, one_bit, one_digit_of_the_list, with_a_stranger])
def test_a_damaged_archive_is_refused_before_anything_is_touched(
    damage: Callable[[bytes], bytes], backup: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(damage(backup.read_bytes()))
    folder = tmp_path / "unpacked"
    folder.mkdir()
    key = database.HOME.secrets()["BURSAR_CHAIN_KEY"].encode()
    with pytest.raises(BackupError, match="damaged"):
        archive.require_seal(archive.unpack(damaged, folder), key)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "media/../../outside"])
def test_an_archive_writes_only_below_its_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    (tmp_path / "in").mkdir()
    with pytest.raises(BackupError):
        archive.unpack(path, tmp_path / "in")
    assert not (tmp_path / "outside").exists()


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), archive.written(tmp_path / "b.tar") as writer:
        writer.add("gone", tmp_path / "gone")
    assert list(tmp_path.iterdir()) == []


# --- The programs -----------------------------------------------------------------------------------------


def test_the_program_of_the_servers_version_is_found() -> None:
    assert programs.fitting("pg_dump", major=18).name == "pg_dump"


def test_a_program_of_another_version_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(BackupError, match=r"postgresql-client-12") as refused:
        programs.fitting("pg_dump", major=12)
    assert "18 (" in str(refused.value)


def test_a_password_is_not_in_the_command_line(tmp_path: Path) -> None:
    spy = tmp_path / "spy"
    spy.write_text('#!/bin/sh\necho "$@"\n')
    spy.chmod(0o700)
    told = programs.run(spy, "x", url="postgresql://me:s3cret@localhost/db")
    assert "s3cret" not in told
    assert "user=me" in told
