"""A fund: the treasury's view on one ledger account."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Account, Branch, Company, Region
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField


def own_account(related_name: str) -> models.OneToOneField[Account, Account]:
    """An account that belongs to one fund alone, so that two funds never wait for one row."""
    return models.OneToOneField(Account, on_delete=models.PROTECT, related_name=related_name)


class TreasuryFund(models.Model):
    """Money of a company, region or branch that payments are made from.

    Its balance is that of ``account``; the other accounts are what stands against it in the books: what
    was spent, where it is filled from, what variances correct, and, for a success that arrives after a
    failure, what is in suspense and what is owed to the gateway.
    """

    fund_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="funds")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, blank=True)
    currency = CurrencyField()
    account = own_account("fund")
    spending_account = own_account("fund_spending")
    funding_account = own_account("fund_funding")
    variance_account = own_account("fund_variance")
    suspense_account = own_account("fund_suspense")
    clearing_account = own_account("fund_clearing")
    reorder_level = MoneyField(default=Decimal(0))
    target_level = MoneyField(default=Decimal(0))
    last_replenished = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("company", "name")
        constraints = (
            models.UniqueConstraint(fields=("company", "name"), name="treasury_fund_name"),
            models.UniqueConstraint(
                fields=("fund_id", "company", "currency"), name="treasury_fund_company_currency"
            ),
            models.CheckConstraint(
                condition=Q(reorder_level__gte=0), name="treasury_fund_reorder_level"
            ),
            models.CheckConstraint(
                condition=Q(target_level__gte=F("reorder_level")),
                name="treasury_fund_target_level",
            ),
            models.CheckConstraint(
                condition=Q(branch__isnull=True) | Q(region__isnull=False),
                name="treasury_fund_branch_has_region",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this fund."""
        return f"treasury.fund:{self.fund_id}"

    @property
    def current_balance(self) -> Decimal:
        """The balance of the fund's account in the ledger."""
        return self.account.balance

    @property
    def held(self) -> Decimal:
        """What is set aside for payments that may be on their way."""
        return self.account.held

    @property
    def available_balance(self) -> Decimal:
        """What may still be paid out: balance less held."""
        return self.account.available

    def check_reorder_needed(self) -> bool:
        """Whether less is available than the reorder level."""
        return self.available_balance < self.reorder_level
