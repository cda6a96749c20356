"""Codes for many decisions: one is sent for exactly the set that was chosen, and good for nothing else.

As with the code of a payment, a try is spent in a transaction of its own before anything is compared; wrong,
expired, used and locked are refused alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import F

from ledger import audit
from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, command
from ledger.models import User
from ledger.money import Money
from ledger.refusals import InvalidInput, NotFound, RoleRequired, TooManyRequests
from treasury import decision_set, locks, otp
from treasury.decision_set import Member
from treasury.messages import Reader, SetCodeMessage, send_set_code
from treasury.models import DecisionCode, FailedTries
from treasury.models.code import MOST_TRIES
from treasury.selectors import replenishments_seen_by, requisitions_seen_by, variances_seen_by
from treasury.services.codes import InvalidCode, spend
from treasury.services.requisitions import ChangedSince

MOST_AT_ONCE = 100
MOST_AN_HOUR = 10


@dataclass(frozen=True, slots=True)
class Chosen:
    """One request that somebody ticked: its kind and id."""

    kind: str
    subject_id: UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a person has a code for exactly this set, and what keeps him from asking for one now."""

    has_code: bool
    too_soon: TooManyRequests | None


def members_of(user: User, chosen: Sequence[Chosen]) -> list[Member]:
    """Return what was chosen as it is now, in the order chosen.

    Raises ``InvalidInput`` on ``items`` for none or more than a hundred, ``NotFound`` for what the user does
    not see.
    """
    wanted = list(dict.fromkeys(chosen))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise InvalidInput.on("items", f"Choose from 1 to {MOST_AT_ONCE} requests.")
    found: dict[Chosen, Member] = {}
    for kind, read in READERS.items():
        ids = [one.subject_id for one in wanted if one.kind == kind]
        found |= {Chosen(kind, member.subject_id): member for member in read(user, ids)}
    if any(one not in found for one in wanted):
        raise NotFound("One of these requests is not there.")
    return [found[one] for one in wanted]


@command("approvals.send_code")
def send_code_for_set(*, actor: Actor, chosen: Sequence[Chosen]) -> DecisionCode:
    """Send the actor a code for approving exactly what he chose, as it is now, after the commit.

    Kills the one sent before. Raises what ``members_of`` raises, ``NoAddress``, and ``TooManyRequests``
    within 60 s of his last one, unless he has used that, and beyond ten an hour.
    """
    user = _person(actor)
    members = members_of(user, chosen)
    reader = Reader.of(user)
    live = locks.lock_decision_code(user.pk)
    if too_soon := _too_soon(user, members, database_now()):
        raise too_soon
    if live is not None:
        live.voided_at = database_now()
        live.save(update_fields=["voided_at"])
    text, code = _new_code(user, members)
    sums = ", ".join(str(total) for total in decision_set.totals(members))
    _record(actor, "approvals.send_code", members)
    named = [f"{Money(one.amount, one.currency)} to {one.payee}" for one in members]
    message = SetCodeMessage(to=reader, count=len(members), totals=sums, named=named, otp=text)
    after_commit(lambda: send_set_code(message))
    return code


def use_code(*, actor: Actor, chosen: Sequence[Chosen], otp_given: str) -> list[Member]:
    """Take the code back and use it up; returns the set it was for.

    Raises ``InvalidInput`` for what is not six digits, ``ChangedSince`` when the set is another by now, and
    ``InvalidCode`` for everything else that is not the live code of this set.
    """
    spent = _spend_try(actor) if otp.is_well_formed(otp_given) else None
    return _use(actor=actor, chosen=chosen, otp_given=otp_given, spent=spent)


@command("approvals.use_code")
def _use(
    *, actor: Actor, chosen: Sequence[Chosen], otp_given: str, spent: UUID | None
) -> list[Member]:
    """Compare the code that a try was spent on, under its lock, with the set as it is now."""
    user = _person(actor)
    if not otp.is_well_formed(otp_given):
        raise InvalidInput.on("otp", "A code has six digits.")
    members = members_of(user, chosen)
    code = locks.lock_decision_code(user.pk)
    now = database_now()
    key: bytes = settings.BURSAR_OTP_KEY
    code_id = code.pk if code else user.pk
    given = decision_set.code_digest(
        key=key, code_id=code_id, user_id=user.pk, members=members, otp=otp_given
    )
    if code is None or code.pk != spent or code.expires_at <= now:
        raise InvalidCode.on("otp", "This code is not valid.")
    same = decision_set.set_digest(key=key, user_id=user.pk, members=members)
    if not otp.matches(code.set_digest, same):
        raise ChangedSince("What you chose has changed since the code was sent: look at it again.")
    if not otp.matches(code.digest, given):
        raise InvalidCode.on("otp", "This code is not valid.")
    code.used_at = now
    code.save(update_fields=["used_at"])
    FailedTries.objects.filter(user=user, tries__gt=0, on=now.date()).update(tries=F("tries") - 1)
    _record(actor, "approvals.use_code", members)
    return members


def _spend_try(actor: Actor) -> UUID | None:
    """Spend one try of the person's live code, committed; return the code's id, None without one."""
    statement = """
        UPDATE treasury_decisioncode SET tries = tries + 1
        WHERE user_id = %s AND tries < %s AND used_at IS NULL AND voided_at IS NULL
          AND expires_at > ledger_clock()
        RETURNING code_id
    """
    return spend(actor, statement, [actor.user_id, MOST_TRIES])


def _requisitions(user: User, ids: Sequence[UUID]) -> list[Member]:
    rows = requisitions_seen_by(user).prefetch_related(None).filter(pk__in=ids)
    return [
        Member(
            "requisition",
            row.pk,
            row.version,
            row.amount,
            row.currency,
            row.payee_name,
            row.destination_index,
        )
        for row in rows
    ]


def _variances(user: User, ids: Sequence[UUID]) -> list[Member]:
    rows = variances_seen_by(user).select_related("payment__requisition").filter(pk__in=ids)
    return [
        Member(
            "variance",
            row.pk,
            1,
            row.variance_amount,
            row.currency,
            row.payment.requisition.payee_name,
            row.payment.destination_index,
        )
        for row in rows
    ]


def _replenishments(user: User, ids: Sequence[UUID]) -> list[Member]:
    return [
        Member("replenishment", row.pk, 1, row.requested_amount, row.currency, row.fund.name, "")
        for row in replenishments_seen_by(user).filter(pk__in=ids)
    ]


READERS = {
    "requisition": _requisitions,
    "variance": _variances,
    "replenishment": _replenishments,
}


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise RoleRequired("Requests are decided by people.")
    return actor.user


def standing_of(user: User, members: Sequence[Member]) -> Standing:
    """Return how the person stands with codes for exactly this set, as it is now."""
    now = database_now()
    live = DecisionCode.objects.filter(user=user, used_at=None, voided_at=None, expires_at__gt=now)
    return Standing(_is_for(live.first(), members), _too_soon(user, members, now))


def _is_for(code: DecisionCode | None, members: Sequence[Member]) -> bool:
    if code is None:
        return False
    key: bytes = settings.BURSAR_OTP_KEY
    same = decision_set.set_digest(key=key, user_id=code.user_id, members=members)
    return otp.matches(code.set_digest, same)


def _too_soon(user: User, members: Sequence[Member], now: datetime) -> TooManyRequests | None:
    """Why no code may be sent yet, and when; a code that was used has been received, and is not waited for."""
    hour = otp.BETWEEN_SENDS * 60
    rows = DecisionCode.objects.filter(user=user, sent_at__gt=now - hour).order_by("-sent_at")
    sent = list(rows[:MOST_AN_HOUR])
    if sent and sent[0].used_at is None and now - sent[0].sent_at < otp.BETWEEN_SENDS:
        left = _seconds(sent[0].sent_at + otp.BETWEEN_SENDS - now)
        if _is_for(sent[0], members):
            said = f"A code for exactly these was sent a moment ago; another may be asked for in {left} s."
        else:
            many = sent[0].requests
            said = (
                f"A code was sent a moment ago for another set, of {many} request{'s' * (many != 1)}; "
                f"one for these may be asked for in {left} s."
            )
        return TooManyRequests(said, retry_after=left)
    if len(sent) == MOST_AN_HOUR:
        left = _seconds(sent[-1].sent_at + hour - now)
        said = f"Ten codes were sent within the hour; the next may be asked for in {left // 60 + 1} min."
        return TooManyRequests(said, retry_after=left)
    return None


def _seconds(left: timedelta) -> int:
    return int(left.total_seconds()) + 1


def _new_code(user: User, members: list[Member]) -> tuple[str, DecisionCode]:
    text, code_id, now = otp.generate_otp(), uuid4(), database_now()
    key: bytes = settings.BURSAR_OTP_KEY
    code = DecisionCode.objects.create(
        code_id=code_id,
        user=user,
        requests=len(members),
        digest=decision_set.code_digest(
            key=key, code_id=code_id, user_id=user.pk, members=members, otp=text
        ),
        set_digest=decision_set.set_digest(key=key, user_id=user.pk, members=members),
        sent_at=now,
        expires_at=now + otp.LIFETIME,
    )
    return text, code


def _record(actor: Actor, action: str, members: list[Member]) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=f"ledger.user:{actor.user_id}",
        after={
            "requests": [f"treasury.{one.kind}:{one.subject_id}" for one in members],
            "totals": [str(total) for total in decision_set.totals(members)],
        },
    )


def void_expired() -> int:
    """Mark codes that ran out as void; returns how many."""
    return DecisionCode.objects.filter(
        used_at=None, voided_at=None, expires_at__lte=DatabaseClock()
    ).update(voided_at=DatabaseClock())
