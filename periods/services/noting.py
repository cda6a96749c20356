"""Writing down what happened, for the audit trail and for clients; inside the command's transaction."""

from typing import Any

from ledger import audit, outbox
from ledger.actor import Actor
from periods.facts import facts_of
from periods.models import Association
from periods.models.recorded import Recorded


def note(
    actor: Actor,
    action: str,
    row: Any,
    *,
    association: Association,
    before: dict[str, Any] | None = None,
) -> None:
    """Write to the audit trail what was done with a row, and how it is now."""
    audit.record(
        actor=actor,
        action=action,
        subject=row.reference,
        company_id=association.company_id,
        before=before,
        after=facts_of(row, currency=association.currency),
    )


def tell(kind: str, record: Recorded) -> None:
    """Tell clients about a locked record; ``kind`` is one of ``events.KINDS``."""
    association = record.association
    outbox.publish(
        kind=kind,
        subject=record.reference,
        company_id=association.company_id,
        payload={
            "id": str(record.id),
            "period": str(record.period_id),
            "association": str(association.pk),
            "currency": association.currency,
            **facts_of(record, currency=association.currency),
        },
    )
