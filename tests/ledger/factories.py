"""Things to test with. Money comes into the books through the services only.

``CompanyFactory.create()`` and its kin build the organisation; ``open_account`` and the functions below it
are the short words in which the ledger's tests are written.
"""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from factory.declarations import LazyAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from ledger.models import Account, AccountType, Branch, Company, Membership, Region, User
from ledger.roles import Role
from ledger.services import accounts
from ledger.services.posting import Line, Posting, hold, post

DAY = date(2026, 3, 2)
numbers = itertools.count(1)


class CompanyFactory(DjangoModelFactory[Company]):
    class Meta:
        model = Company

    name = Sequence(lambda number: f"Company {number}")
    code = Sequence(lambda number: f"company-{number}")
    currency = "KES"
    time_zone = "Africa/Nairobi"


class RegionFactory(DjangoModelFactory[Region]):
    class Meta:
        model = Region

    company = SubFactory(CompanyFactory)
    name = Sequence(lambda number: f"Region {number}")


class BranchFactory(DjangoModelFactory[Branch]):
    class Meta:
        model = Branch

    region = SubFactory(RegionFactory)
    name = Sequence(lambda number: f"Branch {number}")


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = Sequence(lambda number: f"person{number}")
    email = LazyAttribute(lambda user: f"{user.username}@example.com")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = SubFactory(UserFactory)
    company = SubFactory(CompanyFactory)
    role = Role.TREASURER


def open_account(
    company: Company | None = None,
    *,
    code: str | None = None,
    type: AccountType = AccountType.ASSET,
    currency: str | None = None,
    minimum: str | None = None,
    balance: str | None = None,
) -> Account:
    """An account of the company (a new one by default); ``balance`` is paid in from equity."""
    company = company or CompanyFactory.create()
    account = accounts.open_account(
        company_id=company.pk,
        code=code or f"account-{next(numbers)}",
        name=code or "Account",
        type=type,
        currency=currency or company.currency,
        minimum=Decimal(minimum) if minimum is not None else None,
    )
    if balance is not None:
        give(account, balance)
    return account


def debit(account: Account, amount: str) -> Line:
    return Line(account.pk, "debit", Decimal(amount), account.currency)


def credit(account: Account, amount: str) -> Line:
    return Line(account.pk, "credit", Decimal(amount), account.currency)


def posting(account: Account, *lines: Line, reference: str | None = None, **facts: Any) -> Posting:
    """A posting of the account's company, under a reference of its own unless one is given."""
    facts.setdefault("effective_on", DAY)
    facts.setdefault("description", "A test")
    reference = f"test:{next(numbers)}" if reference is None else reference
    return Posting(company_id=account.company_id, reference=reference, lines=lines, **facts)


def transfer(source: Account, target: Account, amount: str, **facts: Any) -> Posting:
    """A posting that debits the target and credits the source."""
    return posting(source, debit(target, amount), credit(source, amount), **facts)


def book(wanted: Posting) -> UUID:
    """Post in a transaction of its own and return the journal entry's id."""
    with transaction.atomic():
        return post(wanted)


def move(source: Account, target: Account, amount: str, **facts: Any) -> UUID:
    """Book a transfer and read both accounts anew."""
    entry = book(transfer(source, target, amount, **facts))
    source.refresh_from_db()
    target.refresh_from_db()
    return entry


def give(account: Account, amount: str, **facts: Any) -> UUID:
    """Put money on the normal side of an account, from an equity account that nobody looks at."""
    equity = open_account(account.company, type=AccountType.EQUITY, currency=account.currency)
    grows = account.normal_side == "debit"
    lines = (debit(account, amount), credit(equity, amount))
    if not grows:
        lines = (debit(equity, amount), credit(account, amount))
    entry = book(posting(account, *lines, **facts))
    account.refresh_from_db()
    return entry


def keep(account: Account, amount: str, reference: str | None = None) -> str:
    """Hold an amount of the account in a transaction of its own; returns the hold's reference."""
    reference = reference or f"hold:{next(numbers)}"
    with transaction.atomic():
        hold(account_id=account.pk, amount=Decimal(amount), reference=reference)
    account.refresh_from_db()
    return reference
