"""Paying in cash, measured against the floor: one by one in process, and hundreds at once."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from django.db import transaction

from config.embedded import postgres
from ledger import idempotency
from ledger.chain import padded_keys
from ledger.clock import today
from ledger.models import User
from ledger.services.verification import verify
from tests import database
from tests.benchmarks import floor
from tests.benchmarks.figures import Figure
from tests.benchmarks.office import FUNDS, Office, open_office
from treasury.models import Payment
from treasury.services.execution import execute_payment
from treasury.services.settlement import Proof, settle_many

HISTORY = 20_000
ONE_BY_ONE = 150
CHUNK = 500
EXECUTE = "SELECT floor.execute(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
ANSWER = {"payment_id": "", "status": "success", "detail": "x" * 900}


def measure(name: str, *, rounds: int, batch: int) -> Iterator[Figure]:
    """Seed, and yield how executing and settling relate to the floor."""
    office = open_office(name)
    office.pending(HISTORY, funds=FUNDS, coded=False)
    hot = [office.pending(ONE_BY_ONE, funds=1) for _ in range(rounds + 1)]
    spread = [office.pending(ONE_BY_ONE, funds=FUNDS) for _ in range(rounds + 1)]
    many = office.pending(batch, funds=1, coded=False)
    office.analyse()
    floor.install(name)
    yield _against_floor(office, hot, "execute_payment, cash, everything on, one hot fund", aim=0.5)
    yield _against_floor(office, spread, f"the same over {FUNDS} funds", aim=None)
    yield from _settling_many(office, many, hot[0])
    report = verify()
    assert report.holds, report.faults


def _against_floor(
    office: Office, sets: Sequence[Sequence[UUID]], label: str, *, aim: float | None
) -> Figure:
    ours: list[float] = []
    theirs: list[float] = []
    with paying_by_hand(office) as by_hand:
        for number, payments in enumerate(sets):
            taken = _times(by_hand, payments), _times(_executing(office), payments)
            if number:  # the first round is for the caches
                theirs += taken[0]
                ours += taken[1]
    return Figure.of(label, this=statistics.median(ours), floor=statistics.median(theirs), aim=aim)


def _executing(office: Office) -> Callable[[UUID], object]:
    actor = office.treasurer
    assert actor.user_id
    user_id = actor.user_id

    def execute(payment_id: UUID) -> object:
        asked = idempotency.Request(
            user_id=user_id,
            scope="POST /api/payments/execute/",
            key=str(payment_id),
            request_hash=b"h" * 32,
            answer=lambda payment: (200, ANSWER | {"payment_id": str(payment.pk)}),
        )
        with idempotency.answering(asked):
            return execute_payment(actor=actor, payment_id=payment_id, today=today)

    return execute


@contextmanager
def paying_by_hand(office: Office) -> Iterator[Callable[[UUID], object]]:
    """The floor, prepared, on a connection of its own that is as careful as ours."""
    url = database.CLUSTER.url(role=postgres.RUNTIME, database=office.name)
    user_id, on, keys = office.treasurer.user_id, today(office.scene.company), padded_keys()
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:

        def pay(payment_id: UUID) -> object:
            known = (payment_id, user_id, on, "POST", str(payment_id), b"h" * 32, "x" * 900, *keys)
            return connection.execute(EXECUTE, known).fetchone()

        yield pay


def _times(work: Callable[[UUID], object], payments: Sequence[UUID]) -> list[float]:
    taken = []
    for payment_id in payments:
        began = time.perf_counter()
        work(payment_id)
        taken.append(time.perf_counter() - began)
    return taken


def _settling_many(
    office: Office, payments: Sequence[UUID], again: Sequence[UUID]
) -> Iterator[Figure]:
    """Settle in chunks, beside a set-based statement by hand and beside one by one."""
    began = time.perf_counter()
    for start in range(0, len(payments), CHUNK):
        _settle(office, payments[start : start + CHUNK])
    each = (time.perf_counter() - began) / len(payments)
    by_hand = floor.settle_in_bulk(office, payments, chunk=CHUNK)
    label = f"a batch of {len(payments):,} cash payments, {CHUNK} at a time, each / SQL in bulk"
    yield Figure.of(label, this=each, floor=by_hand / len(payments), aim=0.33)
    singles = office.pending(len(again), funds=1)
    alone = statistics.mean(_times(_executing(office), singles))
    yield Figure(
        "the same / one by one through the service", each, alone, alone / each, 20.0, "times"
    )


def _settle(office: Office, payment_ids: Sequence[UUID]) -> None:
    actor = office.treasurer
    assert isinstance(actor.user, User)
    with transaction.atomic():
        rows = Payment.objects.select_related("fund__company", "requisition")
        locked = list(
            rows.filter(pk__in=payment_ids)
            .order_by("pk")
            .select_for_update(of=("fund", "requisition", "self"), no_key=True)
        )
        proof = Proof(actor.user.pk, actor.ip_address, actor.user_agent, None)
        settle_many(locked, proof=proof, on=today(office.scene.company), actor=actor)
