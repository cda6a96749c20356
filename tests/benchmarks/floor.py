"""The floor: one hand-written function that pays, under the same constraints (``floor.sql``).

And what is below it: the same on copies of the tables that no trigger watches (``floor_unwatched.sql``).
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg

from config.embedded import postgres
from ledger.chain import padded_keys
from ledger.clock import today
from tests import database
from tests.benchmarks.office import Office

FLOOR, UNWATCHED = "floor", "unwatched"
HERE = Path(__file__).parent
TABLES = (
    "ledger_company",
    "ledger_user",
    "ledger_account",
    "ledger_journalentry",
    "ledger_ledgerentry",
    "ledger_idempotencykey",
    "ledger_auditevent",
    "ledger_outboxevent",
    "treasury_treasuryfund",
    "treasury_requisition",
    "treasury_payment",
    "treasury_paymentexecution",
)
# The foreign keys between these tables, as the originals have them.
FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace
      AND conrelid::regclass::text = ANY(%(tables)s) AND confrelid::regclass::text = ANY(%(tables)s)
"""


def install(name: str) -> None:
    """Make the floor's functions, and the copies of the tables, with all that is in them, of what is below it."""
    url = database.CLUSTER.url(role=postgres.SUPERUSER, database=name)
    with psycopg.connect(url, autocommit=True) as owner:
        for schema in (FLOOR, UNWATCHED):
            owner.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {postgres.OWNER}")
            owner.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC")
        owner.execute(f"SET ROLE {postgres.OWNER}")
        owner.execute((HERE / "floor.sql").read_text(encoding="utf-8"))
        owner.execute("RESET ROLE")
        _copy_tables(owner)
        owner.execute((HERE / "floor_unwatched.sql").read_text(encoding="utf-8"))
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {UNWATCHED} TO PUBLIC")
        owner.execute("VACUUM ANALYZE")
    os.sync()  # no commit that is timed waits for the disk to take what was seeded, or installed, before


def _copy_tables(owner: psycopg.Connection) -> None:
    for table in TABLES:
        alike = f"LIKE public.{table} INCLUDING ALL EXCLUDING GENERATED"
        owner.execute(f"CREATE TABLE {UNWATCHED}.{table} ({alike})")
        owner.execute(f"INSERT INTO {UNWATCHED}.{table} SELECT * FROM public.{table}")
    keys = owner.execute(FOREIGN_KEYS, {"tables": list(TABLES)}).fetchall()
    for table, constraint, definition in keys:
        copied = definition.replace("REFERENCES ", f"REFERENCES {UNWATCHED}.")
        owner.execute(f"ALTER TABLE {UNWATCHED}.{table} ADD CONSTRAINT {constraint} {copied}")


@contextmanager
def paying_by_hand(office: Office, schema: str = FLOOR) -> Iterator[Callable[[UUID], object]]:
    """The floor, prepared, on a connection of its own that is as careful as ours."""
    user_id, on, keys = office.treasurer.user_id, today(office.scene.company), padded_keys()
    statement = f"SELECT {schema}.execute(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    with _connected(office) as connection:

        def pay(payment_id: UUID) -> object:
            known = (payment_id, user_id, on, "POST", str(payment_id), b"h" * 32, "x" * 900, *keys)
            return connection.execute(statement, known).fetchone()

        yield pay


def settle_in_bulk(
    office: Office, payments: Sequence[UUID], *, chunk: int, schema: str = FLOOR
) -> float:
    """Settle the payments by the set-based function; return the seconds it took."""
    user_id, on, keys = office.treasurer.user_id, today(office.scene.company), padded_keys()
    statement = f"SELECT {schema}.execute_many(%s, %s, %s, %s, %s)"
    with _connected(office) as connection:
        began = time.perf_counter()
        for start in range(0, len(payments), chunk):
            connection.execute(statement, (payments[start : start + chunk], user_id, on, *keys))
        return time.perf_counter() - began


def _connected(office: Office) -> psycopg.Connection:
    url = database.CLUSTER.url(role=postgres.RUNTIME, database=office.name)
    return psycopg.connect(url, autocommit=True, prepare_threshold=0)
