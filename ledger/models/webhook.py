"""Webhooks: where a company wants to be told what happens, and what was sent there."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.delivery_schedule import MOST_TRIES
from ledger.encryption import EncryptedTextField
from ledger.models.organisation import Company
from ledger.models.outbox import OutboxEvent
from ledger.states import DeliveryStatus


class WebhookEndpoint(models.Model):
    """An address of a client that is told the company's events.

    ``kinds`` are the kinds of event it wants; none stands for all. ``previous_secret`` signs beside
    ``secret`` until ``previous_until``. ``failures`` counts bad answers in a row, ``failing_since`` when the
    first of them came, ``rest_until`` until when it is left alone.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        FAILING = "failing", "Failing"
        DISABLED = "disabled", "Disabled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=160, blank=True)
    kinds = models.JSONField(default=list)
    secret = EncryptedTextField()
    previous_secret = EncryptedTextField(null=True)
    previous_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=255, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    rest_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "webhook"
        ordering = ("company", "created_at")
        constraints = (
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="ledger_webhook_disabled_why",
            ),
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_until=None)
                | Q(previous_secret__isnull=False, previous_until__isnull=False),
                name="ledger_webhook_overlap_ends",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None)
                | Q(failures__gt=0, failing_since__isnull=False),
                name="ledger_webhook_failing_since",
            ),
        )

    def __str__(self) -> str:
        return self.url

    @property
    def subject(self) -> str:
        """Its name in the audit trail."""
        return f"ledger.webhook:{self.pk}"

    @property
    def status(self) -> str:
        """One of ``Status``; told by ``disabled_at`` and ``failures``, never stored."""
        if self.disabled_at:
            return self.Status.DISABLED
        return self.Status.FAILING if self.failures else self.Status.ACTIVE

    def get_status_display(self) -> str:
        return str(self.Status(self.status).label)

    @property
    def region_id(self) -> None:
        """A webhook belongs to its company as a whole."""

    @property
    def branch_id(self) -> None:
        """A webhook belongs to its company as a whole."""


class WebhookDelivery(models.Model):
    """One message to one endpoint: the very bytes that are sent, however often.

    ``message_id`` is the ``webhook-id`` of every try. ``subject`` and ``sequence`` are those of the event;
    a test has neither. Whoever is sending it just now has it until ``lease_until``. It is kept for a while after
    it was delivered or given up, by setting, and then goes with its tries; the event stays.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, null=True, related_name="+")
    message_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, blank=True)
    sequence = models.PositiveIntegerField(default=0)
    body = models.BinaryField()
    status = models.CharField(
        max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    tries = models.PositiveSmallIntegerField(default=0)
    replays = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    finished_at = models.DateTimeField(null=True)
    last_answer = models.CharField(max_length=160, blank=True)
    alerted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "webhook message"
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint", "event"), name="ledger_webhookdelivery_once"
            ),
            models.CheckConstraint(
                condition=Q(tries__lte=MOST_TRIES), name="ledger_webhookdelivery_tries"
            ),
            models.CheckConstraint(
                condition=Q(status=DeliveryStatus.PENDING, finished_at=None)
                & Q(next_try_at__isnull=False)
                | ~Q(status=DeliveryStatus.PENDING)
                & Q(finished_at__isnull=False, lease_until=None, next_try_at=None),
                name="ledger_webhookdelivery_finished",
            ),
        )
        indexes = (
            models.Index(
                fields=("endpoint", "next_try_at"),
                condition=Q(status="pending"),
                name="ledger_webhookdelivery_due",
            ),
            models.Index(
                fields=("endpoint", "subject", "sequence"),
                condition=Q(status="pending"),
                name="ledger_webhookdelivery_order",
            ),
            models.Index(
                fields=("endpoint", "-created_at", "-id"), name="ledger_webhookdelivery_recent"
            ),
            models.Index(
                fields=("finished_at",),
                condition=Q(finished_at__isnull=False),
                name="ledger_webhookdelivery_old",
            ),
            models.Index(
                fields=("endpoint",),
                condition=Q(status="dead", alerted_at=None),
                name="ledger_webhookdelivery_alert",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class WebhookTry(models.Model):
    """One try to deliver a message and what came of it; append-only.

    ``answer_status`` is null when no answer came; then ``error`` says why.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="log")
    number = models.PositiveSmallIntegerField()
    replay = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    answer_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=80, blank=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "webhook tries"
        ordering = ("at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(answer_status__isnull=False, error="")
                | (Q(answer_status=None) & ~Q(error="")),
                name="ledger_webhooktry_answer_or_error",
            ),
        )

    def __str__(self) -> str:
        return f"try {self.number}"
