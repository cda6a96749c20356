"""What was shown with an app counts no more once the app is taken away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0011_lean_posting"),
    ]

    operations = [
        migrations.AddField(
            model_name="stepup",
            name="enrolment",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION ledger_guard_step_up() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, public, pg_temp AS $$
            BEGIN
                PERFORM FROM mfa_authenticator
                    WHERE id = NEW.enrolment AND user_id = NEW.user_id AND type = 'totp';
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'this app is not that of the person who steps up'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_stepup_enrolment';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER with_his_own_app BEFORE INSERT ON ledger_stepup
                FOR EACH ROW WHEN (NEW.enrolment IS NOT NULL) EXECUTE FUNCTION ledger_guard_step_up();
            """,
            """
            DROP TRIGGER with_his_own_app ON ledger_stepup;
            DROP FUNCTION ledger_guard_step_up();
            """,
        ),
    ]
