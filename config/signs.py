"""How the installation is doing: one sign for each thing that must go on, for /health/ and /metrics.

A sign is an age, a number or a state with a limit. Nothing here names a company, a person or an amount.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.db.models.functions import Coalesce

from ledger.clock import database_now
from ledger.models import LastDone, OutboxEvent
from ledger.reports import replica_state
from ledger.services.keys import lacking_keys
from ledger.services.operation import newest_proof
from payments.models import Provider
from payments.services import breaker
from treasury.models import PaymentAttempt
from treasury.states import AttemptState

MINUTE, HOUR = 60.0, 3600.0
LIMITS = {
    "beat": MINUTE,
    "worker": 3 * MINUTE,
    "ledger_proof": 3 * HOUR,
    "outbox": 10 * MINUTE,
    "unknown_payments": 2 * HOUR,
    "payments_in_review": 24 * HOUR,
    "backup": 26 * HOUR,
}
LEAST_FREE_DISK = 0.1


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign. ``age_s`` is in seconds, ``count`` a number of things; None where it says nothing."""

    name: str
    well: bool
    age_s: float | None = None
    count: int | None = None
    note: str = ""

    def shown(self) -> dict[str, Any]:
        """The sign as JSON, without what it does not say."""
        told = {"age_s": self.age_s, "count": self.count, "note": self.note or None}
        facts = {name: value for name, value in told.items() if value is not None}
        return {"state": "well" if self.well else "attention", **facts}


def signs() -> Iterator[Sign]:
    """Ask for every sign; one that cannot be asked for is not well."""
    for name, ask in ASKED.items():
        try:
            yield ask(name)
        except (DatabaseError, OSError) as error:
            yield Sign(name, well=False, note=f"cannot be asked: {type(error).__name__}")


def _aged(name: str, age: timedelta | None, *, count: int | None = None, note: str = "") -> Sign:
    """A sign that is well while it is young enough; None says that there is nothing to be old."""
    seconds = None if age is None else round(max(age.total_seconds(), 0.0), 1)
    return Sign(name, seconds is None or seconds <= LIMITS[name], seconds, count, note)


def _done(name: str) -> Sign:
    row = LastDone.objects.filter(name=name).first()
    if row is None:
        return Sign(name, well=False, note="never")
    return _aged(name, database_now() - row.at)


def _proof(name: str) -> Sign:
    proof = newest_proof()
    if proof is None:
        return Sign(name, well=False, note="never")
    if proof.faults:
        return Sign(name, well=False, count=proof.faults, note="the ledger does not hold")
    rest = 25 * (proof.finished_at - proof.began_at)  # a large ledger is proved less often
    return _aged(name, max(database_now() - proof.finished_at - rest, timedelta(0)))


def _outbox(name: str) -> Sign:
    waiting = OutboxEvent.objects.filter(fanned_out_at=None)
    return _oldest(name, waiting.aggregate(count=Count("pk"), oldest=Min("occurred_at")))


def _attempts(state: AttemptState) -> Callable[[str], Sign]:
    def ask(name: str) -> Sign:
        since = Coalesce("unknown_since", "created_at")
        rows = PaymentAttempt.objects.filter(state=state)
        return _oldest(name, rows.aggregate(count=Count("pk"), oldest=Min(since)))

    return ask


def _oldest(name: str, found: dict[str, Any]) -> Sign:
    age = database_now() - found["oldest"] if found["oldest"] else None
    return _aged(name, age, count=found["count"])


def _providers(name: str) -> Sign:
    stopped = Provider.objects.filter(active=True, stopped_at__isnull=False).count()
    return Sign(name, well=not stopped, count=stopped)


def _resting(name: str) -> Sign:
    resting = breaker.open_providers().filter(active=True).count()
    return Sign(name, well=not resting, count=resting)


def _keys(name: str) -> Sign:
    note = lacking_keys()
    return Sign(name, well=not note, note=note)


def _disk(name: str) -> Sign:
    usage = shutil.disk_usage(settings.BURSAR_HOME)
    free = usage.free / usage.total
    return Sign(name, well=free >= LEAST_FREE_DISK, note=f"{free:.0%} free")


def _replica(name: str) -> Sign:
    state = replica_state()
    return Sign(name, well=state.usable or not state.wanted, age_s=state.lag_s, note=state.note)


ASKED: dict[str, Callable[[str], Sign]] = {
    "beat": _done,
    "worker": _done,
    "ledger_proof": _proof,
    "outbox": _outbox,
    "unknown_payments": _attempts(AttemptState.UNKNOWN),
    "payments_in_review": _attempts(AttemptState.REVIEW),
    "stopped_providers": _providers,
    "resting_providers": _resting,
    "backup": _done,
    "replica": _replica,
    "keys": _keys,
    "disk": _disk,
}
