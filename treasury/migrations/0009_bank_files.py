"""Files of payments for banks, and what banks report about them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger.clock
import ledger.encryption
import ledger.models.account
import ledger.models.organisation


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_outbox"),
        ("payments", "0005_bank"),
        ("treasury", "0008_look_alikes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BankFile",
            fields=[
                (
                    "file_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("message_id", models.CharField(max_length=35, unique=True)),
                (
                    "currency",
                    ledger.models.organisation.CurrencyField(
                        max_length=3, validators=[ledger.models.organisation.validate_currency]
                    ),
                ),
                ("payments", models.PositiveIntegerField()),
                ("total", ledger.models.account.MoneyField(decimal_places=4, max_digits=24)),
                ("execute_on", models.DateField()),
                ("content", ledger.encryption.EncryptedBinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                (
                    "made_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
            ],
            options={
                "ordering": ("-made_at", "-file_id"),
            },
        ),
        migrations.CreateModel(
            name="BankFileLine",
            fields=[
                (
                    "line_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "currency",
                    ledger.models.organisation.CurrencyField(
                        max_length=3, validators=[ledger.models.organisation.validate_currency]
                    ),
                ),
            ],
            options={
                "ordering": ("file", "number"),
            },
        ),
        migrations.CreateModel(
            name="BankReport",
            fields=[
                (
                    "report_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("message_id", models.CharField(max_length=140)),
                ("original_message_id", models.CharField(max_length=140)),
                ("status", models.CharField(blank=True, max_length=140)),
                ("content", ledger.encryption.EncryptedBinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                (
                    "uploaded_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
            ],
            options={
                "ordering": ("-uploaded_at", "-report_id"),
            },
        ),
        migrations.CreateModel(
            name="BankReportRow",
            fields=[
                (
                    "row_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("listed", models.BooleanField()),
                ("end_to_end_id", models.CharField(blank=True, max_length=140)),
                ("uetr", models.CharField(blank=True, max_length=140)),
                ("status", models.CharField(blank=True, max_length=140)),
                ("reasons", models.CharField(blank=True, max_length=160)),
                ("text", models.CharField(blank=True, max_length=500)),
                ("bank_reference", models.CharField(blank=True, max_length=140)),
                (
                    "amount",
                    ledger.models.account.MoneyField(decimal_places=4, max_digits=24, null=True),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("outcome", models.CharField(blank=True, max_length=20)),
                ("objection", models.CharField(blank=True, max_length=160)),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("settled", "Paid"),
                            ("failed", "Failed"),
                            ("accepted", "Accepted"),
                            ("doubted", "In doubt"),
                            ("review", "Before two people"),
                            ("incident", "Contradicts the books"),
                            ("unchanged", "Changes nothing"),
                            ("unmatched", "Not one of ours"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("applied_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("report", "number"),
            },
        ),
        migrations.RemoveConstraint(
            model_name="paymentattempt",
            name="treasury_attempt_one_live",
        ),
        migrations.AlterField(
            model_name="paymentattempt",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting for a file"),
                    ("sending", "Sending"),
                    ("accepted", "Accepted"),
                    ("unknown", "Unknown"),
                    ("review", "Review"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                ],
                default="sending",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ["accepted", "review", "sending", "unknown", "waiting"])
                ),
                fields=("payment",),
                name="treasury_attempt_one_live",
            ),
        ),
        migrations.AddField(
            model_name="bankfile",
            name="company",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.company"
            ),
        ),
        migrations.AddField(
            model_name="bankfile",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bankfile",
            name="provider",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payments.provider",
            ),
        ),
        migrations.AddField(
            model_name="bankfileline",
            name="attempt",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="file_line",
                to="treasury.paymentattempt",
            ),
        ),
        migrations.AddField(
            model_name="bankfileline",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="treasury.bankfile",
            ),
        ),
        migrations.AddField(
            model_name="bankfileline",
            name="provider",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payments.provider",
            ),
        ),
        migrations.AddField(
            model_name="bankreport",
            name="company",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.company"
            ),
        ),
        migrations.AddField(
            model_name="bankreport",
            name="file",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reports",
                to="treasury.bankfile",
            ),
        ),
        migrations.AddField(
            model_name="bankreport",
            name="provider",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payments.provider",
            ),
        ),
        migrations.AddField(
            model_name="bankreport",
            name="uploaded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bankreportrow",
            name="attempt",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="report_rows",
                to="treasury.paymentattempt",
            ),
        ),
        migrations.AddField(
            model_name="bankreportrow",
            name="report",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rows",
                to="treasury.bankreport",
            ),
        ),
        migrations.AddIndex(
            model_name="bankfile",
            index=models.Index(fields=["provider", "-made_at"], name="treasury_bankfile_recent"),
        ),
        migrations.AddConstraint(
            model_name="bankfile",
            constraint=models.UniqueConstraint(
                fields=("file_id", "provider", "currency"), name="treasury_bankfile_copied"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("payments__gt", 0), ("total__gt", 0)),
                name="treasury_bankfile_not_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankfileline",
            constraint=models.UniqueConstraint(
                fields=("file", "number"), name="treasury_bankfileline_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankreport",
            constraint=models.UniqueConstraint(
                fields=("provider", "message_id"), name="treasury_bankreport_message"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankreport",
            constraint=models.UniqueConstraint(
                fields=("provider", "sha256"), name="treasury_bankreport_content"
            ),
        ),
        migrations.AddIndex(
            model_name="bankreportrow",
            index=models.Index(
                condition=models.Q(("applied_at", None)),
                fields=["report"],
                name="treasury_bankreportrow_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankreportrow",
            constraint=models.UniqueConstraint(
                fields=("report", "number"), name="treasury_bankreportrow_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankreportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("applied_at", None), ("effect", "waiting")),
                    models.Q(
                        models.Q(("effect", "waiting"), _negated=True),
                        ("applied_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="treasury_bankreportrow_applied",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankreportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("attempt__isnull", False),
                    ("effect__in", ("waiting", "unmatched")),
                    _connector="OR",
                ),
                name="treasury_bankreportrow_effect_on_whom",
            ),
        ),
    ]
