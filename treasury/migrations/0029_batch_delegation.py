"""A delegate approves batches like requisitions."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("treasury", "0028_batch_days"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="batchapproval",
            name="delegation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batch_approvals",
                to="treasury.delegation",
            ),
        ),
        migrations.AddField(
            model_name="batchapproval",
            name="on_behalf_of",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="batchapproval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("on_behalf_of", models.F("maker")), _negated=True),
                    models.Q(("on_behalf_of", models.F("approver")), _negated=True),
                ),
                name="treasury_batchapproval_not_for_maker",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchapproval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delegation__isnull", True), ("on_behalf_of__isnull", True)),
                    models.Q(("delegation__isnull", False), ("on_behalf_of__isnull", False)),
                    _connector="OR",
                ),
                name="treasury_batchapproval_delegated_whole",
            ),
        ),
        migrations.RunSQL(
            (SQL / "batch_delegation.sql").read_text(encoding="utf-8"),
            (SQL / "batch_delegation_undo.sql").read_text(encoding="utf-8"),
        ),
    ]
