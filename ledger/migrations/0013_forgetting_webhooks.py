"""Messages to webhooks are kept for a while, and then go."""

from pathlib import Path

from django.db import migrations, models

from ledger.migration_operations import RUNTIME_ROLE, for_runtime_role

SQL = Path(__file__).resolve().parent.parent / "sql"
FORGET = "ledger_forget_messages(timestamptz, integer)"


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0012_step_ups_end"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="ledger_webhookdelivery_old",
            ),
        ),
        migrations.RunSQL(
            (SQL / "forgetting_webhooks.sql").read_text(encoding="utf-8"),
            (SQL / "forgetting_webhooks_undo.sql").read_text(encoding="utf-8"),
        ),
        migrations.RunSQL(
            for_runtime_role(f"GRANT EXECUTE ON FUNCTION {FORGET} TO {RUNTIME_ROLE}"),
            for_runtime_role(f"REVOKE EXECUTE ON FUNCTION {FORGET} FROM {RUNTIME_ROLE}"),
        ),
    ]
