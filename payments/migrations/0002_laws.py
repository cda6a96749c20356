"""What PostgreSQL keeps of payments' laws: the gateway log is append-only, a provider stays whose it is."""

from django.db import migrations

from ledger.migration_operations import append_only, frozen_columns, no_delete


class Migration(migrations.Migration):
    dependencies = (("payments", "0001_initial"), ("ledger", "0002_laws"))

    operations = (
        *append_only("payments_gatewayrequest"),
        *append_only("payments_gatewayresponse"),
        *no_delete("payments_provider"),
        frozen_columns("payments_provider", "id", "company_id", "kind", "created_at"),
    )
