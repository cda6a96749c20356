"""What the role that Bursar runs as may do in the database, beyond the ledger's own laws."""

import psycopg
import pytest

from ledger.migration_operations import RUNTIME_ROLE

WRITTEN_BY_FUNCTIONS = [
    "ledger_journalentry",
    "ledger_ledgerentry",
    "ledger_hold",
    "ledger_holdrelease",
    "ledger_dailytotal",
    "ledger_statetransition",
    "ledger_chainkey",
]


@pytest.mark.parametrize(
    "attack",
    [
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION sha256(text) RETURNS bytea LANGUAGE sql AS $$ SELECT ''::bytea $$",
        (
            "CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql"
            " AS $$ SELECT now() $$"
        ),
        "ALTER TABLE ledger_ledgerentry DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON ledger_ledgerentry",
        (
            "CREATE TRIGGER mine BEFORE INSERT ON ledger_hold FOR EACH ROW"
            " EXECUTE FUNCTION ledger_refuse_change()"
        ),
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_minimum",
        "SET session_replication_role = replica",
        "SET ROLE bursar_owner",
        "DROP TABLE ledger_auditevent",
        "ALTER FUNCTION ledger_post(jsonb, bytea, bytea) SECURITY INVOKER",
    ],
)
def test_the_application_cannot_loosen_a_law(
    runtime_connection: psycopg.Connection, attack: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime_connection.execute(attack)


@pytest.mark.parametrize("table", WRITTEN_BY_FUNCTIONS)
def test_the_application_may_only_read_what_functions_write(
    superuser_connection: psycopg.Connection, table: str
) -> None:
    granted = superuser_connection.execute(
        "SELECT array_agg(privilege_type::text) FROM information_schema.role_table_grants"
        " WHERE grantee = %s AND table_name = %s",
        [RUNTIME_ROLE, table],
    ).fetchone()
    assert granted == (["SELECT"],)


def test_the_application_owns_nothing(superuser_connection: psycopg.Connection) -> None:
    owned = superuser_connection.execute(
        "SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", [RUNTIME_ROLE]
    ).fetchone()
    assert owned == (0,)


def test_every_trigger_and_every_definer_function_names_its_search_path(
    superuser_connection: psycopg.Connection,
) -> None:
    """Else a temporary table of the same name, which anybody may make, is read instead of ours."""
    deceived = superuser_connection.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND (prosecdef OR prorettype = 'trigger'::regtype)"
        " AND NOT coalesce(array_to_string(proconfig, ' '), '')"
        "         ~ 'search_path=pg_catalog, public, pg_temp'"
        " AND proname <> 'ledger_refuse_change'"  # reads no table
    ).fetchall()
    assert deceived == []


def test_nobody_but_the_application_may_call_the_write_path(
    superuser_connection: psycopg.Connection,
) -> None:
    superuser_connection.execute("CREATE ROLE passer_by")
    try:
        superuser_connection.execute("SET ROLE passer_by")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            superuser_connection.execute("SELECT ledger_release_hold('x')")
    finally:
        superuser_connection.execute("RESET ROLE")
        superuser_connection.execute("DROP ROLE passer_by")
