"""Who may do what, and where."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models.organisation import Branch, Company, Region
from ledger.roles import Role


class Membership(models.Model):
    """Gives a user one role in a company, or in one region or branch of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="memberships",
        db_index=False,
    )
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="memberships")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("user", "company", "role")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "company", "region", "branch", "role"),
                nulls_distinct=False,
                name="ledger_membership_once",
            ),
            models.CheckConstraint(
                condition=Q(branch__isnull=True) | Q(region__isnull=False),
                name="ledger_membership_branch_has_region",
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="ledger_membership_role"
            ),
        )

    def __str__(self) -> str:
        place = self.branch or self.region or self.company
        return f"{self.user} is {self.get_role_display()} of {place}"

    def clean(self) -> None:
        """Refuse a region of another company and a branch of another region."""
        if self.region and self.region.company_id != self.company_id:
            raise ValidationError({"region": "This region belongs to another company."})
        if self.branch and self.branch.region_id != self.region_id:
            raise ValidationError({"branch": "This branch belongs to another region."})
