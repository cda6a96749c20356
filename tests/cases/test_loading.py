"""A file of cases is read whole, or not at all."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cases.loading import Attempt, Bill, Case, NotUnderstood, attempts, bills, load, parse

AREAS = {"allocation"}
CASE: dict[str, Any] = {
    "id": "ALLOC-01",
    "area": "allocation",
    "title": "One owner bears all",
    "input": {"amount": "1.00", "units": {"U1": {"weight": 1}}},
    "expected": {"sum": "1.00"},
}


def parsed(*cases: dict[str, Any], **file: Any) -> list[Case]:
    return parse(json.dumps({"cases": cases, **file}), areas=AREAS)


def test_a_case_of_which_everything_was_read_is_done() -> None:
    (case,) = parsed(CASE, count=1, conventions={"sign": "…"})
    assert case.input.amount("amount") == 1
    assert [unit["weight"] for unit in case.input.each("units")] == [1]
    assert case.expected["sum"] == "1.00"
    case.require_read()


@pytest.mark.parametrize(
    "path", [("input", "amount"), ("input", "units"), ("expected", "sum")], ids=".".join
)
def test_a_field_that_nobody_read_is_an_error(path: tuple[str, str]) -> None:
    (case,) = parsed(CASE)
    for name, fields in (("input", case.input), ("expected", case.expected)):
        for known in CASE[name]:
            if (name, known) != path:
                fields[known]
    with pytest.raises(NotUnderstood, match=r"ALLOC-01\." + r"\.".join(path)):
        case.require_read()


def test_a_field_within_a_field_that_nobody_read_is_an_error() -> None:
    (case,) = parsed(CASE)
    _ = case.input["amount"], case.expected["sum"], case.input.each("units")
    with pytest.raises(NotUnderstood, match=r"units\[U1\]\.weight"):
        case.require_read()


def test_a_field_that_is_not_there_is_an_error() -> None:
    (case,) = parsed(CASE)
    assert case.input.maybe("currency", "USD") == "USD"
    with pytest.raises(NotUnderstood, match="has no 'weights'"):
        case.input["weights"]


@pytest.mark.parametrize(
    ("cases", "file"),
    [
        ([{**CASE, "area": "weather"}], {}),
        ([{**CASE, "note": "new"}], {}),
        ([CASE, CASE], {}),
        ([CASE], {"count": 2}),
        ([CASE], {"version": 2}),
        ([CASE], {"conventions": {"rounding": "down"}}),
    ],
    ids=["area", "member", "twice", "count", "file", "convention"],
)
def test_what_is_not_known_is_an_error(cases: list[dict[str, Any]], file: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        parsed(*cases, **file)


def test_another_file_takes_the_place_of_the_one_that_lies_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"cases": [{**CASE, "id": "ALLOC-99"}]}))
    monkeypatch.setenv("BURSAR_CASES", str(other))
    assert [case.id for case in load("periods.json", areas=AREAS)] == ["ALLOC-99"]


def test_a_case_may_be_the_same_as_another_of_its_file() -> None:
    first, _ = parsed(CASE, {**CASE, "id": "ALLOC-02"})
    other = first.fresh("ALLOC-02")
    assert other.input["amount"] == "1.00"
    with pytest.raises(NotUnderstood, match="ALLOC-03"):
        first.fresh("ALLOC-03")


def test_bills_are_read_from_their_text() -> None:
    assert bills("1000.01 + 250.00 paid by B") == [
        Bill(Decimal("1000.01")),
        Bill(Decimal("250.00"), "B"),
    ]
    with pytest.raises(NotUnderstood):
        bills("1000.01 minus 3")


def test_attempts_are_read_from_their_text() -> None:
    tried = {
        "create 2026-06-30..2026-09-30": "409 PERIOD_OVERLAP",
        "create 2026-07-01..2026-09-30 (ok), then close it while P2 is OPEN": "409 NO",
        "post expense dated 2026-03-31 to P1": "409 PERIOD_CLOSED",
        "create start=end": "400 START_NOT_BEFORE_END",
        "reopen P1 without reason": "400 REASON_REQUIRED",
    }
    values = {"attempts": list(tried)}, {"results": list(tried.values())}
    (case,) = parsed({**CASE, "input": values[0], "expected": values[1]})
    first, last = date(2026, 7, 1), date(2026, 9, 30)
    assert attempts(case) == [
        Attempt("create", 409, "period_overlap", "", (date(2026, 6, 30), last)),
        Attempt("create_and_close", 409, "no", "P2", (first, last)),
        Attempt("expense", 409, "period_closed", "P1", (date(2026, 3, 31),)),
        Attempt("create_of_one_day", 400, "start_not_before_end"),
        Attempt("reopen_without_reason", 400, "reason_required", "P1"),
    ]


def test_an_attempt_that_nobody_knows_is_an_error() -> None:
    values = {"attempts": ["delete P1"]}, {"results": ["409 NO"]}
    (case,) = parsed({**CASE, "input": values[0], "expected": values[1]})
    with pytest.raises(NotUnderstood, match="delete P1"):
        attempts(case)
