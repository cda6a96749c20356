"""The outbox of events, kept as they were written; only whether they were handed on is added."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations import RunSQL

import ledger.clock
from ledger.migration_operations import (
    RUNTIME_ROLE,
    for_runtime_role,
    frozen_columns,
    no_delete,
)


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_laws"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=120)),
                ("sequence", models.PositiveIntegerField()),
                ("payload", models.JSONField()),
                (
                    "occurred_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("fanned_out_at", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "ordering": ("-occurred_at", "-id"),
                "indexes": [
                    models.Index(
                        fields=["company", "-occurred_at", "-id"], name="ledger_outboxevent_company"
                    ),
                    models.Index(
                        condition=models.Q(("fanned_out_at", None)),
                        fields=["occurred_at"],
                        name="ledger_outboxevent_waiting",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject", "sequence"), name="ledger_outboxevent_sequence"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gte", 1)), name="ledger_outboxevent_from_one"
                    ),
                ],
            },
        ),
        *no_delete("ledger_outboxevent"),
        frozen_columns(
            "ledger_outboxevent",
            *("id", "company_id", "kind", "subject", "sequence", "payload", "occurred_at"),
        ),
        RunSQL(
            for_runtime_role(
                f"REVOKE UPDATE ON ledger_outboxevent FROM {RUNTIME_ROLE};"
                f" GRANT UPDATE (fanned_out_at) ON ledger_outboxevent TO {RUNTIME_ROLE}"
            ),
            for_runtime_role(f"GRANT UPDATE ON ledger_outboxevent TO {RUNTIME_ROLE}"),
        ),
    ]
