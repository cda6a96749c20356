"""Another person says no to opening a period again, with a reason; what he decided stays so."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import RunSQL
from django.db.models import F, Q

WAITING = Q(reopened_at__isnull=True, withdrawn_at__isnull=True, rejected_at__isnull=True)


def decided_once(*instants: str) -> str:
    """The trigger that keeps a request as it is from any of these instants on."""
    decided = " OR ".join(f"OLD.{name} IS NOT NULL" for name in instants)
    return f"""
        DROP TRIGGER decided_once ON periods_reopenrequest;
        CREATE TRIGGER decided_once BEFORE UPDATE ON periods_reopenrequest
            FOR EACH ROW WHEN ({decided}) EXECUTE FUNCTION ledger_refuse_change();
    """


# Without the columns what was rejected would wait again, for somebody to confirm it. The audit trail keeps it.
FORGET_REJECTED = """
    ALTER TABLE periods_reopenrequest DISABLE TRIGGER no_delete;
    DELETE FROM periods_reopenrequest WHERE rejected_at IS NOT NULL;
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE periods_reopenrequest ENABLE TRIGGER no_delete;
"""


class Migration(migrations.Migration):
    dependencies = (
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("periods", "0010_withdrawn_reopenings"),
    )

    operations = (
        migrations.RemoveConstraint("reopenrequest", "periods_reopenrequest_waiting"),
        migrations.AddField(
            "reopenrequest",
            "rejected_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("reopenrequest", "rejected_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "reopenrequest",
            "rejection_reason",
            # For the version before, which does not know it and runs on until it is restarted.
            models.TextField(blank=True, default="", db_default=""),
        ),
        migrations.AddConstraint(
            "reopenrequest",
            models.UniqueConstraint(
                fields=("period",), condition=WAITING, name="periods_reopenrequest_waiting"
            ),
        ),
        migrations.AddConstraint(
            "reopenrequest",
            models.CheckConstraint(
                condition=Q(rejected_by__isnull=True, rejected_at__isnull=True, rejection_reason="")
                | Q(
                    ~Q(rejection_reason=""),
                    ~Q(rejected_by=F("requested_by")),
                    rejected_by__isnull=False,
                    rejected_at__isnull=False,
                    needs_approval=True,
                    reopened_at__isnull=True,
                    withdrawn_at__isnull=True,
                ),
                name="periods_reopenrequest_rejected",
            ),
        ),
        RunSQL(
            decided_once("reopened_at", "withdrawn_at", "rejected_at"),
            FORGET_REJECTED + decided_once("reopened_at", "withdrawn_at"),
        ),
    )
