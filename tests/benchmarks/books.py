"""Books that are large enough to measure on."""

import itertools
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import psycopg
from django.db import transaction

from ledger.models import Account, Company
from ledger.services.accounts import open_account
from ledger.services.posting import Line, Posting, post_many
from tests import database

SMALL = 10_000
ACCOUNTS = 100
LINES = 20
BATCH = 500
BATCHES = 10
FIRST = date(2026, 1, 1)
DAYS = 365
# The day after all that is seeded.
TODAY = FIRST + timedelta(days=DAYS)


@dataclass
class Books:
    """A company with a hundred accounts, one account of ten thousand entries, and a large one."""

    company: Company
    accounts: list[Account]
    small: Account
    large: Account
    numbers: Iterator[int]

    def transfer(self, on: date | None = None) -> Posting:
        """A two-line posting between two of the hundred accounts, with one date of a year after the other."""
        number = next(self.numbers)
        source, target = random.sample(self.accounts, 2)
        lines = (
            Line(target.pk, "debit", Decimal("10.00"), "KES"),
            Line(source.pk, "credit", Decimal("10.00"), "KES"),
        )
        on = on or FIRST + timedelta(days=number % DAYS)
        return Posting(self.company.pk, f"benchmark:{number}", "A transfer", on, lines)

    def reread(self) -> None:
        self.small.refresh_from_db()
        self.large.refresh_from_db()


def seeded(name: str, entries: int) -> Books:
    """Post through the service until both accounts have their entries, and let PostgreSQL analyse."""
    company = Company.objects.create(name="Benchmark", code="benchmark", currency="KES")
    accounts = [_open(company, f"account {number}") for number in range(ACCOUNTS)]
    books = Books(
        company, accounts, _open(company, "small"), _open(company, "large"), itertools.count()
    )
    for account, wanted in ((books.small, SMALL), (books.large, entries)):
        for _ in range(0, wanted, LINES * BATCH):
            with transaction.atomic():
                post_many([_shuffle(books, account) for _ in range(BATCH)])
    for _ in range(BATCHES):
        with transaction.atomic():
            post_many([books.transfer() for _ in range(BATCH)])
    with psycopg.connect(
        database.CLUSTER.url(role="postgres", database=name), autocommit=True
    ) as owner:
        owner.execute("VACUUM ANALYZE")
    os.sync()
    books.reread()
    return books


def _open(company: Company, code: str) -> Account:
    return open_account(company_id=company.pk, code=code, name=code, type="asset", currency="KES")  # type: ignore[arg-type]


def _shuffle(books: Books, account: Account) -> Posting:
    """A posting with many lines on one account, which leaves its balance as it was."""
    number = next(books.numbers)
    lines = tuple(
        Line(account.pk, side, Decimal("1.00"), "KES")
        for side in ("debit", "credit") * (LINES // 2)
    )
    on = FIRST + timedelta(days=number % DAYS)
    return Posting(books.company.pk, f"benchmark:{number}", "A shuffle", on, lines)
