"""Raw SQL against the ledger: what an attacker would type."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, LiteralString

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model, ProtectedError

from ledger.chain import padded_keys
from ledger.models import Account

FORBIDDEN = "42501"


def run(statement: str, parameters: Any = None) -> None:
    """Run one statement on Django's connection, whoever that is, and commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@contextmanager
def refused(*sqlstates: str) -> Iterator[None]:
    """Expect the database to refuse the block, at the latest when it commits.

    Without ``sqlstates`` a broken constraint (23…), a missing privilege or a protected foreign key will
    do, and nothing else: a typing error in an attack is not a defence.
    """
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    if not sqlstates and isinstance(caught.value, ProtectedError):
        return
    state = getattr(caught.value.__cause__, "sqlstate", None) or ""
    assert state in sqlstates or (not sqlstates and state.startswith(("23", FORBIDDEN))), (
        caught.value
    )


def rows_of(*models: type[Model]) -> list[dict[str, Any]]:
    """Every row of the tables as it stands, to be compared later."""
    return [row for model in models for row in model._default_manager.order_by("pk").values()]


def line(account: Account, side: object, amount: object, **more: Any) -> dict[str, Any]:
    """A line as ``ledger_post`` takes it."""
    facts = {"account": str(account.pk), "side": side, "amount": amount}
    return {**facts, "currency": account.currency, **more}


def posting(account: Account, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A posting as ``ledger_post`` takes it, without anything that the service would check."""
    facts = {"id": str(uuid.uuid4()), "company": str(account.company_id), "lines": list(lines)}
    facts |= {
        "reference": f"raw:{uuid.uuid4()}",
        "description": "raw",
        "effective_on": "2026-03-02",
    }
    return {**facts, **more}


def balanced(source: Account, target: Account, amount: str, **more: Any) -> dict[str, Any]:
    return posting(source, line(target, "debit", amount), line(source, "credit", amount), **more)


POST: LiteralString = "SELECT journal_entry FROM ledger_post(%s, %s, %s)"


def call_post(*postings: dict[str, Any], keys: tuple[Any, Any] | None = None) -> list[Any]:
    """Call the SQL function as nobody else does: past the service. Commits."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(POST, [json.dumps(postings), *(keys or padded_keys())])
        return [row[0] for row in cursor.fetchall()]


def insert_journal(account: Account, **more: Any) -> uuid.UUID:
    """Insert a bare journal entry into its table; returns its id."""
    entry = uuid.uuid4()
    facts = {"id": entry, "company_id": account.company_id, "reference": f"raw:{entry}"}
    facts |= {"description": "raw", "effective_on": "2026-03-02", "content_hash": b"x"}
    _insert("ledger_journalentry", [facts | more])
    return entry


def insert_lines(
    entry: uuid.UUID, *lines: dict[str, Any], table: str = "ledger_ledgerentry"
) -> None:
    """Insert ledger entries into their table, or one like it, in one statement."""
    _insert(table, [{"journal_entry_id": entry, **facts} for facts in lines])


def next_line(account: Account, side: str, amount: str, **more: Any) -> dict[str, Any]:
    """A row of ledger entries that carries on from the account; Python's account is moved along."""
    sign = 1 if side == account.normal_side else -1
    account.entry_count += 1
    account.balance += sign * Decimal(amount)
    facts: dict[str, Any] = {
        "id": uuid.uuid4(),
        "account_id": account.pk,
        "company_id": account.company_id,
    }
    facts |= {"sequence": account.entry_count, "side": side, "amount": amount}
    facts |= {"currency": account.currency, "balance_after": account.balance}
    return facts | {"effective_on": "2026-03-02", "chain_hash": b"x"} | more


def _insert(table: str, rows: list[dict[str, Any]]) -> None:
    columns = ", ".join([*rows[0], "posted_at"])
    values = ", ".join(f"({', '.join(['%s'] * len(row))}, ledger_clock())" for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES {values}",
            [value for row in rows for value in row.values()],
        )
