"""Indexes that another index holds already, or that nobody asks, are not written any more."""

from django.db import migrations

from ledger.migration_operations import LeanKeys, dropped_indexes

UNINDEXED = {"db_index": False}


class Migration(migrations.Migration):
    dependencies = (("ledger", "0013_forgetting_webhooks"),)

    operations = (
        # Each is the first column of another index of its table.
        dropped_indexes(
            ("ledger_account_company_id_0dba66aa", "ledger_account", "company_id"),
            ("ledger_auditevent_company_id_b39a1d35", "ledger_auditevent", "company_id"),
            ("ledger_idempotencykey_user_id_9e81709e", "ledger_idempotencykey", "user_id"),
            ("ledger_membership_user_id_60737acd", "ledger_membership", "user_id"),
            ("ledger_outboxevent_company_id_63e1f30d", "ledger_outboxevent", "company_id"),
            (
                "ledger_webhookdelivery_endpoint_id_ce47c06f",
                "ledger_webhookdelivery",
                "endpoint_id",
            ),
        ),
        LeanKeys(
            {
                "account": {"company": UNINDEXED},
                "auditevent": {"company": UNINDEXED},
                "idempotencykey": {"user": UNINDEXED},
                "membership": {"user": UNINDEXED},
                "outboxevent": {"company": UNINDEXED},
                "webhookdelivery": {"endpoint": UNINDEXED},
            }
        ),
    )
