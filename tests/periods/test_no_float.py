"""No float comes near the money of an association: the sources of the package are read, all of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import periods

PACKAGE = Path(periods.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
PURE = ["allocation", "fees", "metering", "ownership", "sheet", "units"]


def floats_in(tree: ast.AST) -> Iterator[str]:
    """What would make or name a float, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"line {node.lineno}: the literal {node.value}"
        if isinstance(node, ast.Name) and node.id in {"float", "complex"}:
            yield f"line {node.lineno}: the name {node.id}"
        if isinstance(node, ast.Constant) and node.value in {"float", "builtins.float"}:
            yield f"line {node.lineno}: the annotation {node.value!r}"
        if isinstance(node, ast.Attribute) and node.attr in {"float", "FloatField"}:
            yield f"line {node.lineno}: the attribute {node.attr}"


def divisions_in(tree: ast.AST) -> Iterator[str]:
    """A slash between two whole numbers makes a float without saying so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: a division"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_there_is_no_float_in_the_package(path: Path) -> None:
    assert list(floats_in(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("name", PURE)
def test_a_pure_rule_divides_with_fractions_or_without_a_rest(name: str) -> None:
    assert list(divisions_in(ast.parse((PACKAGE / f"{name}.py").read_text()))) == []


def test_the_reader_finds_every_way_to_a_float() -> None:
    source = 'a = 0.5\nb = float("1")\ndef c(d: float) -> "float": ...\ne = models.FloatField()\n'
    assert len(list(floats_in(ast.parse(source)))) == 5
    assert len(list(divisions_in(ast.parse("a = 1 / 2\na /= 2\na = 1 // 2\n")))) == 2
