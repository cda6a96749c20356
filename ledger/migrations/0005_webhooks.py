"""Webhooks: endpoints, deliveries and the tries, with their laws."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger.clock
import ledger.encryption
from ledger.migration_operations import append_only, frozen_columns, guarded_status, no_delete
from ledger.states import DELIVERY


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_operation"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("url", models.CharField(max_length=500)),
                ("description", models.CharField(blank=True, max_length=160)),
                ("kinds", models.JSONField(default=list)),
                ("secret", ledger.encryption.EncryptedTextField()),
                ("previous_secret", ledger.encryption.EncryptedTextField(null=True)),
                ("previous_until", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("disabled_at", models.DateTimeField(null=True)),
                ("disabled_reason", models.CharField(blank=True, max_length=255)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("rest_until", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhooks",
                        to="ledger.company",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("company", "created_at"),
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("message_id", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(blank=True, max_length=120)),
                ("sequence", models.PositiveIntegerField(default=0)),
                ("body", models.BinaryField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("dead", "Given up"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("replays", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                ("last_answer", models.CharField(blank=True, max_length=160)),
                ("alerted_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.outboxevent",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="ledger.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "ordering": ("-created_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="WebhookTry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("replay", models.PositiveIntegerField(default=0)),
                (
                    "at",
                    models.DateTimeField(db_default=ledger.clock.DatabaseClock(), editable=False),
                ),
                ("answer_status", models.PositiveSmallIntegerField(null=True)),
                ("error", models.CharField(blank=True, max_length=80)),
                ("duration_ms", models.PositiveIntegerField()),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log",
                        to="ledger.webhookdelivery",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook tries",
                "ordering": ("at", "id"),
            },
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disabled_at", None), ("disabled_reason", "")),
                    models.Q(
                        ("disabled_at__isnull", False),
                        models.Q(("disabled_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="ledger_webhook_disabled_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("previous_secret__isnull", True), ("previous_until", None)),
                    models.Q(("previous_secret__isnull", False), ("previous_until__isnull", False)),
                    _connector="OR",
                ),
                name="ledger_webhook_overlap_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("failing_since", None), ("failures", 0)),
                    models.Q(("failing_since__isnull", False), ("failures__gt", 0)),
                    _connector="OR",
                ),
                name="ledger_webhook_failing_since",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["endpoint", "next_try_at"],
                name="ledger_webhookdelivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["endpoint", "subject", "sequence"],
                name="ledger_webhookdelivery_order",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["endpoint", "-created_at", "-id"], name="ledger_webhookdelivery_recent"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("alerted_at", None), ("status", "dead")),
                fields=["endpoint"],
                name="ledger_webhookdelivery_alert",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "event"), name="ledger_webhookdelivery_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("tries__lte", 8)), name="ledger_webhookdelivery_tries"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("finished_at", None), ("status", "pending"), ("next_try_at__isnull", False)
                    ),
                    models.Q(
                        models.Q(("status", "pending"), _negated=True),
                        ("finished_at__isnull", False),
                        ("lease_until", None),
                        ("next_try_at", None),
                    ),
                    _connector="OR",
                ),
                name="ledger_webhookdelivery_finished",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhooktry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer_status__isnull", False), ("error", "")),
                    models.Q(("answer_status", None), models.Q(("error", ""), _negated=True)),
                    _connector="OR",
                ),
                name="ledger_webhooktry_answer_or_error",
            ),
        ),
        *no_delete("ledger_webhookendpoint"),
        *no_delete("ledger_webhookdelivery"),
        *append_only("ledger_webhooktry"),
        frozen_columns("ledger_webhookendpoint", "id", "company_id", "created_at", "created_by_id"),
        frozen_columns(
            "ledger_webhookdelivery",
            *("id", "endpoint_id", "event_id", "message_id", "kind", "subject", "sequence", "body"),
            "created_at",
        ),
        *guarded_status("ledger_webhookdelivery", machine="ledger.delivery", transitions=DELIVERY),
    ]
