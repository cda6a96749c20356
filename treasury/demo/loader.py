"""Loading the demo, once: who there is, and six weeks of what they did, in the order of time."""

import heapq
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
from django.db import connection

from ledger import audit
from ledger.actor import Actor
from ledger.models import AuditEvent, Company
from ledger.refusals import Refusal
from payments.services.demo import connect_simulator
from treasury.demo import everyday, remarkable
from treasury.demo.cast import COMPANIES, LOADER, assemble
from treasury.demo.everyday import Story
from treasury.demo.postbox import postbox
from treasury.demo.stage import Stage, codes_caught
from treasury.demo.travel import Journey
from treasury.models import Requisition

SUBJECT = "treasury.demo:history"
BEGUN, LOADED = "demo.begin", "demo.load"
HISTORY = timedelta(weeks=everyday.WEEKS, days=2)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the demo runs: the database's owner, where callbacks come, and the simulator if there is one."""

    owner_url: str
    port: int
    simulator_url: str
    simulator_home: Path


def load(where: Surroundings, *, end: datetime | None = None) -> bool:
    """Load the demo unless there are companies already; returns whether it did. It ends now, or at ``end``.

    The provider is brought up to date in any case, because the simulator listens elsewhere each time. A load
    that was cut off is completed, its history as far as it came.
    """
    if _is_wanted():
        with Journey(where.owner_url) as journey:
            _perform(where, journey, end or datetime.now(UTC))
        return True
    connect(where)
    return False


def connect(where: Surroundings) -> None:
    """Give the first company its M-Pesa provider at the simulator, or bring it up to date."""
    company = Company.objects.filter(code=COMPANIES[0].code).first()
    if where.simulator_url and company is not None:
        connect_simulator(
            actor=LOADER,
            company_id=company.pk,
            home=where.simulator_home,
            base_url=where.simulator_url,
        )


def _is_wanted() -> bool:
    """Nothing is there, or all that is there is a load that was cut off."""
    done = set(AuditEvent.objects.filter(subject=SUBJECT).values_list("action", flat=True))
    return LOADED not in done and (BEGUN in done or not Company.objects.exists())


def _perform(where: Surroundings, journey: Journey, end: datetime) -> None:
    journey.travel(end - HISTORY)
    audit.record(actor=LOADER, action=BEGUN, subject=SUBJECT)
    cast = assemble()
    connect(where)
    if not Requisition.objects.exists():
        with (
            codes_caught() as outbox,
            postbox(where.port),
            _prompt(where.simulator_url),
            _hurried(),
        ):
            stage = Stage(cast, journey, outbox)
            gateway = bool(where.simulator_url)
            ordinary = everyday.stories(stage, begin=journey.now, end=end, gateway=gateway)
            special = remarkable.stories(stage, end=end, gateway=gateway)
            _tell([*ordinary, *special], journey, end)
    audit.record(actor=Actor.system("load_demo"), action=LOADED, subject=SUBJECT)


def _tell(stories: Iterable[Story], journey: Journey, end: datetime) -> None:
    """Perform the stories' steps in the order of time; what would come after ``end`` is left open.

    A story ends where somebody is refused something, as it does in life.
    """
    numbers = count()
    due = [(moment, next(numbers), story) for story in stories if (moment := next(story, None))]
    heapq.heapify(due)
    while due:
        moment, _, story = heapq.heappop(due)
        if moment >= end:
            return
        journey.travel(max(moment, journey.now))
        with suppress(Refusal):
            if following := next(story, None):
                heapq.heappush(due, (following, next(numbers), story))


@contextmanager
def _hurried() -> Iterator[None]:
    """Wait for the disk once, at the end, and alert nobody about what happened weeks ago."""
    alerts = logging.getLogger("treasury.alerts")
    alerts.disabled = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        alerts.disabled = False
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


@contextmanager
def _prompt(simulator_url: str) -> Iterator[None]:
    """Let the simulator call back at once for a while."""
    if not simulator_url:
        yield
        return
    address = f"{simulator_url}/_sim/settings"
    usual = httpx.post(address, json={}, trust_env=False).raise_for_status().json()
    httpx.post(address, json={"callback_delay_s": 0}, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.post(address, json=usual, trust_env=False).raise_for_status()
