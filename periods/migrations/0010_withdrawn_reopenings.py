"""Whoever asked to reopen a period takes it back; what was withdrawn or has happened stays so."""

from django.db import migrations, models
from django.db.migrations.operations import RunSQL

WAITING = models.Q(("reopened_at__isnull", True), ("withdrawn_at__isnull", True))


def once(name: str, condition: str) -> str:
    """The trigger that keeps a request as it is from then on."""
    return f"""
        CREATE TRIGGER {name} BEFORE UPDATE ON periods_reopenrequest
            FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION ledger_refuse_change();
    """


REOPENED_ONCE = once("reopened_once", "OLD.reopened_at IS NOT NULL")
DECIDED_ONCE = once("decided_once", "OLD.reopened_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL")
DROP = "DROP TRIGGER {} ON periods_reopenrequest;"
# Without the column what was withdrawn would wait again, for somebody to confirm it. The audit trail keeps it.
FORGET_WITHDRAWN = """
    ALTER TABLE periods_reopenrequest DISABLE TRIGGER no_delete;
    DELETE FROM periods_reopenrequest WHERE withdrawn_at IS NOT NULL;
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE periods_reopenrequest ENABLE TRIGGER no_delete;
"""


class Migration(migrations.Migration):
    dependencies = (("periods", "0009_refund_laws"),)

    operations = (
        migrations.RemoveConstraint("reopenrequest", "periods_reopenrequest_waiting"),
        migrations.AddField("reopenrequest", "withdrawn_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "reopenrequest",
            models.UniqueConstraint(
                fields=("period",), condition=WAITING, name="periods_reopenrequest_waiting"
            ),
        ),
        migrations.AddConstraint(
            "reopenrequest",
            models.CheckConstraint(
                condition=models.Q(
                    ("withdrawn_at__isnull", True),
                    models.Q(("needs_approval", True), ("reopened_at__isnull", True)),
                    _connector="OR",
                ),
                name="periods_reopenrequest_withdrawn",
            ),
        ),
        RunSQL(
            DROP.format("reopened_once") + DECIDED_ONCE,
            FORGET_WITHDRAWN + DROP.format("decided_once") + REOPENED_ONCE,
        ),
    )
