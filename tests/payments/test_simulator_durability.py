"""kill -9 of the simulator loses nothing it accepted."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.payments.caller import Caller
from tests.payments.receiver import receiving
from tests.simulator import Simulator


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator of this test's own, which it may kill."""
    simulator = Simulator(tmp_path / "simulator")
    simulator.start()
    yield simulator
    simulator.stop()


def test_the_book_is_the_same_after_a_kill(mortal: Simulator) -> None:
    caller = Caller(mortal)
    for number in range(20):
        assert caller.pay(f"k-{number}", Amount=1200 + number).status_code == 200
    mortal.fault("b2c", "after_accept", "500")
    caller.pay("k-lost-reply")
    mortal.clock(advance_s=5)
    before = mortal.book()
    mortal.kill()
    mortal.start()
    assert mortal.book() == before
    assert before["total"] == "0.00"


def test_a_payment_taken_before_a_kill_is_a_duplicate_after_it(mortal: Simulator) -> None:
    Caller(mortal).pay("k-1")
    mortal.kill()
    mortal.start()
    assert Caller(mortal).pay("k-1").json()["errorCode"] == "500.002.1001"
    assert mortal.balance("Wallet 254712345678") == Decimal(100)


def test_what_was_pending_ends_and_calls_back_after_a_restart(mortal: Simulator) -> None:
    with receiving() as receiver:
        Caller(mortal, receiver.url).pay("k-1", PartyB="254712345007")
        mortal.kill()
        mortal.start()
        mortal.clock(advance_s=30)
        assert receiver.result()["ResultCode"] == 0
    assert mortal.balance("Wallet 254712345007") == Decimal(100)


def test_a_result_sent_before_a_kill_is_not_sent_again(mortal: Simulator) -> None:
    with receiving() as receiver:
        Caller(mortal, receiver.url).pay("k-1")
        receiver.wait_for(1)
        mortal.clock(advance_s=1)
        mortal.kill()
        mortal.start()
        mortal.clock(advance_s=1000)
        assert len(receiver.posts) == 1


def test_a_line_cut_short_by_a_crash_is_dropped(mortal: Simulator) -> None:
    Caller(mortal).pay("k-1")
    mortal.kill()
    with (mortal.home / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"event":"accepted","transac')
    mortal.start()
    assert Caller(mortal).pay("k-2").status_code == 200
    mortal.kill()
    mortal.start()
    assert {row["originator_conversation_id"] for row in mortal.book()["payments"]} == {
        "k-1",
        "k-2",
    }


def test_its_secrets_are_readable_by_their_owner_only(mortal: Simulator) -> None:
    for name in ("provider.json", "private-key.pem", "journal.jsonl"):
        assert (mortal.home / name).stat().st_mode & 0o077 == 0
