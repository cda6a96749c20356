"""The outbox: what happened is written in the transaction in which it happens, and told after it.

One statement. Where the company has a webhook a worker is woken after the commit; a sweeper finds what was
not told yet.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from ledger.commands import require_transaction
from ledger.event_kinds import is_known
from ledger.queue import wake_fan_out_after_commit

INSERT = """
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload)
    SELECT %s, %s, %s, %s, coalesce(max(sequence), 0) + 1, %s::jsonb
    FROM ledger_outboxevent WHERE subject = %s
    RETURNING EXISTS (
        SELECT FROM ledger_webhookendpoint WHERE company_id = %s AND disabled_at IS NULL
    )
"""
INSERT_MANY = """
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload)
    SELECT gen_random_uuid(), %(company)s, %(kind)s, told.subject, 1 + coalesce(
        (SELECT max(sequence) FROM ledger_outboxevent known WHERE known.subject = told.subject), 0
    ), told.payload
    FROM unnest(%(subjects)s::text[], %(payloads)s::jsonb[]) AS told (subject, payload)
"""
LISTENING = """
    SELECT EXISTS (
        SELECT FROM ledger_webhookendpoint WHERE company_id = %s AND disabled_at IS NULL
    )
"""


def publish(*, kind: str, subject: str, company_id: UUID, payload: dict[str, Any]) -> None:
    """Write the next event of ``subject``, in the caller's transaction and under his lock of the subject.

    The lock makes the sequence: without it two events would want the same number, and the database refuses
    the second. ``payload`` is JSON for eyes outside: no code, credential or whole destination. Raises
    ``RuntimeError`` outside a transaction, ``ValueError`` for a kind that no app registered.
    """
    require_transaction()
    if not is_known(kind):
        raise ValueError(f"{kind!r} is not registered as a kind of event.")
    values: list[Any] = [
        uuid4(),
        company_id,
        kind,
        subject,
        json.dumps(payload),
        subject,
        company_id,
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        if cursor.fetchone()[0]:
            wake_fan_out_after_commit()


def publish_many(
    *, kind: str, company_id: UUID, events: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Write an event of one kind for each of many subjects of a company, as ``publish`` does for one.

    ``events`` holds each subject once, with its payload. Raises as ``publish`` does.
    """
    require_transaction()
    if not is_known(kind):
        raise ValueError(f"{kind!r} is not registered as a kind of event.")
    values: dict[str, Any] = {
        "company": company_id,
        "kind": kind,
        "subjects": [subject for subject, _ in events],
        "payloads": [json.dumps(payload) for _, payload in events],
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_MANY, values)
        cursor.execute(LISTENING, [company_id])
        if cursor.fetchone()[0]:
            wake_fan_out_after_commit()
