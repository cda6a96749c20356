"""Building blocks for migrations: the laws as triggers and privileges, beside the fields they protect.

Each function returns operations for a ``Migration.operations`` list and can be unapplied. The runtime
role ``bursar_app`` exists where Bursar set the roles up; on a server with a single role the
triggers alone protect, which is why both are there.
"""

from collections.abc import Mapping, Set
from copy import copy
from typing import Any

from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

RUNTIME_ROLE = "bursar_app"
Transitions = Mapping[str, Set[str]]


def for_runtime_role(statement: str) -> str:
    """Wrap a GRANT or REVOKE so that it runs only where the runtime role exists."""
    return f"""
        DO $grant$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{RUNTIME_ROLE}') THEN
                {statement};
            END IF;
        END $grant$
    """


def append_only(table: str) -> list[RunSQL]:
    """Let rows be inserted and never changed: UPDATE, DELETE and TRUNCATE raise (design, law 2)."""
    return [
        RunSQL(
            f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
            CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
            """,
            f"""
            DROP TRIGGER append_only ON {table};
            DROP TRIGGER append_only_truncate ON {table};
            """,
        ),
        RunSQL(
            for_runtime_role(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {RUNTIME_ROLE}"),
            for_runtime_role(f"GRANT UPDATE, DELETE ON {table} TO {RUNTIME_ROLE}"),
        ),
    ]


def no_delete(table: str) -> list[RunSQL]:
    """Keep every row: DELETE and TRUNCATE raise, UPDATE stays possible."""
    return [
        RunSQL(
            f"""
            CREATE TRIGGER no_delete BEFORE DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
            CREATE TRIGGER no_delete_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
            """,
            f"""
            DROP TRIGGER no_delete ON {table};
            DROP TRIGGER no_delete_truncate ON {table};
            """,
        ),
        RunSQL(
            for_runtime_role(f"REVOKE DELETE, TRUNCATE ON {table} FROM {RUNTIME_ROLE}"),
            for_runtime_role(f"GRANT DELETE ON {table} TO {RUNTIME_ROLE}"),
        ),
    ]


def only_through_functions(table: str) -> list[RunSQL]:
    """Leave the runtime role nothing but SELECT; SQL functions owned by the owner write the table."""
    return [
        RunSQL(
            for_runtime_role(
                f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM {RUNTIME_ROLE}"
            ),
            for_runtime_role(f"GRANT INSERT, UPDATE, DELETE ON {table} TO {RUNTIME_ROLE}"),
        )
    ]


def frozen_columns(table: str, *columns: str) -> RunSQL:
    """Let these columns never change after the row was inserted."""
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    return RunSQL(
        f"""
        CREATE TRIGGER frozen_columns BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION ledger_refuse_change();
        """,
        f"DROP TRIGGER frozen_columns ON {table};",
    )


def lean_frozen_columns(table: str, *columns: str) -> RunSQL:
    """Ask about frozen columns only where a statement names one of them.

    PostgreSQL reads the condition of a trigger anew for each statement that the trigger is for, which costs
    more than a short statement. No trigger of ours changes such a column behind a statement's back.
    """
    usual = frozen_columns(table, *columns)
    lean = str(usual.sql).replace("BEFORE UPDATE ON", f"BEFORE UPDATE OF {', '.join(columns)} ON")
    return RunSQL(f"{usual.reverse_sql}{lean}", f"{usual.reverse_sql}{usual.sql}")


def guarded_status(
    table: str, *, machine: str, transitions: Transitions, column: str = "status"
) -> list[RunSQL]:
    """Let ``column`` move only along ``transitions`` (source → targets; source "" starts a row)."""
    steps = [(source, target) for source in transitions for target in sorted(transitions[source])]
    rows = ", ".join(f"('{machine}', '{source}', '{target}')" for source, target in steps)
    return [
        RunSQL(
            f"INSERT INTO ledger_statetransition (machine, source, target) VALUES {rows};",  # noqa: S608 -- our own constants
            f"DELETE FROM ledger_statetransition WHERE machine = '{machine}';",  # noqa: S608 -- our own constants
        ),
        RunSQL(
            f"""
            CREATE TRIGGER guarded_status BEFORE INSERT OR UPDATE OF {column} ON {table}
                FOR EACH ROW EXECUTE FUNCTION ledger_guard_status('{machine}', '{column}');
            """,
            f"DROP TRIGGER guarded_status ON {table};",
        ),
    ]


class LeanKeys(Operation):
    """Note in the state that foreign keys have no index, or no constraint, of their own any more.

    ``fields`` says for each model what its keys have: ``{"payment": {"fund": {"db_index": False}}}``. The
    database is changed by SQL beside it: Django's own way would check every row anew, key by key.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, fields: Mapping[str, Mapping[str, Mapping[str, bool]]]) -> None:
        self.fields = fields

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for model, keys in self.fields.items():
            known = state.models[app_label, model].fields
            for name, options in keys.items():
                known[name] = copy(known[name])
                vars(known[name]).update(options)
        state.reload_models([(app_label, model) for model in self.fields])

    def database_forwards(self, *_: Any) -> None:
        """Change nothing."""

    def database_backwards(self, *_: Any) -> None:
        """Change nothing."""

    def describe(self) -> str:
        return f"Lean foreign keys of {', '.join(self.fields)}"


def dropped_indexes(*indexes: tuple[str, str, str]) -> RunSQL:
    """Drop indexes of one column: each is its name, its table and its column."""
    return RunSQL(
        "; ".join(f"DROP INDEX {name}" for name, _, _ in indexes),
        "; ".join(f"CREATE INDEX {name} ON {table} ({column})" for name, table, column in indexes),
    )
