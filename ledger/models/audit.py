"""What happened, who did it, and what was refused."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models.organisation import Company


class AuditEvent(models.Model):
    """One state change or refused attempt; append-only.

    ``subject`` names what it happened to (``treasury.payment:<uuid>``), ``code`` why it was refused,
    ``actor_name`` who did it in words that outlive the user row.
    """

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    actor_name = models.CharField(max_length=160)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=160)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(outcome="done", code="") | (Q(outcome="refused") & ~Q(code="")),
                name="ledger_audit_refusal_has_code",
            ),
        )
        indexes = (
            models.Index(fields=("subject", "at"), name="ledger_audit_subject"),
            models.Index(fields=("company", "-at", "-id"), name="ledger_audit_company"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.outcome}"
