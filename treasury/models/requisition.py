"""A requisition: somebody asks for money, and others agree."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When

from ledger.clock import DatabaseClock
from ledger.encryption import EncryptedTextField
from ledger.models import Account, Company
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from ledger.money import Money
from ledger.roles import Role
from treasury.methods import Method
from treasury.models.delegation import Delegation
from treasury.models.fund import TreasuryFund
from treasury.risk import Risk
from treasury.states import RequisitionStage, RequisitionStatus


class Requisition(models.Model):
    """A request for an amount out of a fund, to one payee by one method.

    ``version`` counts its contents: an approval is given to a version, an edit makes the next one.
    ``committed`` is the sum of its live payments; the database keeps it, and keeps it within ``amount``.
    ``destination_index`` finds an encrypted destination and ``payee_index`` a payee however his name is
    spelt; ``payee_note`` says what is new about the payee, ``risk`` how closely it wants to be looked at.
    ``debit_account`` is what its payments debit in place of the fund's own spending account, and ``source``
    the reference of what a floor above raised it for, one live requisition for each; neither ever changes.
    ``stage`` is made of ``status`` by the database, for its indexes: as it stays when an approved requisition
    is paid, PostgreSQL then writes none of them anew.
    """

    requisition_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fund = models.ForeignKey(
        TreasuryFund, on_delete=models.PROTECT, related_name="requisitions", db_index=False
    )
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = MoneyField()
    currency = CurrencyField()
    purpose = models.CharField(max_length=500)
    payee_name = models.CharField(max_length=160)
    method = models.CharField(max_length=10, choices=Method.choices)
    destination = EncryptedTextField(blank=True)
    destination_index = models.CharField(max_length=64, blank=True, editable=False)
    payee_index = models.CharField(max_length=64, blank=True, editable=False)
    payee_note = models.CharField(max_length=255, blank=True, editable=False)
    risk = models.PositiveSmallIntegerField(default=Risk.ORDINARY.value, editable=False)
    status = models.CharField(
        max_length=12, choices=RequisitionStatus.choices, default=RequisitionStatus.SUBMITTED
    )
    stage = models.GeneratedField(
        expression=Case(
            When(status=RequisitionStatus.SUBMITTED, then=Value(RequisitionStage.WAITING)),
            When(
                status__in=(RequisitionStatus.REJECTED, RequisitionStatus.CANCELLED),
                then=Value(RequisitionStage.WITHDRAWN),
            ),
            default=Value(RequisitionStage.AGREED),
        ),
        output_field=models.CharField(max_length=9, choices=RequisitionStage.choices),
        db_persist=True,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    committed = MoneyField(default=Decimal(0), editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requisitions"
    )
    requested_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    rejected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    rejected_at = models.DateTimeField(null=True, editable=False)
    rejection_reason = models.TextField(blank=True)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    # Indexed only where there is one.
    debit_account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        editable=False,
    )
    source = models.CharField(max_length=160, default="", db_default="", editable=False)

    class Meta:
        ordering = ("-requested_at", "-requisition_id")
        constraints = (
            models.UniqueConstraint(
                fields=("requisition_id", "requested_by", "company", "fund", "currency"),
                name="treasury_requisition_copied",
            ),
            models.UniqueConstraint(
                fields=("requisition_id", "requested_by"), name="treasury_requisition_requester"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="treasury_requisition_amount"),
            models.CheckConstraint(
                condition=Q(committed__gte=0) & Q(committed__lte=F("amount")),
                name="treasury_requisition_committed",
            ),
            models.CheckConstraint(
                condition=~Q(rejected_by=F("requested_by")),
                name="treasury_requisition_rejected_by_another",
            ),
            models.CheckConstraint(
                condition=Q(rejected_by__isnull=True, rejected_at__isnull=True)
                | Q(rejected_by__isnull=False, rejected_at__isnull=False),
                name="treasury_requisition_rejected_whole",
            ),
            models.CheckConstraint(
                condition=Q(method__in=Method.values), name="treasury_requisition_method"
            ),
            models.UniqueConstraint(
                fields=("company", "source"),
                condition=~Q(source="") & ~Q(stage=RequisitionStage.WITHDRAWN),
                name="treasury_requisition_source",
            ),
            models.CheckConstraint(
                condition=Q(debit_account__isnull=True) | ~Q(source=""),
                name="treasury_requisition_debit_has_source",
            ),
        )
        indexes = (
            # None is about a status: see ``stage``.
            models.Index(fields=("fund", "-requested_at"), name="treasury_requisition_fund"),
            models.Index(
                fields=("company", "-requested_at", "-requisition_id"),
                name="treasury_requisition_recent",
            ),
            models.Index(
                fields=("company", "payee_index", "destination_index"),
                name="treasury_requisition_payee",
            ),
            models.Index(
                fields=("company", "payee_index", "amount", "-requested_at"),
                name="treasury_requisition_twice",
            ),
            # The queue of those who approve, in its order.
            models.Index(
                F("risk").desc(),
                F("requested_at"),
                F("requisition_id"),
                condition=Q(stage=RequisitionStage.WAITING),
                name="treasury_requisition_waiting",
            ),
            models.Index(
                fields=("debit_account",),
                condition=Q(debit_account__isnull=False),
                name="treasury_requisition_debit",
            ),
            models.Index(
                fields=("company", "source", "-requested_at"),
                condition=~Q(source=""),
                name="treasury_requisition_raised",
            ),
        )

    def __str__(self) -> str:
        return f"{Money(self.amount, self.currency)} to {self.payee_name}"

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this requisition."""
        return f"treasury.requisition:{self.requisition_id}"

    @property
    def amount_left(self) -> Decimal:
        """What is approved and not yet taken by a payment; nothing unless it is approved."""
        if self.status != RequisitionStatus.APPROVED:
            return Decimal(0)
        return self.amount - self.committed


class RequisitionApproval(models.Model):
    """One person's agreement to one version of a requisition; append-only.

    ``requester`` is copied, tied by a composite foreign key, so that a CHECK can refuse a requester who
    approves his own. It counts while the requisition still has this version. ``on_behalf_of`` is for whom a
    delegate acted, under which ``delegation``; the two are one person as far as two are needed.
    """

    class ApprovingRole(models.TextChoices):
        APPROVER = Role.APPROVER.value, Role.APPROVER.label
        CFO = Role.CFO.value, Role.CFO.label

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requisition = models.ForeignKey(
        Requisition, on_delete=models.PROTECT, related_name="all_approvals", db_index=False
    )
    version = models.PositiveIntegerField()
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="approvals_given"
    )
    role = models.CharField(max_length=20, choices=ApprovingRole.choices)
    comment = models.TextField(blank=True)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    delegation = models.ForeignKey(
        Delegation, on_delete=models.PROTECT, null=True, related_name="approvals"
    )
    approved_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("approved_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("requisition", "version", "approver"), name="treasury_approval_once"
            ),
            models.CheckConstraint(
                condition=~Q(approver=F("requester")), name="treasury_approval_not_by_requester"
            ),
            models.CheckConstraint(
                condition=Q(role__in=(Role.APPROVER.value, Role.CFO.value)),
                name="treasury_approval_role",
            ),
            models.CheckConstraint(
                condition=~Q(on_behalf_of=F("requester")) & ~Q(on_behalf_of=F("approver")),
                name="treasury_approval_not_for_requester",
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of__isnull=True, delegation__isnull=True)
                | Q(on_behalf_of__isnull=False, delegation__isnull=False),
                name="treasury_approval_delegated_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.approver} approved version {self.version}"
