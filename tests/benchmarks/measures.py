"""What is measured, and how it is told."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial

from django.db import transaction

from ledger.chain import padded_keys
from ledger.models import Account
from ledger.selectors import balance_at, balance_on, statement
from ledger.services.posting import POST_TWO, call_that_posts, facts_of, post, post_many
from ledger.services.verification import verify
from tests.benchmarks import bare, hordak
from tests.benchmarks.books import (
    ACCOUNTS,
    BATCH,
    BATCHES,
    DAYS,
    FIRST,
    SMALL,
    TODAY,
    Books,
    seeded,
)
from tests.benchmarks.figures import Figure

ONE_BY_ONE = 200
MANY = 1_000
PAGE = 50
VERIFIED_IN = 1e-5  # seconds for each entry


def measure(name: str, *, entries: int, rounds: int) -> Iterator[Figure]:
    """Seed through the service, and yield how the ledger reads, proves and writes."""
    books = seeded(name, entries)
    yield from _reading(books, entries, rounds)
    yield _verifying()
    yield from _writing(books, rounds)
    yield from _beside_hordak(books, name, rounds)
    bare.install(name)  # last, for what it writes is not sealed
    yield from _against_bare(books, rounds)


def _compared(label: str, this: float, against: float) -> Figure:
    return Figure(label, this, against, this / against, None, "flat")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _medians(rounds: int, *works: Callable[[], object], times: int = 1) -> list[float]:
    """The median time of each work, taken in turns so that a busy moment strikes them all."""
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times_of, work in zip(taken, works, strict=True):
            times_of += [_seconds(work) for _ in range(times)]
    return [statistics.median(times_of) for times_of in taken]


# --- Reading ----------------------------------------------------------------------------------------------


def _reading(books: Books, entries: int, rounds: int) -> Iterator[Figure]:
    for label, read in READS.items():
        small, large = _medians(
            rounds, partial(read, books.small), partial(read, books.large), times=100
        )
        told = f"{label}: {entries:,} entries / {SMALL:,}"
        yield Figure(told, large, small, large / small, 2.0, "flat")


def _now(account: Account) -> object:
    return Account.objects.values_list("balance", flat=True).get(pk=account.pk)


def _at(account: Account) -> object:
    assert account.last_posted_at
    since = account.last_posted_at - account.created_at
    return balance_at(account, account.created_at + since * random.random())


def _on(account: Account) -> object:
    return balance_on(account, FIRST + timedelta(days=random.randrange(DAYS)))


def _page(account: Account) -> object:
    return list(statement(account)[:PAGE])


def _old_page(account: Account) -> object:
    last = random.randrange(PAGE, account.entry_count)
    return list(statement(account).filter(sequence__lte=last)[:PAGE])


READS: dict[str, Callable[[Account], object]] = {
    "balance now": _now,
    "balance at an instant": _at,
    "balance on a date": _on,
    f"newest {PAGE} lines of a statement": _page,
    f"{PAGE} lines from the middle of a statement": _old_page,
}


def _verifying() -> Figure:
    """Time for each entry, beside the ten microseconds of 100,000 entries a second."""
    began = time.perf_counter()
    report = verify()
    each = (time.perf_counter() - began) / report.entries
    assert report.holds, report.faults
    label = f"verify_ledger, {report.entries:,} entries, each / 100,000 a second"
    return Figure(label, each, VERIFIED_IN, VERIFIED_IN / each, 1.0)


# --- Writing ----------------------------------------------------------------------------------------------


def _post_one(books: Books, on: date | None = None) -> None:
    with transaction.atomic():
        post(books.transfer(on))


def _post_alone(books: Books, on: date | None = None) -> None:
    """In a statement that is a transaction by itself, as cash is paid."""
    call_that_posts(POST_TWO, (*facts_of(books.transfer(on)), *padded_keys()), alone=True)


def _post_one_by_one(books: Books) -> None:
    for _ in range(ONE_BY_ONE):
        _post_one(books)


def _post_many(books: Books) -> None:
    with transaction.atomic():
        post_many([books.transfer() for _ in range(MANY)])


def _post_in_one_transaction(books: Books) -> None:
    with transaction.atomic():
        for _ in range(ONE_BY_ONE):
            post(books.transfer())


def _writing(books: Books, rounds: int) -> Iterator[Figure]:
    many, apart, together = _medians(
        rounds,
        lambda: _post_many(books),
        lambda: _post_one_by_one(books),
        lambda: _post_in_one_transaction(books),
    )
    label = f"a posting of {MANY:,} at once / "
    yield _compared(label + "one by one, a transaction each", many / MANY, apart / ONE_BY_ONE)
    yield _compared(label + "one by one in one", many / MANY, together / ONE_BY_ONE)


def _beside_hordak(books: Books, name: str, rounds: int) -> Iterator[Figure]:
    """Each makes one transfer of today durable: ours in one round trip, as cash is paid, and in a transaction
    that Python opens.

    Today is the date that hordak gives all of its transfers, and nearly everything that is posted anywhere.
    """
    ours = partial(_post_alone, books, TODAY), partial(_post_one, books, TODAY)
    taken: list[list[float]] = []
    with hordak.transferring(name, accounts=ACCOUNTS, history=BATCH * BATCHES) as transfer:
        for _ in range(1 + rounds):
            alone_and_within = _medians(1, *ours, times=ONE_BY_ONE)
            taken.append([*alone_and_within, transfer(ONE_BY_ONE)])
    # The first round is for the caches.
    alone, within, theirs = (statistics.median(column) for column in zip(*taken[1:], strict=True))
    label = "a two-line posting, a transaction by itself / django-hordak's transfer"
    yield Figure.of(label, this=alone, floor=theirs, aim=2.0)
    label = "the same in a transaction that Python opens"
    yield Figure.of(label, this=within, floor=theirs, aim=None)


def _against_bare(books: Books, rounds: int) -> Iterator[Figure]:
    service, by_hand = _medians(
        rounds, lambda: _post_one(books), lambda: _bare_one(books), times=ONE_BY_ONE
    )
    yield _compared("two-line posting: the service / bare SQL by hand", service, by_hand)
    service, by_hand = _medians(
        rounds, lambda: _post_in_one_transaction(books), lambda: _bare_in_one_transaction(books)
    )
    label = "the same without the commit"
    yield _compared(label, service / ONE_BY_ONE, by_hand / ONE_BY_ONE)


def _bare_one(books: Books) -> None:
    with transaction.atomic():
        bare.post(books.transfer())


def _bare_in_one_transaction(books: Books) -> None:
    with transaction.atomic():
        for _ in range(ONE_BY_ONE):
            bare.post(books.transfer())
