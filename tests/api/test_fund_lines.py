"""The seed's view on the books: the lines of the funds."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.caller import Caller
from tests.treasury.desk import Desk, make_desk
from treasury.models import Payment


@pytest.fixture
def paid(desk: Desk) -> Payment:
    """A payment of 1,000 that was corrected to 1,010 and reconciled."""
    payment = desk.paid()
    variance = desk.variance(payment, "1010")
    Caller(desk.cfo).post(f"/api/variances/{variance.pk}/approve/")
    Caller(desk.reconciler).post(f"/api/payments/{payment.pk}/reconcile/")
    return payment


def test_lines_say_what_went_out_what_came_in_and_what_was_corrected(
    desk: Desk, paid: Payment
) -> None:
    rows = Caller(desk.auditor).results("/api/ledger/")
    told = [(row["entry_type"], row["direction"], row["side"], row["amount"]) for row in rows]
    assert told == [
        ("adjustment", "out", "credit", "10.00"),
        ("debit", "out", "credit", "1000.00"),
        ("credit", "in", "debit", "100000.00"),
    ]
    assert [row["balance_after"] for row in rows] == ["98990.00", "99000.00", "100000.00"]


def test_the_line_of_a_payment_carries_its_execution_and_reconciliation(
    desk: Desk, paid: Payment
) -> None:
    (row,) = Caller(desk.auditor).results("/api/ledger/?entry_type=debit")
    expected = {
        "treasury_fund": str(desk.fund.pk),
        "payment_execution": str(Payment.objects.get(pk=paid.pk).execution.pk),
        "currency": "KES",
        "reconciled": True,
        "reconciled_by": str(desk.reconciler.pk),
    }
    assert {name: row[name] for name in expected} == expected
    assert row["reconciliation_timestamp"].endswith("Z")
    assert row["created_at"].endswith("Z")
    assert set(row) == set(expected) | {
        "entry_id", "journal_entry", "entry_type", "direction", "side", "amount", "balance_after",
        "reconciliation_timestamp", "description", "created_at", "effective_on",
    }  # fmt: skip
    assert Caller(desk.auditor).get(f"/api/ledger/{row['entry_id']}/") == row


def test_lines_of_one_fund(desk: Desk, paid: Payment) -> None:
    caller = Caller(desk.auditor)
    assert len(caller.results(f"/api/ledger/by_fund/?fund_id={desk.fund.pk}")) == 3
    paged = caller.get(f"/api/ledger/by_fund/?fund_id={desk.fund.pk}&page_size=2")
    assert len(caller.get(paged["next"])["results"]) == 1


def test_a_fund_out_of_sight_is_not_found(desk: Desk) -> None:
    caller = Caller(desk.auditor)
    for fund_id in (make_desk().fund.pk, uuid4()):
        caller.get(f"/api/ledger/by_fund/?fund_id={fund_id}", 404)
    for query in ("", "?fund_id=", "?fund_id=petty"):
        refused = caller.get(f"/api/ledger/by_fund/{query}", 400)
        assert list(refused["errors"]) == ["fund_id"]


def test_lines_of_another_company_are_not_seen(desk: Desk, paid: Payment) -> None:
    stranger = Caller(make_desk().auditor)
    assert len(stranger.results("/api/ledger/")) == 1
    line = Caller(desk.auditor).results("/api/ledger/")[0]["entry_id"]
    stranger.get(f"/api/ledger/{line}/", 404)


def test_lines_are_filtered(desk: Desk, paid: Payment) -> None:
    def found(query: str) -> list[Any]:
        return [row["amount"] for row in Caller(desk.auditor).results(f"/api/ledger/?{query}")]

    assert found("direction=in") == ["100000.00"]
    assert found("reconciled=true") == ["1000.00"]
    assert found("reconciled=false&direction=out") == ["10.00"]
    assert found("amount_min=10&amount_max=999") == ["10.00"]
    assert found(f"fund={uuid4()}") == found("created_to=2020-01-01") == []
    assert found("effective_to=2020-01-01") == []
    assert found("entry_type=credit") == ["100000.00"]
    assert found("entry_type=adjustment") == ["10.00"]
    assert found("ordering=created_at") == ["100000.00", "1000.00", "10.00"]
    for query in ("entry_type=gift", "direction=up", "ordering=amount"):
        Caller(desk.auditor).get(f"/api/ledger/?{query}", 400)
