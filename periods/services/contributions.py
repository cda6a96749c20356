"""Contributions: what owners pay in."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import parse_amount
from periods import duties, locks
from periods.models import Contribution
from periods.refusals import require_within
from periods.services import recording
from periods.services.booking import book_contribution
from periods.services.late_fees import relieve
from treasury.texts import optional_text

Amount = str | int | Decimal
LONGEST_COMMENT = 500


@command("contribution.record")
def record_contribution(
    *,
    actor: Actor,
    period_id: UUID,
    owner_id: UUID,
    amount: Amount,
    date: date,
    comment: str = "",
) -> Contribution:
    """Record what an owner paid in on a day of an open period, in the association's currency; return it.

    A late fee that it shows to have been too much is taken back.
    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field (``date_outside_period``, …),
    ``PeriodClosed``.
    """
    period = recording.begin(actor, period_id)
    association = period.association
    contribution = Contribution(
        association=association,
        period=period,
        owner=recording.owner_of(period, owner_id),
        amount=parse_amount(amount, association.currency),
        date=date,
        comment=optional_text(comment, field="comment", longest=LONGEST_COMMENT),
    )
    require_within(period, date)
    recording.insert(contribution, book_contribution, actor)
    relieve(contribution.owner, period, actor)
    return contribution


@command("contribution.edit")
def edit_contribution(
    *,
    actor: Actor,
    contribution_id: UUID,
    owner_id: UUID | None = None,
    amount: Amount | None = None,
    date: date | None = None,
    comment: str | None = None,
) -> Contribution:
    """Change a contribution of an open period; what is None stays. Its posting is reversed and made anew.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``, ``AlreadyVoid``.
    """
    contribution = locks.lock_record(Contribution, contribution_id)
    period, association = contribution.period, contribution.association
    duties.may_record(actor, association)
    content: dict[str, object] = {}
    if owner_id is not None:
        content["owner"] = recording.owner_of(period, owner_id)
    if amount is not None:
        content["amount"] = parse_amount(amount, association.currency)
    if date is not None:
        require_within(period, date)
        content["date"] = date
    if comment is not None:
        content["comment"] = optional_text(comment, field="comment", longest=LONGEST_COMMENT)
    recording.change(contribution, content, book_contribution, actor)
    relieve(contribution.owner, period, actor)
    return contribution


@command("contribution.void")
def void_contribution(*, actor: Actor, contribution_id: UUID, reason: str) -> Contribution:
    """Take a contribution of an open period out of the books, saying why.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``, ``PeriodClosed``, ``AlreadyVoid``.
    """
    contribution = locks.lock_record(Contribution, contribution_id)
    duties.may_record(actor, contribution.association)
    return recording.void(contribution, reason, actor)
