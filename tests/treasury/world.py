"""A company with people and a fund, as treasury's tests want it."""

from dataclasses import dataclass
from typing import Any

from ledger.models import Account, Company, User
from tests.treasury import factories
from treasury.models import Payment, Requisition, TreasuryFund
from treasury.services.payments import create_payment


@dataclass
class World:
    """One company, one fund, and one person for each part."""

    company: Company
    fund: TreasuryFund
    requester: User
    approver: User
    treasurer: User
    second_treasurer: User
    cfo: User

    def requisition(self, **details: Any) -> Requisition:
        return factories.make_requisition(self.fund, self.requester, self.approver, **details)

    def payment(self, **details: Any) -> Payment:
        """A pending payment of all of a new, approved requisition."""
        requisition = self.requisition(**details)
        return create_payment(actor=factories.acting(self.treasurer), requisition_id=requisition.pk)

    def account(self) -> Account:
        """The fund's account as it is now."""
        return Account.objects.get(pk=self.fund.account_id)
