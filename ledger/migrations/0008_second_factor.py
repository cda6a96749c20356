"""Second factors: how far codes are used up, and what was shown when; no code is ever taken again."""

import datetime
import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import ledger.clock
from ledger.migration_operations import append_only, no_delete

ONLY_FORWARD = """
CREATE FUNCTION ledger_counter_only_forward() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.last_counter < OLD.last_counter OR NEW.user_id <> OLD.user_id THEN
        RAISE EXCEPTION 'a code that was taken is never taken again'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'ledger_secondfactoruse_only_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_forward BEFORE UPDATE ON ledger_secondfactoruse
    FOR EACH ROW EXECUTE FUNCTION ledger_counter_only_forward();
"""
BACK = """
DROP TRIGGER only_forward ON ledger_secondfactoruse;
DROP FUNCTION ledger_counter_only_forward();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0007_fast_posting"),
    ]

    operations = [
        migrations.CreateModel(
            name="SecondFactorUse",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("last_counter", models.BigIntegerField(default=0)),
                ("tries_on", models.DateField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tries__lte", 10)), name="ledger_secondfactoruse_tries"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StepUp",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("carrier", models.CharField(max_length=64)),
                (
                    "means",
                    models.CharField(
                        choices=[("totp", "Code of an app"), ("recovery_code", "Recovery code")],
                        max_length=20,
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-verified_at",),
                "indexes": [models.Index(fields=["user", "carrier"], name="ledger_stepup_of")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("carrier", ""), _negated=True),
                        name="ledger_stepup_carrier",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__gt", models.F("verified_at")),
                            (
                                "expires_at__lte",
                                models.ExpressionWrapper(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("verified_at"),
                                        "+",
                                        models.Value(
                                            datetime.timedelta(seconds=900),
                                            output_field=models.DurationField(),
                                        ),
                                    ),
                                    output_field=models.DateTimeField(),
                                ),
                            ),
                        ),
                        name="ledger_stepup_ends",
                    ),
                ],
            },
        ),
        migrations.RunSQL(ONLY_FORWARD, BACK),
        *no_delete("ledger_secondfactoruse"),
        *append_only("ledger_stepup"),
        migrations.AlterModelOptions(
            name="outboxevent",
            options={"ordering": ("-occurred_at", "-id"), "verbose_name": "event"},
        ),
        migrations.AlterModelOptions(
            name="webhookdelivery",
            options={"ordering": ("-created_at", "-id"), "verbose_name": "webhook message"},
        ),
        migrations.AlterModelOptions(
            name="webhookendpoint",
            options={"ordering": ("company", "created_at"), "verbose_name": "webhook"},
        ),
    ]
