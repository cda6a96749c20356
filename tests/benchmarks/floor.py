"""The floor: one hand-written function that pays, on copies of the tables with the same constraints."""

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psycopg

from config.embedded import postgres
from ledger.chain import padded_keys
from ledger.clock import today
from tests import database
from tests.benchmarks.office import Office

SQL = Path(__file__).with_name("floor.sql")
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
    """Copy the tables with all that is in them into the schema ``floor``, and make the function."""
    url = database.CLUSTER.url(role=postgres.SUPERUSER, database=name)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA floor")
        for table in TABLES:
            owner.execute(f"CREATE TABLE floor.{table} (LIKE public.{table} INCLUDING ALL)")
            owner.execute(f"INSERT INTO floor.{table} SELECT * FROM public.{table}")
        for table, constraint, definition in owner.execute(
            FOREIGN_KEYS, {"tables": list(TABLES)}
        ).fetchall():
            copied = definition.replace("REFERENCES ", "REFERENCES floor.")
            owner.execute(f"ALTER TABLE floor.{table} ADD CONSTRAINT {constraint} {copied}")
        owner.execute(SQL.read_text(encoding="utf-8"))
        owner.execute("GRANT USAGE ON SCHEMA floor TO PUBLIC")
        owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA floor TO PUBLIC")
        owner.execute("VACUUM ANALYZE")


def settle_in_bulk(office: Office, payments: Sequence[UUID], *, chunk: int) -> float:
    """Settle the payments in the copies by the set-based function; return the seconds it took."""
    user_id, on, keys = office.treasurer.user_id, today(office.scene.company), padded_keys()
    url = database.CLUSTER.url(role=postgres.RUNTIME, database=office.name)
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        began = time.perf_counter()
        for start in range(0, len(payments), chunk):
            connection.execute(
                "SELECT floor.execute_many(%s, %s, %s, %s, %s)",
                (payments[start : start + chunk], user_id, on, *keys),
            )
        return time.perf_counter() - began
