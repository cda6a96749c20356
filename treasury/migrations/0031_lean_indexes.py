"""Indexes and foreign keys that another one holds already, or that nobody asks, are not kept any more."""

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import LeanKeys, dropped_indexes

UNINDEXED = {"db_index": False}
IMPLIED = {"db_constraint": False}

# Each is implied by a foreign key of several columns, of which none is null.
FOREIGN_KEYS = (
    (
        "treasury_paymentexec_payment_id_1a286d15_fk_treasury_",
        "payment_id",
        "treasury_payment (payment_id)",
    ),
    (
        "treasury_paymentexec_company_id_76ece4ce_fk_ledger_co",
        "company_id",
        "ledger_company (id)",
    ),
    (
        "treasury_paymentexec_requester_id_537c9d85_fk_ledger_us",
        "requester_id",
        "ledger_user (id)",
    ),
)


class Migration(migrations.Migration):
    dependencies = (("treasury", "0030_known_answers"), ("ledger", "0014_lean_indexes"))

    operations = (
        # Each is the first column of another index of its table.
        dropped_indexes(
            ("treasury_batchrow_batch_id_42e01b3e", "treasury_batchrow", "batch_id"),
            ("treasury_dailyspending_company_id_4b42747f", "treasury_dailyspending", "company_id"),
            ("treasury_onetimecode_payment_id_45b92c8c", "treasury_onetimecode", "payment_id"),
            ("treasury_payment_company_id_91aeeebb", "treasury_payment", "company_id"),
            ("treasury_payment_fund_id_a2537ac3", "treasury_payment", "fund_id"),
            ("treasury_payment_requisition_id_93d517e0", "treasury_payment", "requisition_id"),
            (
                "treasury_paymentattempt_payment_id_bbebf802",
                "treasury_paymentattempt",
                "payment_id",
            ),
            (
                "treasury_paymentattempt_provider_id_3cfd526e",
                "treasury_paymentattempt",
                "provider_id",
            ),
            ("treasury_requisition_company_id_0e990f22", "treasury_requisition", "company_id"),
            ("treasury_requisition_fund_id_ebaa1885", "treasury_requisition", "fund_id"),
            (
                "treasury_requisitionapproval_requisition_id_c0dc6df0",
                "treasury_requisitionapproval",
                "requisition_id",
            ),
        ),
        # Nothing is looked up by these, and neither people nor companies are deleted.
        dropped_indexes(
            ("treasury_payment_created_by_id_b4e7968b", "treasury_payment", "created_by_id"),
            ("treasury_payment_scheduled_by_id_57c04801", "treasury_payment", "scheduled_by_id"),
            (
                "treasury_paymentexecution_company_id_76ece4ce",
                "treasury_paymentexecution",
                "company_id",
            ),
            (
                "treasury_paymentexecution_otp_verified_by_id_ade8eb51",
                "treasury_paymentexecution",
                "otp_verified_by_id",
            ),
            (
                "treasury_paymentexecution_requester_id_537c9d85",
                "treasury_paymentexecution",
                "requester_id",
            ),
            (
                "treasury_requisition_rejected_by_id_d27fe70c",
                "treasury_requisition",
                "rejected_by_id",
            ),
            (
                "treasury_requisitionapproval_requester_id_04d99371",
                "treasury_requisitionapproval",
                "requester_id",
            ),
        ),
        RunSQL(
            "ALTER TABLE treasury_paymentexecution "
            + ", ".join(f"DROP CONSTRAINT {name}" for name, _, _ in FOREIGN_KEYS),
            "ALTER TABLE treasury_paymentexecution "
            + ", ".join(
                f"ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target}"
                " DEFERRABLE INITIALLY DEFERRED"
                for name, column, target in FOREIGN_KEYS
            ),
        ),
        LeanKeys(
            {
                "batchrow": {"batch": UNINDEXED},
                "dailyspending": {"company": UNINDEXED},
                "onetimecode": {"payment": UNINDEXED},
                "payment": {
                    "company": UNINDEXED,
                    "created_by": UNINDEXED,
                    "fund": UNINDEXED,
                    "requisition": UNINDEXED,
                    "scheduled_by": UNINDEXED,
                },
                "paymentattempt": {"payment": UNINDEXED, "provider": UNINDEXED},
                "paymentexecution": {
                    "payment": IMPLIED,
                    "company": UNINDEXED | IMPLIED,
                    "requester": UNINDEXED | IMPLIED,
                    "otp_verified_by": UNINDEXED,
                },
                "requisition": {"company": UNINDEXED, "fund": UNINDEXED, "rejected_by": UNINDEXED},
                "requisitionapproval": {"requisition": UNINDEXED, "requester": UNINDEXED},
            }
        ),
    )
