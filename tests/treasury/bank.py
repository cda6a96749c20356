"""A bank, payments that go to it by file, and its reports."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from ledger.actor import Actor
from ledger.models import Company
from payments.gateways.iso20022 import end_to_end_id
from payments.models import Provider
from payments.services.banks import Terms, add_bank_provider
from tests.payments import bank as wire
from tests.treasury.conftest import World
from tests.treasury.desk import Desk
from tests.treasury.factories import acting, set_code_limit, today
from treasury.models import BankFile, BankReport, BankReportRow, Payment, PaymentAttempt
from treasury.services.bank_files import make_bank_file
from treasury.services.bank_reports import apply_bank_report, import_bank_report
from treasury.services.execution import execute_payment

JOB = Actor.system("tests")
OURS = "KE/01100/KCBLKENX/01123456789000"
PAYEE = "KE/68000/0123456789"


def make_bank(company: Company, *, currency: str = "KES", account: str = OURS) -> Provider:
    """An account at a bank that the company's files debit."""
    terms = Terms(name=f"Bank {currency}", holder="Acme Treasury Ltd", account=account)
    return add_bank_provider(actor=JOB, company_id=company.pk, currency=currency, terms=terms)


@dataclass
class Bank:
    """One world's bank: what the treasurer does with it, and what it says."""

    world: World
    provider: Provider = field(init=False)
    reports: int = 0

    def __post_init__(self) -> None:
        set_code_limit(self.world.company, Decimal(10**9))
        self.provider = make_bank(self.world.company)

    def waiting(self, amount: int = 1000, **details: Any) -> Payment:
        """A payment that is executed and waits for a file."""
        wanted = {"method": "bank", "destination": PAYEE} | details
        return self.again(self.world.payment(amount=Decimal(amount), **wanted))

    def again(self, payment: Payment) -> Payment:
        """Execute a pending payment, so that it waits for a file."""
        treasurer = acting(self.world.treasurer)
        return execute_payment(actor=treasurer, payment_id=payment.pk, today=today)

    def file(self, **details: Any) -> BankFile:
        """A file of all that waits."""
        treasurer = acting(self.world.treasurer)
        wanted: dict[str, Any] = {"actor": treasurer, "provider_id": self.provider.pk}
        return make_bank_file(today=today, **(wanted | details))

    def sent(self, *amounts: int) -> tuple[BankFile, list[PaymentAttempt]]:
        """A file of payments of these amounts, and their attempts."""
        payments = [self.waiting(amount) for amount in amounts]
        return self.file(), [attempt_of(payment) for payment in payments]

    def bring(self, data: bytes) -> BankReport:
        """Bring a report and let a worker act on it."""
        kept = import_bank_report(
            actor=acting(self.world.treasurer), provider_id=self.provider.pk, data=data
        )
        apply_bank_report(actor=JOB, report_id=kept.report.pk, today=today)
        return kept.report

    def says(self, file: BankFile, *rows: str, status: str = "PART", **said: str) -> BankReport:
        """Let the bank report these rows about the file."""
        self.reports += 1
        name = file.message_id
        blocks = [wire.block(name, *rows)] if rows else []
        said = {"message_id": f"BANKSTS-{self.reports}"} | said
        return self.bring(wire.report(name, *blocks, status=status, **said))


def attempt_of(payment: Payment) -> PaymentAttempt:
    """The payment's newest attempt, as it is now."""
    return PaymentAttempt.objects.filter(payment=payment).latest("number")


def row(attempt: PaymentAttempt, status: str, code: str = "", **said: str) -> str:
    """What a report says of an attempt."""
    return wire.transaction(end_to_end_id(attempt.reference), status, code, **said)


def effects(report: BankReport) -> list[str]:
    rows = BankReportRow.objects.filter(report=report).order_by("number")
    return list(rows.values_list("effect", flat=True))


def state(attempt: PaymentAttempt) -> tuple[str, str]:
    """How the attempt and its payment stand now."""
    attempt = PaymentAttempt.objects.select_related("payment").get(pk=attempt.pk)
    return str(attempt.state), str(attempt.payment.status)


def age(attempt: PaymentAttempt, **by: float) -> None:
    """Let the attempt be older by this much."""
    moved: list[datetime | None] = []
    attempt.refresh_from_db()
    for name in ("accepted_at", "unknown_since"):
        moment = getattr(attempt, name)
        moved.append(None if moment is None else moment - timedelta(**by))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE treasury_paymentattempt SET accepted_at = %s, unknown_since = %s"
            " WHERE attempt_id = %s",
            [*moved, attempt.pk],
        )


def bank_report_of(desk: Desk) -> BankReport:
    """A report about a file with one payment of the desk's fund in it."""
    provider = make_bank(desk.company)
    payment = desk.pending(amount="10", method="bank", destination=PAYEE)
    execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)
    file = make_bank_file(actor=acting(desk.treasurer), provider_id=provider.pk, today=today)
    rows = wire.block(file.message_id, row(attempt_of(payment), "RJCT", "AC04"))
    data = wire.report(file.message_id, rows, message_id=f"BANKSTS-{file.pk}")
    return import_bank_report(
        actor=acting(desk.treasurer), provider_id=provider.pk, data=data
    ).report
