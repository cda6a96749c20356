"""The tests' own cleaning: whoever is still at work when a test is over does not stop it."""

from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import psycopg
import pytest

from config.embedded import postgres, processes
from ledger.models import Company, User
from tests import database
from tests.conftest import connect_as
from tests.ledger.factories import CompanyFactory, UserFactory

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def late(transactional_db: None, database_name: str) -> Iterator[psycopg.Connection]:
    """A server that works on after the test; it leaves the finding of a deadlock to the cleaning."""
    connection = connect_as(postgres.SUPERUSER, database_name)
    connection.execute("SET deadlock_timeout = '1h'")
    yield connection
    connection.close()


def test_a_deadlock_with_a_late_server_does_not_stop_the_cleaning(
    late: psycopg.Connection, django_db_setup: database.Cleaner, database_name: str
) -> None:
    CompanyFactory.create()
    UserFactory.create()
    late.execute("BEGIN")
    late.execute("SELECT FROM ledger_user FOR UPDATE")

    def go_on() -> None:
        with connect_as(postgres.SUPERUSER, database_name) as onlooker:
            assert processes.wait_until(lambda: _is_waited(onlooker), seconds=60)
        with suppress(psycopg.OperationalError):
            late.execute("SELECT FROM ledger_company FOR UPDATE")

    server = Thread(target=go_on)
    server.start()
    django_db_setup.clean()
    server.join()
    assert not Company.objects.exists()
    assert not User.objects.exists()


def _is_waited(onlooker: psycopg.Connection) -> bool:
    row = onlooker.execute(WAITING).fetchone()
    return bool(row and row[0])
