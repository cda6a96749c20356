"""An association of owners: the money of one house or estate, in one currency."""

import uuid

from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models import Account, Branch, Company, Region
from ledger.models.organisation import CurrencyField
from periods.models.referenced import Referenced
from periods.states import Recalculation, RemainderRule
from treasury.models import TreasuryFund


def account(related_name: str = "+") -> models.ForeignKey[Account, Account]:
    """An account in the association's company and currency."""
    return models.ForeignKey(Account, on_delete=models.PROTECT, related_name=related_name)


class Association(Referenced, models.Model):
    """Owners who share the costs of what they own together.

    ``number`` counts the company's associations and numbers their accounts. ``cash_account`` is the fund's
    where there is a fund, else the association's own; ``clearing_account`` is what it owes for expenses that
    are paid through treasury, ``costs_account`` what waits to be shared among the owners, ``equity_account``
    what belongs to all of them: charges less costs that nobody shares.
    """

    noun = "association"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="associations")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, blank=True)
    number = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=120)
    currency = CurrencyField()
    fund = models.OneToOneField(
        TreasuryFund,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="association",
    )
    remainder_rule = models.CharField(
        max_length=20, choices=RemainderRule.choices, default=RemainderRule.LARGEST_REMAINDER
    )
    recalculation = models.CharField(
        max_length=20, choices=Recalculation.choices, default=Recalculation.RECALCULATE
    )
    cash_account = account("association_cash")
    clearing_account = account("association_clearing")
    costs_account = account("association_costs")
    equity_account = account("association_equity")
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("company", "name")
        constraints = (
            models.UniqueConstraint(fields=("company", "name"), name="periods_association_name"),
            models.UniqueConstraint(
                fields=("company", "number"), name="periods_association_number"
            ),
            models.UniqueConstraint(
                fields=("id", "company", "currency"), name="periods_association_copied"
            ),
            models.CheckConstraint(
                condition=Q(remainder_rule__in=RemainderRule.values),
                name="periods_association_remainder_rule",
            ),
            models.CheckConstraint(
                condition=Q(recalculation__in=Recalculation.values),
                name="periods_association_recalculation",
            ),
            models.CheckConstraint(
                condition=Q(branch__isnull=True) | Q(region__isnull=False),
                name="periods_association_branch_has_region",
            ),
        )

    def __str__(self) -> str:
        return self.name
