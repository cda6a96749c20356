"""What goes wrong at the gateway in a crash test, and how the payment must end all the same."""

from dataclasses import dataclass
from typing import Any

from tests.simulator import Simulator

Arming = tuple[str, str, str, dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """What the simulator does: a number's magic ``suffix`` and faults that are armed once each.

    ``end`` is where the payment must be after three passes; ``or_end`` where it may be instead, when a
    death comes before the fault can matter. ``again`` says that the gateway never took the first request,
    ``doubt`` that its reply says nothing.
    """

    end: str = "success"
    or_end: str = ""
    suffix: str = "678"
    armed: tuple[Arming, ...] = ()
    again: bool = False
    doubt: bool = False

    @property
    def phone(self) -> str:
        return f"+254712345{self.suffix}"

    @property
    def ends(self) -> set[str]:
        return {self.end, self.or_end} - {""}

    @property
    def hanging(self) -> list[str]:
        """The operations whose reply never comes."""
        return [operation for operation, _, kind, _ in self.armed if kind in {"hang", "drip"}]

    def arm(self, simulator: Simulator) -> None:
        for operation, point, kind, options in self.armed:
            simulator.fault(operation, point, kind, **options)

    def leads_to(self, needs: str) -> bool:
        """Whether this fault leads past points that need an end, a doubt or a second sending."""
        traits = {"": True, "again": self.again, "doubt": self.doubt, "judged": True}
        return traits.get(needs, self.end == needs)


def b2c(point: str, kind: str, **options: Any) -> Arming:
    return ("b2c", point, kind, options)


def status(point: str, kind: str, **options: Any) -> Arming:
    return ("status", point, kind, options)


def after_accept(kind: str) -> Fault:
    return Fault(armed=(b2c("after_accept", kind),), doubt=True)


def before_accept(kind: str) -> Fault:
    return Fault(armed=(b2c("before_accept", kind),), doubt=True, again=True)


def callback(kind: str, **options: Any) -> Fault:
    return Fault(armed=(b2c("callback", kind, **options),))


def enquiry(point: str, kind: str, **options: Any) -> Fault:
    return Fault(armed=(status(point, kind, **options),))


FAULTS = {
    "nothing": Fault(),
    "hang after accept": after_accept("hang"),
    "close after accept": after_accept("close"),
    "RST after accept": after_accept("rst"),
    "500 after accept": after_accept("500"),
    "HTML 502 after accept": after_accept("502"),
    "garbage after accept": after_accept("garbage"),
    "truncated after accept": after_accept("truncated"),
    "drip after accept": after_accept("drip"),
    "hang before accept": before_accept("hang"),
    "close before accept": before_accept("close"),
    "RST before accept": before_accept("rst"),
    "500 before accept": before_accept("500"),
    "503 before accept": before_accept("503"),
    "429 before accept": Fault(armed=(b2c("before_accept", "429"),)),
    "token revoked": Fault(armed=(b2c("before_accept", "token_revoked"),)),
    "no token": Fault(armed=(("oauth", "before_accept", "500", {}),)),
    "callback lost": callback("none"),
    "callback twice": callback("twice"),
    "callback ten times": callback("repeat", times=10),
    "callback late": callback("late", after_s=120),
    "callback before the reply": callback("before_reply"),
    "callback forged": callback("forged"),
    "callback with another amount": callback("contradictory_amount"),
    "callback contradicts itself": callback("contradictory_result"),
    "callback about another": callback("unknown_id"),
    "callback without its fields": callback("missing_fields"),
    "QueueTimeOut": callback("queue_timeout"),
    "QueueTimeOut after the result": callback("out_of_order"),
    "refused": Fault(end="failed", suffix="003"),
    "refused after 30 s": Fault(end="failed", suffix="008"),
    "paid after 30 s": Fault(suffix="007"),
    "RST, later refused": Fault(end="failed", suffix="015", doubt=True),
    "claims success, was refused": Fault(end="failed", suffix="023"),
    "QueueTimeOut, was refused": Fault(end="failed", suffix="031"),
    "credentials refused": Fault(end="failed", suffix="050"),
    "pending for ever": Fault(end="review", suffix="006"),
    "QueueTimeOut for ever": Fault(end="review", suffix="032"),
    "enquiry refused with 500": enquiry("before_accept", "500"),
    "enquiry hangs": enquiry("after_accept", "hang"),
    "enquiry not answered": enquiry("callback", "none"),
    "enquiry answered twice": enquiry("callback", "twice"),
    "enquiry answered before its reply": enquiry("callback", "before_reply"),
    "enquiry answered by a forger": enquiry("callback", "forged"),
    "enquiry answered about another": enquiry("callback", "unknown_id"),
    "enquiry answered with another amount": Fault(
        end="review", or_end="success", armed=(status("callback", "contradictory_amount"),)
    ),
    "enquiry times out": enquiry("callback", "queue_timeout"),
    "enquiry does not find it yet": enquiry("enquiry", "not_found", seconds=60),
    "not found although taken": Fault(
        armed=(b2c("after_accept", "hang"), status("enquiry", "not_found", seconds=60)), doubt=True
    ),
    "enquiry says pending": enquiry("enquiry", "pending"),
    "enquiry says something new": enquiry("enquiry", "unknown_word"),
}
