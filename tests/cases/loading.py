"""Worked cases: how a file of them is read, so that nothing in it is passed over.

A file holds numbered cases of some areas, each with what goes in and what must come out. ``BURSAR_CASES``
names another file in place of the one that lies here. A runner reads the fields that it knows; a field that
nobody read, an area that nobody runs and a text that nobody understands are errors, never skipped.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# Of what a file says about all its cases, the parts that are known here.
CONVENTIONS = {"sign", "dates", "tie"}
FILE_FIELDS = {"conventions", "count", "cases"}
CASE_FIELDS = {"id", "area", "title", "input", "expected"}
# What a case means that names no currency: one with two decimals.
UNSAID_CURRENCY = "USD"


class NotUnderstood(AssertionError):
    """Something stands in a file of cases that its readers do not know."""


class Fields:
    """The fields of an object, of which one can say at the end which were never read."""

    def __init__(self, where: str, values: dict[str, Any]) -> None:
        self.where = where
        self._values = values
        self._unread = dict.fromkeys(values)
        self._inner: list[Fields] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise NotUnderstood(f"{self.where} has no {name!r}.")
        self._unread.pop(name, None)
        return self._values[name]

    def maybe(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._values else default

    def amount(self, name: str) -> Decimal:
        return Decimal(self[name])

    def amounts(self, name: str) -> dict[str, Decimal]:
        return {key: Decimal(value) for key, value in self[name].items()}

    def day(self, name: str) -> date:
        return date.fromisoformat(self[name])

    def inner(self, name: str) -> "Fields":
        """The fields of an object within this one."""
        return self._enter(f"{self.where}.{name}", self[name])

    def each(self, name: str) -> list["Fields"]:
        """The fields of each object in a list, or in an object by name."""
        held = self[name]
        named = held.items() if isinstance(held, dict) else enumerate(held)
        return [self._enter(f"{self.where}.{name}[{key}]", value) for key, value in named]

    def unread(self) -> Iterator[str]:
        yield from (f"{self.where}.{name}" for name in self._unread)
        for inner in self._inner:
            yield from inner.unread()

    def _enter(self, where: str, values: dict[str, Any]) -> "Fields":
        self._inner.append(Fields(where, values))
        return self._inner[-1]


@dataclass(frozen=True)
class Case:
    """One worked case; ``others`` are all cases of its file by id, for what is the same as in another."""

    id: str
    area: str
    title: str
    input: Fields
    expected: Fields
    others: dict[str, "Case"] = field(repr=False)

    def fresh(self, id: str) -> "Case":
        """Return another case of the same file, nothing of it read yet."""
        if id not in self.others:
            raise NotUnderstood(f"{self.id} speaks of {id}, which is not in its file.")
        other = self.others[id]
        return _case(
            {
                "id": other.id,
                "area": other.area,
                "title": other.title,
                "input": other.input._values,
                "expected": other.expected._values,
            },
            self.others,
        )

    def require_read(self) -> None:
        """Raise ``NotUnderstood`` when a field of the case was passed over."""
        unread = [*self.input.unread(), *self.expected.unread()]
        if unread:
            raise NotUnderstood(f"{self.id}: nobody read {', '.join(unread)}.")


def load(name: str, *, areas: set[str]) -> list[Case]:
    """Read the cases of ``tests/cases/<name>``, or of the file that ``BURSAR_CASES`` names.

    Raises ``NotUnderstood`` for a member that is not known, an area outside ``areas``, an id that stands
    twice and a count that is wrong.
    """
    path = Path(os.environ.get("BURSAR_CASES") or HERE / name)
    return parse(path.read_text(encoding="utf-8"), areas=areas)


def parse(text: str, *, areas: set[str]) -> list[Case]:
    """Read the cases of a file's text, as ``load`` does."""
    content = json.loads(text, parse_float=Decimal)
    _require_known("the file", content, FILE_FIELDS)
    _require_known("conventions", content.get("conventions", {}), CONVENTIONS)
    others: dict[str, Case] = {}
    for values in content["cases"]:
        _require_known(str(values.get("id")), values, CASE_FIELDS)
        if values["id"] in others:
            raise NotUnderstood(f"{values['id']} stands twice in the file.")
        if values["area"] not in areas:
            raise NotUnderstood(f"{values['id']}: nobody runs cases of {values['area']!r}.")
        others[values["id"]] = _case(values, others)
    if content.get("count", len(others)) != len(others):
        raise NotUnderstood(f"The file has {len(others)} cases and says {content['count']}.")
    return list(others.values())


def _case(values: dict[str, Any], others: dict[str, Case]) -> Case:
    id = values["id"]
    return Case(
        id=id,
        area=values["area"],
        title=values["title"],
        input=Fields(f"{id}.input", values["input"]),
        expected=Fields(f"{id}.expected", values["expected"]),
        others=others,
    )


def _require_known(where: str, values: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(values) - known)
    if unknown:
        raise NotUnderstood(f"Nobody knows {', '.join(unknown)} of {where}.")


# --- What stands in the cases as text -------------------------------------------------------------------


@dataclass(frozen=True)
class Bill:
    """An expense of a chain: its amount, and the owner who paid it (None: the association)."""

    amount: Decimal
    paid_by: str | None = None


BILL = re.compile(r"(-?[0-9.]+)(?: paid by (\w+))?")


def bills(text: str) -> list[Bill]:
    """Read ``1000.01 + 250.00 paid by B``."""
    matches = [BILL.fullmatch(part) for part in text.split(" + ")]
    return [Bill(Decimal(found[1]), found[2]) for found in _all_understood(matches, text)]


def code_of(expected: str) -> str:
    """Return the code of a refusal as the wire has it: the cases write it in upper case."""
    return expected.lower()


@dataclass(frozen=True)
class Attempt:
    """Something that must be refused, by its words, and with which status and code.

    ``verb`` is one of ``ATTEMPTS``; ``period`` is the one that the attempt names, ``days`` its dates.
    """

    verb: str
    status: int
    code: str
    period: str = ""
    days: tuple[date, ...] = ()


DAY = r"(\d{4}-\d\d-\d\d)"
ATTEMPTS = {
    "create": re.compile(rf"create {DAY}\.\.{DAY}"),
    "create_and_close": re.compile(
        rf"create {DAY}\.\.{DAY} \(ok\), then close it while (?P<period>\w+) is OPEN"
    ),
    "create_of_one_day": re.compile(r"create start=end"),
    "expense": re.compile(rf"post expense dated {DAY} to (?P<period>\w+)"),
    "reopen_without_reason": re.compile(r"reopen (?P<period>\w+) without reason"),
}


def attempts(case: Case) -> list[Attempt]:
    """Read what is attempted in a case of the rules of a chain, each with its result."""
    texts, results = case.input["attempts"], case.expected["results"]
    return [_attempt(text, result) for text, result in zip(texts, results, strict=True)]


def _attempt(text: str, result: str) -> Attempt:
    status, code = result.split()
    for verb, pattern in ATTEMPTS.items():
        found = pattern.fullmatch(text)
        if found:
            named = found.groupdict()
            days = [group for group in found.groups() if group not in named.values()]
            return Attempt(
                verb,
                int(status),
                code_of(code),
                named.get("period", ""),
                tuple(date.fromisoformat(day) for day in days),
            )
    raise NotUnderstood(f"Nobody knows how to {text!r}.")


def _all_understood(matches: list[re.Match[str] | None], text: str) -> Iterator[re.Match[str]]:
    for found in matches:
        if found is None:
            raise NotUnderstood(f"Nobody can read {text!r}.")
        yield found
