"""The floors stand: imports point down."""

from importlinter.cli import lint_imports


def test_imports_point_down() -> None:
    assert lint_imports() == 0
