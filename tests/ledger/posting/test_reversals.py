"""Taking a journal entry back by another one, once."""

from uuid import UUID

import pytest
from django.db import transaction

from ledger.models import Account, JournalEntry
from ledger.refusals import InsufficientFunds, NotFound
from ledger.services.posting import AlreadyReversed, reverse
from tests.ledger.factories import DAY, move
from tests.ledger.posting.balances import balances

pytestmark = pytest.mark.django_db


def undo(entry: UUID, reference: str = "undo") -> UUID:
    with transaction.atomic():
        return reverse(
            journal_entry_id=entry, reference=reference, description="A mistake", effective_on=DAY
        )


def test_a_reversal_takes_the_money_back(cash: Account, bank: Account) -> None:
    undo(move(cash, bank, "30.00"))
    assert balances(cash, bank) == [100, 0]


def test_a_reversal_points_at_what_it_reverses(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "30.00")
    reversal = JournalEntry.objects.get(pk=undo(entry))
    assert reversal.reversal_of_id == entry
    assert reversal.description == "A mistake"


def test_a_reversal_is_asked_for_twice_and_made_once(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "30.00")
    assert undo(entry) == undo(entry)
    assert balances(cash) == [100]


def test_a_second_reversal_is_refused(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "30.00")
    undo(entry)
    with pytest.raises(AlreadyReversed):
        undo(entry, reference="undo again")


def test_a_reversal_may_be_reversed(cash: Account, bank: Account) -> None:
    undo(undo(move(cash, bank, "30.00")), reference="redo")
    assert balances(cash, bank) == [70, 30]


def test_a_reversal_that_the_account_cannot_bear_is_refused(cash: Account, bank: Account) -> None:
    entry = move(bank, cash, "30.00")
    move(cash, bank, "120.00")
    with pytest.raises(InsufficientFunds):
        undo(entry)


def test_an_unknown_entry_cannot_be_reversed(cash: Account) -> None:
    with pytest.raises(NotFound):
        undo(cash.pk)
