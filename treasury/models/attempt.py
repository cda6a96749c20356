"""What was sent to a gateway for a payment, what was asked about it, and what came back."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.encryption import EncryptedBinaryField
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from payments.models import Provider
from treasury.models.code import OneTimeCode
from treasury.models.payment import Payment
from treasury.states import LIVE_ATTEMPTS, AttemptState


class PaymentAttempt(models.Model):
    """One try at a gateway, under one reference that never changes.

    What is sent is fixed when the money is reserved: amount, destination, who executed it from where and with
    which code, its own or that of the batch.
    ``call_began_at`` is set before the wire is touched; with it set and the lease over, the call's outcome
    is unknown. ``next_query_at`` is when the next step is due: sending it again while it is ``sending``,
    asking about it otherwise. ``hinted_at`` is when a callback came, ``unknown_since`` when doubt began.
    ``passes_at`` is when the cause of a definite refusal may be over, null where it never is by itself;
    ``automatic`` says that it repeats, without a person, the attempt before it that ended so.
    """

    attempt_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    reference = models.UUIDField(unique=True)
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    amount = MoneyField()
    currency = CurrencyField()
    destination_index = models.CharField(max_length=64)
    executor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True)
    code = models.OneToOneField(
        OneTimeCode, on_delete=models.PROTECT, null=True, related_name="attempt"
    )
    batch_code = models.ForeignKey(
        "treasury.BatchCode", on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    state = models.CharField(
        max_length=10, choices=AttemptState.choices, default=AttemptState.SENDING
    )
    calls = models.PositiveSmallIntegerField(default=0)
    call_began_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    accepted_at = models.DateTimeField(null=True)
    hinted_at = models.DateTimeField(null=True)
    unknown_since = models.DateTimeField(null=True)
    next_query_at = models.DateTimeField(null=True)
    queries = models.PositiveSmallIntegerField(default=0)
    conversation = models.CharField(max_length=80, blank=True)
    gateway_reference = models.CharField(max_length=80, blank=True)
    gateway_status = models.CharField(max_length=160, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    finished_at = models.DateTimeField(null=True)
    passes_at = models.DateTimeField(null=True, editable=False)
    automatic = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ("payment", "number")
        constraints = (
            models.UniqueConstraint(fields=("payment", "number"), name="treasury_attempt_number"),
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(state__in=sorted(LIVE_ATTEMPTS)),
                name="treasury_attempt_one_live",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="treasury_attempt_amount"),
            models.CheckConstraint(
                condition=Q(passes_at__isnull=True) | Q(state=AttemptState.FAILED),
                name="treasury_attempt_passes_when_failed",
            ),
            models.CheckConstraint(
                condition=Q(automatic=False) | Q(code__isnull=True, number__gt=1),
                name="treasury_attempt_automatic_without_code",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_query_at",),
                condition=Q(next_query_at__isnull=False),
                name="treasury_attempt_due",
            ),
            models.Index(fields=("provider", "-created_at"), name="treasury_attempt_recent"),
        )

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.payment_id}"

    @property
    def hold_reference(self) -> str:
        """The name of the hold that keeps this attempt's money."""
        return f"treasury.payment:{self.payment_id}:{self.number}"

    @property
    def subject(self) -> str:
        """The name under which the gateway's log keeps what was sent for this attempt."""
        return f"treasury.attempt:{self.attempt_id}"


class Enquiry(models.Model):
    """One question to the gateway about an attempt, and the one-use address its answer comes to.

    Only the hash of the address's token is kept. The first body that comes there is the answer
    (``answer_hash``); it counts when it carries the conversation that the gateway gave when it took the
    question. ``finding`` is what was made of it.
    """

    enquiry_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="enquiries")
    token_hash = models.CharField(max_length=64, unique=True)
    sent_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    conversation = models.CharField(max_length=80, blank=True)
    answered_at = models.DateTimeField(null=True)
    answer_hash = models.CharField(max_length=64, blank=True)
    applied_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=160, blank=True)

    class Meta:
        verbose_name_plural = "enquiries"
        ordering = ("sent_at", "enquiry_id")
        indexes = (
            models.Index(
                fields=("answered_at",),
                condition=Q(answered_at__isnull=False, applied_at__isnull=True),
                name="treasury_enquiry_to_apply",
            ),
        )

    def __str__(self) -> str:
        return f"enquiry about {self.attempt_id}"


class Callback(models.Model):
    """What somebody posted to one of our addresses, byte for byte and encrypted; append-only.

    ``trusted`` says that the address was right; even then it moves no money by itself, except as the
    answer to the ``enquiry`` it was sent for. ``says`` is how the body reads, for people.
    """

    callback_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="callbacks")
    enquiry = models.ForeignKey(
        Enquiry, on_delete=models.PROTECT, null=True, related_name="answers"
    )
    trusted = models.BooleanField()
    body = EncryptedBinaryField()
    body_hash = models.CharField(max_length=64)
    says = models.CharField(max_length=160, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    received_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("received_at", "callback_id")
        constraints = (
            models.UniqueConstraint(
                fields=("attempt", "enquiry", "trusted", "body_hash"),
                nulls_distinct=False,
                name="treasury_callback_once",
            ),
            models.CheckConstraint(
                condition=Q(enquiry__isnull=True) | Q(trusted=True),
                name="treasury_callback_answer_trusted",
            ),
        )

    def __str__(self) -> str:
        return f"callback for {self.attempt_id}"


class Incident(models.Model):
    """Something that must not be overlooked: the gateway contradicts the books or itself; append-only."""

    class Kind(models.TextChoices):
        LATE_SUCCESS = "late_success", "Success after it had failed"
        CONTRADICTION = "contradiction", "The gateway contradicts itself"
        MISMATCH = "mismatch", "Amount or reference differs"

    incident_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="incidents")
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="incidents")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    detail = models.TextField()
    at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("at", "incident_id")
        constraints = (
            models.UniqueConstraint(
                fields=("attempt", "kind", "detail"), name="treasury_incident_once"
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()
