"""Payments that go out on a day, and the days on which a company pays."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import treasury.calendar
import treasury.models.limit


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_code_channel"),
        ("treasury", "0014_settlement"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "holiday_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("on", models.DateField()),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ("company", "on"),
            },
        ),
        migrations.AddField(
            model_name="payment",
            name="due_on",
            field=models.DateField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="next_try_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="scheduled_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="scheduled_for",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="paymentrules",
            name="cut_off",
            field=models.TimeField(
                blank=True,
                help_text="Local time from which a scheduled payment waits for the next business day.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="paymentrules",
            name="roll",
            field=models.CharField(
                choices=[
                    ("next", "The next business day"),
                    ("previous", "The previous business day"),
                ],
                default="next",
                help_text="Where a payment goes that is due on no business day.",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="paymentrules",
            name="weekend",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(),
                blank=True,
                default=treasury.models.limit.saturday_and_sunday,
                help_text="Weekdays on which scheduled payments do not go out; 0 is Monday.",
                size=None,
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("due_on__isnull", False), ("status", "pending")),
                fields=["due_on"],
                name="treasury_payment_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_on__isnull", True), ("scheduled_for__isnull", True)),
                    models.Q(
                        ("due_on__isnull", False),
                        ("scheduled_by__isnull", False),
                        ("scheduled_for__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="treasury_payment_scheduled_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("spent_on__isnull", True),
                    ("due_on__isnull", True),
                    ("spent_on__gte", models.F("due_on")),
                    _connector="OR",
                ),
                name="treasury_payment_not_before_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("weekend__contained_by", [0, 1, 2, 3, 4, 5, 6]),
                    models.Q(("weekend__len", 7), _negated=True),
                ),
                name="treasury_paymentrules_weekend",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "roll__in",
                        [treasury.calendar.Roll["NEXT"], treasury.calendar.Roll["PREVIOUS"]],
                    )
                ),
                name="treasury_paymentrules_roll",
            ),
        ),
        migrations.AddField(
            model_name="holiday",
            name="company",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holidays",
                to="ledger.company",
            ),
        ),
        migrations.AddConstraint(
            model_name="holiday",
            constraint=models.UniqueConstraint(
                fields=("company", "on"), name="treasury_holiday_once"
            ),
        ),
        migrations.RunSQL(
            """
            -- When it goes out is decided while it is pending.
            CREATE TRIGGER schedule_fixed_when_sent BEFORE UPDATE ON treasury_payment
                FOR EACH ROW WHEN (OLD.status <> 'pending' AND (
                    NEW.scheduled_for IS DISTINCT FROM OLD.scheduled_for
                    OR NEW.due_on IS DISTINCT FROM OLD.due_on
                    OR NEW.scheduled_by_id IS DISTINCT FROM OLD.scheduled_by_id))
                EXECUTE FUNCTION ledger_refuse_change();
            """,
            "DROP TRIGGER schedule_fixed_when_sent ON treasury_payment;",
        ),
    ]
