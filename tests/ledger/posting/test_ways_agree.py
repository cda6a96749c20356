"""A posting of two lines has a way of its own; what it writes is known to the way of the others, and back."""

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.services.verification import verify
from tests.ledger import raw
from tests.ledger.factories import UserFactory
from tests.ledger.posting.balances import balances

pytestmark = pytest.mark.django_db
Posting = dict[str, Any]
ODD_TEXTS = (
    "",
    '"',
    "\\",
    "\\u0041",
    "\t\n\r\x01\x7f",
    "é€𝄞\u2028",
    "</script>",
    "%s",
    "'",
    "}{][,",
)


def alone(wanted: Posting) -> Any:
    return raw.call_post(wanted)[0]


def among_others(wanted: Posting) -> Any:
    """With another in a set, which is known already."""
    other = wanted | {"id": str(uuid4()), "reference": "another"}
    other["lines"] = [raw_line | {"amount": "3"} for raw_line in wanted["lines"]]
    return raw.call_post(other, wanted)[1]


def as_it_is(wanted: Posting) -> Posting:
    return wanted


def turned_round(wanted: Posting) -> Posting:
    return wanted | {"lines": wanted["lines"][::-1]}


def in_more_digits(wanted: Posting) -> Posting:
    return wanted | {"lines": [one | {"amount": "10.0000"} for one in wanted["lines"]]}


ways = [alone, among_others]


@pytest.mark.parametrize("written", [as_it_is, turned_round, in_more_digits])
@pytest.mark.parametrize("again", ways)
@pytest.mark.parametrize("first", ways)
def test_what_was_posted_one_way_is_known_the_other_way(
    cash: Account,
    bank: Account,
    first: Callable[[Posting], Any],
    again: Callable[[Posting], Any],
    written: Callable[[Posting], Posting],
) -> None:
    wanted = raw.balanced(cash, bank, "10")
    entry = first(wanted)
    after = balances(cash, bank)
    repeated = written(wanted) | {"id": str(uuid4())}
    assert again(repeated) == entry
    assert JournalEntry.objects.filter(reference=wanted["reference"]).count() == 1
    spent = 10 if first is again is alone else 13
    assert after[0] >= balances(cash, bank)[0] == 100 - spent
    assert verify().holds


@pytest.mark.parametrize("again", ways)
@pytest.mark.parametrize("first", ways)
def test_what_moves_money_otherwise_is_refused_either_way(
    cash: Account,
    bank: Account,
    first: Callable[[Posting], Any],
    again: Callable[[Posting], Any],
) -> None:
    wanted = raw.balanced(cash, bank, "10")
    first(wanted)
    for other in (raw.balanced(cash, bank, "10.0001"), raw.balanced(bank, cash, "10")):
        with raw.refused("23505"):
            again(other | {"reference": wanted["reference"]})


@pytest.mark.parametrize("text", ODD_TEXTS, ids=repr)
def test_whatever_is_written_is_sealed_as_the_proof_reads_it(
    cash: Account, bank: Account, text: str
) -> None:
    """And its content, a reversal's too, is known to the way of the others."""
    person = str(UserFactory.create().pk)
    facts = {"posted_by": person, "description": text, "reference": f"r{text}"}
    entry = alone(raw.balanced(cash, bank, "10") | facts)
    facts = {"posted_by": person, "description": f"%s {text} %%", "reversal_of": str(entry)}
    back = raw.balanced(bank, cash, "1.5") | facts
    reversal = alone(back)
    known = raw.call_post(raw.balanced(bank, cash, "2"), back | {"id": str(uuid4())})
    assert reversal in known
    assert verify().holds


def test_chains_of_both_ways_hold(cash: Account, bank: Account, sales: Account) -> None:
    chance = random.Random(11)
    accounts = [cash, bank, sales]
    for account in accounts:
        Account.objects.filter(pk=account.pk).update(minimum=None)
    for _ in range(25):
        some = []
        for _ in range(chance.choice([1, 1, 2, 4])):
            chosen = chance.choices(accounts, k=chance.choice([2, 2, 3]))
            lines = [raw.line(one, "debit", "1.5") for one in chosen]
            lines.append(raw.line(chance.choice(accounts), "credit", f"{1.5 * len(chosen)}"))
            if len(chosen) == 2 and chosen[0] != chosen[1]:
                lines = [raw.line(chosen[0], "debit", "2"), raw.line(chosen[1], "credit", "2.00")]
            some.append(raw.posting(cash, *lines))
        raw.call_post(*some)
    assert verify().holds
    for account in accounts:
        numbers = LedgerEntry.objects.filter(account=account).order_by("sequence")
        assert list(numbers.values_list("sequence", flat=True)) == list(range(1, len(numbers) + 1))
