"""Ids in the order of time."""

import os
import time
from uuid import RFC_4122

import pytest

from ledger.ids import new_ids


def test_they_are_of_version_7_and_begin_with_the_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    made = new_ids(3)
    for one in made:
        assert (one.version, one.variant) == (7, RFC_4122)
        assert before <= one.int >> 80 <= time.time_ns() // 1_000_000


def test_later_ones_come_later() -> None:
    earlier = new_ids(2)
    time.sleep(0.002)
    later = new_ids(2)
    assert [*earlier, *later] == sorted([*later, *earlier])


def test_no_two_are_the_same() -> None:
    made = [one for _ in range(2_000) for one in new_ids(3)]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("byte", [b"\xff", b"\0"])
def test_chance_and_counting_never_touch_version_and_variant(
    monkeypatch: pytest.MonkeyPatch, byte: bytes
) -> None:
    monkeypatch.setattr(os, "urandom", lambda number: byte * number)
    for one in new_ids(10_000)[::999]:
        assert (one.version, one.variant) == (7, RFC_4122)
