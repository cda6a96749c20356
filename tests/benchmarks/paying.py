"""Paying in cash, measured against the floor: one by one in process, and hundreds at once."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from django.db import transaction

from config.collector import collect_seldom
from ledger import idempotency
from ledger.clock import today
from ledger.models import User
from ledger.services.verification import verify
from tests.benchmarks import batches, floor, over_http
from tests.benchmarks.figures import Figure
from tests.benchmarks.floor import paying_by_hand
from tests.benchmarks.office import FUNDS, Office, open_office, requisition_of
from treasury import locks
from treasury.services.execution import execute_payment
from treasury.services.settlement import Proof, settle_many

HISTORY = 20_000
ONE_BY_ONE = 150
CHUNK = 500
Sets = tuple[Sequence[UUID], Sequence[UUID]]
ANSWER = {"payment_id": "", "status": "success", "detail": "x" * 900}


def measure(name: str, *, rounds: int, batch: int) -> Iterator[Figure]:
    """Seed, and yield how executing and settling relate to the floor."""
    office = open_office(name)
    office.pending(HISTORY, funds=FUNDS, coded=False)
    hot, spread = (_sets(office, rounds, funds=funds, each=ONE_BY_ONE) for funds in (1, FUNDS))
    over = {
        funds: _sets(office, rounds, funds=funds, each=over_http.IN_A_ROUND) for funds in (FUNDS, 1)
    }
    many = [office.pending(batch, funds=1, coded=False) for _ in range(2)]
    office.analyse()
    floor.install(name)
    collect_seldom()  # as a web does when it has started
    yield _against_floor(office, hot, "execute_payment, cash, everything on, one hot fund", aim=0.5)
    yield _against_floor(office, spread, f"the same over {FUNDS} funds", aim=None)
    yield _floor_unwatched(office, hot)
    yield from _over_http(office, over)
    yield from _settling_many(office, *many)
    yield from batches.measure(office, number=batch, singles=ONE_BY_ONE, execute=_executing(office))
    report = verify()
    assert report.holds, report.faults


def _sets(office: Office, rounds: int, *, funds: int, each: int) -> list[Sets]:
    """For each round, and one before them for the caches: what we execute, and what is executed by hand."""
    return [
        (office.pending(each, funds=funds), office.pending(each, funds=funds))
        for _ in range(rounds + 1)
    ]


def _over_http(office: Office, over: dict[int, list[Sets]]) -> Iterator[Figure]:
    """What the same costs with everything before the service: HTTP, token, roles, rates, the answer."""
    how = f"over HTTP, {over_http.WORKERS} workers, {over_http.CALLERS} connections"
    with over_http.web_of(office) as web:
        many = f"{how}, {FUNDS} funds / floor by {over_http.CALLERS} at once"
        yield over_http.against_floor(office, web, over[FUNDS], many, aim=0.2)
        yield over_http.against_floor(office, web, over[1], f"{how}, one hot fund", aim=0.4)


def _against_floor(
    office: Office, sets: Sequence[Sets], label: str, *, aim: float | None
) -> Figure:
    ours: list[float] = []
    theirs: list[float] = []
    with paying_by_hand(office) as by_hand:
        for number, (executed, by_floor) in enumerate(sets):
            taken = _times(by_hand, by_floor), _times(_executing(office), executed)
            if number:  # the first round is for the caches
                theirs += taken[0]
                ours += taken[1]
    return Figure.of(label, this=statistics.median(ours), floor=statistics.median(theirs), aim=aim)


def _floor_unwatched(office: Office, sets: Sequence[Sets]) -> Figure:
    """What the laws that are triggers cost: the floor's payments once more, in copies that none watches."""
    watched: list[float] = []
    unwatched: list[float] = []
    with paying_by_hand(office) as by_hand, paying_by_hand(office, floor.UNWATCHED) as below:
        for payments, _ in sets:
            unwatched += _times(below, payments)
        watched += _times(by_hand, office.pending(len(unwatched), funds=1))
    return Figure.of(
        "the floor / the same without triggers",
        this=statistics.median(watched),
        floor=statistics.median(unwatched),
        aim=None,
    )


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


def _times(work: Callable[[UUID], object], payments: Sequence[UUID]) -> list[float]:
    taken = []
    for payment_id in payments:
        began = time.perf_counter()
        work(payment_id)
        taken.append(time.perf_counter() - began)
    return taken


def _settling_many(
    office: Office, payments: Sequence[UUID], by_floor: Sequence[UUID]
) -> Iterator[Figure]:
    """Settle in chunks, beside a set-based statement by hand and beside one by one."""
    began = time.perf_counter()
    for start in range(0, len(payments), CHUNK):
        _settle(office, payments[start : start + CHUNK])
    each = (time.perf_counter() - began) / len(payments)
    by_hand = floor.settle_in_bulk(office, by_floor, chunk=CHUNK) / len(by_floor)
    label = f"a batch of {len(payments):,} cash payments, {CHUNK} at a time, each / SQL in bulk"
    yield Figure.of(label, this=each, floor=by_hand, aim=0.33)
    singles = office.pending(ONE_BY_ONE, funds=1)
    alone = statistics.mean(_times(_executing(office), singles))
    label = "the same / one by one through the service, their codes verified before"
    yield Figure(label, each, alone, alone / each, None)
    unwatched = floor.settle_in_bulk(office, payments, chunk=CHUNK, schema=floor.UNWATCHED)
    yield Figure.of(
        "SQL in bulk / the same without triggers",
        this=by_hand,
        floor=unwatched / len(payments),
        aim=None,
    )


def _settle(office: Office, payment_ids: Sequence[UUID]) -> None:
    actor = office.treasurer
    assert isinstance(actor.user, User)
    with transaction.atomic():
        requisitions = [requisition_of(pk) for pk in payment_ids]
        locked = locks.lock_payments_of_fund(office.funds[0].pk, requisitions, payment_ids)
        proof = Proof(actor.user.pk, actor.ip_address, actor.user_agent, None)
        settle_many(list(locked.values()), proof=proof, on=today(office.scene.company), actor=actor)
