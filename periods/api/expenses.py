"""Expenses: what all owners share, and who laid it out."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Sum, When
from rest_framework import serializers

from ledger.api.fields import AmountField, DayField, TextField
from ledger.api.filters import AnyOf, BooleanFilter, CharFilter, UUIDFilter
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from ledger.models.account import MoneyField
from periods import duties
from periods.api.common import (
    OLDEST_FIRST,
    ActingOnRecord,
    HistoryOf,
    PagesWithTotal,
    Recording,
    owner_named,
)
from periods.api.contributions import RecordFilter
from periods.api.fields import LoginField, PeriodsOutput, currency_of_association
from periods.exports import EXPENSES
from periods.models import Expense
from periods.selectors import expenses_seen_by
from periods.services.expenses import (
    LONGEST_DESCRIPTION,
    LONGEST_TYPE,
    LONGEST_VENDOR,
    edit_expense,
    record_expense,
    void_expense,
)
from periods.services.paying import pay_expense_through_treasury
from periods.states import ExpenseKind
from treasury.api.inputs import EditInput, ReasonInput
from treasury.methods import Method
from treasury.services.requisition_content import LONGEST_NAME

REFUND = ExpenseKind.REFUND


class ExpenseSerializer(PeriodsOutput):
    """An expense or a refund; ``paid_by`` is an owner, null for the association's cash."""

    currency = currency_of_association()
    paid = serializers.BooleanField(
        read_only=True,
        help_text="Where treasury pays it: whether it has. What an owner or cash paid is paid.",
    )

    class Meta:
        model = Expense
        fields = (
            "id", "association", "period", "kind", "paid_by", "payment_type", "amount", "currency",
            "date", "vendor", "description", "budget_item", "refund_of", "requisition", "paid",
            "version", "journal_entry", "recorded_by", "recorded_at", "voided_by", "voided_at", "void_reason",
        )  # fmt: skip


class ExpenseFilter(RecordFilter):
    paid_by = UUIDFilter(method="laid_out_by")
    by_owner = BooleanFilter("paid_by", "isnull", exclude=True)
    kind = AnyOf("kind", ExpenseKind.choices)
    payment_type = CharFilter("payment_type", "iexact")
    vendor = CharFilter("vendor", "icontains")
    budget_item = UUIDFilter("budget_item_id")
    has_budget_item = BooleanFilter("budget_item", "isnull", exclude=True)

    def laid_out_by(self, rows: QuerySet[Any], name: str, wanted: Any) -> QuerySet[Any]:
        """Keep what this owner paid, named by his id or by that of his login."""
        return rows.filter(Q(paid_by=wanted) | Q(paid_by__user=wanted))


class ExpenseInput(Input):
    kind = serializers.ChoiceField(ExpenseKind.choices, required=False)
    paid_by = serializers.UUIDField(
        required=False, allow_null=True, help_text="An owner; null for the association's cash."
    )
    paid_by_user_id = LoginField(
        required=False,
        allow_null=True,
        help_text="In place of `paid_by`: the owner's login, by id or user name.",
    )
    payment_type = TextField(max_length=LONGEST_TYPE)
    amount = AmountField()
    date = DayField()
    vendor = TextField(required=False, allow_blank=True, max_length=LONGEST_VENDOR)
    description = TextField(required=False, allow_blank=True, max_length=LONGEST_DESCRIPTION)
    budget_item = serializers.UUIDField(
        required=False, allow_null=True, help_text="How it is shared; needed before the close."
    )
    refund_of = serializers.UUIDField(
        required=False, allow_null=True, help_text="The expense that a refund mirrors."
    )


class ExpenseList(Recording):
    """GET: List a period's expenses, oldest first; with `paid_by` also their total, less refunds
    POST: Record a cost, or a refund of one
    """

    rows = staticmethod(expenses_seen_by)
    action, Input, Output = "expense.record", ExpenseInput, ExpenseSerializer
    filterset_class, pagination_class = ExpenseFilter, PagesWithTotal
    ordering, ordering_fields = OLDEST_FIRST, ("date", "amount", "recorded_at")
    totalled, export = "paid_by", EXPENSES
    by_id, by_login = "paid_by", "paid_by_user_id"
    refusals = {
        400: "date_outside_period, amount_precision, …",
        409: "period_closed",
        422: "refund_too_large",
    }

    def record(self, period_id: UUID, data: dict[str, Any]) -> Expense:
        return record_expense(actor=self.actor, period_id=period_id, **data)

    def sum_of(self, rows: QuerySet[Any]) -> Decimal:
        signed = Case(
            When(kind=REFUND, then=-F("amount")), default=F("amount"), output_field=MoneyField()
        )
        total = Sum(signed)
        return rows.filter(voided_at=None).aggregate(sum=total)["sum"] or Decimal(0)


class ExpenseEditInput(EditInput):
    paid_by = serializers.UUIDField(required=False, allow_null=True)
    paid_by_user_id = LoginField(required=False, allow_null=True)
    payment_type = TextField(required=False, max_length=LONGEST_TYPE)
    amount = AmountField(required=False)
    date = DayField(required=False)
    vendor = TextField(required=False, allow_blank=True, max_length=LONGEST_VENDOR)
    description = TextField(required=False, allow_blank=True, max_length=LONGEST_DESCRIPTION)
    budget_item = serializers.UUIDField(required=False, allow_null=True)


class ExpenseDetail(Showing, ActingOnRecord, Editing):
    """GET: Show an expense
    PATCH: Change an expense of an open period; its posting is reversed and made anew
    """

    rows, key, noun = staticmethod(expenses_seen_by), "expense_id", "periods.expense"
    action, Input, Output = "expense.edit", ExpenseEditInput, ExpenseSerializer
    refusals = {
        400: "date_outside_period, …",
        409: "period_closed, already_void, expense_in_payment",
        422: "refund_too_large",
    }

    def act(self, row: Expense, data: dict[str, Any]) -> Expense:
        owner_named(row.association, data, "paid_by", "paid_by_user_id")
        return edit_expense(actor=self.actor, expense_id=row.pk, **data)


class ExpenseVoid(ActingOnRecord, Doing):
    """Take an expense of an open period out of the books, saying why."""

    rows, key, noun = staticmethod(expenses_seen_by), "expense_id", "periods.expense"
    action, Input, Output = "expense.void", ReasonInput, ExpenseSerializer
    refusals = {
        409: "period_closed, already_void, expense_in_payment",
        422: "refund_too_large",
    }

    def act(self, row: Expense, data: dict[str, Any]) -> Expense:
        return void_expense(actor=self.actor, expense_id=row.pk, **data)


class ExpensePayInput(Input):
    payee_name = TextField(required=False, max_length=LONGEST_NAME, help_text="Else the vendor.")
    method = serializers.ChoiceField(Method.choices)
    destination = TextField(max_length=160)


class ExpensePay(Doing):
    """Ask treasury to pay an expense that the association owes; it shows its `requisition` then."""

    rows, key, noun = staticmethod(expenses_seen_by), "expense_id", "periods.expense"
    action, Input, Output = "expense.pay", ExpensePayInput, ExpenseSerializer
    status_code = 201
    refusals = {
        400: "method_unavailable, phone_invalid, account_invalid, …",
        409: "not_payable, expense_in_payment, already_void",
    }

    def permit(self, row: Expense) -> None:
        duties.may_have_paid(self.actor, row)

    def act(self, row: Expense, data: dict[str, Any]) -> Expense:
        return pay_expense_through_treasury(actor=self.actor, expense_id=row.pk, **data)


class ExpenseHistory(HistoryOf):
    """Read what happened to an expense, oldest first."""

    rows, key, noun = staticmethod(expenses_seen_by), "expense_id", "periods.expense"
