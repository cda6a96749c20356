"""A question about something that waits for a decision, and its answer."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Company


class Question(models.Model):
    """What an approver wants to know before he decides; it shows beside the request and stops nothing.

    ``subject`` is the name by which the audit trail knows the request (``treasury.requisition:<uuid>``),
    ``asked_of`` who asked for the money and answers, once. ``mailed_at`` is when the message left.
    """

    question_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=160)
    text = models.TextField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="questions_asked"
    )
    asked_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="questions_to_answer"
    )
    asked_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    mailed_at = models.DateTimeField(null=True, editable=False)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-asked_at", "-question_id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(asked_by=F("asked_of")), name="treasury_question_two_people"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="treasury_question_answered_whole",
            ),
        )
        indexes = (
            models.Index(fields=("subject", "asked_at"), name="treasury_question_subject"),
            models.Index(
                fields=("asked_of", "asked_at"),
                condition=Q(answered_at__isnull=True),
                name="treasury_question_open",
            ),
            models.Index(
                fields=("asked_at",),
                condition=Q(mailed_at__isnull=True),
                name="treasury_question_to_mail",
            ),
        )

    def __str__(self) -> str:
        return f"question about {self.subject}"

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this question."""
        return f"treasury.question:{self.question_id}"
