"""Posting many journal entries at once, all or none."""

from dataclasses import replace
from unittest.mock import Mock

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.refusals import InsufficientFunds
from ledger.rows import rows_of
from ledger.services.posting import ReferenceReused, post_many
from tests.ledger.factories import book, give, transfer
from tests.ledger.posting.balances import balances

pytestmark = pytest.mark.django_db


def test_many_postings_return_their_ids_in_order(cash: Account, bank: Account) -> None:
    wanted = [transfer(cash, bank, "1.00", reference=f"r{n}") for n in (3, 1, 2)]
    with transaction.atomic():
        ids = post_many(wanted)
    kept = dict(JournalEntry.objects.values_list("reference", "pk"))
    assert ids == [kept["r3"], kept["r1"], kept["r2"]]


def test_many_postings_are_numbered_in_the_order_given(cash: Account, bank: Account) -> None:
    with transaction.atomic():
        ids = post_many([transfer(cash, bank, f"{n}.00", reference=f"r{9 - n}") for n in (1, 2, 3)])
    lines = LedgerEntry.objects.filter(account=bank).order_by("sequence")
    assert [line.journal_entry_id for line in lines] == ids
    assert [line.balance_after for line in lines] == [1, 3, 6]


def test_many_postings_are_posted_all_or_none(cash: Account, bank: Account) -> None:
    with pytest.raises(InsufficientFunds), transaction.atomic():
        post_many([transfer(cash, bank, "60.00"), transfer(cash, bank, "60.00")])
    assert balances(cash, bank) == [100, 0]


def test_the_minimum_is_weighed_when_all_are_in(cash: Account, bank: Account) -> None:
    give(bank, "50.00")
    with transaction.atomic():
        post_many([transfer(cash, bank, "120.00"), transfer(bank, cash, "30.00")])
    assert balances(cash) == [10]


def test_many_postings_take_one_statement(
    cash: Account, bank: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Mock(wraps=rows_of)
    monkeypatch.setattr("ledger.services.posting.rows_of", call)
    wanted = [transfer(cash, bank, "0.01") for _ in range(500)]
    with transaction.atomic(), CaptureQueriesContext(connection) as others:
        post_many(wanted)
    assert (call.call_count, len(others)) == (1, 0)


def test_a_reference_given_twice_in_one_batch_is_posted_once(cash: Account, bank: Account) -> None:
    same = transfer(cash, bank, "1.00", reference="r")
    with transaction.atomic():
        first, second = post_many([same, replace(same, description="again")])
    assert first == second
    assert balances(bank) == [1]
    assert JournalEntry.objects.get(pk=first).description == "A test"


def test_a_reference_with_two_contents_in_one_batch_is_refused(
    cash: Account, bank: Account
) -> None:
    wanted = [transfer(cash, bank, amount, reference="r") for amount in ("1.00", "2.00")]
    with pytest.raises(ReferenceReused), transaction.atomic():
        post_many(wanted)


def test_a_batch_may_mix_known_and_new_references(cash: Account, bank: Account) -> None:
    known = transfer(cash, bank, "1.00", reference="known")
    first = book(known)
    with transaction.atomic():
        ids = post_many([transfer(cash, bank, "2.00"), known, transfer(cash, bank, "4.00")])
    assert ids[1] == first
    assert balances(bank) == [7]


def test_no_postings_are_no_work(cash: Account) -> None:
    with transaction.atomic():
        assert post_many([]) == []
