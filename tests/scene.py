"""Where tests of money out take place: a company, its people, a fund with money, approved requisitions.

Everything goes through the services, but for companies, people and payments by the hundred, which are
written directly; the database's laws watch over these rows as over any others.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.core import mail
from django.db import transaction

from ledger.actor import Actor
from ledger.clock import today
from ledger.models import Account, Company, Membership, Side, User
from ledger.roles import Role
from ledger.services.posting import Line, Posting, post
from ledger.services.verification import verify
from payments.credentials import Credentials
from payments.models import Provider
from tests.simulator import Simulator
from treasury.models import ApprovalTier, Payment, PaymentPolicy, Requisition, TreasuryFund
from treasury.services.codes import send_otp, verify_otp
from treasury.services.funds import open_fund
from treasury.services.payments import create_payment
from treasury.services.requisitions import approve_requisition, create_requisition

PASSWORD = "correct horse battery"
PHONE = "+254712345678"
PEOPLE = {
    "requester": Role.REQUESTER,
    "second_requester": Role.REQUESTER,
    "approver": Role.APPROVER,
    "second_approver": Role.APPROVER,
    "cfo": Role.CFO,
    "second_cfo": Role.CFO,
    "treasurer": Role.TREASURER,
    "second_treasurer": Role.TREASURER,
    "reconciler": Role.RECONCILER,
    "auditor": Role.AUDITOR,
}
CODE = re.compile(r"^(\d{6})$", re.MULTILINE)


@dataclass
class Scene:
    """One company and its fund; ``opening`` is what the fund began with."""

    company: Company
    fund: TreasuryFund
    people: dict[str, User]
    opening: Decimal

    def actor(self, name: str) -> Actor:
        """The named person, as an entrance would pass him on."""
        return Actor.of(self.people[name], ip_address="192.0.2.7", user_agent="tests")

    def requisition(
        self,
        amount: str | int,
        *,
        method: str = "cash",
        destination: str = "Front desk",
        approved: bool = True,
        requested_by: str = "requester",
    ) -> Requisition:
        """What ``requested_by`` asks for, agreed to by the approver unless ``approved`` is False."""
        requisition = create_requisition(
            actor=self.actor(requested_by),
            fund_id=self.fund.pk,
            amount=amount,
            purpose="Diesel for the generator",
            payee_name="Wanjiku Supplies",
            method=method,
            destination=destination,
        )
        if not approved:
            return requisition
        return approve_requisition(
            actor=self.actor("approver"), requisition_id=requisition.pk, comment="As agreed."
        )

    def payment(self, amount: str | int = 100, **asked: Any) -> Payment:
        """A pending payment of all that an approved requisition of its own allows."""
        requisition = self.requisition(amount, **asked)
        return create_payment(actor=self.actor("treasurer"), requisition_id=requisition.pk)

    def mpesa_payment(self, amount: str | int = 100, *, destination: str = PHONE) -> Payment:
        return self.payment(amount, method="mpesa", destination=destination)

    def many_payments(self, number: int, amount: int, **asked: Any) -> list[Payment]:
        """Pending payments of one approved requisition that need no code."""
        requisition = self.requisition(number * amount, **asked)
        return Payment.objects.bulk_create(
            Payment(
                requisition=requisition,
                company=self.company,
                fund=self.fund,
                requester=requisition.requested_by,
                amount=Decimal(amount),
                currency=requisition.currency,
                method=requisition.method,
                destination=requisition.destination,
                destination_index=requisition.destination_index,
                otp_required=False,
                created_by=self.people["treasurer"],
            )
            for _ in range(number)
        )

    def fill(self, amount: str | int) -> None:
        """Put this much more into the fund."""
        _fill(self, Decimal(amount), today(self.company))

    def require_codes(self, above: int = 0) -> None:
        """From now on payments above this amount need a code."""
        PaymentPolicy.objects.filter(company=self.company).update(code_above=above)

    def send_code(self, payment: Payment, *, by: str = "treasurer") -> str:
        """Send a code to the person and return it, read from the message."""
        send_otp(actor=self.actor(by), payment_id=payment.pk)
        found = CODE.search(str(mail.outbox[-1].body))
        assert found, "the message holds no code"
        return found[1]

    def verify_code(self, payment: Payment, *, by: str = "treasurer") -> None:
        """Send a code and give it back: the payment is then verified."""
        code = self.send_code(payment, by=by)
        verify_otp(actor=self.actor(by), payment_id=payment.pk, otp=code)

    def balances(self) -> Account:
        """The fund's account as it is now."""
        return Account.objects.get(pk=self.fund.account_id)

    def add_provider(self, simulator: Simulator) -> Provider:
        """The company's M-Pesa account, at the running simulator."""
        known = simulator.identity
        names = ("consumer_key", "consumer_secret", "initiator_password")
        return Provider.objects.create(
            company=self.company,
            kind=Provider.Kind.MPESA,
            name="M-Pesa",
            base_url=simulator.url,
            short_code=known["short_code"],
            initiator_name=known["initiator_name"],
            credentials=Credentials(**{name: known[name] for name in names}).dump(),
            certificate=known["certificate"],
        )


def build_scene(
    *,
    opening: str | int = 500_000,
    code: str = "savanna",
    reorder_level: int = 0,
    one_approval_up_to: int | None = None,
) -> Scene:
    """A company in Kenya whose fund holds ``opening`` shillings; no payment needs a code."""
    company = Company.objects.create(
        name=f"{code.title()} Traders", code=code, currency="KES", time_zone="Africa/Nairobi"
    )
    people = _people(company)
    ApprovalTier.objects.create(
        company=company, currency="KES", up_to=one_approval_up_to, needs=ApprovalTier.Needs.ONE
    )
    PaymentPolicy.objects.create(company=company, currency="KES", code_above=10**9)
    fund = open_fund(
        actor=Actor.of(people["cfo"]),
        company_id=company.pk,
        name="Petty cash",
        currency="KES",
        reorder_level=reorder_level,
        target_level=2 * reorder_level,
    )
    scene = Scene(company, fund, people, Decimal(opening))
    if scene.opening:
        scene.fill(opening)
    return scene


def _people(company: Company) -> dict[str, User]:
    password = make_password(PASSWORD)
    users = [
        User(username=f"{company.code}_{name}", email=f"{name}@example.com", password=password)
        for name in PEOPLE
    ]
    people = dict(zip(PEOPLE, User.objects.bulk_create(users), strict=True))
    Membership.objects.bulk_create(
        Membership(user=people[name], company=company, role=role) for name, role in PEOPLE.items()
    )
    return people


def _fill(scene: Scene, amount: Decimal, on: date) -> None:
    fund = scene.fund
    lines = (
        Line(fund.account_id, Side.DEBIT, amount, "KES"),
        Line(fund.funding_account_id, Side.CREDIT, amount, "KES"),
    )
    with transaction.atomic():
        post(Posting(scene.company.pk, f"opening:{uuid4()}", "Opening balance", on, lines))


def assert_books_hold() -> None:
    """Everything recomputed from the entries agrees with what is written."""
    report = verify()
    assert report.holds, report.faults
