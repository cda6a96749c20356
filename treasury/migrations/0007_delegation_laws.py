"""Delegations, questions and codes for many decisions, as PostgreSQL keeps them."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import frozen_columns, no_delete

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0006_delegations"),)

    operations = (
        RunSQL(
            (SQL / "delegation_laws.sql").read_text(encoding="utf-8"),
            (SQL / "delegation_laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *no_delete("treasury_delegation"),
        *no_delete("treasury_question"),
        *no_delete("treasury_decisioncode"),
        frozen_columns(
            "treasury_delegation",
            "delegation_id",
            "company_id",
            "role",
            "delegator_id",
            "delegate_id",
            "from_on",
            "until_on",
            "reason",
            "created_at",
        ),
        frozen_columns(
            "treasury_question",
            "question_id",
            "company_id",
            "subject",
            "text",
            "asked_by_id",
            "asked_of_id",
            "asked_at",
        ),
        frozen_columns(
            "treasury_decisioncode",
            "code_id",
            "user_id",
            "requests",
            "digest",
            "set_digest",
            "sent_at",
            "expires_at",
        ),
    )
