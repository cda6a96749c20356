"""A payment: money out of a fund to a payee, and the execution that proves it."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.encryption import EncryptedTextField
from ledger.models import Company, JournalEntry
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from ledger.money import Money
from treasury.methods import Method
from treasury.models.fund import TreasuryFund
from treasury.models.requisition import Requisition
from treasury.readiness import can_execute
from treasury.states import PaymentStatus

if TYPE_CHECKING:
    from ledger.models import User


class Payment(models.Model):
    """One payment of an approved requisition.

    Company, fund, currency and requester are copied from the requisition and tied to it by a composite
    foreign key, ``separate_executor`` from the company by another: so a CHECK can refuse a requester and a
    trigger an approver as the executor, whoever writes the row. ``version`` counts edits; a code is good
    for one version. Amount, method, destination and requester are fixed once the payment leaves pending.
    ``spent_on`` is the company's civil date on which it counts against the limits of a day: it is set while
    the money has left or may have, and the database sees to it. ``scheduled_for`` is the day that
    ``scheduled_by`` wants it to go out on, ``due_on`` the business day of it, before which it never leaves;
    ``next_try_at`` is when it is looked at again after ``tries`` of them. ``retry_at`` is when a refusal that
    may pass is tried again by itself.
    """

    payment_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requisition = models.ForeignKey(
        Requisition, on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    fund = models.ForeignKey(
        TreasuryFund, on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    separate_executor = models.BooleanField(default=True, editable=False)
    amount = MoneyField()
    currency = CurrencyField()
    method = models.CharField(max_length=10, choices=Method.choices)
    destination = EncryptedTextField(blank=True)
    destination_index = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(
        max_length=12, choices=PaymentStatus.choices, default=PaymentStatus.PENDING
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    executor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="payments_executed",
        editable=False,
    )
    otp_required = models.BooleanField(default=True, editable=False)
    step_up_required = models.BooleanField(default=False, editable=False)
    otp_sent_timestamp = models.DateTimeField(null=True, editable=False)
    otp_verified = models.BooleanField(default=False, editable=False)
    otp_verified_timestamp = models.DateTimeField(null=True, editable=False)
    retry_count = models.PositiveSmallIntegerField(default=0, editable=False)
    max_retries = models.PositiveSmallIntegerField(default=3)
    last_error = models.TextField(blank=True, editable=False)
    spent_on = models.DateField(null=True, editable=False)
    scheduled_for = models.DateField(null=True, blank=True)
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        db_index=False,
    )
    due_on = models.DateField(null=True, editable=False)
    next_try_at = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    retry_at = models.DateTimeField(null=True, editable=False)
    body_hash = models.CharField(max_length=64, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        db_index=False,
    )
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("-created_at", "-payment_id")
        constraints = (
            models.UniqueConstraint(
                fields=("payment_id", "requester", "company"), name="treasury_payment_copied"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="treasury_payment_amount"),
            models.CheckConstraint(
                condition=~Q(executor=F("requester")), name="treasury_payment_not_by_requester"
            ),
            models.CheckConstraint(
                condition=Q(method__in=Method.values), name="treasury_payment_method"
            ),
            models.CheckConstraint(
                condition=Q(otp_verified=False) | Q(otp_verified_timestamp__isnull=False),
                name="treasury_payment_verified_when",
            ),
            models.CheckConstraint(
                condition=Q(status__in=(PaymentStatus.PENDING, PaymentStatus.CANCELLED))
                | Q(executor__isnull=False),
                name="treasury_payment_has_executor",
            ),
            models.CheckConstraint(
                condition=Q(scheduled_for__isnull=True, due_on__isnull=True)
                | Q(scheduled_for__isnull=False, due_on__isnull=False, scheduled_by__isnull=False),
                name="treasury_payment_scheduled_whole",
            ),
            models.CheckConstraint(
                condition=Q(spent_on__isnull=True)
                | Q(due_on__isnull=True)
                | Q(spent_on__gte=F("due_on")),
                name="treasury_payment_not_before_due",
            ),
            models.CheckConstraint(
                condition=Q(max_retries__gte=1), name="treasury_payment_max_retries"
            ),
            models.CheckConstraint(
                condition=Q(retry_at__isnull=True)
                | Q(status=PaymentStatus.FAILED, retry_count__lt=F("max_retries")),
                name="treasury_payment_retry_failed",
            ),
        )
        indexes = (
            # With the status beside it, PostgreSQL would rather search all of a rare status.
            models.Index(fields=("requisition",), name="treasury_payment_of"),
            models.Index(fields=("status", "created_at"), name="treasury_payment_status"),
            models.Index(
                fields=("due_on",),
                condition=Q(due_on__isnull=False, status=PaymentStatus.PENDING),
                name="treasury_payment_due",
            ),
            models.Index(
                fields=("retry_at",),
                condition=Q(retry_at__isnull=False),
                name="treasury_payment_retry",
            ),
            models.Index(
                fields=("company", "-created_at", "-payment_id"), name="treasury_payment_recent"
            ),
            models.Index(fields=("fund", "-created_at"), name="treasury_payment_fund"),
        )

    def __str__(self) -> str:
        return f"{Money(self.amount, self.currency)} by {self.get_method_display()}"

    @property
    def reference(self) -> str:
        """The name under which the books know this payment."""
        return f"treasury.payment:{self.payment_id}"

    @property
    def debited_account_id(self) -> uuid.UUID:
        """The account that stands against the fund's when this is paid, or taken back."""
        return self.requisition.debit_account_id or self.fund.spending_account_id

    def can_execute(self, user: "User") -> tuple[bool, str]:
        """Whether ``user`` could execute this now, and if not the reason, in words for people."""
        return can_execute(self, user)


class PaymentExecution(models.Model):
    """Proof that a payment was made; append-only, one for a payment.

    Requester and company are copied from the payment for the CHECK. One composite foreign key ties all three
    to it; none of them has one of its own besides.
    """

    execution_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, related_name="execution", db_constraint=False
    )
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    executor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    gateway_reference = models.CharField(max_length=160, blank=True)
    gateway_status = models.CharField(max_length=160, blank=True)
    otp_verified_at = models.DateTimeField(null=True)
    otp_verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True)
    journal_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, related_name="payment_execution"
    )
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("payment", "executor"), name="treasury_execution_executor"
            ),
            models.CheckConstraint(
                condition=~Q(executor=F("requester")), name="treasury_execution_not_by_requester"
            ),
            models.CheckConstraint(
                condition=Q(otp_verified_at__isnull=True, otp_verified_by__isnull=True)
                | Q(otp_verified_at__isnull=False, otp_verified_by__isnull=False),
                name="treasury_execution_verified_whole",
            ),
        )

    def __str__(self) -> str:
        return f"execution of {self.payment_id}"


class Reconciliation(models.Model):
    """That somebody compared a payment with the outside world; append-only, one for a payment.

    ``executor`` is copied from the execution, tied by a composite foreign key, so that a CHECK can refuse
    whoever executed it.
    """

    reconciliation_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="reconciliation")
    executor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reconciled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reconciled_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    note = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ("-reconciled_at",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(reconciled_by=F("executor")),
                name="treasury_reconciliation_not_by_executor",
            ),
        )

    def __str__(self) -> str:
        return f"reconciliation of {self.payment_id}"
