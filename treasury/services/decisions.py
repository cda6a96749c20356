"""Deciding many requests with one code: each by its own command, with a result of its own."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from ledger.actor import Actor
from ledger.refusals import Refusal
from treasury.dates import Today
from treasury.decision_set import Member
from treasury.services.replenishment import approve_replenishment
from treasury.services.requisitions import approve_requisition
from treasury.services.set_codes import Chosen, use_code
from treasury.services.variances import approve_variance

logger = logging.getLogger(__name__)


class NotDone(Refusal):
    """Something failed that should not; what was begun was rolled back."""

    status = 500
    code = "internal"
    title = "Something went wrong"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one request; ``refusal`` says why not, and is None when it was approved."""

    member: Member
    refusal: Refusal | None = None


def decide_many(
    *, actor: Actor, chosen: Sequence[Chosen], otp: str, comment: str = "", today: Today
) -> list[Result]:
    """Approve every request of the set that the code was sent for, one after the other.

    The code is used up first. Each request is approved under its own locks by the rules for one alone, in
    the version that the code was sent for; one that is refused stops none of the others. Raises only what
    ``use_code`` raises, and then nothing was approved.
    """
    members = use_code(actor=actor, chosen=chosen, otp_given=otp)
    return [_decide(actor, member, comment, today) for member in members]


def _decide(actor: Actor, member: Member, comment: str, today: Today) -> Result:
    try:
        APPROVE[member.kind](actor, member, comment, today)
    except Refusal as refusal:
        return Result(member, refusal)
    except DatabaseError:
        logger.exception("a request of a set could not be approved")
        return Result(member, NotDone("This could not be done just now; nothing was changed."))
    return Result(member)


def _requisition(actor: Actor, member: Member, comment: str, today: Today) -> None:
    approve_requisition(
        actor=actor, requisition_id=member.subject_id, comment=comment, version=member.version
    )


def _variance(actor: Actor, member: Member, comment: str, today: Today) -> None:
    approve_variance(actor=actor, variance_id=member.subject_id, today=today)


def _replenishment(actor: Actor, member: Member, comment: str, today: Today) -> None:
    approve_replenishment(actor=actor, replenishment_id=member.subject_id)


APPROVE: dict[str, Callable[[Actor, Member, str, Today], None]] = {
    "requisition": _requisition,
    "variance": _variance,
    "replenishment": _replenishment,
}
