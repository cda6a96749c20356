"""The examples of docs/periods.md are run, one after the other, as they stand there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.caller import Caller
from tests.scene import Scene, assert_books_hold, build_scene

PAGE = Path(__file__).resolve().parents[2] / "docs" / "periods.md"
BLOCK = re.compile(r"^```(http|json)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A request: who asks, what, the status of the answer, the name of its id, and what it holds."""

    who: str
    status: int
    keeps: str
    method: str
    path: str
    body: str
    expected: str


def examples(page: str) -> Iterator[Example]:
    blocks = BLOCK.findall(page)
    for place, (kind, told, text) in enumerate(blocks):
        if kind != "http":
            continue
        who, status, *keeps = told.split()
        request, _, body = text.partition("\n")
        method, path = request.split()
        after = blocks[place + 1] if place + 1 < len(blocks) else ("", "", "")
        expected = after[2] if after[0] == "json" else "{}"
        name = keeps[0] if keeps else ""
        yield Example(who, int(status), name, method, path, body.strip(), expected)


def filled(text: str, known: dict[str, str]) -> str:
    """Replace each ``{name}`` of an id that is known."""
    return re.sub(r"\{(\w+)\}", lambda found: known[found[1]], text)


def holds(answer: Any, expected: Any) -> bool:
    """Whether the answer says at least what is expected; lists are as long."""
    if isinstance(expected, dict):
        return all(
            name in answer and holds(answer[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(answer) == len(expected) and all(map(holds, answer, expected))
    return bool(answer == expected)


def run(example: Example, scene: Scene, known: dict[str, str]) -> Any:
    caller = Caller(scene.people[example.who])
    path = filled(example.path, known)
    if example.method == "GET":
        return caller.get(path, example.status)
    body = json.loads(filled(example.body, known)) if example.body else None
    if example.method == "PATCH":
        return caller.patch(path, body, example.status)
    return caller.post(path, body, example.status)


def test_the_examples_of_the_page_on_periods_are_true(db: None) -> None:
    scene = build_scene(opening=0)
    known: dict[str, str] = {}
    found = list(examples(PAGE.read_text(encoding="utf-8")))
    assert len(found) > 15
    for example in found:
        answer = run(example, scene, known)
        expected = json.loads(filled(example.expected, known))
        assert holds(answer, expected), (example.path, answer)
        if example.keeps:
            known[example.keeps] = answer["id"]
    assert_books_hold()
