"""The account that a company has with a gateway."""

import uuid

from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.encryption import EncryptedTextField
from ledger.models import Company


class Provider(models.Model):
    """A short code at a gateway, or an account at a bank; stopped when it refuses us.

    ``credentials`` is JSON (``payments/credentials.py``), encrypted and never shown again. The token
    columns let all workers share one access token, because the gateway honours the newest alone:
    ``unanswered`` counts calls in a row without an answer, ``rests_until`` is when the breaker lets the next
    one through (``payments/services/breaker.py``). ``token_lease_owner`` is whoever is fetching one just now (``payments/gateways/tokens.py``). A bank is
    called by nobody: it has a ``currency`` and a ``bank`` (``BankAccount``), a masked number for its short
    code, and no credentials. ``currency`` is empty where the gateway knows one alone.
    """

    class Kind(models.TextChoices):
        MPESA = "mpesa", "M-Pesa"
        BANK = "bank", "Bank"

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        UNUSED = "unused", "Not in use"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="providers")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    currency = models.CharField(max_length=3, blank=True, default="")
    name = models.CharField(max_length=80)
    base_url = models.URLField(max_length=200, blank=True)
    short_code = models.CharField(max_length=20)
    initiator_name = models.CharField(max_length=80, blank=True)
    credentials = EncryptedTextField(blank=True)
    certificate = models.TextField(
        blank=True, help_text="The gateway's public certificate, as PEM."
    )
    deduplicates = models.BooleanField(
        default=True,
        help_text="The gateway refuses a reference that it has seen. Where it does not, nothing of which"
        " it may know is sent a second time: people decide instead.",
    )
    active = models.BooleanField(default=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_reason = models.CharField(max_length=255, blank=True)
    unanswered = models.PositiveIntegerField(default=0, editable=False)
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)
    token = EncryptedTextField(null=True, blank=True)
    token_version = models.PositiveIntegerField(default=0)
    token_expires_at = models.DateTimeField(null=True, blank=True)
    token_lease_owner = models.UUIDField(null=True, blank=True)
    token_lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("company", "name")
        constraints = (
            models.UniqueConstraint(fields=("company", "name"), name="payments_provider_name"),
            # Two rows for one account would each fetch a token and so kill the other's.
            models.UniqueConstraint(
                fields=("kind", "base_url", "short_code"),
                condition=~Q(kind="bank"),
                name="payments_provider_account",
            ),
            models.UniqueConstraint(
                fields=("company", "kind", "currency"),
                condition=Q(active=True),
                name="payments_provider_one_active",
            ),
            models.CheckConstraint(
                condition=Q(kind="bank", base_url="") & ~Q(currency="")
                | ~Q(kind="bank") & ~Q(base_url=""),
                name="payments_provider_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at=None, stopped_reason="")
                | (Q(stopped_at__isnull=False) & ~Q(stopped_reason="")),
                name="payments_provider_stop_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(token__isnull=True, token_expires_at=None)
                | Q(token__isnull=False, token_expires_at__isnull=False),
                name="payments_provider_token_expires",
            ),
            models.CheckConstraint(
                condition=Q(token_lease_owner=None, token_lease_until=None)
                | Q(token_lease_owner__isnull=False, token_lease_until__isnull=False),
                name="payments_provider_lease_ends",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.short_code})"

    @property
    def subject(self) -> str:
        """Its name in the audit trail."""
        return f"payments.provider:{self.pk}"

    @property
    def status(self) -> str:
        """One of ``Status``; told by ``stopped_at`` and ``active``, never stored."""
        if self.stopped_at:
            return self.Status.STOPPED
        return self.Status.RUNNING if self.active else self.Status.UNUSED

    def get_status_display(self) -> str:
        return str(self.Status(self.status).label)

    @property
    def rests(self) -> bool:
        """Whether its breaker has opened and no call was answered since."""
        return self.rests_until is not None

    @property
    def is_usable(self) -> bool:
        return self.active and self.stopped_at is None

    @property
    def region_id(self) -> None:
        """A provider belongs to its company as a whole."""

    @property
    def branch_id(self) -> None:
        """A provider belongs to its company as a whole."""
