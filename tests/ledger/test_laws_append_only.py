"""Law 2: what was written stays as it was written, whoever tries and however."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.db import transaction
from django.db.models import Model

from ledger import audit
from ledger.actor import Actor
from ledger.models import AuditEvent, Hold, HoldRelease, JournalEntry, LedgerEntry, Side
from ledger.services.posting import release
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory, keep, move, open_account

# A model, a column of it, and what an attacker would like to see there.
KEPT: list[tuple[type[Model], str, Any]] = [
    (JournalEntry, "description", "Something else"),
    (LedgerEntry, "amount", 1),
    (Hold, "amount", 1),
    (HoldRelease, "released_at", "2020-01-01T00:00:00Z"),
    (AuditEvent, "actor_name", "Somebody else"),
]
Attack = Callable[[type[Model], str, Any], Any]


def first(model: type[Model]) -> Model:
    row = model._default_manager.first()
    assert row is not None
    return row


def save(model: type[Model], column: str, value: Any) -> None:
    row = first(model)
    setattr(row, column, value)
    row.save()


def bulk_update(model: type[Model], column: str, value: Any) -> None:
    row = first(model)
    setattr(row, column, value)
    cast("Any", model._default_manager).bulk_update([row], [column])


ATTACKS: dict[str, Attack] = {
    "raw UPDATE": lambda model, column, value: raw.run(
        f"UPDATE {model._meta.db_table} SET {column} = %s", [value]
    ),
    "raw UPDATE to the same": lambda model, column, value: raw.run(
        f"UPDATE {model._meta.db_table} SET {column} = {column}"
    ),
    "raw DELETE": lambda model, column, value: raw.run(f"DELETE FROM {model._meta.db_table}"),
    "raw TRUNCATE": lambda model, column, value: raw.run(
        f"TRUNCATE {model._meta.db_table} CASCADE"
    ),
    "queryset.update": lambda model, column, value: model._default_manager.update(
        **{column: value}
    ),
    "bulk_update": bulk_update,
    "save": save,
    "queryset.delete": lambda model, column, value: model._default_manager.all().delete(),
    "queryset._raw_delete": lambda model, column, value: model._default_manager.all()._raw_delete(
        "default"
    ),
    "delete": lambda model, column, value: first(model).delete(),
}


@pytest.fixture
def books(transactional_db: None) -> None:
    """One row of everything that is kept."""
    company = CompanyFactory.create()
    cash, bank = open_account(company, balance="100.00"), open_account(company)
    move(cash, bank, "10.00")
    reference = keep(cash, "5.00")
    with transaction.atomic():
        release(reference=reference)
        audit.record(actor=Actor.system("test"), action="test", subject="ledger.account:1")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize(
    ("model", "column", "value"), KEPT, ids=lambda part: getattr(part, "__name__", "")
)
def test_nobody_changes_what_is_kept(
    books: None, attacker: str, model: type[Model], column: str, value: Any, attack: Attack
) -> None:
    before = raw.rows_of(model)
    with raw.refused():
        attack(model, column, value)
    assert before
    assert raw.rows_of(model) == before


def test_truncating_the_companies_takes_no_books_along(books: None, as_owner: str) -> None:
    with raw.refused():
        raw.run("TRUNCATE ledger_company CASCADE")
    assert LedgerEntry.objects.exists()


def test_the_application_cannot_write_a_hold_past_the_function(books: None) -> None:
    held = Hold.objects.get()
    with raw.refused(raw.FORBIDDEN):
        Hold.objects.create(account=held.account, reference="x", amount=1, held_at=held.held_at)


def test_the_application_cannot_release_a_hold_past_the_function(books: None) -> None:
    keep(Hold.objects.get().account, "1.00", "open")
    with raw.refused(raw.FORBIDDEN):
        HoldRelease.objects.create(
            hold=Hold.objects.get(reference="open"), released_at="2026-01-01T00:00:00Z"
        )


def test_an_audit_event_may_be_added(books: None) -> None:
    audit.record(actor=Actor.system("test"), action="again", subject="ledger.account:1")
    assert AuditEvent.objects.count() == 2


def test_a_second_line_written_by_orm_is_refused(books: None) -> None:
    entry = LedgerEntry.objects.filter(side=Side.DEBIT).latest("sequence")
    entry.pk = None
    entry.sequence += 1
    with raw.refused():
        entry.save(force_insert=True)
