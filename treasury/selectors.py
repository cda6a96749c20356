"""What one may ask treasury. Rows are those that the user may see; amounts are in the row's currency."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    ExpressionWrapper,
    F,
    Prefetch,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from ledger import audit
from ledger.access import visible
from ledger.models import AuditEvent, Company, LedgerEntry, Side, User
from ledger.models.account import MoneyField
from payments.models import GatewayRequest
from treasury.models import (
    Attachment,
    Batch,
    BatchApproval,
    BatchRow,
    Delegation,
    Holiday,
    Payment,
    PaymentAttempt,
    PaymentExecution,
    Question,
    ReplenishmentRequest,
    Requisition,
    RequisitionApproval,
    SpendingLimit,
    TreasuryFund,
    VarianceAdjustment,
)
from treasury.payees import WITHDRAWN
from treasury.states import (
    PaymentStatus,
)

ZERO = Decimal(0)


def funds_seen_by(user: User) -> QuerySet[TreasuryFund]:
    rows = TreasuryFund.objects.select_related("company", "region", "branch", "account")
    return visible(rows, user)


def requisitions_seen_by(user: User) -> QuerySet[Requisition]:
    """Requisitions with their fund, requester, approvals of every version and attachments."""
    approvals = RequisitionApproval.objects.select_related("approver")
    rows = Requisition.objects.select_related("fund__company", "requested_by", "rejected_by")
    rows = rows.prefetch_related(Prefetch("all_approvals", approvals), "attachments")
    return visible(rows, user, prefix="fund__", own_company=True)


def requisitions_raised_for(*, company_id: UUID, sources: Iterable[str]) -> dict[str, Requisition]:
    """Return by source the requisition that lives, or else the last that was rejected or cancelled.

    For the floor above that raised them: which sources it may show, it knows.
    """
    rows = Requisition.objects.filter(company=company_id, source__in=[*filter(None, sources)])
    withdrawn = Case(When(status__in=WITHDRAWN, then=Value(0)), default=Value(1))
    rows = rows.order_by("source", withdrawn, "requested_at", "requisition_id")
    return {row.source: row for row in rows.defer("destination")}


def requisition_raised_for(*, company_id: UUID, source: str) -> Requisition | None:
    """Return the requisition that lives (neither rejected nor cancelled) of a source, if any."""
    rows = Requisition.objects.filter(company=company_id, source=source).exclude(source="")
    return rows.exclude(status__in=WITHDRAWN).select_related("fund", "requested_by").first()


def attachments_seen_by(user: User) -> QuerySet[Attachment]:
    rows = Attachment.objects.select_related("requisition__fund", "uploaded_by")
    return visible(rows, user, prefix="requisition__fund__")


def payments_seen_by(user: User) -> QuerySet[Payment]:
    """Payments with their fund, requisition, execution, reconciliation and what people found about them."""
    rows = Payment.objects.select_related(
        "fund__company", "requisition", "executor", "execution", "reconciliation"
    )
    rows = rows.prefetch_related("resolutions", "reversals", "late_successes")
    return visible(rows, user, prefix="fund__", own_company=True)


def attempts_seen_by(user: User) -> QuerySet[PaymentAttempt]:
    """Attempts with their provider and what was posted about them."""
    rows = PaymentAttempt.objects.select_related("provider").prefetch_related("callbacks")
    return visible(rows, user, prefix="payment__fund__")


def attempts_of(payment: Payment) -> QuerySet[PaymentAttempt]:
    """Return the payment's attempts, first to last, with what was asked and received about each."""
    rows = PaymentAttempt.objects.filter(payment=payment).select_related("provider", "executor")
    return rows.prefetch_related("enquiries", "callbacks", "incidents").order_by("number")


def exchanges_of(attempts: Iterable[PaymentAttempt]) -> dict[UUID, list[GatewayRequest]]:
    """Return what was sent to the gateway for each attempt, by its id, with the answers; redacted."""
    subjects = {attempt.subject: attempt.pk for attempt in attempts}
    found: dict[UUID, list[GatewayRequest]] = {pk: [] for pk in subjects.values()}
    rows = GatewayRequest.objects.filter(subject__in=subjects).select_related("response")
    for request in rows.order_by("at", "id"):
        found[subjects[request.subject]].append(request)
    return found


def history_of(payment: Payment) -> QuerySet[AuditEvent]:
    """Return everything that was done to the payment, and tried, oldest first."""
    return audit.history_of(payment.reference).select_related("actor")


def limits_seen_by(user: User) -> QuerySet[SpendingLimit]:
    rows = SpendingLimit.objects.select_related("company", "fund")
    return visible(rows, user, by_company_only=True)


def executions_seen_by(user: User) -> QuerySet[PaymentExecution]:
    rows = PaymentExecution.objects.select_related("payment__fund", "executor", "journal_entry")
    return visible(rows, user, prefix="payment__fund__")


def batches_seen_by(user: User) -> QuerySet[Batch]:
    """Batches with their fund, people and approvals."""
    approvals = BatchApproval.objects.select_related("approver")
    rows = Batch.objects.select_related("fund__company", "created_by", "executor", "cancelled_by")
    rows = rows.prefetch_related(Prefetch("all_approvals", approvals))
    return visible(rows, user, prefix="fund__", own_company=True)


def batch_rows_seen_by(user: User) -> QuerySet[BatchRow]:
    """Rows of batches, each with its payment, where its fate is read."""
    rows = BatchRow.objects.select_related("batch__fund", "payment", "requisition")
    return visible(rows, user, prefix="batch__fund__")


def variances_seen_by(user: User) -> QuerySet[VarianceAdjustment]:
    rows = VarianceAdjustment.objects.select_related(
        "payment__fund__company", "recorded_by", "approved_by", "rejected_by"
    )
    return visible(rows, user, prefix="payment__fund__")


def replenishments_seen_by(user: User) -> QuerySet[ReplenishmentRequest]:
    rows = ReplenishmentRequest.objects.select_related(
        "fund__company", "requested_by", "approved_by", "rejected_by", "funded_by"
    )
    return visible(rows, user, prefix="fund__", own_company=True)


def payments_due_by(user: User, company: Company, day: date) -> QuerySet[Payment]:
    """Return the company's pending payments within the user's sight that go out on ``day`` or before."""
    rows = payments_seen_by(user).filter(company=company, status=PaymentStatus.PENDING)
    return rows.filter(due_on__lte=day).order_by("due_on", "created_at", "payment_id")


def holidays_seen_by(user: User) -> QuerySet[Holiday]:
    rows = Holiday.objects.select_related("company")
    return visible(rows, user, by_company_only=True)


def delegations_seen_by(user: User) -> QuerySet[Delegation]:
    rows = Delegation.objects.select_related("company", "delegator", "delegate", "ended_by")
    return visible(rows, user, by_company_only=True)


def questions_seen_by(user: User) -> QuerySet[Question]:
    """Questions asked by the user or of him."""
    rows = Question.objects.select_related("company", "asked_by", "asked_of")
    return rows.filter(Q(asked_by=user) | Q(asked_of=user))


# --- The books, seen from the funds ---------------------------------------------------------------------


def paid_amount(payment: Payment) -> Decimal:
    """Return what the books say now that the payee got: the execution and every approved variance."""
    proofs: list[UUID] = list(
        PaymentExecution.objects.filter(payment=payment).values_list("journal_entry", flat=True)
    )
    corrections = payment.variances.filter(journal_entry__isnull=False)
    proofs += corrections.values_list("journal_entry", flat=True)
    lines = LedgerEntry.objects.filter(
        account=payment.fund.account_id, journal_entry__in=proofs
    ).aggregate(
        out=Coalesce(Sum("amount", filter=Q(side=Side.CREDIT)), ZERO, output_field=MoneyField()),
        back=Coalesce(Sum("amount", filter=Q(side=Side.DEBIT)), ZERO, output_field=MoneyField()),
    )
    paid: Decimal = lines["out"] - lines["back"]
    return paid


def fund_lines_seen_by(user: User) -> QuerySet[Any]:
    """Return the ledger lines of fund accounts that the user may see, newest first."""
    # A line's own company says nothing new, but the index in posting order begins with it.
    rows = visible(LedgerEntry.objects.all(), user, by_company_only=True)
    rows = visible(fund_lines(rows), user, prefix="account__fund__")
    return rows.order_by("-posted_at", "-id")


def fund_lines(entries: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the ledger entries that stand on fund accounts, with what the fund view shows.

    ``fund_id``; ``entry_type``: ``debit`` is money out of the fund, ``credit`` money in, ``adjustment`` a
    variance; ``direction``: ``out`` or ``in``; ``execution_id``, ``is_reconciled``, ``reconciled_by_id`` and
    ``reconciled_at`` of the payment that the line belongs to. ``side`` is the side in the books.
    """
    proof = "journal_entry__payment_execution"
    checked = f"{proof}__payment__reconciliation"
    rows: QuerySet[Any] = entries.filter(account__fund__isnull=False).annotate(
        fund_id=F("account__fund"),
        direction=Case(
            When(side=Side.CREDIT, then=Value("out")),
            default=Value("in"),
            output_field=CharField(),
        ),
        entry_type=Case(
            When(journal_entry__variance__isnull=False, then=Value("adjustment")),
            When(side=Side.CREDIT, then=Value("debit")),
            default=Value("credit"),
            output_field=CharField(),
        ),
        execution_id=F(proof),
        is_reconciled=ExpressionWrapper(
            Q(**{f"{checked}__isnull": False}), output_field=BooleanField()
        ),
        reconciled_by_id=F(f"{checked}__reconciled_by"),
        reconciled_at=F(f"{checked}__reconciled_at"),
    )
    return rows.select_related("journal_entry", "account__fund")
