"""A known statement is sent and read without a cursor's ado; what comes back, or is refused, is the same."""

import signal
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import (
    DataError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from psycopg.pq import PipelineStatus, TransactionStatus

from ledger.rows import rows_of
from tests.ledger.test_beginning import (  # noqa: F401
    DIVIDED,
    SLEPT,
    Interrupted,
    alarm,
    divided,
    sent_by,
    state,
)

pytestmark = pytest.mark.django_db(transaction=True)
SAID = "SELECT %s::bigint, %s::text, %s::numeric, %s::timestamptz, %s::date, %s::uuid, %s::text[], %s::jsonb"
AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
UNIT = UUID("6f1c8a7e-1df5-4d0c-9f0e-0d9f6c1b2a3d")
KINDS: list[tuple[Any, ...]] = [
    (1, "café", Decimal("12.5000"), AT, date(2026, 3, 1), UNIT, ["a", "b"], '{"a": 1}'),
    (70_000, "", Decimal(0), AT, date(1999, 1, 1), UNIT, [], "[]"),
    (2**40, None, None, None, None, None, None, None),
]


@pytest.fixture(autouse=True)
def prepared() -> None:
    """The server has seen these often enough to have prepared them, with values of each kind."""
    connection.close()
    for _ in range(5):
        divided()
        rows_of(SLEPT, (1, 0))
        for values in KINDS:
            rows_of(SAID, values)


@pytest.mark.parametrize("values", KINDS)
def test_the_rows_are_those_of_any_cursor(values: tuple[Any, ...]) -> None:
    known = rows_of(SAID, values)
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        plain = psycopg.Cursor(connection.connection).execute(SAID, values).fetchall()
    assert [type(value) for value in known[0]] == [type(value) for value in plain[0]]
    assert known == plain


def test_nothing_but_the_statement_is_sent() -> None:
    kinds = [message.split()[0] for message in sent_by(divided)]
    assert kinds == ["Bind", "Describe", "Execute", "Sync"]


def test_no_row_and_many_rows_come_back() -> None:
    numbers = "SELECT n FROM generate_series(1, %s::int) AS n"
    for _ in range(5):
        assert rows_of(numbers, (0,)) == []
        assert rows_of(numbers, (3,)) == [(1,), (2,), (3,)]


def test_what_the_server_refuses_is_raised_and_the_next_goes_on() -> None:
    with pytest.raises(DataError) as caught:
        divided(by=0)
    assert isinstance(caught.value.__cause__, psycopg.errors.DivisionByZero)


def test_what_is_refused_within_a_transaction_ends_it() -> None:
    @transaction.atomic
    def refused() -> None:
        divided()
        divided(by=0)

    with pytest.raises(DataError):
        refused()
    assert state() == (TransactionStatus.IDLE, PipelineStatus.OFF)
    assert divided() == 6


def test_a_refusal_is_rolled_back_to_the_savepoint_it_is_in() -> None:
    with transaction.atomic():
        assert divided() == 6
        with pytest.raises(DataError), transaction.atomic():
            divided(by=0)
        assert divided(by=2) == 3


@pytest.mark.parametrize("forgotten", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_what_the_server_has_forgotten_is_prepared_anew(forgotten: str) -> None:
    connection.connection.execute(forgotten)
    for _ in range(5):
        assert divided() == 6


def test_where_nothing_may_be_prepared_nothing_is() -> None:
    connection.close()
    connection.ensure_connection()
    connection.connection.prepare_threshold = None
    for _ in range(5):
        assert divided() == 6
    assert rows_of("SELECT count(*) FROM pg_prepared_statements", ()) == [(0,)]


def test_a_connection_that_broke_says_so_and_the_next_is_another(
    superuser_connection: psycopg.Connection,
) -> None:
    ((session,),) = rows_of("SELECT pg_backend_pid()", ())
    superuser_connection.execute("SELECT pg_terminate_backend(%s, 1000)", (session,))
    with pytest.raises((OperationalError, InterfaceError)):
        divided()
    connection.close_if_unusable_or_obsolete()
    assert divided() == 6
    assert rows_of("SELECT pg_backend_pid()", ()) != [(session,)]


def asleep() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    rows_of(SLEPT, (1, 5))


@transaction.atomic
def asleep_in_a_transaction() -> None:
    divided()
    asleep()


@pytest.mark.parametrize("sleep", [asleep, asleep_in_a_transaction])
def test_whoever_is_interrupted_meanwhile_ends_the_statement(
    alarm: None,  # noqa: F811
    sleep: Callable[[], None],
) -> None:
    with pytest.raises(Interrupted):
        sleep()
    connection.close_if_unusable_or_obsolete()
    assert divided() == 6


def test_a_value_that_python_cannot_send_leaves_nothing_behind() -> None:
    with pytest.raises(ProgrammingError, match="cannot adapt"):
        rows_of(DIVIDED, (6, object()))
    assert divided() == 6
