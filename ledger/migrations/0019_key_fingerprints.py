"""Under which keys this database is written: marks that nobody changes."""

from django.db import migrations, models
from django.db.migrations.operations import RunSQL
from django.db.models import Q

import ledger.clock
from ledger.migration_operations import RUNTIME_ROLE, for_runtime_role, frozen_columns

VARIABLES = ("BURSAR_INDEX_KEY", "BURSAR_ENCRYPTION_KEYS")


class Migration(migrations.Migration):
    dependencies = (("ledger", "0018_lean_journal"),)

    operations = (
        migrations.CreateModel(
            name="KeyFingerprint",
            fields=[
                (
                    "fingerprint",
                    models.CharField(
                        editable=False, max_length=64, primary_key=True, serialize=False
                    ),
                ),
                (
                    "variable",
                    models.CharField(
                        choices=[(name, name) for name in VARIABLES],
                        editable=False,
                        max_length=30,
                    ),
                ),
                (
                    "noted_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("needed", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(variable__in=VARIABLES), name="ledger_key_of_a_variable"
                    ),
                    models.CheckConstraint(
                        condition=Q(needed=True) | Q(variable="BURSAR_ENCRYPTION_KEYS"),
                        name="ledger_key_index_stays_needed",
                    ),
                    models.UniqueConstraint(
                        condition=Q(variable="BURSAR_INDEX_KEY"),
                        fields=("variable",),
                        name="ledger_key_one_index",
                    ),
                ]
            },
        ),
        frozen_columns("ledger_keyfingerprint", "fingerprint", "variable", "noted_at"),
        # The owner may: where the first start of all was with the wrong key, the next one marks anew.
        RunSQL(
            for_runtime_role(
                f"REVOKE UPDATE, DELETE, TRUNCATE ON ledger_keyfingerprint FROM {RUNTIME_ROLE};"
                f" GRANT UPDATE (needed) ON ledger_keyfingerprint TO {RUNTIME_ROLE}"
            ),
            for_runtime_role(f"GRANT UPDATE, DELETE ON ledger_keyfingerprint TO {RUNTIME_ROLE}"),
        ),
    )
