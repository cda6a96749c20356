"""Banks are providers too: whose account payment files debit, and on what terms."""

import datetime

import django.db.models.deletion
from django.db import migrations, models

import ledger.encryption
from ledger.migration_operations import frozen_columns, no_delete


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_outbox"),
        ("payments", "0004_request_id"),
    ]

    operations = [
        migrations.CreateModel(
            name="BankAccount",
            fields=[
                (
                    "provider",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="bank",
                        serialize=False,
                        to="payments.provider",
                    ),
                ),
                ("holder", models.CharField(max_length=140)),
                ("account", ledger.encryption.EncryptedTextField()),
                ("account_index", models.CharField(editable=False, max_length=64, unique=True)),
                ("bic", models.CharField(blank=True, max_length=11)),
                (
                    "charge_bearer",
                    models.CharField(
                        choices=[
                            ("SHAR", "Shared"),
                            ("DEBT", "Borne by us"),
                            ("CRED", "Borne by the payee"),
                            ("SLEV", "As agreed with the bank"),
                        ],
                        max_length=4,
                    ),
                ),
                ("acceptance_window", models.DurationField(default=datetime.timedelta(days=3))),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="provider",
            name="payments_provider_account",
        ),
        migrations.RemoveConstraint(
            model_name="provider",
            name="payments_provider_one_active",
        ),
        migrations.AddField(
            model_name="provider",
            name="currency",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
        migrations.AlterField(
            model_name="provider",
            name="base_url",
            field=models.URLField(blank=True),
        ),
        migrations.AlterField(
            model_name="provider",
            name="certificate",
            field=models.TextField(
                blank=True, help_text="The gateway's public certificate, as PEM."
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="credentials",
            field=ledger.encryption.EncryptedTextField(blank=True),
        ),
        migrations.AlterField(
            model_name="provider",
            name="initiator_name",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AlterField(
            model_name="provider",
            name="kind",
            field=models.CharField(choices=[("mpesa", "M-Pesa"), ("bank", "Bank")], max_length=20),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "bank"), _negated=True),
                fields=("kind", "base_url", "short_code"),
                name="payments_provider_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True)),
                fields=("company", "kind", "currency"),
                name="payments_provider_one_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("base_url", ""),
                        ("kind", "bank"),
                        models.Q(("currency", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("kind", "bank"), _negated=True),
                        models.Q(("base_url", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="payments_provider_of_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("charge_bearer__in", ("SHAR", "DEBT", "CRED", "SLEV"))),
                name="payments_bankaccount_charges",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("acceptance_window__gt", datetime.timedelta(0))),
                name="payments_bankaccount_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("holder", ""), _negated=True), name="payments_bankaccount_named"
            ),
        ),
        *no_delete("payments_bankaccount"),
        frozen_columns("payments_bankaccount", "provider_id"),
        # For what copies a provider's company and currency and is tied to them.
        migrations.RunSQL(
            """
            ALTER TABLE payments_provider
                ADD CONSTRAINT payments_provider_company UNIQUE (id, company_id),
                ADD CONSTRAINT payments_provider_currency UNIQUE (id, company_id, currency);
            """,
            """
            ALTER TABLE payments_provider
                DROP CONSTRAINT payments_provider_currency,
                DROP CONSTRAINT payments_provider_company;
            """,
        ),
        # A provider keeps the currency it was made with: files copied it.
        migrations.RunSQL(
            """
            CREATE TRIGGER frozen_currency BEFORE UPDATE ON payments_provider
                FOR EACH ROW WHEN (NEW.currency IS DISTINCT FROM OLD.currency)
                EXECUTE FUNCTION ledger_refuse_change();
            """,
            "DROP TRIGGER frozen_currency ON payments_provider;",
        ),
    ]
