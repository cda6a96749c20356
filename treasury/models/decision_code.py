"""A code for many decisions at once."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from treasury.models.code import MOST_TRIES


class DecisionCode(models.Model):
    """A code sent to a person for approving exactly one set of requests; the code itself is nowhere.

    ``set_digest`` is keyed over every request's kind, id, version, amount, payee and destination and over
    the person, ``digest`` over the same and the code: any change of any of them makes it worthless.
    """

    code_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decision_codes"
    )
    requests = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64)
    set_digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("user", "sent_at")
        constraints = (
            models.UniqueConstraint(
                fields=("user",),
                condition=Q(used_at__isnull=True, voided_at__isnull=True),
                name="treasury_decisioncode_one_live",
            ),
            models.CheckConstraint(
                condition=Q(tries__lte=MOST_TRIES), name="treasury_decisioncode_tries"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("sent_at")), name="treasury_decisioncode_expires"
            ),
        )
        indexes = (models.Index(fields=("user", "-sent_at"), name="treasury_decisioncode_sent"),)

    def __str__(self) -> str:
        return f"code for {self.requests} requests"
