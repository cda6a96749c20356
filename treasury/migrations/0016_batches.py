"""Batches: rows, approvals and codes."""

import uuid
from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger.clock
import ledger.models.account
import ledger.models.organisation


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0007_fast_posting"),
        ("treasury", "0015_schedule"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "batch_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                (
                    "currency",
                    ledger.models.organisation.CurrencyField(
                        max_length=3, validators=[ledger.models.organisation.validate_currency]
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("requisitions", "Requisitions"),
                            ("file", "File"),
                            ("due", "Due payments"),
                        ],
                        max_length=12,
                    ),
                ),
                ("file_hash", models.CharField(blank=True, max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("approved", "Approved"),
                            ("executing", "Executing"),
                            ("paused", "Paused"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="submitted",
                        max_length=12,
                    ),
                ),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "total",
                    ledger.models.account.MoneyField(
                        decimal_places=4, default=Decimal("0"), max_digits=24
                    ),
                ),
                ("set_hash", models.CharField(max_length=64)),
                ("separate_executor", models.BooleanField(default=True, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                ("executor_ip", models.GenericIPAddressField(null=True)),
                ("executor_agent", models.CharField(blank=True, max_length=255)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("cancel_reason", models.TextField(blank=True)),
                (
                    "cancelled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "executor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "fund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="treasury.treasuryfund",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
                "ordering": ("-created_at", "-batch_id"),
            },
        ),
        migrations.CreateModel(
            name="BatchApproval",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("set_hash", models.CharField(max_length=64)),
                (
                    "role",
                    models.CharField(
                        choices=[("approver", "Approver"), ("cfo", "CFO")], max_length=20
                    ),
                ),
                ("comment", models.TextField(blank=True)),
                (
                    "approved_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                (
                    "approver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="all_approvals",
                        to="treasury.batch",
                    ),
                ),
                (
                    "maker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("approved_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="BatchCode",
            fields=[
                (
                    "code_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("set_hash", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("bound_digest", models.CharField(max_length=64)),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("verified_at", models.DateTimeField(null=True)),
                ("consumed_at", models.DateTimeField(null=True)),
                ("voided_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="codes",
                        to="treasury.batch",
                    ),
                ),
                (
                    "executor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("batch", "sent_at"),
            },
        ),
        migrations.CreateModel(
            name="BatchRow",
            fields=[
                (
                    "row_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("raised", models.BooleanField(default=False)),
                ("adopted", models.BooleanField(default=False)),
                ("payee_name", models.CharField(blank=True, max_length=160)),
                (
                    "method",
                    models.CharField(
                        blank=True,
                        choices=[("mpesa", "M-Pesa"), ("bank", "Bank"), ("cash", "Cash")],
                        max_length=10,
                    ),
                ),
                ("destination_shown", models.CharField(blank=True, max_length=160)),
                (
                    "amount",
                    ledger.models.account.MoneyField(decimal_places=4, max_digits=24, null=True),
                ),
                (
                    "currency",
                    ledger.models.organisation.CurrencyField(
                        max_length=3, validators=[ledger.models.organisation.validate_currency]
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=80)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("warnings", models.JSONField(default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Carried out"),
                            ("refused", "Refused"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("error_field", models.CharField(blank=True, max_length=40)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_message", models.TextField(blank=True)),
                ("processed_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="treasury.batch",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_rows",
                        to="treasury.payment",
                    ),
                ),
                (
                    "requester",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requisition",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_rows",
                        to="treasury.requisition",
                    ),
                ),
            ],
            options={
                "ordering": ("batch", "number"),
            },
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                fields=["company", "-created_at", "-batch_id"], name="treasury_batch_recent"
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["status", "created_at"], name="treasury_batch_status"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(
                fields=("batch_id", "created_by"), name="treasury_batch_maker"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("total__gte", 0)), name="treasury_batch_total"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ("submitted", "approved", "cancelled")),
                    models.Q(("executor__isnull", False), ("started_at__isnull", False)),
                    _connector="OR",
                ),
                name="treasury_batch_has_executor",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchapproval",
            constraint=models.UniqueConstraint(
                fields=("batch", "set_hash", "approver"), name="treasury_batchapproval_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchapproval",
            constraint=models.CheckConstraint(
                condition=models.Q(("approver", models.F("maker")), _negated=True),
                name="treasury_batchapproval_not_by_maker",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchapproval",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ("approver", "cfo"))),
                name="treasury_batchapproval_role",
            ),
        ),
        migrations.AddIndex(
            model_name="batchcode",
            index=models.Index(fields=["batch", "-sent_at"], name="treasury_batchcode_sent"),
        ),
        migrations.AddConstraint(
            model_name="batchcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("consumed_at__isnull", True), ("voided_at__isnull", True)),
                fields=("batch",),
                name="treasury_batchcode_one_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("consumed_at__isnull", False)),
                fields=("batch",),
                name="treasury_batchcode_one_use",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("tries__lte", 5)), name="treasury_batchcode_tries"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("sent_at"))),
                name="treasury_batchcode_expires",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("consumed_at__isnull", True), ("verified_at__isnull", False), _connector="OR"
                ),
                name="treasury_batchcode_consumed_verified",
            ),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["batch", "status", "number"], name="treasury_batchrow_next"),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.UniqueConstraint(
                fields=("batch", "number"), name="treasury_batchrow_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("waiting", "done"))),
                fields=("payment",),
                name="treasury_batchrow_one_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("payment__isnull", True), ("status", "waiting")),
                fields=("requisition",),
                name="treasury_batchrow_one_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True),
                    ("payment__isnull", False),
                    _connector="OR",
                ),
                name="treasury_batchrow_done_has_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "waiting"), _negated=True),
                    models.Q(
                        ("amount__gt", 0),
                        ("requester__isnull", False),
                        ("requisition__isnull", False),
                        models.Q(("digest", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="treasury_batchrow_waiting_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "refused"), _negated=True),
                    models.Q(("error_code", ""), _negated=True),
                    _connector="OR",
                ),
                name="treasury_batchrow_refused_why",
            ),
        ),
    ]
