"""Two roles on a server of one's own: the owner migrates, the other owns nothing and is all that runs."""

import io
from contextlib import nullcontext

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from config.databases import (
    OWNER_LIMITS,
    check_runtime_role,
    connection_settings,
    refuse_excess_rights,
)
from config.embedded import postgres
from config.management.commands import migrate
from config.preparation import Login, PreparationError, prepare, prepare_grants
from tests.servers import Deployment

pytestmark = pytest.mark.xdist_group("operations")

OWNED = "SELECT count(*) FROM pg_class WHERE relowner = 'bursar_app'::regrole"
MIGRATED = "SELECT count(*) > 20 FROM pg_tables WHERE tableowner = 'bursar_owner'"


def as_runtime(deployment: Deployment) -> psycopg.Connection:
    return psycopg.connect(deployment.server.url(postgres.RUNTIME), autocommit=True)


def test_the_owner_migrates_and_the_runtime_role_owns_nothing(deployment: Deployment) -> None:
    with deployment.server.superuser("bursar") as connection:
        assert connection.execute(OWNED).fetchone() == (0,)
        assert connection.execute(MIGRATED).fetchone() == (True,)


@pytest.mark.parametrize(
    "attack",
    [
        "ALTER TABLE ledger_ledgerentry DISABLE TRIGGER ALL",
        "INSERT INTO ledger_dailytotal DEFAULT VALUES",
        "UPDATE ledger_auditevent SET action = 'nothing'",
        "TRUNCATE ledger_auditevent",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_runtime_role_is_refused_by_privilege(deployment: Deployment, attack: str) -> None:
    with as_runtime(deployment) as raw, pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(attack)


def test_preparing_again_changes_nothing_that_is_there(deployment: Deployment) -> None:
    told = deployment.environment()
    done = prepare(
        admin_url=told["DATABASE_ADMIN_URL"],
        owner=Login.of(told["DATABASE_OWNER_URL"], variable=""),
        runtime=Login.of(told["DATABASE_URL"], variable=""),
    )
    assert "The database bursar is there." in done
    with deployment.server.superuser("bursar") as connection:
        assert connection.execute(MIGRATED).fetchone() == (True,)


def test_the_owner_alone_may_renew_the_grants(deployment: Deployment) -> None:
    told = deployment.environment()
    owner = Login.of(told["DATABASE_OWNER_URL"], variable="")
    runtime = Login.of(told["DATABASE_URL"], variable="")
    (done,) = prepare_grants(owner_url=told["DATABASE_OWNER_URL"], owner=owner, runtime=runtime)
    assert done == "bursar_app may use what bursar_owner makes in bursar."


def test_nobody_else_may_connect(deployment: Deployment) -> None:
    with deployment.server.superuser() as connection:
        connection.execute("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
        connection.execute("SET ROLE stranger")
        row = connection.execute("SELECT has_database_privilege('bursar', 'CONNECT')").fetchone()
        assert row == (False,)


def test_passwords_reach_the_server_as_verifiers(deployment: Deployment) -> None:
    with deployment.server.superuser() as connection:
        rows = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'bursar\\_%'"
        )
        assert {str(row[0]).partition("$")[0] for row in rows} == {"SCRAM-SHA-256"}


def test_no_process_runs_with_the_owners_rights(deployment: Deployment) -> None:
    done = deployment.manage("verify_ledger", DATABASE_URL=deployment.server.url(postgres.OWNER))
    assert done.returncode != 0
    assert "DATABASE_URL names bursar_owner" in done.stderr
    assert "prepare_database" in done.stderr


@pytest.mark.parametrize("role", [postgres.OWNER, postgres.SUPERUSER])
def test_a_connection_with_the_owners_rights_is_closed_again(
    role: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = connection.settings_dict["USER"]
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "USER", role)
    connection.ensure_connection()
    (found,) = check_runtime_role(None, databases=["default"])
    assert found.id == "bursar.E001"
    with pytest.raises(ImproperlyConfigured, match="owns nothing"):
        refuse_excess_rights(connection=connection)
    assert connection.connection is None
    monkeypatch.setitem(connection.settings_dict, "USER", runtime)
    assert check_runtime_role(None, databases=["default"]) == []


@pytest.mark.parametrize(
    ("owner", "runtime", "words"),
    [
        ("postgresql://a@h/one", "postgresql://bursar_app@h/two", "the same database"),
        ("postgresql://a@h/one", "postgresql://somebody@h/one", "must name the role bursar_app"),
        ("postgresql://bursar_app@h/one", "postgresql://bursar_app@h/one", "another role"),
        ("postgresql://h/one", "postgresql://bursar_app@h/one", "DATABASE_OWNER_URL must name"),
        ("nonsense", "postgresql://bursar_app@h/one", "DATABASE_OWNER_URL cannot be read"),
    ],
)
def test_addresses_that_do_not_fit_are_refused_by_name(
    owner: str, runtime: str, words: str
) -> None:
    with pytest.raises(PreparationError, match=words):
        prepare(
            admin_url="",
            owner=Login.of(owner, variable="DATABASE_OWNER_URL"),
            runtime=Login.of(runtime, variable="DATABASE_URL"),
        )


def test_a_migration_does_not_queue_behind_a_busy_table(deployment: Deployment) -> None:
    url = deployment.environment()["DATABASE_OWNER_URL"]
    options = connection_settings(url, limits=OWNER_LIMITS)["OPTIONS"]["options"]
    with psycopg.connect(url, options=options) as raw:
        assert raw.execute("SHOW lock_timeout").fetchone() == ("5s",)


@pytest.mark.parametrize(("busy", "gives_up"), [(1, False), (2, True)])
def test_a_migration_asks_again_for_a_lock_that_others_hold(
    busy: int, gives_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = OperationalError("canceling statement due to lock timeout")
    refused.__cause__ = psycopg.errors.LockNotAvailable()
    tries = iter([refused] * busy)

    def handle(self: object, *args: object, **options: object) -> None:
        if error := next(tries, None):
            raise error

    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", handle)
    monkeypatch.setattr(migrate, "PAUSE_S", 0)
    command = migrate.Command(stderr=io.StringIO())
    with pytest.raises(CommandError, match="run it again") if gives_up else nullcontext():
        command.handle(lock_tries=2)
    assert next(tries, None) is None
