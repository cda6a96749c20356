"""Requisitions that a floor above raises, and what their payments leave in the books."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from ledger.models import Account, AccountType, User
from ledger.roles import Role
from ledger.services.accounts import open_account
from tests.treasury.factories import acting, approve, person, today
from tests.treasury.world import World
from treasury.models import Payment, Requisition, TreasuryFund
from treasury.services.execution import execute_payment
from treasury.services.payments import create_payment
from treasury.services.raising import raise_requisition
from treasury.services.requisition_content import Content

SOURCE = "tests.expense:1"


@pytest.fixture
def clearing(world: World) -> Account:
    """What stands between the fund and whoever recorded that something is owed."""
    return open_clearing(world.fund)


def open_clearing(fund: TreasuryFund, **details: Any) -> Account:
    wanted: dict[str, Any] = {
        "company_id": fund.company_id,
        "code": f"c-{uuid4().hex}",
        "name": "Paid by treasury",
        "type": AccountType.LIABILITY,
        "currency": fund.currency,
    }
    return open_account(**(wanted | details))


@pytest.fixture
def recorder(world: World) -> User:
    return person(world.company, Role.RECONCILER)


Raise = Callable[..., Requisition]


@pytest.fixture
def raised(world: World, clearing: Account, recorder: User) -> Raise:
    """Raise a requisition that debits the clearing account."""

    def raise_it(source: str = SOURCE, **details: Any) -> Requisition:
        wanted: dict[str, Any] = {
            "amount": "400.00",
            "currency": None,
            "purpose": "Roof",
            "payee_name": "Amina Roofs",
            "method": "cash",
            "destination": "Front desk",
        }
        with transaction.atomic():
            return raise_requisition(
                actor=acting(recorder),
                fund=world.fund,
                content=Content(**(wanted | details)),
                source=source,
                debit_account_id=clearing.pk,
            )

    return raise_it


def pending(world: World, requisition: Requisition) -> Payment:
    approve(requisition, world.approver)
    return create_payment(actor=acting(world.treasurer), requisition_id=requisition.pk)


def pay(world: World, requisition: Requisition) -> Payment:
    payment = pending(world, requisition)
    return execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def owed(account: Account) -> Decimal:
    """What was debited to the account more than credited."""
    return -Account.objects.get(pk=account.pk).balance


def untouched(world: World) -> bool:
    """Whether nothing stands on the fund's own spending and variance accounts."""
    ids = (world.fund.spending_account_id, world.fund.variance_account_id)
    return not any(Account.objects.filter(pk__in=ids).values_list("entry_count", flat=True))
