"""What the audit trail keeps of a batch, and what a batch holds now."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from ledger.actor import Actor
from ledger.money import format_amount
from ledger.rows import Columns, join, rows_of
from treasury.events import BATCH_VOIDED
from treasury.models import Batch, BatchRow, Payment, Requisition
from treasury.services.batch_rows import item_of
from treasury.services.noting import note
from treasury.services.telling import tell_batch
from treasury.sets import Item
from treasury.states import BatchStatus

LONGEST = "2min"


def take_time() -> None:
    """Let the transaction that has begun take as long as 10,000 rows need, on a busy machine too.

    Without it the database ends whoever works on the rows in Python for longer than a request may hold locks.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST}'")
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{LONGEST}'")


def batch_facts(batch: Batch) -> dict[str, Any]:
    """Return the batch as the audit trail keeps it."""
    return {
        "status": str(batch.status),
        "name": batch.name,
        "count": batch.count,
        "total": format_amount(batch.total, batch.currency),
        "currency": batch.currency,
        "set_hash": batch.set_hash,
        "executor": str(batch.executor_id) if batch.executor_id else None,
    }


def record_batch(
    actor: Actor,
    action: str,
    batch: Batch,
    *,
    before: dict[str, Any] | None,
    more: dict[str, Any] | None = None,
) -> None:
    """Write what was done to a locked or new batch to the audit trail, and tell a change of its status."""
    if before is None or before["status"] != batch.status:
        voided = before is not None and batch.status == BatchStatus.SUBMITTED
        tell_batch(batch, BATCH_VOIDED if voided else None)
    note(actor, action, batch, batch_facts(batch) | (more or {}), before=before)


# What a row is now is made of these.
WHAT = ("amount", "method", "destination_index", "status", "version")
ROW = Columns(BatchRow)
ASKED = Columns(Requisition, only=("requisition_id", "payee_name", "committed", *WHAT))
PAID = Columns(Payment, only=("payment_id", *WHAT))
CURRENT = f"""
    SELECT {ASKED.of("asked")}, {ROW.of("one")}, {PAID.of("paid")}
    FROM treasury_batchrow one
    JOIN treasury_requisition asked ON asked.requisition_id = one.requisition_id
    LEFT JOIN treasury_payment paid ON paid.payment_id = one.payment_id
    WHERE one.batch_id = %s AND one.status = 'waiting'
    ORDER BY one.number
"""  # noqa: S608 -- column names of our own models


def current_items(batch: Batch) -> list[tuple[BatchRow, Item]]:
    """Return the rows that wait, in order, each with what it is now."""
    return [_current(iter(values)) for values in rows_of(CURRENT, [batch.pk])]


def _current(values: Iterator[Any]) -> tuple[BatchRow, Item]:
    requisition, row = ASKED.read(values), ROW.read(values)
    payment = PAID.read(values) if row.payment_id else None
    join(row, requisition=requisition, payment=payment)
    return row, item_of(row, requisition, payment)
