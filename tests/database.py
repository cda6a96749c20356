"""The tests' PostgreSQL: one careless cluster, one migrated template, one copy of it per test process."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql

from config.embedded import postgres, session
from config.embedded.home import Home
from tests.settings import ROOT, TEST_HOME

HOME = Home(TEST_HOME)
CLUSTER = postgres.Postgres(HOME.postgres_data, HOME.postgres_sockets, careless=True)
# What decides how a migrated database looks.
MIGRATED_BY = (
    "*/migrations/*.py",
    "*/sql/*.sql",
    "*/states.py",
    "*/*/states.py",
    "ledger/migration_operations.py",
    "config/embedded/postgres.py",
    "config/migrating.py",
    "config/settings.py",
    "requirements.lock",
)
KEPT_TEMPLATES = 4


def start() -> ExitStack:
    """Start the cluster, or join another test run's. The caller closes the stack in the end."""
    stack = ExitStack()
    stack.enter_context(session.lent(HOME, [session.database_service(CLUSTER)]))
    return stack


def create(name: str) -> None:
    """Make a database that is migrated and otherwise empty; a mutant's has a law less."""
    with _alone():
        template = _template()
        with CLUSTER.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
            connection.execute(
                statement.format(*map(sql.Identifier, (name, template, postgres.OWNER)))
            )
    if law := os.environ.get("BURSAR_TEST_WITHOUT"):
        with CLUSTER.connect(name) as connection:
            connection.execute(law)


def drop(name: str) -> None:
    with CLUSTER.connect() as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(name)))


@contextmanager
def _alone() -> Iterator[None]:
    with (HOME.path / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _template() -> str:
    """The name of a migrated database for the present migrations; it is made when there is none."""
    name = f"template_{_digest()}"
    with CLUSTER.connect() as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%' ORDER BY oid"
        )
        known = [row[0] for row in rows]
    if name not in known:
        for old in known[: max(0, len(known) - KEPT_TEMPLATES + 1)]:
            drop(old)
        _migrate_into(name)
    return name


def _digest() -> str:
    found = {file for pattern in MIGRATED_BY for file in ROOT.glob(pattern)}
    digest = hashlib.sha256()
    for file in sorted(found):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _migrate_into(name: str) -> None:
    draft = f"draft_{os.getpid()}"
    drop(draft)
    CLUSTER.make_database(draft)
    url = CLUSTER.url(role=postgres.OWNER, database=draft)
    environment = {**os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": url}
    environment["BURSAR_TEST_FILES"] = str(HOME.path)
    environment |= {**HOME.secrets(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"migrate failed:\n{done.stdout}{done.stderr}")
    with CLUSTER.connect() as connection:
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(statement.format(sql.Identifier(draft), sql.Identifier(name)))


class Cleaner:
    """Empties a database between tests that commit: all but what migrations put there.

    As superuser, with triggers and foreign keys asleep, for the laws forbid it to everyone else.
    """

    def __init__(self, name: str) -> None:
        self._connection = CLUSTER.connect(name)
        self._connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
        seeded = {table for table in self._tables() if self._has_rows(table)}
        self._cleaned = [table for table in self._tables() if table not in seeded]

    def clean(self) -> None:
        """Delete every row that tests committed."""
        questions = [
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
                sql.Literal(table), sql.Identifier(table)
            )
            for table in self._cleaned
        ]
        used = self._connection.execute(sql.SQL(" UNION ALL ").join(questions)).fetchall()
        if not used:
            return
        try:
            self._delete(table for (table,) in used)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            # Somebody is still at work: a test's forgotten transaction, or a late callback at a server.
            self._end_others()
            self._delete(table for (table,) in used)

    def close(self) -> None:
        self._connection.close()

    def _delete(self, tables: Iterator[str]) -> None:
        statements = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables]
        self._connection.execute(sql.SQL("; ").join(statements))

    def _end_others(self) -> None:
        """End the sessions that are still at work when the test is over."""
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL"
        )

    def _tables(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
        return [row[0] for row in rows]

    def _has_rows(self, table: str) -> bool:
        question = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table))
        row = self._connection.execute(question).fetchone()
        return bool(row and row[0])
