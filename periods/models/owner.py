"""An owner: a member of an association, and his account with it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models import Account, Company
from ledger.models.organisation import CurrencyField
from periods.models.association import Association
from periods.models.referenced import Referenced


class Owner(Referenced, models.Model):
    """Somebody who owns, or owned, a property; with ``user`` he can sign in and see his own figures.

    ``number`` counts the owners of the association: it decides ties between equal shares, so that anybody can
    recompute a split by hand. ``account`` is his control account: its balance is what the association owes
    him, negative when he owes.
    """

    noun = "owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="owners")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField(editable=False)
    number = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=160)
    email = models.EmailField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="ownerships",
    )
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="owner")
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("association", "number")
        constraints = (
            models.UniqueConstraint(fields=("association", "number"), name="periods_owner_number"),
            models.UniqueConstraint(
                fields=("association", "user"),
                condition=Q(user__isnull=False),
                name="periods_owner_user",
            ),
            models.UniqueConstraint(fields=("id", "association"), name="periods_owner_copied"),
        )

    def __str__(self) -> str:
        return self.name
