"""The roles, as the embedded cluster sets them up."""

from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from psycopg import sql

from config.postgresql.base import DatabaseWrapper
from ledger.rows import rows_of


@pytest.mark.django_db
def test_the_application_runs_as_a_role_that_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("bursar_app", False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_the_application_cannot_change_a_table(runtime_connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime_connection.execute("ALTER TABLE ledger_user DROP COLUMN email")


@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(turn: int, transactional_db: None) -> None:
    assert get_user_model().objects.count() == 0
    get_user_model().objects.create_user("somebody")


def test_a_session_reads_what_was_committed_last_whatever_the_servers_default(
    transactional_db: None, database_name: str, superuser_connection: psycopg.Connection
) -> None:
    """Under locks that were waited for, an older snapshot would show roles that were taken away since."""
    change = sql.SQL("ALTER DATABASE {} {} default_transaction_isolation {}")
    name = sql.Identifier(database_name)
    raised = change.format(name, sql.SQL("SET"), sql.SQL("TO 'repeatable read'"))
    superuser_connection.execute(raised)
    connection.close()
    try:
        assert rows_of("SHOW transaction_isolation", ()) == [("read committed",)]
    finally:
        superuser_connection.execute(change.format(name, sql.SQL("RESET"), sql.SQL("")))


def test_what_migrations_wrote_stays(superuser_connection: psycopg.Connection) -> None:
    row = superuser_connection.execute("SELECT count(*) > 0 FROM django_migrations").fetchone()
    assert row == (True,)


# --- Kept connections -----------------------------------------------------------------------------------


@pytest.fixture
def kept(transactional_db: None) -> Iterator[DatabaseWrapper]:
    """A connection of its own, kept from request to request as a web process keeps its."""
    kept = connection.copy()
    assert isinstance(kept, DatabaseWrapper)
    kept.settings_dict["CONN_MAX_AGE"] = 60
    yield kept
    kept.close()


def request_by(kept: DatabaseWrapper) -> int:
    """Do what a request does with its connection; return which session of the server it used."""
    kept.close_if_unusable_or_obsolete()
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = int(cursor.fetchone()[0])
    kept.close_if_unusable_or_obsolete()
    return session


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DatabaseWrapper]:
    """Each time that a connection is asked whether it lives."""
    asked: list[DatabaseWrapper] = []
    ask = DatabaseWrapper.is_usable

    def counting(self: DatabaseWrapper) -> bool:
        asked.append(self)
        return ask(self)

    monkeypatch.setattr(DatabaseWrapper, "is_usable", counting)
    return asked


def test_a_connection_in_use_is_asked_once_a_second(
    kept: DatabaseWrapper, asked: list[DatabaseWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = {request_by(kept) for _ in range(5)}
    assert (len(sessions), len(asked)) == (1, 1)
    monkeypatch.setattr("config.postgresql.base.ASKED_EVERY_S", 0.0)
    assert {request_by(kept) for _ in range(3)} == sessions
    assert len(asked) == 4


def test_a_session_that_the_server_ended_is_replaced_at_once(
    kept: DatabaseWrapper, superuser_connection: psycopg.Connection
) -> None:
    ended = [request_by(kept) for _ in range(2)][-1]
    superuser_connection.execute("SELECT pg_terminate_backend(%s, 5000)", (ended,))
    assert request_by(kept) != ended


def test_a_request_whose_first_statement_is_written_by_hand_gets_a_new_session_too(
    transactional_db: None,
    superuser_connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    connection.close()
    ((ended,),) = rows_of("SELECT pg_backend_pid()", ())
    connection.close_if_unusable_or_obsolete()
    superuser_connection.execute("SELECT pg_terminate_backend(%s, 5000)", (ended,))
    try:
        assert rows_of("SELECT pg_backend_pid()", ()) != [(ended,)]
    finally:
        connection.close()


def test_a_connection_that_was_closed_under_us_is_replaced(kept: DatabaseWrapper) -> None:
    request_by(kept)
    request_by(kept)
    kept.connection.close()
    assert request_by(kept) > 0


def test_what_the_server_says_unasked_does_not_cost_the_session(
    kept: DatabaseWrapper, owner_connection: psycopg.Connection
) -> None:
    with kept.cursor() as cursor:
        cursor.execute("LISTEN news")
    session = [request_by(kept) for _ in range(2)][-1]
    owner_connection.execute("NOTIFY news")
    assert request_by(kept) == session
