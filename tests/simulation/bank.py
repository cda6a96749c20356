"""A gateway that keeps its own truth and misbehaves by a seeded chance; it lives in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from ledger.actor import Actor
from payments.gateways.outcome import Outcome
from tests.treasury.gateway import not_found, outcome, payment_result, status_answer
from treasury.models import PaymentAttempt
from treasury.services.callbacks import record_callback

GATEWAY = Actor.system("callback")
FORGED = "f" * 64


@dataclass
class Booking:
    """A reference that the bank took: what becomes of it, when, and how often it was paid."""

    pays: bool
    settles_at: float
    times: int = 1
    told: bool = False


@dataclass
class Bank:
    """``now`` tells virtual seconds; ``meanwhile`` lets others act while a call is on the wire."""

    chance: random.Random
    deduplicates: bool
    now: Callable[[], float]
    meanwhile: Callable[[], None]
    calm: bool = False
    bookings: dict[str, Booking] = field(default_factory=dict)
    late: list[tuple[float, str]] = field(default_factory=list)
    post: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    questions: int = 0

    def paid(self, reference: str) -> int:
        """How often the payee got this reference's money by now."""
        booking = self.bookings.get(reference)
        return booking.times if booking and booking.pays and self._is_settled(booking) else 0

    def may_pay(self, reference: str) -> bool:
        """Whether the payee has the money or may get it yet."""
        booking = self.bookings.get(reference)
        return any(ref == reference for _, ref in self.late) or bool(booking and booking.pays)

    # --- What Bursar calls ------------------------------------------------------------------------------

    def send_b2c(self, **call: Any) -> Outcome:
        reference, url = str(call["reference"]), str(call["result_url"])
        self.meanwhile()
        kind = "taken" if self.calm else self._draw(SENDINGS)
        if kind == "down":
            return outcome("retryable", "ConnectError")
        if kind == "refused":  # this call; an earlier one with this reference may have been taken
            return outcome("failed_final", "400.002.02")
        if kind == "lost":
            return outcome("unknown", "ReadTimeout")
        if kind == "late":
            self.late.append((self.now() + self.chance.uniform(5, 90), reference))
            return outcome("unknown", "ReadTimeout")
        if not self._take(reference):
            return outcome("unknown", "500.002.1001")
        self._announce(reference, url)
        self.meanwhile()
        return (
            outcome("accepted", conversation_id="AG_1") if kind == "taken" else outcome("unknown")
        )

    def query_status(self, **call: Any) -> Outcome:
        self.meanwhile()
        if not self.calm and self.chance.random() < 0.1:
            return outcome("retryable", "ConnectError")
        self.questions += 1
        conversation = f"AG_Q{self.questions}"
        answer = partial(
            self._answer, str(call["original_reference"]), str(call["result_url"]), conversation
        )
        copies = 1 if self.calm else self.chance.choice((0, 1, 1, 1, 2))
        for _ in range(copies):
            self.post.append(
                (self.now() + (0 if self.calm else self.chance.uniform(0, 30)), answer)
            )
        self.meanwhile()
        return outcome("accepted", conversation_id=conversation)

    # --- What the bank does by itself -------------------------------------------------------------------

    def work(self) -> None:
        """Book what comes late and deliver what is due, in any order."""
        now = self.now()
        for due, reference in [one for one in self.late if one[0] <= now]:
            self.late.remove((due, reference))
            self._take(reference)
        ready = [one for one in self.post if one[0] <= now]
        self.post = [one for one in self.post if one[0] > now]
        self.chance.shuffle(ready)
        for _, deliver in ready:
            deliver()

    def _take(self, reference: str) -> bool:
        """Book a reference; a bank that does not deduplicate books it again."""
        known = self.bookings.get(reference)
        if known is not None:
            known.times += 0 if self.deduplicates else 1
            return not self.deduplicates
        settles = 0.0 if self.calm else self.chance.choice((0.0, 0.0, self.chance.uniform(1, 200)))
        pays = self.chance.random() < 0.75
        self.bookings[reference] = Booking(pays, self.now() + settles)
        return True

    def _announce(self, reference: str, url: str) -> None:
        """Results that come to the attempt's own address: several, none, early, late, false, forged."""
        booking = self.bookings[reference]
        copies = self.chance.choice((0, 1, 1, 2, 3))
        for _ in range(copies):
            due = booking.settles_at + self.chance.choice((0.0, self.chance.uniform(0, 300)))
            self.post.append((due, partial(self._hint, reference, url, pays=booking.pays)))
        if self.chance.random() < 0.1:
            lie = partial(self._hint, reference, url, pays=not booking.pays)
            self.post.append((booking.settles_at, lie))
        if self.chance.random() < 0.1:
            forged = partial(self._hint, reference, FORGED, pays=True)
            self.post.append((self.now(), forged))

    def _hint(self, reference: str, url: str, *, pays: bool) -> None:
        attempt = PaymentAttempt.objects.get(reference=UUID(reference))
        body = payment_result(attempt, "0" if pays else "2040", "as the bank says")
        deliver(attempt, url, body)

    def _answer(self, reference: str, url: str, conversation: str) -> None:
        attempt = PaymentAttempt.objects.get(reference=UUID(reference))
        deliver(attempt, url, self._status(attempt, reference, conversation))

    def _status(self, attempt: PaymentAttempt, reference: str, conversation: str) -> bytes:
        booking = self.bookings.get(reference)
        if booking is None:
            return not_found(conversation)
        word = "Pending"
        if self._is_settled(booking):
            word = "Completed" if booking.pays else "Failed"
        return status_answer(attempt, word, conversation=conversation)

    def _is_settled(self, booking: Booking) -> bool:
        return booking.settles_at <= self.now()

    def _draw(self, weighed: dict[str, int]) -> str:
        return self.chance.choices(list(weighed), list(weighed.values()))[0]


SENDINGS = {"taken": 50, "taken, not heard": 15, "late": 10, "lost": 10, "down": 8, "refused": 7}


def deliver(attempt: PaymentAttempt, url: str, body: bytes) -> None:
    token = url.rstrip("/").rpartition("/")[2]
    record_callback(actor=GATEWAY, attempt_id=attempt.pk, token=token, body=body)
