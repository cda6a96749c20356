"""Many at once on the same accounts and references: no deadlock, no money made or lost, nothing twice."""

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import transaction

from ledger.models import Account, Hold, JournalEntry, LedgerEntry
from ledger.refusals import InsufficientFunds
from ledger.selectors import trial_balance
from ledger.services.posting import (
    AlreadyReversed,
    HoldNotOpen,
    post,
    post_many,
    release,
    reverse,
)
from ledger.services.verification import verify
from tests.crowd import at_once
from tests.ledger.factories import DAY, book, keep, move, open_account, posting, transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cash() -> Account:
    return open_account(balance="1000.00", minimum="0")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company, balance="1000.00", minimum="0")


def balances(*accounts: Account) -> list[int]:
    return [int(Account.objects.get(pk=account.pk).balance) for account in accounts]


def test_a_hundred_crossing_transfers_end_without_a_deadlock(cash: Account, bank: Account) -> None:
    ways = [(cash, bank), (bank, cash)] * 50
    answers = at_once([partial(book, transfer(*way, "1.00")) for way in ways])
    assert [answer for answer in answers if not isinstance(answer, UUID)] == []
    assert balances(cash, bank) == [1000, 1000]
    assert verify().holds


def test_crossing_transfers_over_many_accounts_conserve_the_money(cash: Account) -> None:
    accounts = [open_account(cash.company, balance="100.00", minimum="0") for _ in range(5)]

    def wander(seed: int) -> int:
        choose = random.Random(seed)
        done = 0
        for _ in range(6):
            source, target = choose.sample(accounts, 2)
            try:
                book(transfer(source, target, str(choose.randint(1, 60))))
                done += 1
            except InsufficientFunds:
                continue
        return done

    answers = at_once([partial(wander, seed) for seed in range(40)])
    assert all(isinstance(answer, int) for answer in answers)
    assert sum(balances(*accounts)) == 500
    assert min(balances(*accounts)) >= 0
    assert verify().holds


def test_two_hundred_postings_of_one_reference_make_one_entry(cash: Account, bank: Account) -> None:
    answers = at_once([partial(book, transfer(cash, bank, "10.00", reference="once"))] * 200)
    entry = JournalEntry.objects.get(reference="once")
    assert set(answers) == {entry.pk}
    assert balances(cash, bank) == [990, 1010]
    assert LedgerEntry.objects.filter(journal_entry=entry).count() == 2


def test_two_hundred_payments_against_money_for_seventy(cash: Account) -> None:
    fund = open_account(cash.company, balance="70.00", minimum="0")
    shop = open_account(cash.company)
    lowest, stop = [], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            lowest.append(Account.objects.get(pk=fund.pk).available)

    def pay(last: bool) -> UUID:
        try:
            return book(transfer(fund, shop, "1.00"))
        finally:
            if last:
                stop.set()

    works: list[Callable[[], UUID | None]] = [partial(pay, number == 199) for number in range(200)]
    answers = at_once([watch, *works])[1:]
    paid = [answer for answer in answers if isinstance(answer, UUID)]
    refused = [answer for answer in answers if isinstance(answer, InsufficientFunds)]
    assert (len(paid), len(refused)) == (70, 130)
    assert balances(fund, shop) == [0, 70]
    assert min(lowest) >= 0


def test_two_hundred_holds_against_money_for_seventy(cash: Account) -> None:
    fund = open_account(cash.company, balance="70.00", minimum="0")
    answers = at_once([partial(keep, fund, "1.00", f"hold {number}") for number in range(200)])
    assert sum(isinstance(answer, InsufficientFunds) for answer in answers) == 130
    assert Account.objects.get(pk=fund.pk).held == Hold.objects.count() == 70


def test_a_hold_asked_for_a_hundred_times_holds_once(cash: Account) -> None:
    answers = at_once([partial(keep, cash, "10.00", "once")] * 100)
    assert set(answers) == {"once"}
    assert Account.objects.get(pk=cash.pk).held == 10


def test_overlapping_batches_in_opposite_orders_end_without_a_deadlock(
    cash: Account, bank: Account
) -> None:
    accounts = [cash, bank, *(open_account(cash.company) for _ in range(6))]
    choose = random.Random(7)
    ways = [choose.sample(accounts, 2) for _ in range(60)]
    wanted = [
        transfer(source, target, "1.00", reference=f"b{n}")
        for n, (source, target) in enumerate(ways)
    ]

    def batch(seed: int) -> list[UUID]:
        part = random.Random(seed).sample(wanted, 40)
        part = sorted(part, key=lambda one: one.reference, reverse=seed % 2 == 0)
        with transaction.atomic():
            return post_many(part)

    answers = at_once([partial(batch, seed) for seed in range(24)])
    assert [answer for answer in answers if not isinstance(answer, list)] == []
    posted = JournalEntry.objects.filter(reference__startswith="b")
    assert posted.count() == len({one.pk for one in posted}) <= 60
    assert sum(balances(*accounts)) == 2000
    assert verify().holds


def test_the_same_batch_from_many_sides_is_posted_once(cash: Account, bank: Account) -> None:
    wanted = [transfer(cash, bank, "1.00", reference=f"same {n}") for n in range(50)]

    def batch(order: int) -> dict[str, UUID]:
        part = wanted[::order]
        with transaction.atomic():
            return dict(zip((one.reference for one in part), post_many(part), strict=True))

    answers = at_once([partial(batch, order) for order in (1, -1) * 10])
    assert all(answer == answers[0] for answer in answers)
    assert balances(cash, bank) == [950, 1050]


def test_of_fifty_reversals_one_is_made(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "10.00")

    def undo(number: int) -> UUID:
        with transaction.atomic():
            return reverse(
                journal_entry_id=entry, reference=f"undo {number}", description="", effective_on=DAY
            )

    answers = at_once([partial(undo, number) for number in range(50)])
    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 49
    assert balances(cash, bank) == [1000, 1000]


def test_of_many_who_settle_or_release_one_hold_one_settles_at_most(
    cash: Account, bank: Account
) -> None:
    reference = keep(cash, "10.00")

    def settle() -> UUID:
        return book(transfer(cash, bank, "10.00", releases=reference))

    def let_go() -> None:
        with transaction.atomic():
            release(reference=reference)

    works: list[Callable[[], UUID | None]] = [settle, let_go] * 30
    answers = at_once(works)
    settled = [answer for answer in answers if isinstance(answer, UUID)]
    assert len(settled) <= 1
    assert all(answer is None or isinstance(answer, UUID | HoldNotOpen) for answer in answers)
    assert Account.objects.get(pk=cash.pk).held == 0
    assert balances(bank) == [1000 + 10 * len(settled)]
    assert verify().holds


def test_a_release_waits_for_the_account_before_it_takes_the_hold(
    cash: Account, bank: Account, superuser_connection: psycopg.Connection
) -> None:
    reference = keep(cash, "10.00")
    locked = threading.Event()

    def settle() -> UUID:
        with transaction.atomic():
            post(transfer(cash, bank, "1.00"))
            locked.set()
            wait_until_somebody_waits(superuser_connection)
            return post(transfer(cash, bank, "10.00", releases=reference))

    def let_go() -> None:
        locked.wait(20)
        with transaction.atomic():
            release(reference=reference)

    settled, released = at_once([settle, let_go])
    assert isinstance(settled, UUID)
    assert released is None


def wait_until_somebody_waits(watcher: psycopg.Connection) -> None:
    for _ in range(6000):
        waiting = watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        if waiting and waiting[0]:
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


def test_a_trial_balance_read_while_money_moves_is_balanced(cash: Account, bank: Account) -> None:
    done = threading.Event()

    def read() -> set[bool]:
        equal = set()
        while not done.is_set():
            totals = trial_balance(cash.company, DAY).totals
            equal |= {debit == credit for debit, credit in totals.values()}
        return equal

    def write() -> None:
        try:
            for _ in range(60):
                book(transfer(cash, bank, "1.00"))
        finally:
            done.set()

    found, _ = at_once([read, write])
    assert found == {True}


def test_a_verification_while_money_moves_finds_nothing(cash: Account, bank: Account) -> None:
    done = threading.Event()

    def check() -> bool:
        holds = True
        while not done.is_set():
            holds = holds and verify().holds
        return holds

    def write() -> None:
        try:
            for _ in range(60):
                lines = transfer(cash, bank, "1.00").lines * 2
                book(posting(cash, *lines))
        finally:
            done.set()

    found, _ = at_once([check, write])
    assert found is True
