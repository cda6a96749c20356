"""Where tests of money out take place: a company, its people, a fund with money, approved requisitions.

What a test is about it does through the services. What must merely be there is written directly, because
hundreds of payments are made here; the database's laws watch over these rows as over any others.
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
from ledger.clock import database_now, today
from ledger.encryption import blind_index
from ledger.models import Account, AccountType, Company, Membership, Side, User
from ledger.roles import Role
from ledger.services.accounts import open_account
from ledger.services.posting import Line, Posting, post
from ledger.services.verification import verify
from payments.credentials import Credentials
from payments.models import Provider
from tests.simulator import Simulator
from treasury.models import (
    Payment,
    PaymentPolicy,
    Requisition,
    RequisitionApproval,
    TreasuryFund,
)
from treasury.services.codes import send_otp, verify_otp

PASSWORD = "correct horse battery"
PHONE = "+254712345678"
PEOPLE = {
    "requester": Role.REQUESTER,
    "approver": Role.APPROVER,
    "second_approver": Role.APPROVER,
    "cfo": Role.CFO,
    "second_cfo": Role.CFO,
    "treasurer": Role.TREASURER,
    "second_treasurer": Role.TREASURER,
    "reconciler": Role.RECONCILER,
    "auditor": Role.AUDITOR,
}
ACCOUNTS = {
    "account": (AccountType.ASSET, Decimal(0)),
    "spending_account": (AccountType.EXPENSE, None),
    "funding_account": (AccountType.ASSET, None),
    "variance_account": (AccountType.EXPENSE, None),
    "suspense_account": (AccountType.ASSET, None),
    "clearing_account": (AccountType.LIABILITY, None),
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
        destination: str = "",
        approved: bool = True,
        requested_by: str = "requester",
    ) -> Requisition:
        """What ``requested_by`` asks for, agreed to by the approver unless ``approved`` is False."""
        requisition = Requisition.objects.create(
            fund=self.fund,
            company=self.company,
            amount=Decimal(amount),
            currency=self.fund.currency,
            purpose="Diesel for the generator",
            payee_name="Wanjiku Supplies",
            method=method,
            destination=destination,
            destination_index=blind_index(destination) if destination else "",
            requested_by=self.people[requested_by],
        )
        if approved:
            self._approve(requisition)
        return requisition

    def _approve(self, requisition: Requisition) -> None:
        RequisitionApproval.objects.create(
            requisition=requisition,
            version=requisition.version,
            requester=requisition.requested_by,
            approver=self.people["approver"],
            role=Role.APPROVER.value,
        )
        requisition.status = "approved"
        requisition.approved_at = database_now()
        requisition.save(update_fields=["status", "approved_at"])

    def payment(self, amount: str | int = 100, **asked: Any) -> Payment:
        """A pending payment of all that an approved requisition of its own allows."""
        return self.payments_of(self.requisition(amount, **asked), [Decimal(amount)])[0]

    def mpesa_payment(self, amount: str | int = 100, *, destination: str = PHONE) -> Payment:
        return self.payment(amount, method="mpesa", destination=destination)

    def payments_of(self, requisition: Requisition, amounts: list[Decimal]) -> list[Payment]:
        """Pending payments of one requisition; a code is needed where the policy says so."""
        above = PaymentPolicy.objects.get(company=self.company).code_above
        return Payment.objects.bulk_create(
            Payment(
                requisition=requisition,
                company=self.company,
                fund=self.fund,
                requester=requisition.requested_by,
                amount=amount,
                currency=requisition.currency,
                method=requisition.method,
                destination=requisition.destination,
                destination_index=requisition.destination_index,
                otp_required=amount > above,
                created_by=self.people["treasurer"],
            )
            for amount in amounts
        )

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
    *, opening: str | int = 500_000, code: str = "savanna", reorder_level: int = 0
) -> Scene:
    """A company in Kenya whose fund holds ``opening`` shillings; no payment needs a code."""
    company = Company.objects.create(
        name=f"{code.title()} Traders", code=code, currency="KES", time_zone="Africa/Nairobi"
    )
    people = _people(company)
    fund = _fund(company, reorder_level)
    PaymentPolicy.objects.create(company=company, currency="KES", code_above=10**9)
    scene = Scene(company, fund, people, Decimal(opening))
    if scene.opening:
        _fill(scene, today(company))
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


def _fund(company: Company, reorder_level: int) -> TreasuryFund:
    accounts = {
        name: open_account(
            company_id=company.pk,
            code=f"1000-{name}",
            name=f"Petty cash {name}",
            type=type,
            currency="KES",
            minimum=minimum,
        )
        for name, (type, minimum) in ACCOUNTS.items()
    }
    return TreasuryFund.objects.create(
        name="Petty cash",
        company=company,
        currency="KES",
        reorder_level=reorder_level,
        target_level=reorder_level * 2,
        **accounts,
    )


def _fill(scene: Scene, on: date) -> None:
    fund, amount = scene.fund, scene.opening
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
