"""An expense: what the association's costs are, and who laid the money out."""

from django.db import models
from django.db.models import F, Q

from ledger.models.account import POSITIVE_AMOUNT, MoneyField
from periods.models.budget_item import BudgetItem
from periods.models.owner import Owner
from periods.models.recorded import Recorded
from periods.states import ExpenseKind
from treasury.models import Requisition
from treasury.states import RequisitionStatus


class Expense(Recorded):
    """A cost of the period, or a refund of one: its exact mirror.

    ``paid_by`` is the owner who paid it from his own pocket, null for the association's cash. Where the
    association has a fund, what it pays itself is owed until treasury has paid the ``requisition``.
    """

    noun = "expense"

    kind = models.CharField(max_length=7, choices=ExpenseKind.choices, default=ExpenseKind.EXPENSE)
    refund_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    paid_by = models.ForeignKey(
        Owner, on_delete=models.PROTECT, null=True, blank=True, related_name="expenses_paid"
    )
    payment_type = models.CharField(max_length=80)
    amount = MoneyField()
    date = models.DateField()
    vendor = models.CharField(max_length=160, blank=True)
    description = models.CharField(max_length=500, blank=True)
    budget_item = models.ForeignKey(
        BudgetItem, on_delete=models.PROTECT, null=True, blank=True, related_name="expenses"
    )
    requisition = models.OneToOneField(
        Requisition, on_delete=models.PROTECT, null=True, editable=False, related_name="expense"
    )

    class Meta:
        ordering = ("date", "recorded_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("id", "association"), name="periods_expense_copied"),
            models.CheckConstraint(condition=POSITIVE_AMOUNT, name="periods_expense_amount"),
            models.CheckConstraint(
                condition=Q(kind__in=ExpenseKind.values), name="periods_expense_kind"
            ),
            models.CheckConstraint(
                condition=Q(refund_of__isnull=True)
                | Q(kind=ExpenseKind.REFUND) & ~Q(refund_of=F("id")),
                name="periods_expense_refund_of",
            ),
            models.CheckConstraint(
                condition=Q(requisition__isnull=True)
                | Q(kind=ExpenseKind.EXPENSE, paid_by__isnull=True),
                name="periods_expense_requisition",
            ),
            models.CheckConstraint(
                condition=~Q(payment_type=""), name="periods_expense_payment_type"
            ),
        )
        indexes = (
            models.Index(
                fields=("period", "date", "recorded_at", "id"), name="periods_expense_listed"
            ),
            models.Index(fields=("paid_by", "date"), name="periods_expense_paid_by"),
        )

    def __str__(self) -> str:
        return f"{self.payment_type} {self.date}"

    @property
    def paid(self) -> bool:
        """Whether whoever supplied it has his money: where treasury pays, read from the requisition."""
        owed = self.kind == ExpenseKind.EXPENSE and self.paid_by_id is None
        if not (owed and self.association.fund_id):
            return True
        return self.requisition is not None and self.requisition.status == RequisitionStatus.PAID
