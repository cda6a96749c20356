"""A company with tiers, people in every part and one filled fund, for tests about what stands on paper."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.actor import Actor
from ledger.models import Account, Company, User
from ledger.roles import Role
from tests.treasury import factories
from tests.treasury.factories import acting, today
from treasury.models import Payment, Requisition, TreasuryFund, VarianceAdjustment
from treasury.services.execution import execute_payment
from treasury.services.funds import open_fund
from treasury.services.payments import create_payment
from treasury.services.policies import set_approval_tiers, set_code_threshold
from treasury.services.requisitions import approve_requisition, create_requisition
from treasury.services.variances import record_variance
from treasury.tiers import APPROVER_AND_CFO, ONE, Tier

SYSTEM = Actor.system("tests")
CASH: dict[str, Any] = {
    "amount": "1000.00",
    "purpose": "Paper for the office",
    "payee_name": "Amina Traders",
    "method": "cash",
    "destination": "Front desk",
}


@dataclass
class Desk:
    """One company with its fund, and one person for each part."""

    company: Company
    fund: TreasuryFund
    requester: User
    approver: User
    cfo: User
    treasurer: User
    reconciler: User
    auditor: User

    def request(self, **details: Any) -> Requisition:
        """A submitted requisition."""
        wanted = CASH | details
        return create_requisition(actor=acting(self.requester), fund_id=self.fund.pk, **wanted)

    def approved(self, **details: Any) -> Requisition:
        requisition = self.request(**details)
        return approve_requisition(
            actor=acting(self.approver), requisition_id=requisition.pk, comment="Fine."
        )

    def pending(self, **details: Any) -> Payment:
        """A pending payment of all of a new requisition."""
        requisition = self.approved(**details)
        return create_payment(actor=acting(self.treasurer), requisition_id=requisition.pk)

    def paid(self, **details: Any) -> Payment:
        """A payment in cash that went out."""
        payment = self.pending(**details)
        return execute_payment(actor=acting(self.treasurer), payment_id=payment.pk, today=today)

    def variance(self, payment: Payment, adjusted: str, **details: Any) -> VarianceAdjustment:
        """A pending variance, recorded by the treasurer."""
        wanted = {
            "original_amount": str(payment.amount.quantize(Decimal("0.01"))),
            "adjusted_amount": adjusted,
            "reason": "The receipt says otherwise",
        } | details
        return record_variance(actor=acting(self.treasurer), payment_id=payment.pk, **wanted)

    def account(self) -> Account:
        """The fund's account as it is now."""
        return Account.objects.get(pk=self.fund.account_id)


def make_desk(*, balance: Decimal = Decimal(100_000), **fund_details: Any) -> Desk:
    """A company whose fund holds ``balance``, one approval up to 50,000 and two above."""
    company = factories.make_company()
    tiers = [Tier(Decimal(50_000), ONE), Tier(None, APPROVER_AND_CFO)]
    set_approval_tiers(actor=SYSTEM, company_id=company.pk, currency="KES", tiers=tiers)
    set_code_threshold(
        actor=SYSTEM, company_id=company.pk, currency="KES", code_above=Decimal(200_000)
    )
    details = {"name": "Petty cash", "currency": "KES"} | fund_details
    fund = open_fund(actor=SYSTEM, company_id=company.pk, **details)
    if balance:
        factories.fill(fund, balance)
    return Desk(
        company=company,
        fund=TreasuryFund.objects.get(pk=fund.pk),
        requester=factories.person(company, Role.REQUESTER),
        approver=factories.person(company, Role.APPROVER),
        cfo=factories.person(company, Role.CFO),
        treasurer=factories.person(company, Role.TREASURER),
        reconciler=factories.person(company, Role.RECONCILER),
        auditor=factories.person(company, Role.AUDITOR),
    )


def rival_of(desk: Desk, *roles: Role) -> User:
    """Another person of the same company."""
    return factories.person(desk.company, *roles)


def refused_by(words: str, sql: str, *parameters: Any) -> None:
    """PostgreSQL refuses the statement, run as the application's role, in words that match."""
    with pytest.raises(DatabaseError, match=words):
        _run_to_the_end(sql, parameters)


def _run_to_the_end(sql: str, parameters: tuple[Any, ...]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
