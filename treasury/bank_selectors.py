"""What one may ask about files for banks and their reports.

Seen by those who work for the company as a whole: a file holds payments of all its funds.
"""

from typing import TypeVar

from django.db.models import Count, Model, Q, QuerySet

from ledger.models import Membership, User
from ledger.roles import READING_ROLES
from payments.models import Provider
from treasury.models import (
    BankFile,
    BankFileLine,
    BankReport,
    BankReportRow,
    Payment,
    PaymentAttempt,
)
from treasury.states import AttemptState, PaymentStatus

Row = TypeVar("Row", bound=Model)


def bank_files_seen_by(user: User) -> QuerySet[BankFile]:
    """Files of companies whose whole the user works for: they hold payments of every fund; without bytes."""
    rows = BankFile.objects.select_related("provider", "company", "made_by").defer("content")
    return _of_whole_companies(rows, user)


def bank_reports_seen_by(user: User) -> QuerySet[BankReport]:
    """Reports of companies whose whole the user works for, with how many rows wait; without bytes."""
    rows = BankReport.objects.select_related("provider", "company", "file", "uploaded_by")
    rows = rows.defer("content", "file__content")
    waiting = Count("rows", filter=Q(rows__applied_at=None))
    return _of_whole_companies(rows, user).annotate(row_count=Count("rows"), waiting=waiting)


def bank_rows_of(report: BankReport) -> QuerySet[BankReportRow]:
    """Return what a report says, in its order, with the payment that each row is about."""
    rows = BankReportRow.objects.filter(report=report).select_related(
        "attempt__payment__requisition"
    )
    return rows.order_by("number")


def bank_lines_of(file: BankFile) -> QuerySet[BankFileLine]:
    """Return what is in a file, in its order, with the payments."""
    rows = BankFileLine.objects.filter(file=file).select_related("attempt__payment__requisition")
    return rows.order_by("number")


def waiting_for_a_file(provider: Provider) -> QuerySet[PaymentAttempt]:
    """Return what the next file of a bank will hold."""
    return PaymentAttempt.objects.filter(provider=provider, state=AttemptState.WAITING)


def _of_whole_companies(rows: QuerySet[Row], user: User) -> QuerySet[Row]:
    if user.is_superuser and user.is_active:
        return rows
    memberships = Membership.objects.filter(
        user=user, user__is_active=True, role__in=list(READING_ROLES), region=None
    )
    return rows.filter(company__in=memberships.values("company"))


def nothing_has_left(payment: Payment) -> bool:
    """Whether the payment can be withdrawn as far as banks go: if it is executing, it waits for a file."""
    if payment.status != PaymentStatus.EXECUTING:
        return True
    return payment.attempts.filter(state=AttemptState.WAITING).exists()
