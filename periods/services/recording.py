"""What recording, editing and voiding share, whatever is recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.refusals import InvalidInput
from periods import duties, locks
from periods.facts import facts_of
from periods.models import Owner, ServicePeriod
from periods.models.recorded import Recorded
from periods.refusals import require_live, require_open
from periods.services.booking import unbook
from periods.services.noting import note, tell
from treasury.texts import require_text

Record = TypeVar("Record", bound=Recorded)
Book = Callable[[Record, Actor], None]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Stands for what an edit leaves as it is, where None would mean: nobody, nothing."""


UNCHANGED = Unchanged()


def begin(actor: Actor, period_id: UUID) -> ServicePeriod:
    """Lock a period that somebody wants to write into; raises ``NotFound``, ``RoleRequired``."""
    period = locks.lock_period(period_id)
    duties.may_record(actor, period.association)
    return period


def insert(record: Record, book: Book[Record], actor: Actor) -> Record:
    """Post and write a new record of a locked period. Raises ``PeriodClosed``."""
    require_open(record.period)
    record.recorded_by = actor.user
    book(record, actor)
    record.save(force_insert=True)
    del record.recorded_at  # the database said it; whoever asks reads it then
    note(actor, f"{record.noun}.record", record, association=record.association)
    tell(f"{record.noun}.recorded", record)
    return record


def change(record: Record, content: dict[str, Any], book: Book[Record], actor: Actor) -> Record:
    """Give a locked record other contents: what stood in the books is reversed, and posted as it is now.

    Nothing happens where nothing changes. Raises ``PeriodClosed``, ``AlreadyVoid``.
    """
    require_open(record.period)
    require_live(record)
    changed = {name: value for name, value in content.items() if getattr(record, name) != value}
    if not changed:
        return record
    before = facts_of(record, currency=record.association.currency)
    unbook(record, actor)
    for name, value in changed.items():
        setattr(record, name, value)
    record.version += 1
    book(record, actor)
    record.save(update_fields=[*changed, "version", "journal_entry"])
    note(actor, f"{record.noun}.edit", record, association=record.association, before=before)
    tell(f"{record.noun}.edited", record)
    return record


def void(record: Record, reason: str, actor: Actor) -> Record:
    """Take a locked record out of the books, saying why. Raises ``PeriodClosed``, ``AlreadyVoid``."""
    reason = require_text(reason, field="reason")
    require_open(record.period)
    require_live(record)
    before = facts_of(record, currency=record.association.currency)
    unbook(record, actor)
    record.voided_at = database_now()
    record.voided_by = actor.user
    record.void_reason = reason
    record.save(update_fields=["voided_at", "voided_by", "void_reason"])
    note(actor, f"{record.noun}.void", record, association=record.association, before=before)
    tell(f"{record.noun}.voided", record)
    return record


def owner_of(period: ServicePeriod, owner_id: UUID, *, field: str = "owner_id") -> Owner:
    """Return an owner of the period's association; raise ``InvalidInput`` on the field for any other."""
    owner = Owner.objects.filter(pk=owner_id, association=period.association_id).first()
    if owner is None:
        raise InvalidInput.on(field, "There is no such owner.")
    return owner
