"""What leaves in a day and how soon after a destination changed, as data and as laws."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import ledger.clock
import ledger.models.account
import ledger.models.organisation
from ledger.migration_operations import (
    append_only,
    frozen_columns,
    no_delete,
    only_through_functions,
)

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_laws"),
        ("treasury", "0010_bank_file_laws"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="spent_on",
            field=models.DateField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="PaymentRules",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="payment_rules",
                        serialize=False,
                        to="ledger.company",
                    ),
                ),
                (
                    "cooling_off_hours",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="How long a payee's new destination is not paid to; 0: at once.",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "payment rules",
                "ordering": ("company",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cooling_off_hours__lte", 720)),
                        name="treasury_paymentrules_cooling_off",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DailySpending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "currency",
                    ledger.models.organisation.CurrencyField(
                        max_length=3, validators=[ledger.models.organisation.validate_currency]
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("destination", "One destination"),
                            ("fund", "One fund"),
                            ("payee", "One payee"),
                        ],
                        max_length=12,
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("on", models.DateField()),
                ("payments", models.IntegerField()),
                ("amount", ledger.models.account.MoneyField(decimal_places=4, max_digits=24)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "daily spending",
                "ordering": ("company", "currency", "scope", "key", "on"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "currency", "scope", "key", "on"),
                        name="treasury_dailyspending_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0), ("payments__gte", 0)),
                        name="treasury_dailyspending_counted",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayeeDestination",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payee_index", models.CharField(max_length=64)),
                ("destination_index", models.CharField(max_length=64)),
                ("since", models.DateTimeField(db_default=ledger.clock.DatabaseClock())),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "ordering": ("company", "payee_index", "since"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "payee_index", "destination_index"),
                        name="treasury_payeedestination_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SpendingLimit",
            fields=[
                (
                    "limit_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "currency",
                    ledger.models.organisation.CurrencyField(
                        max_length=3, validators=[ledger.models.organisation.validate_currency]
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("destination", "One destination"),
                            ("fund", "One fund"),
                            ("payee", "One payee"),
                        ],
                        max_length=12,
                    ),
                ),
                ("most_payments", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "most_amount",
                    ledger.models.account.MoneyField(
                        blank=True, decimal_places=4, max_digits=24, null=True
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spending_limits",
                        to="ledger.company",
                    ),
                ),
                (
                    "fund",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: every fund without a limit of its own.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spending_limits",
                        to="treasury.treasuryfund",
                    ),
                ),
            ],
            options={
                "ordering": (
                    "company",
                    "currency",
                    "scope",
                    models.OrderBy(models.F("fund"), nulls_first=True),
                    "limit_id",
                ),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "currency", "scope", "fund"),
                        name="treasury_limit_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["destination", "fund", "payee"])),
                        name="treasury_limit_scope",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fund__isnull", True), ("scope", "fund"), _connector="OR"
                        ),
                        name="treasury_limit_fund_of_scope",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("most_payments__isnull", True),
                            ("most_payments__gte", 1),
                            _connector="OR",
                        ),
                        name="treasury_limit_payments",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("most_amount__isnull", True), ("most_amount__gt", 0), _connector="OR"
                        ),
                        name="treasury_limit_amount",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "spending.sql").read_text(encoding="utf-8"),
            (SQL / "spending_undo.sql").read_text(encoding="utf-8"),
        ),
        *only_through_functions("treasury_dailyspending"),
        *append_only("treasury_payeedestination"),
        *only_through_functions("treasury_payeedestination"),
        *no_delete("treasury_spendinglimit"),
        *no_delete("treasury_paymentrules"),
        frozen_columns(
            "treasury_spendinglimit", "limit_id", "company_id", "currency", "scope", "fund_id"
        ),
        frozen_columns("treasury_paymentrules", "company_id"),
    ]
