"""BEGIN goes along with the first statement of a transaction; whatever happens to either is as it always was."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from types import FrameType

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

from ledger.models import Company
from ledger.rows import rows_of
from tests.ledger.factories import CompanyFactory

pytestmark = pytest.mark.django_db(transaction=True)
DIVIDED = "SELECT %s::int / %s::int"
SLEPT = "SELECT %s::int FROM pg_sleep(%s::float)"
ENDED = "SELECT pg_terminate_backend(%s::int)"
SET = "UPDATE ledger_company SET name = %s WHERE id = %s RETURNING 100 / length(name)"


def divided(by: int = 1) -> int:
    return int(rows_of(DIVIDED, (6, by))[0][0])


@pytest.fixture(autouse=True)
def prepared() -> None:
    """Only what the server has prepared takes a BEGIN along."""
    connection.close()
    for _ in range(5):
        divided()
        rows_of(SLEPT, (1, 0))
        rows_of(ENDED, (0,))


def state() -> tuple[TransactionStatus, PipelineStatus]:
    pgconn = connection.connection.pgconn
    return TransactionStatus(pgconn.transaction_status), PipelineStatus(pgconn.pipeline_status)


def sent_by(work: Callable[[], object]) -> list[str]:
    """What the client sends meanwhile: the names of its messages, and the statements among them."""
    pgconn = connection.connection.pgconn
    with tempfile.TemporaryFile("r+") as trace:
        pgconn.trace(trace.fileno())
        try:
            work()
        finally:
            pgconn.untrace()
        trace.seek(0)
        rows = [line.rstrip("\n").split("\t") for line in trace]
    sent = [[place, *more] for _, place, _, *more in rows if place == "F"]
    return [" ".join(more) for _, *more in sent]


def test_both_go_in_one_message_and_later_statements_without() -> None:
    def twice() -> None:
        with transaction.atomic():
            divided()
            divided()

    kinds = [message.split()[0] for message in sent_by(twice)]
    # Parse to Execute are BEGIN, and one Sync is for it and the first statement.
    assert kinds == [
        *("Parse", "Bind", "Describe", "Execute"),
        *("Bind", "Describe", "Execute", "Sync"),
        *("Bind", "Describe", "Execute", "Sync"),
        "Query",
    ]


def test_it_is_the_transaction_that_django_ends() -> None:
    company = CompanyFactory.create(name="Old")
    for _ in range(5):
        rows_of(SET, ("Old", company.pk))

    def renamed(name: str) -> None:
        with transaction.atomic():
            rows_of(SET, (name, company.pk))
            assert state() == (TransactionStatus.INTRANS, PipelineStatus.OFF)
            if name == "Gone":
                raise KeyError(name)

    renamed("New")
    with pytest.raises(KeyError):
        renamed("Gone")
    assert Company.objects.get(pk=company.pk).name == "New"
    assert state() == (TransactionStatus.IDLE, PipelineStatus.OFF)


def test_what_the_first_statement_is_refused_for_is_raised_and_rolled_back() -> None:
    def by_nothing() -> None:
        try:
            divided(by=0)
        finally:
            assert state() == (TransactionStatus.INERROR, PipelineStatus.OFF)

    with pytest.raises(DataError) as caught, transaction.atomic():
        by_nothing()
    assert isinstance(caught.value.__cause__, psycopg.errors.DivisionByZero)
    session = rows_of("SELECT pg_backend_pid()", ())
    with transaction.atomic():
        assert divided() == 6
    assert rows_of("SELECT pg_backend_pid()", ()) == session


def test_a_value_that_python_cannot_send_leaves_nothing_begun() -> None:
    with pytest.raises(ProgrammingError), transaction.atomic():
        rows_of(DIVIDED, (6, object()))
    assert state() == (TransactionStatus.IDLE, PipelineStatus.OFF)
    with transaction.atomic():
        assert divided() == 6


def test_a_statement_that_takes_too_long_is_cancelled() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 50")
    try:
        with pytest.raises(OperationalError) as caught, transaction.atomic():
            rows_of(SLEPT, (1, 5))
        assert isinstance(caught.value.__cause__, psycopg.errors.QueryCanceled)
        assert state() == (TransactionStatus.IDLE, PipelineStatus.OFF)
    finally:
        connection.close()


def test_a_refused_begin_is_raised_and_nothing_was_run() -> None:
    company = CompanyFactory.create(name="Old")
    for _ in range(5):
        rows_of(SET, ("Old", company.pk))
    connection.connection._begin_statement = b"BEGIN ISOLATION LEVEL UNKNOWN"
    try:
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows_of(SET, ("New", company.pk))
        assert state() == (TransactionStatus.IDLE, PipelineStatus.OFF)
    finally:
        connection.close()
    assert Company.objects.get(pk=company.pk).name == "Old"


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_connection_that_breaks_is_replaced(
    superuser_connection: psycopg.Connection, when: str
) -> None:
    ((session,),) = rows_of("SELECT pg_backend_pid()", ())

    def broken() -> None:
        if when == "before":
            superuser_connection.execute("SELECT pg_terminate_backend(%s, 1000)", (session,))
            divided()
        else:
            rows_of(ENDED, (session,))

    with pytest.raises((OperationalError, InterfaceError)), transaction.atomic():
        broken()
    with transaction.atomic():
        assert divided() == 6
    assert rows_of("SELECT pg_backend_pid()", ()) != [(session,)]


class Interrupted(Exception):
    """As Celery's time limit, raised by a signal wherever the process is."""


@pytest.fixture
def alarm() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_whoever_is_interrupted_meanwhile_gets_a_new_connection(alarm: None) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(Interrupted), transaction.atomic():
        rows_of(SLEPT, (1, 5))
    with transaction.atomic():
        assert divided() == 6
