"""The floors stand: imports point down, and entrances return what their one domain call returned."""

import ast
from collections.abc import Iterator

from importlinter.cli import lint_imports

from config.embedded.home import ROOT

FLOORS = ("ledger", "payments", "treasury", "periods")
# What a view's answer is made of.
DOMAIN_CALLS = {"act", "make", "act_on"}


def test_imports_point_down() -> None:
    assert lint_imports() == 0


def returned() -> Iterator[tuple[str, ast.expr | None]]:
    """Where a view makes its domain call, and what it returns of it."""
    for file in (file for floor in FLOORS for file in (ROOT / floor / "api").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in DOMAIN_CALLS:
                for statement in ast.walk(node):
                    if isinstance(statement, ast.Return):
                        yield f"{file.relative_to(ROOT)}:{statement.lineno}", statement.value


def test_a_view_returns_what_its_command_returned() -> None:
    """Under a key the answer is made of the command's own result, inside it: so it has to be the same."""
    found = dict(returned())
    assert len(found) > 50
    assert [place for place, value in found.items() if not isinstance(value, ast.Call)] == []
