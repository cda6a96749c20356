"""An approval is for one version: what a requisition says changes only together with its version."""

from django.db import migrations

CONTENT = ("amount", "purpose", "payee_name", "payee_index", "method", "destination_index")
CHANGED = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in CONTENT)


class Migration(migrations.Migration):
    dependencies = (("treasury", "0004_fund_line"),)

    operations = (
        migrations.RunSQL(
            f"""
            CREATE TRIGGER content_has_a_version AFTER UPDATE ON treasury_requisition
                FOR EACH ROW WHEN (({CHANGED}) AND
                    (NEW.version <> OLD.version + 1 OR NEW.status <> 'submitted'))
                EXECUTE FUNCTION ledger_refuse_change();
            """,
            "DROP TRIGGER content_has_a_version ON treasury_requisition;",
        ),
    )
