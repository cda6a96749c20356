"""What the documentation promises to list, it lists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.problem_codes import TABLE

ROOT = Path(__file__).resolve().parent.parent
APPS = ("ledger", "payments", "treasury", "periods")


def codes_in(source: str) -> Iterator[str]:
    """Yield the codes of the refusals that a module defines or raises."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            yield from _class_codes(node)
        elif isinstance(node, ast.keyword) and node.arg == "code":
            yield from _text(node.value)


def _class_codes(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "code":
            yield from _text(statement.value)


def _text(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value


def test_every_code_of_a_refusal_is_documented() -> None:
    documented = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    files = [
        file
        for app in APPS
        for file in (ROOT / app).rglob("*.py")
        if not {"migrations", "simulator", "gateways", "demo"} & set(file.parts)
    ]
    codes = {code for file in files for code in codes_in(file.read_text(encoding="utf-8"))}
    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in documented} == set()


def test_every_code_that_is_documented_has_its_page_and_every_page_its_row() -> None:
    """A code is written down twice: in config/problem_codes.py and, in the same words, in docs/api.md."""
    documented = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = [
        line for line in documented.splitlines() if re.match(r"\| (`\w+`(, )?)+ \| \d{3} \|", line)
    ]
    listed = [
        f"| {', '.join(f'`{code}`' for code in codes)} | {status} | {text} |"
        for codes, status, text in TABLE
    ]
    assert sorted(rows) == sorted(listed)


def test_every_test_that_the_page_on_reliability_names_is_there() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"tests/[a-z_/]+(?:\.py)?", page))
    assert len(named) > 10
    assert {name for name in named if not (ROOT / name).exists()} == set()
