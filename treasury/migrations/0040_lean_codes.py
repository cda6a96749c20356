"""Nothing looks a code up by whom it was sent to, and people are not deleted."""

from django.db import migrations

from ledger.migration_operations import LeanKeys, dropped_indexes


class Migration(migrations.Migration):
    dependencies = (("treasury", "0039_refused_as_seen"),)

    operations = (
        dropped_indexes(
            ("treasury_onetimecode_executor_id_324c5932", "treasury_onetimecode", "executor_id")
        ),
        LeanKeys({"onetimecode": {"executor": {"db_index": False}}}),
    )
