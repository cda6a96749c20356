"""What was refused for a cause that may pass is tried again by itself."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("treasury", "0021_proof_by_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="retry_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="paymentattempt",
            name="automatic",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="paymentattempt",
            name="passes_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("retry_at__isnull", False)),
                fields=["retry_at"],
                name="treasury_payment_retry",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retry_at__isnull", True),
                    models.Q(("retry_count__lt", models.F("max_retries")), ("status", "failed")),
                    _connector="OR",
                ),
                name="treasury_payment_retry_failed",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("passes_at__isnull", True), ("state", "failed"), _connector="OR"
                ),
                name="treasury_attempt_passes_when_failed",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("automatic", False),
                    models.Q(("code__isnull", True), ("number__gt", 1)),
                    _connector="OR",
                ),
                name="treasury_attempt_automatic_without_code",
            ),
        ),
        migrations.RunSQL(
            (SQL / "retries.sql").read_text(encoding="utf-8"),
            (SQL / "retries_undo.sql").read_text(encoding="utf-8"),
        ),
    ]
