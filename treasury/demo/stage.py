"""Where the stories are performed: the people's verbs, each a call of the service that people use."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import mail

from ledger.actor import Actor
from ledger.models import Company
from ledger.money import format_amount
from treasury.demo.cast import Cast
from treasury.demo.travel import Journey
from treasury.models import (
    Enquiry,
    Payment,
    PaymentAttempt,
    Requisition,
    TreasuryFund,
    VarianceAdjustment,
)
from treasury.selectors import paid_amount
from treasury.services import codes, requisitions
from treasury.services.dispatching import dispatch_attempt
from treasury.services.enquiries import apply_answers, ask_about
from treasury.services.execution import execute_payment
from treasury.services.janitor import run_janitor
from treasury.services.payments import create_payment
from treasury.services.variances import record_variance
from treasury.states import RequisitionStatus

CODE = re.compile(r"^\d{6}$", re.MULTILINE)
CATCHER = "django.core.mail.backends.locmem.EmailBackend"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# How long the simulator, which is told not to wait, may take to call back.
PATIENCE_S = 2.0
JANITOR = Actor.system("janitor")
DISPATCHER = Actor.system("dispatcher")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: out of which fund, how much, for what, to whom and how."""

    fund: str
    amount: int
    purpose: str
    payee: str
    method: str
    destination: str


@dataclass
class Stage:
    """The demo's people and funds at one moment of the journey."""

    cast: Cast
    journey: Journey
    outbox: list[Any] = field(default_factory=list)

    # --- Time -------------------------------------------------------------------------------------------

    def today(self, company: Company) -> date:
        """The civil date at the company, at this moment of the journey."""
        return self.journey.now.astimezone(ZoneInfo(company.time_zone)).date()

    def after(self, **span: float) -> datetime:
        """The moment that is this much later, such as ``hours=2``."""
        return self.journey.now + timedelta(**span)

    # --- People -----------------------------------------------------------------------------------------

    def acting(self, username: str) -> Actor:
        """The person, making a request from his desk."""
        user = self.cast.people[username]
        desk = sorted(self.cast.people).index(username) + 11
        return Actor.of(user, ip_address=f"10.20.4.{desk}", user_agent=BROWSER)

    def prefix(self, fund: TreasuryFund) -> str:
        """What the names of the people of the fund's company begin with."""
        return "" if fund.company_id == self.cast.companies["mbuni"].pk else "other_"

    # --- Requisitions -----------------------------------------------------------------------------------

    def request(self, wish: Wish) -> Requisition:
        fund = self.cast.funds[wish.fund]
        return requisitions.create_requisition(
            actor=self.acting(f"{self.prefix(fund)}requester"),
            fund_id=fund.pk,
            amount=wish.amount,
            purpose=wish.purpose,
            payee_name=wish.payee,
            method=wish.method,
            destination=wish.destination,
        )

    def approve(self, requisition: Requisition, comment: str = "") -> Requisition:
        """Let the approver agree and, where that is not enough, the CFO."""
        prefix = self.prefix(requisition.fund)
        for role in ("approver", "cfo"):
            if requisition.status == RequisitionStatus.SUBMITTED:
                requisition = requisitions.approve_requisition(
                    actor=self.acting(prefix + role),
                    requisition_id=requisition.pk,
                    comment=comment,
                )
        return requisition

    # --- Payments ---------------------------------------------------------------------------------------

    def make_payment(self, requisition: Requisition, amount: int | None = None) -> Payment:
        treasurer = self.acting(f"{self.prefix(requisition.fund)}treasurer")
        return create_payment(actor=treasurer, requisition_id=requisition.pk, amount=amount)

    def send_code(self, payment: Payment, by: str | None = None) -> str:
        """Send a code to the treasurer, and return it."""
        treasurer = by or f"{self.prefix(payment.fund)}treasurer"
        codes.send_otp(actor=self.acting(treasurer), payment_id=payment.pk)
        found = CODE.search(str(self.outbox.pop().body))
        if found is None:
            raise RuntimeError("The message holds no code.")
        return found.group()

    def execute(self, payment: Payment, by: str | None = None) -> Payment:
        """Confirm with a code where one is needed, execute, and call the gateway where there is one."""
        treasurer = self.acting(by or f"{self.prefix(payment.fund)}treasurer")
        if payment.otp_required:
            code = self.send_code(payment, by)
            codes.verify_otp(actor=treasurer, payment_id=payment.pk, otp=code)
        payment = execute_payment(actor=treasurer, payment_id=payment.pk, today=self.today)
        for attempt_id in payment.attempts.filter(call_began_at=None).values_list("pk", flat=True):
            dispatch_attempt(actor=DISPATCHER, attempt_id=attempt_id, today=self.today)
        return payment

    def settle(self, payment: Payment) -> Payment:
        """Wait until the gateway has said what became of a payment that it called back about."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            attempt = PaymentAttempt.objects.filter(payment=payment).latest("number")
            if attempt.finished_at:
                break
            ask_about(actor=JANITOR, attempt_id=attempt.pk, today=self.today)
            apply_answers(actor=JANITOR, today=self.today)
            time.sleep(0.005)
        return Payment.objects.select_related("fund", "requisition").get(pk=payment.pk)

    def look_after(self) -> None:
        """Let the janitor do one pass, and another once what he asked is answered."""
        run_janitor(actor=JANITOR, today=self.today)
        deadline = time.monotonic() + PATIENCE_S
        waiting = Enquiry.objects.filter(answered_at=None, applied_at=None).exclude(conversation="")
        asked = list(waiting.values_list("pk", flat=True))
        while waiting.filter(pk__in=asked).exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        run_janitor(actor=JANITOR, today=self.today)

    def correct(self, payment: Payment, by: int, reason: str) -> VarianceAdjustment:
        """Let the treasurer record that the payee got this much more, or less where it is negative."""
        paid = paid_amount(payment)
        return record_variance(
            actor=self.acting(f"{self.prefix(payment.fund)}treasurer"),
            payment_id=payment.pk,
            original_amount=format_amount(paid, payment.currency),
            adjusted_amount=format_amount(paid + Decimal(by), payment.currency),
            reason=reason,
        )


@contextmanager
def codes_caught() -> Iterator[list[Any]]:
    """Keep the messages with codes of weeks ago out of everybody's mail; yields the list they go to."""
    usual = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = CATCHER
    mail.outbox = []
    try:
        yield mail.outbox
    finally:
        settings.EMAIL_BACKEND = usual
