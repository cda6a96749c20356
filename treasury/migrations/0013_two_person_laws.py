"""What PostgreSQL keeps of findings: two people, neither of whom asked for the money, and once."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import frozen_columns, no_delete

SQL = Path(__file__).resolve().parent.parent / "sql"
FROZEN = (
    "finding_id",
    "company_id",
    "payment_id",
    "requester_id",
    "executor_id",
    "evidence",
    "proposed_by_id",
    "proposed_at",
)


class Migration(migrations.Migration):
    dependencies = (("treasury", "0012_findings_of_two"),)

    operations = (
        # What two people may do beside what stands in ``0002_laws``.
        RunSQL(
            """
            INSERT INTO ledger_statetransition (machine, source, target) VALUES
                ('treasury.payment', 'failed', 'success'),
                ('treasury.requisition', 'paid', 'approved')
            ON CONFLICT DO NOTHING
            """,
            """
            DELETE FROM ledger_statetransition WHERE (machine, source, target) IN (
                ('treasury.payment', 'failed', 'success'),
                ('treasury.requisition', 'paid', 'approved'))
            """,
        ),
        RunSQL(
            (SQL / "two_person_laws.sql").read_text(encoding="utf-8"),
            (SQL / "two_person_laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *no_delete("treasury_reversal"),
        *no_delete("treasury_latesuccess"),
        frozen_columns("treasury_reversal", *FROZEN),
        frozen_columns("treasury_latesuccess", *FROZEN, "attempt_id", "incident_id", "outcome"),
    )
