"""A delegation: somebody lets a colleague approve in his place for a while."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Company
from ledger.roles import Role


class Delegation(models.Model):
    """Between two dates, both inclusive, ``delegate`` may approve in ``role`` for ``delegator``.

    The dates are civil dates of the company: it begins and ends by itself. The delegate acts in his own
    name "for" the delegator, only where both have their roles, and never on what either of them asked for.
    """

    class DelegatedRole(models.TextChoices):
        APPROVER = Role.APPROVER.value, Role.APPROVER.label
        CFO = Role.CFO.value, Role.CFO.label

    delegation_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="delegations")
    role = models.CharField(max_length=20, choices=DelegatedRole.choices)
    delegator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_given"
    )
    delegate = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_taken"
    )
    from_on = models.DateField()
    until_on = models.DateField()
    reason = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ("-created_at", "-delegation_id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(delegate=F("delegator")), name="treasury_delegation_two_people"
            ),
            models.CheckConstraint(
                condition=Q(until_on__gte=F("from_on")), name="treasury_delegation_dates"
            ),
            models.CheckConstraint(
                condition=Q(role__in=(Role.APPROVER.value, Role.CFO.value)),
                name="treasury_delegation_role",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="treasury_delegation_ended_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=("delegate", "until_on"),
                condition=Q(ended_at__isnull=True),
                name="treasury_delegation_delegate",
            ),
            models.Index(fields=("company", "-created_at"), name="treasury_delegation_recent"),
        )

    def __str__(self) -> str:
        return f"{self.delegate} for {self.delegator}, {self.from_on} to {self.until_on}"

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this delegation."""
        return f"treasury.delegation:{self.delegation_id}"
