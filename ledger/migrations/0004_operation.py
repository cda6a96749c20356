"""Signs of life and proofs of the books; a proof is kept as it was written."""

import uuid

from django.db import migrations, models

import ledger.clock
from ledger.migration_operations import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_outbox"),
    ]

    operations = [
        migrations.CreateModel(
            name="LastDone",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=ledger.clock.DatabaseClock())),
                ("detail", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name_plural": "last done",
            },
        ),
        migrations.CreateModel(
            name="LedgerProof",
            fields=[
                (
                    "proof_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("began_at", models.DateTimeField()),
                (
                    "finished_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("entries", models.PositiveBigIntegerField()),
                ("accounts", models.PositiveBigIntegerField()),
                ("anchored", models.PositiveBigIntegerField()),
                ("faults", models.PositiveIntegerField()),
                ("first_fault", models.TextField(blank=True)),
            ],
            options={
                "ordering": ("-finished_at", "-proof_id"),
                "indexes": [models.Index(fields=["-finished_at"], name="ledger_proof_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("faults", 0), ("first_fault", "")),
                            models.Q(
                                ("faults__gt", 0), models.Q(("first_fault", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="ledger_proof_names_its_fault",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("finished_at__gte", models.F("began_at"))),
                        name="ledger_proof_takes_time",
                    ),
                ],
            },
        ),
        *append_only("ledger_ledgerproof"),
    ]
