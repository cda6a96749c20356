"""Three accounts of one company: cash with 100.00 that may not fall below nothing, a bank and sales."""

import pytest

from ledger.models import Account, AccountType
from tests.ledger.factories import open_account


@pytest.fixture
def cash() -> Account:
    return open_account(balance="100.00", minimum="0")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company)


@pytest.fixture
def sales(cash: Account) -> Account:
    return open_account(cash.company, type=AccountType.INCOME)
