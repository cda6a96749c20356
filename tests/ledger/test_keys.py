"""The configured keys are compared with the marks that the first use of each left in the database."""

import hmac

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from config import keys as comparing
from config.signs import signs
from ledger.models import AuditEvent, KeyFingerprint, KeyVariable
from ledger.services.keys import WrongKeys, lacking_keys, require_keys
from tests.conftest import SentTasks
from tests.ledger.factories import open_account
from tests.ledger.raw import refused, run
from tests.scene import build_scene

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = b"another key of the index, which is long"
NEWER = Fernet.generate_key().decode()
INSERT = "INSERT INTO ledger_keyfingerprint (fingerprint, variable, needed) VALUES ('x', '{}', {})".format


@pytest.fixture
def unmarked(superuser_connection: psycopg.Connection) -> None:
    """The first connection of this process may have marked it already."""
    superuser_connection.execute("DELETE FROM ledger_keyfingerprint")


@pytest.fixture
def marked(unmarked: None) -> None:
    require_keys()


def marks(variable: KeyVariable) -> list[str]:
    found = KeyFingerprint.objects.filter(variable=variable, needed=True)
    return list(found.values_list("fingerprint", flat=True))


# --- The mark ---------------------------------------------------------------------------------------------


def test_a_new_database_is_marked_once(marked: None, settings: Settings) -> None:
    require_keys()
    expected = hmac.digest(settings.BURSAR_INDEX_KEY, b"bursar index key", "sha256").hex()
    assert marks(KeyVariable.INDEX) == [expected]
    assert len(marks(KeyVariable.ENCRYPTION)) == len(settings.BURSAR_ENCRYPTION_KEYS)
    assert lacking_keys() == ""


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE ledger_keyfingerprint SET fingerprint = 'x'",
        "UPDATE ledger_keyfingerprint SET variable = 'BURSAR_ENCRYPTION_KEYS'",
        "UPDATE ledger_keyfingerprint SET needed = false WHERE variable = 'BURSAR_INDEX_KEY'",
        "DELETE FROM ledger_keyfingerprint",
        "TRUNCATE ledger_keyfingerprint",
        INSERT("BURSAR_INDEX_KEY", "true"),
        INSERT("SECRET_KEY", "true"),
    ],
)
def test_nobody_takes_or_exchanges_the_mark(marked: None, attack: str) -> None:
    with refused():
        run(attack)


def test_the_owner_changes_no_mark_either(marked: None, as_owner: str) -> None:
    with refused():
        run("UPDATE ledger_keyfingerprint SET fingerprint = 'x'")


# --- Keys that are not this database's --------------------------------------------------------------------


def test_another_index_key_is_refused_by_name(marked: None, settings: Settings) -> None:
    settings.BURSAR_INDEX_KEY = OTHER
    with pytest.raises(WrongKeys, match=r"BURSAR_INDEX_KEY is not .* Put back"):
        require_keys()
    assert "BURSAR_INDEX_KEY" in lacking_keys()


def test_another_chain_key_is_refused_by_name(unmarked: None, settings: Settings) -> None:
    open_account(balance="100.00")
    settings.BURSAR_CHAIN_KEY = OTHER
    with pytest.raises(WrongKeys, match=r"BURSAR_CHAIN_KEY is not .* Put back"):
        require_keys()


def test_a_key_that_was_taken_out_too_early_is_missed(marked: None, settings: Settings) -> None:
    settings.BURSAR_ENCRYPTION_KEYS = [NEWER]
    with pytest.raises(WrongKeys, match=r"BURSAR_ENCRYPTION_KEYS lacks a key .* rotate_keys"):
        require_keys()
    assert len(marks(KeyVariable.ENCRYPTION)) == 1  # the new one is in use by nobody


def test_a_process_that_does_not_know_the_newest_key_shows(
    marked: None, settings: Settings
) -> None:
    """Another process has it in front already; this one could not read what that writes."""
    old = settings.BURSAR_ENCRYPTION_KEYS
    settings.BURSAR_ENCRYPTION_KEYS = [NEWER, *old]
    require_keys()
    settings.BURSAR_ENCRYPTION_KEYS = old
    sign = next(found for found in signs() if found.name == "keys")
    assert not sign.well
    assert "BURSAR_ENCRYPTION_KEYS" in sign.note


def test_the_first_connection_of_a_process_is_closed_again(
    marked: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_compared", False)
    connection.close()
    right, settings.BURSAR_INDEX_KEY = settings.BURSAR_INDEX_KEY, OTHER
    with pytest.raises(WrongKeys):
        connection.ensure_connection()
    assert connection.connection is None
    (found,) = comparing.check_keys(None, databases=["default"])
    assert found.id == "bursar.E002"
    settings.BURSAR_INDEX_KEY = right
    assert comparing.check_keys(None, databases=["default"]) == []


def test_before_the_marks_table_is_made_nothing_is_compared(
    settings: Settings, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_compared", False)
    monkeypatch.setattr(comparing, "THERE", "SELECT to_regclass('public.nothing') IS NOT NULL")
    connection.close()
    settings.BURSAR_INDEX_KEY = OTHER
    connection.ensure_connection()
    assert comparing._compared is False


# --- A key goes -------------------------------------------------------------------------------------------


def test_a_key_may_go_when_nothing_is_under_it_any_more(marked: None, settings: Settings) -> None:
    settings.BURSAR_ENCRYPTION_KEYS = [NEWER, *settings.BURSAR_ENCRYPTION_KEYS]
    require_keys()
    call_command("rotate_keys", "--check")
    assert len(marks(KeyVariable.ENCRYPTION)) == 2
    call_command("rotate_keys")
    require_keys()  # a process that starts now has the old one behind, and does not ask for it again
    settings.BURSAR_ENCRYPTION_KEYS = [NEWER]
    require_keys()
    assert AuditEvent.objects.get(action="keys.forget").after == {"forgotten": 1}


def test_a_key_that_comes_back_in_front_is_needed_again(marked: None, settings: Settings) -> None:
    old = settings.BURSAR_ENCRYPTION_KEYS
    settings.BURSAR_ENCRYPTION_KEYS = [NEWER, *old]
    require_keys()
    call_command("rotate_keys")
    settings.BURSAR_ENCRYPTION_KEYS = [*old, NEWER]
    require_keys()
    assert len(marks(KeyVariable.ENCRYPTION)) == 2


# --- A database of an older version -----------------------------------------------------------------------


@pytest.fixture
def older(unmarked: None, sent_tasks: SentTasks) -> None:
    """A database with a requisition and without marks."""
    build_scene().requisition(100)


def test_the_keys_that_fit_what_is_stored_are_marked(older: None) -> None:
    require_keys()
    assert len(marks(KeyVariable.INDEX)) == 1


def test_an_index_key_that_does_not_fit_leaves_no_mark(older: None, settings: Settings) -> None:
    settings.BURSAR_INDEX_KEY = OTHER
    with pytest.raises(WrongKeys, match="BURSAR_INDEX_KEY"):
        require_keys()
    assert marks(KeyVariable.INDEX) == []


def test_keys_that_open_nothing_leave_no_mark(older: None, settings: Settings) -> None:
    settings.BURSAR_ENCRYPTION_KEYS = [NEWER]
    with pytest.raises(WrongKeys, match="no key that opens"):
        require_keys()
    assert marks(KeyVariable.ENCRYPTION) == []
