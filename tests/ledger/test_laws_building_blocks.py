"""The building blocks of every app's migrations, tried on a table of their own."""

from collections.abc import Iterable, Iterator

import psycopg
import pytest
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import append_only, frozen_columns, guarded_status, no_delete

TABLE = "scratch"


@pytest.fixture
def scratch(owner_connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A connection of the owner, in a transaction that never commits, with one row in a table."""
    with owner_connection.transaction(force_rollback=True):
        owner_connection.execute(
            f"CREATE TABLE {TABLE} (id int, status text, amount int, note text)"
        )
        owner_connection.execute(f"INSERT INTO {TABLE} VALUES (1, 'pending', 5, 'a')")
        yield owner_connection


def apply(connection: psycopg.Connection, *operations: RunSQL | Iterable[RunSQL]) -> None:
    for operation in operations:
        for one in [operation] if isinstance(operation, RunSQL) else operation:
            connection.execute(str(one.sql))


def unapply(connection: psycopg.Connection, operations: Iterable[RunSQL]) -> None:
    for operation in reversed(list(operations)):
        connection.execute(str(operation.reverse_sql))


def tried(connection: psycopg.Connection, statement: str) -> bool:
    """Whether the statement passes; nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.IntegrityError:
        return False
    return True


INSERT = f"INSERT INTO {TABLE} VALUES (2, 'pending', 1, 'b')"
UPDATE = f"UPDATE {TABLE} SET note = 'c'"
DELETE = f"DELETE FROM {TABLE}"
TRUNCATE = f"TRUNCATE {TABLE}"


def test_append_only_lets_nothing_but_inserts_through(scratch: psycopg.Connection) -> None:
    apply(scratch, append_only(TABLE))
    passed = [tried(scratch, one) for one in (INSERT, UPDATE, DELETE, TRUNCATE)]
    assert passed == [True, False, False, False]


def test_no_delete_lets_updates_through(scratch: psycopg.Connection) -> None:
    apply(scratch, no_delete(TABLE))
    passed = [tried(scratch, one) for one in (INSERT, UPDATE, DELETE, TRUNCATE)]
    assert passed == [True, True, False, False]


def test_frozen_columns_stay_and_others_change(scratch: psycopg.Connection) -> None:
    apply(scratch, frozen_columns(TABLE, "amount"))
    assert tried(scratch, UPDATE)
    assert tried(scratch, f"UPDATE {TABLE} SET amount = amount")
    assert not tried(scratch, f"UPDATE {TABLE} SET amount = 6")
    assert not tried(scratch, f"UPDATE {TABLE} SET amount = NULL")


MACHINE = {"": {"pending"}, "pending": {"done", "failed"}, "failed": {"pending"}}


@pytest.fixture
def machine(scratch: psycopg.Connection) -> psycopg.Connection:
    apply(scratch, guarded_status(TABLE, machine="test.machine", transitions=MACHINE))
    return scratch


@pytest.mark.parametrize("start", ["done", "failed", "unheard of", ""])
def test_a_row_starts_where_its_machine_starts(machine: psycopg.Connection, start: str) -> None:
    assert tried(machine, INSERT)
    assert not tried(machine, f"INSERT INTO {TABLE} VALUES (2, '{start}', 1, 'b')")


def test_a_status_moves_along_its_table_and_no_other_way(machine: psycopg.Connection) -> None:
    for source in ("pending", "done", "failed"):
        machine.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
        machine.execute(f"UPDATE {TABLE} SET status = '{source}'")
        machine.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
        for target in ("pending", "done", "failed", "unheard of"):
            allowed = target == source or target in MACHINE.get(source, set())
            assert tried(machine, f"UPDATE {TABLE} SET status = '{target}'") is allowed


def test_a_status_cannot_become_null(machine: psycopg.Connection) -> None:
    assert not tried(machine, f"UPDATE {TABLE} SET status = NULL")


def test_a_temporary_table_of_transitions_deceives_no_machine(machine: psycopg.Connection) -> None:
    machine.execute(
        "CREATE TEMPORARY TABLE ledger_statetransition AS"
        " SELECT 'test.machine' AS machine, 'pending' AS source, 'unheard of' AS target"
    )
    assert not tried(machine, f"UPDATE {TABLE} SET status = 'unheard of'")


@pytest.mark.parametrize(
    "operations",
    [
        append_only(TABLE),
        no_delete(TABLE),
        [frozen_columns(TABLE, "amount")],
        guarded_status(TABLE, machine="test.machine", transitions=MACHINE),
    ],
    ids=["append_only", "no_delete", "frozen_columns", "guarded_status"],
)
def test_a_building_block_can_be_taken_back(
    scratch: psycopg.Connection, operations: list[RunSQL]
) -> None:
    apply(scratch, operations)
    unapply(scratch, operations)
    assert tried(scratch, f"UPDATE {TABLE} SET status = 'unheard of', amount = 0")
    assert tried(scratch, TRUNCATE)
