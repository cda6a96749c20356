"""The outbox: an event is written with its change, in its subject's order, and stays as it was written."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from ledger import event_kinds
from ledger.models import Company, OutboxEvent
from ledger.outbox import publish, publish_many
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory

FROZEN: dict[str, Any] = {
    "id": "00000000-0000-0000-0000-000000000001",
    "kind": "payment.failed",
    "subject": "treasury.payment:2",
    "sequence": 7,
    "payload": '{"amount": "1.00"}',
    "occurred_at": "2020-01-01T00:00:00Z",
}


def tell(company: Company, subject: str = "treasury.payment:1") -> None:
    with transaction.atomic():
        publish(
            kind="payment.succeeded",
            subject=subject,
            company_id=company.pk,
            payload={"amount": "5.00"},
        )


@pytest.mark.django_db
def test_each_subject_counts_its_own_events_from_one() -> None:
    company = CompanyFactory.create()
    for subject in ("treasury.payment:1", "treasury.payment:2", "treasury.payment:1"):
        tell(company, subject)
    rows = OutboxEvent.objects.order_by("occurred_at").values_list("subject", "sequence")
    assert list(rows) == [
        ("treasury.payment:1", 1),
        ("treasury.payment:2", 1),
        ("treasury.payment:1", 2),
    ]


@pytest.mark.django_db
def test_an_event_costs_one_statement() -> None:
    company = CompanyFactory.create()
    with transaction.atomic(), CountedQueries() as counted:
        publish(kind="payment.failed", subject="x:1", company_id=company.pk, payload={})
    assert counted.number == 1


@pytest.mark.django_db
def test_many_events_cost_two_statements_and_count_on_from_what_was_told() -> None:
    company = CompanyFactory.create()
    tell(company, "x:1")
    events = [(f"x:{number}", {"number": number}) for number in (1, 2, 3)]
    with transaction.atomic(), CountedQueries() as counted:
        publish_many(kind="payment.failed", company_id=company.pk, events=events)
    assert counted.number == 2
    rows = OutboxEvent.objects.filter(kind="payment.failed").order_by("subject")
    assert [(row.subject, row.sequence, row.payload["number"]) for row in rows] == [
        ("x:1", 2, 1), ("x:2", 1, 2), ("x:3", 1, 3),
    ]  # fmt: skip


@pytest.mark.django_db
def test_many_events_of_a_kind_that_nobody_registered_are_refused() -> None:
    with transaction.atomic(), pytest.raises(ValueError, match="not registered"):
        publish_many(kind="payment.lost", company_id=CompanyFactory.create().pk, events=[])


class CountedQueries:
    """How many statements ran inside."""

    def __enter__(self) -> "CountedQueries":
        self.number = 0
        self._wrapper = connection.execute_wrapper(self._count)
        self._wrapper.__enter__()
        return self

    def _count(self, execute: Any, *call: Any) -> Any:
        self.number += 1
        return execute(*call)

    def __exit__(self, *error: Any) -> None:
        self._wrapper.__exit__(*error)


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_its_change() -> None:
    company = CompanyFactory.create()
    with pytest.raises(RuntimeError):
        publish(kind="payment.failed", subject="x:1", company_id=company.pk, payload={})


@pytest.mark.django_db
def test_a_kind_that_no_app_registered_is_refused() -> None:
    company = CompanyFactory.create()
    with pytest.raises(ValueError, match="not registered"), transaction.atomic():
        publish(kind="payment.lost", subject="x:1", company_id=company.pk, payload={})


@pytest.mark.parametrize("kind", ["payment", "Payment.made", "payment.*", "", "a.b.c", "a." * 40])
def test_a_kind_is_a_noun_and_what_became_of_it(kind: str) -> None:
    with pytest.raises(ValueError, match="not a kind"):
        event_kinds.register_kinds([kind])


@pytest.mark.django_db
def test_a_number_of_a_subject_is_given_once() -> None:
    company = CompanyFactory.create()
    tell(company)
    with pytest.raises(IntegrityError, match="ledger_outboxevent_sequence"), transaction.atomic():
        OutboxEvent.objects.create(
            company=company,
            kind="payment.failed",
            subject="treasury.payment:1",
            sequence=1,
            payload={},
        )


@pytest.mark.parametrize("column", FROZEN)
def test_an_event_stays_as_it_was_written(attacker: str, column: str) -> None:
    tell(CompanyFactory.create())
    before = raw.rows_of(OutboxEvent)
    with raw.refused():
        raw.run(f"UPDATE ledger_outboxevent SET {column} = %s", [FROZEN[column]])
    assert raw.rows_of(OutboxEvent) == before


@pytest.mark.parametrize(
    "attack", ["DELETE FROM ledger_outboxevent", "TRUNCATE ledger_outboxevent CASCADE"]
)
def test_an_event_is_never_deleted(attacker: str, attack: str) -> None:
    tell(CompanyFactory.create())
    with raw.refused():
        raw.run(attack)
    assert OutboxEvent.objects.count() == 1


def test_whether_it_was_handed_on_may_be_added(attacker: str) -> None:
    tell(CompanyFactory.create())
    raw.run("UPDATE ledger_outboxevent SET fanned_out_at = ledger_clock()")
    assert OutboxEvent.objects.exclude(fanned_out_at=None).count() == 1
