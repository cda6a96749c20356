"""What PostgreSQL keeps of files and reports: one file for an attempt, whole files, rows as they came."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import append_only, frozen_columns, no_delete

SQL = Path(__file__).resolve().parent.parent / "sql"
# How an attempt waits for a file; what else may follow what stands in ``0002_laws``.
STEPS = (("", "waiting"), ("waiting", "accepted"), ("waiting", "review"), ("waiting", "failed"))
ROWS = ", ".join(f"('treasury.attempt', '{source}', '{target}')" for source, target in STEPS)
ADD = f"""
    INSERT INTO ledger_statetransition (machine, source, target) VALUES {ROWS}
    ON CONFLICT DO NOTHING
"""  # noqa: S608 -- our own constants
TAKE_AWAY = """
    DELETE FROM ledger_statetransition
    WHERE machine = 'treasury.attempt' AND 'waiting' IN (source, target)
"""


class Migration(migrations.Migration):
    dependencies = (("treasury", "0009_bank_files"),)

    operations = (
        RunSQL(ADD, TAKE_AWAY),
        RunSQL(
            (SQL / "bank_file_laws.sql").read_text(encoding="utf-8"),
            (SQL / "bank_file_laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *append_only("treasury_bankfile"),
        *append_only("treasury_bankfileline"),
        *append_only("treasury_bankreport"),
        *no_delete("treasury_bankreportrow"),
        frozen_columns(
            "treasury_bankreportrow",
            "row_id",
            "report_id",
            "number",
            "listed",
            "end_to_end_id",
            "uetr",
            "status",
            "reasons",
            "text",
            "bank_reference",
            "amount",
            "currency",
            "outcome",
            "attempt_id",
            "objection",
        ),
    )
