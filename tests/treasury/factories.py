"""People, companies, funds and approved requisitions, for tests that are about what comes after."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction

from ledger.actor import Actor
from ledger.encryption import blind_index
from ledger.models import AccountType, Company, Membership, User
from ledger.roles import Role
from ledger.services.accounts import open_account
from ledger.services.posting import Line, Posting, post
from payments.models import Provider
from treasury.models import PaymentPolicy, Requisition, RequisitionApproval, TreasuryFund
from treasury.states import RequisitionStatus

DAY = date(2026, 3, 2)
PHONE = "+254712345678"
numbers = count(1)


def today(company: Company) -> date:
    """What tests pass where entrances pass the clock."""
    return DAY


def make_company(**attributes: Any) -> Company:
    """A company in Kenya, with nobody in it."""
    number = next(numbers)
    defaults = {
        "name": f"Company {number}",
        "code": f"company-{number}",
        "currency": "KES",
        "time_zone": "Africa/Nairobi",
    }
    return Company.objects.create(**(defaults | attributes))


def person(company: Company, *roles: Role, **attributes: Any) -> User:
    """A user with these roles in the whole company."""
    name = f"person{next(numbers)}"
    defaults = {"username": name, "email": f"{name}@example.org"}
    user = User.objects.create(**(defaults | attributes))
    for role in roles:
        Membership.objects.create(user=user, company=company, role=role)
    return user


def acting(user: User) -> Actor:
    """The user, making a request."""
    return Actor.of(user, ip_address="192.0.2.7", user_agent="tests", request_id="r1")


def make_fund(
    company: Company,
    *,
    balance: Decimal = Decimal(0),
    reorder_level: Decimal = Decimal(0),
    target_level: Decimal | None = None,
) -> TreasuryFund:
    """A fund with its accounts, filled from its funding account."""
    number = next(numbers)
    accounts = {
        f"{name}account": open_account(
            company_id=company.pk,
            code=f"{number}-{name or 'money'}",
            name=f"Fund {number} {name}".strip(" _"),
            type=kind,
            currency=company.currency,
            minimum=Decimal(0) if not name else None,
        )
        for name, kind in (
            ("", AccountType.ASSET),
            ("spending_", AccountType.EXPENSE),
            ("funding_", AccountType.EQUITY),
            ("variance_", AccountType.EXPENSE),
            ("suspense_", AccountType.ASSET),
            ("clearing_", AccountType.LIABILITY),
        )
    }
    fund = TreasuryFund.objects.create(
        name=f"Fund {number}",
        company=company,
        currency=company.currency,
        reorder_level=reorder_level,
        target_level=reorder_level if target_level is None else target_level,
        **accounts,
    )
    if balance:
        fill(fund, balance)
    return TreasuryFund.objects.get(pk=fund.pk)


def fill(fund: TreasuryFund, amount: Decimal) -> None:
    """Put money into the fund."""
    with transaction.atomic():
        post(
            Posting(
                company_id=fund.company_id,
                reference=f"tests.fill:{next(numbers)}",
                description="Opening balance",
                effective_on=DAY,
                lines=(
                    Line(fund.account_id, "debit", amount, fund.currency),
                    Line(fund.funding_account_id, "credit", amount, fund.currency),
                ),
            )
        )


def make_requisition(
    fund: TreasuryFund,
    requester: User,
    approver: User,
    *,
    amount: Decimal = Decimal(1000),
    method: str = "cash",
    destination: str = "Front desk",
    payee_name: str = "Amina Traders",
) -> Requisition:
    """A requisition that was approved by one person."""
    requisition = Requisition.objects.create(
        fund=fund,
        company_id=fund.company_id,
        amount=amount,
        currency=fund.currency,
        purpose="Paper for the office",
        payee_name=payee_name,
        method=method,
        destination=destination,
        destination_index=blind_index(destination),
        requested_by=requester,
    )
    approve(requisition, approver)
    return requisition


def approve(requisition: Requisition, approver: User) -> None:
    """Approve the requisition as it is now."""
    RequisitionApproval.objects.create(
        requisition=requisition,
        version=requisition.version,
        requester_id=requisition.requested_by_id,
        approver=approver,
        role=Role.APPROVER,
    )
    requisition.status = RequisitionStatus.APPROVED
    requisition.save(update_fields=["status"])


def set_code_limit(company: Company, amount: Decimal) -> None:
    """Ask for a code strictly above ``amount``."""
    PaymentPolicy.objects.update_or_create(
        company=company, currency=company.currency, defaults={"code_above": amount}
    )


def make_provider(company: Company, **attributes: Any) -> Provider:
    """An account at a gateway, for tests that replace the call."""
    number = next(numbers)
    defaults: dict[str, Any] = {
        "company": company,
        "kind": Provider.Kind.MPESA,
        "name": f"M-Pesa {number}",
        "base_url": "http://127.0.0.1:9",
        "short_code": f"60{number:04d}",
        "initiator_name": "bursar",
        "credentials": "{}",
        "certificate": "none",
    }
    return Provider.objects.create(**(defaults | attributes))
