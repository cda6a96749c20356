"""The simulator's time: the real clock plus an offset, and an agenda that follows it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

Action = Callable[[], Awaitable[None]]

# Daraja prints local times of Kenya, which has no daylight saving.
EAST_AFRICA = timezone(timedelta(hours=3))


class Clock:
    """Seconds since the epoch, `offset_s` ahead of the real clock."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> float:
        return time.time() + self.offset_s


def iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds")


def dotted(instant: float) -> str:
    """As in B2C results: 06.07.2024 22:48:52."""
    return datetime.fromtimestamp(instant, EAST_AFRICA).strftime("%d.%m.%Y %H:%M:%S")


def compact(instant: float) -> int:
    """As in status and balance results: 20240706224852, a number."""
    return int(datetime.fromtimestamp(instant, EAST_AFRICA).strftime("%Y%m%d%H%M%S"))


def yyyymmdd(instant: float) -> str:
    return datetime.fromtimestamp(instant, EAST_AFRICA).strftime("%Y%m%d")


class Agenda:
    """Runs actions when the simulated clock reaches their instant.

    Each action runs as a task of its own, so a slow receiver of one callback delays no other.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def at(self, due: float, action: Action) -> None:
        heapq.heappush(self._heap, (due, next(self._order), action))
        self._changed.set()

    def clear(self) -> None:
        self._heap.clear()

    def wake(self) -> None:
        """The clock was moved: look again."""
        self._changed.set()

    def start_due(self) -> None:
        while self._heap and self._heap[0][0] <= self._clock.now():
            _, _, action = heapq.heappop(self._heap)
            task = asyncio.ensure_future(action())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish_due(self, timeout_s: float) -> None:
        """Return when everything that is due has been done, or after `timeout_s`."""
        self.start_due()
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout_s)

    async def run(self) -> None:
        while True:
            self.start_due()
            self._changed.clear()
            pause = max(0.0, self._heap[0][0] - self._clock.now()) if self._heap else None
            try:
                await asyncio.wait_for(self._changed.wait(), pause)
            except TimeoutError:
                continue
