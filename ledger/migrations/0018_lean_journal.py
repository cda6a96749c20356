"""The journal keeps one index of its references, and none of the reversals that most entries are not."""

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import LeanKeys


class Migration(migrations.Migration):
    dependencies = (("ledger", "0017_posting_in_sets"),)

    operations = (
        # One index that is unique and also finds what begins alike, as two did. It compares byte by byte, by
        # which texts that are equal are the same.
        RunSQL(
            """
            DROP INDEX ledger_journalentry_reference_f962922a_like;
            ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_journalentry_reference_key;
            CREATE UNIQUE INDEX ledger_journalentry_reference_key
                ON ledger_journalentry (reference varchar_pattern_ops);
            """,
            """
            DROP INDEX ledger_journalentry_reference_key;
            ALTER TABLE ledger_journalentry
                ADD CONSTRAINT ledger_journalentry_reference_key UNIQUE (reference);
            CREATE INDEX ledger_journalentry_reference_f962922a_like
                ON ledger_journalentry (reference varchar_pattern_ops);
            """,
        ),
        RunSQL(
            """
            ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_journalentry_reversal_of_id_key;
            CREATE UNIQUE INDEX ledger_journalentry_reversal_of_id_key
                ON ledger_journalentry (reversal_of_id) WHERE reversal_of_id IS NOT NULL;
            """,
            """
            DROP INDEX ledger_journalentry_reversal_of_id_key;
            ALTER TABLE ledger_journalentry
                ADD CONSTRAINT ledger_journalentry_reversal_of_id_key UNIQUE (reversal_of_id);
            """,
        ),
        # An entry has lines (law 1), each has its company and its account's, and the account's is one.
        RunSQL(
            """
            ALTER TABLE ledger_journalentry
                DROP CONSTRAINT ledger_journalentry_company_id_c3d68b22_fk_ledger_company_id
            """,
            """
            ALTER TABLE ledger_journalentry
                ADD CONSTRAINT ledger_journalentry_company_id_c3d68b22_fk_ledger_company_id
                FOREIGN KEY (company_id) REFERENCES ledger_company (id) DEFERRABLE INITIALLY DEFERRED
            """,
        ),
        LeanKeys({"journalentry": {"company": {"db_constraint": False}}}),
    )
