"""What a company has decided, as data: who must approve how much, and when a code is needed."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q

from ledger.models import Company
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from ledger.money import Money


class ApprovalTier(models.Model):
    """Requisitions up to and including ``up_to`` (null: any amount) need these approvals."""

    class Needs(models.TextChoices):
        ONE = "one", "One approval, by an approver or a CFO"
        APPROVER_AND_CFO = "approver_and_cfo", "One by an approver and one by a CFO, two persons"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="approval_tiers")
    currency = CurrencyField()
    up_to = MoneyField(null=True, blank=True, help_text="Inclusive; empty means any amount.")
    needs = models.CharField(max_length=20, choices=Needs.choices)

    class Meta:
        ordering = ("company", "currency", models.F("up_to").asc(nulls_last=True))
        constraints = (
            models.UniqueConstraint(
                fields=("company", "currency", "up_to"),
                nulls_distinct=False,
                name="treasury_approvaltier_once",
            ),
            models.CheckConstraint(
                condition=Q(up_to__isnull=True) | Q(up_to__gt=0),
                name="treasury_approvaltier_up_to",
            ),
        )

    def __str__(self) -> str:
        limit = Money(self.up_to, self.currency) if self.up_to else "any amount"
        return f"Up to {limit}: {self.get_needs_display()}"


class PaymentPolicy(models.Model):
    """How a company pays in one currency: payments strictly above ``code_above`` need a code.

    Whoever approves or executes strictly above ``step_up_above`` shows his second factor (null: never).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="payment_policies")
    currency = CurrencyField()
    code_above = MoneyField(default=Decimal(0))
    step_up_above = MoneyField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "payment policies"
        ordering = ("company", "currency")
        constraints = (
            models.UniqueConstraint(
                fields=("company", "currency"), name="treasury_paymentpolicy_once"
            ),
            models.CheckConstraint(
                condition=Q(code_above__gte=0), name="treasury_paymentpolicy_code_above"
            ),
            models.CheckConstraint(
                condition=Q(step_up_above__isnull=True) | Q(step_up_above__gte=0),
                name="treasury_paymentpolicy_step_up",
            ),
        )

    def __str__(self) -> str:
        return f"Code above {Money(self.code_above, self.currency)}"
