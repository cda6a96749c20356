"""The audit trail: every state change and every refused attempt, in the order of the database's clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from ledger.actor import Actor
from ledger.clock import DatabaseClock
from ledger.models import AuditEvent
from ledger.refusals import Refusal

Facts = dict[str, Any]


def record(
    *,
    actor: Actor,
    action: str,
    subject: str,
    company_id: UUID | None = None,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Write that ``actor`` did ``action`` to ``subject``, inside the transaction of the change itself.

    ``before`` and ``after`` hold what changed, as JSON; never a code, a credential or a full phone number.
    """
    _write(
        AuditEvent.Outcome.DONE,
        actor=actor,
        action=action,
        subject=subject,
        company_id=company_id,
        before=before,
        after=after,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one of many subjects, as ``record`` keeps it."""

    subject: str
    before: Facts | None = None
    after: Facts | None = None


def record_many(
    *, actor: Actor, action: str, company_id: UUID | None, changes: Iterable[Change]
) -> None:
    """Write that ``actor`` did ``action`` to each subject, as ``record`` does, with few statements."""
    AuditEvent.objects.bulk_create(
        (
            AuditEvent(
                at=DatabaseClock(),
                outcome=AuditEvent.Outcome.DONE,
                actor_id=actor.user_id,
                actor_name=actor.name[:160],
                ip_address=actor.ip_address,
                user_agent=actor.user_agent,
                request_id=actor.request_id,
                action=action,
                company_id=company_id,
                subject=change.subject,
                before=change.before,
                after=change.after,
            )
            for change in changes
        ),
        batch_size=1000,
    )


def record_refusal(
    *,
    actor: Actor,
    action: str,
    subject: str,
    refusal: Refusal,
    company_id: UUID | None = None,
) -> None:
    """Write that ``actor`` tried ``action`` and was refused; in a transaction of its own, after rollback."""
    _write(
        AuditEvent.Outcome.REFUSED,
        actor=actor,
        action=action,
        subject=subject,
        company_id=company_id,
        code=refusal.code,
        detail=refusal.detail,
    )


def _write(outcome: str, *, actor: Actor, **facts: Any) -> None:
    AuditEvent(
        at=DatabaseClock(),
        outcome=outcome,
        actor_id=actor.user_id,
        actor_name=actor.name[:160],
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
        request_id=actor.request_id,
        **facts,
    ).save(force_insert=True)


def history_of(*subjects: str) -> QuerySet[AuditEvent]:
    """Return what happened to the subjects, oldest first."""
    return AuditEvent.objects.filter(subject__in=subjects).order_by("at", "id")


def company_of(subject: str) -> UUID | None:
    """Return the company that the subject's own events name, or None where nothing is known of it."""
    return (
        AuditEvent.objects.filter(subject=subject, company__isnull=False)
        .values_list("company_id", flat=True)
        .first()
    )
