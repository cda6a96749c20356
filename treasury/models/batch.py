"""A batch: many payments that are approved, confirmed and executed as one set, each row for itself."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Company, User
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from ledger.money import Money
from ledger.roles import Role
from treasury.methods import Method
from treasury.models.code import MOST_TRIES
from treasury.models.delegation import Delegation
from treasury.models.fund import TreasuryFund
from treasury.models.payment import Payment
from treasury.models.requisition import Requisition
from treasury.states import BatchRowStatus, BatchStatus


def person() -> models.ForeignKey[User, User]:
    """A reference to somebody."""
    return models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")


def person_if_any() -> models.ForeignKey[User | None, User | None]:
    """A reference to somebody, or nobody yet."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )


class Batch(models.Model):
    """A set of payments out of one fund.

    ``count`` and ``total`` are those of the rows that can be paid, ``set_hash`` is over their ids, amounts
    and payees: approvals and codes are good for one hash. All three are fixed once it is approved. Company
    and currency are copied from the fund, ``separate_executor`` from the company, tied by foreign keys.
    """

    class Source(models.TextChoices):
        REQUISITIONS = "requisitions", "Requisitions"
        FILE = "file", "File"
        DUE = "due", "Due payments"

    batch_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=160)
    fund = models.ForeignKey(TreasuryFund, on_delete=models.PROTECT, related_name="batches")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    source = models.CharField(max_length=12, choices=Source.choices)
    file_hash = models.CharField(max_length=64, blank=True)
    status = models.CharField(
        max_length=12, choices=BatchStatus.choices, default=BatchStatus.SUBMITTED
    )
    count = models.PositiveIntegerField(default=0)
    total = MoneyField(default=Decimal(0))
    set_hash = models.CharField(max_length=64)
    separate_executor = models.BooleanField(default=True, editable=False)
    created_by = person()
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    approved_at = models.DateTimeField(null=True)
    executor = person_if_any()
    executor_ip = models.GenericIPAddressField(null=True)
    executor_agent = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancelled_by = person_if_any()
    cancel_reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ("-created_at", "-batch_id")
        constraints = (
            models.UniqueConstraint(fields=("batch_id", "created_by"), name="treasury_batch_maker"),
            models.CheckConstraint(condition=Q(total__gte=0), name="treasury_batch_total"),
            models.CheckConstraint(
                condition=Q(status__in=("submitted", "approved", "cancelled"))
                | Q(executor__isnull=False, started_at__isnull=False),
                name="treasury_batch_has_executor",
            ),
        )
        indexes = (
            models.Index(
                fields=("company", "-created_at", "-batch_id"), name="treasury_batch_recent"
            ),
            models.Index(fields=("status", "created_at"), name="treasury_batch_status"),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.count} for {Money(self.total, self.currency)}"

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this batch."""
        return f"treasury.batch:{self.batch_id}"


class BatchRow(models.Model):
    """One payee of a batch: what it asks for, and what came of it.

    A row that cannot be paid is ``refused`` and says why, on which field. ``requisition`` is what is paid;
    ``raised`` says that this row made it, to be approved with the batch. ``payment`` is made when the batch
    is approved, or was there before (``adopted``); what becomes of it is read there. ``digest`` is over id, amount and payee: what was approved.
    ``requester`` is copied from the requisition, tied by a foreign key. ``scheduled_for`` is the day that the
    payment which the row makes goes out on.
    """

    row_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    requisition = models.ForeignKey(
        Requisition, on_delete=models.PROTECT, null=True, related_name="batch_rows"
    )
    requester = person_if_any()
    raised = models.BooleanField(default=False)
    adopted = models.BooleanField(default=False)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="batch_rows"
    )
    payee_name = models.CharField(max_length=160, blank=True)
    method = models.CharField(max_length=10, choices=Method.choices, blank=True)
    destination_shown = models.CharField(max_length=160, blank=True)
    amount = MoneyField(null=True)
    currency = CurrencyField()
    reference = models.CharField(max_length=80, blank=True)
    scheduled_for = models.DateField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    warnings = models.JSONField(default=list)
    status = models.CharField(
        max_length=10, choices=BatchRowStatus.choices, default=BatchRowStatus.WAITING
    )
    error_field = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("batch", "number")
        constraints = (
            models.UniqueConstraint(fields=("batch", "number"), name="treasury_batchrow_number"),
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(status__in=("waiting", "done")),
                name="treasury_batchrow_one_payment",
            ),
            models.UniqueConstraint(
                fields=("requisition",),
                condition=Q(status="waiting", payment__isnull=True),
                name="treasury_batchrow_one_live",
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(payment__isnull=False),
                name="treasury_batchrow_done_has_payment",
            ),
            models.CheckConstraint(
                condition=~Q(status="waiting")
                | Q(requisition__isnull=False, requester__isnull=False, amount__gt=0)
                & ~Q(digest=""),
                name="treasury_batchrow_waiting_whole",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(error_code=""),
                name="treasury_batchrow_refused_why",
            ),
        )
        indexes = (
            models.Index(fields=("batch", "status", "number"), name="treasury_batchrow_next"),
        )

    def __str__(self) -> str:
        return f"row {self.number}: {self.payee_name}"


class BatchApproval(models.Model):
    """One person's agreement to one set; append-only. It counts while the batch has this ``set_hash``.

    ``maker`` is copied from the batch, tied by a foreign key, for the CHECK. ``on_behalf_of`` is for whom a
    delegate acted, under which ``delegation``; the two are one person as far as two are needed.
    """

    class ApprovingRole(models.TextChoices):
        APPROVER = Role.APPROVER.value, Role.APPROVER.label
        CFO = Role.CFO.value, Role.CFO.label

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="all_approvals")
    set_hash = models.CharField(max_length=64)
    maker = person()
    approver = person()
    role = models.CharField(max_length=20, choices=ApprovingRole.choices)
    on_behalf_of = person_if_any()
    delegation = models.ForeignKey(
        Delegation, on_delete=models.PROTECT, null=True, related_name="batch_approvals"
    )
    comment = models.TextField(blank=True)
    approved_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("approved_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("batch", "set_hash", "approver"), name="treasury_batchapproval_once"
            ),
            models.CheckConstraint(
                condition=~Q(approver=F("maker")), name="treasury_batchapproval_not_by_maker"
            ),
            models.CheckConstraint(
                condition=Q(role__in=(Role.APPROVER.value, Role.CFO.value)),
                name="treasury_batchapproval_role",
            ),
            models.CheckConstraint(
                condition=~Q(on_behalf_of=F("maker")) & ~Q(on_behalf_of=F("approver")),
                name="treasury_batchapproval_not_for_maker",
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of__isnull=True, delegation__isnull=True)
                | Q(on_behalf_of__isnull=False, delegation__isnull=False),
                name="treasury_batchapproval_delegated_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.approver} approved {self.set_hash[:8]}"


class BatchCode(models.Model):
    """A code sent to an executor for one set; as ``OneTimeCode`` is for one payment."""

    code_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="codes")
    set_hash = models.CharField(max_length=64)
    executor = person()
    digest = models.CharField(max_length=64)
    bound_digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)
    consumed_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("batch", "sent_at")
        constraints = (
            models.UniqueConstraint(
                fields=("batch",),
                condition=Q(consumed_at__isnull=True, voided_at__isnull=True),
                name="treasury_batchcode_one_live",
            ),
            models.UniqueConstraint(
                fields=("batch",),
                condition=Q(consumed_at__isnull=False),
                name="treasury_batchcode_one_use",
            ),
            models.CheckConstraint(
                condition=Q(tries__lte=MOST_TRIES), name="treasury_batchcode_tries"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("sent_at")), name="treasury_batchcode_expires"
            ),
            models.CheckConstraint(
                condition=Q(consumed_at__isnull=True) | Q(verified_at__isnull=False),
                name="treasury_batchcode_consumed_verified",
            ),
        )
        indexes = (models.Index(fields=("batch", "-sent_at"), name="treasury_batchcode_sent"),)

    def __str__(self) -> str:
        return f"code for {self.batch_id}"
