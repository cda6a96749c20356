"""What databases were made by stays as it was: what they have is changed by a migration of its own."""

import hashlib
from pathlib import Path

from config.embedded.home import ROOT

# Whoever releases: sha256sum */migrations/[0-9]*.py */sql/*.sql > tests/config/applied.sha256
APPLIED = Path(__file__).with_name("applied.sha256")


def test_no_migration_that_was_released_says_something_else_now() -> None:
    """A database that has it does not run it again, and would lack what was written into it."""
    lines = APPLIED.read_text(encoding="utf-8").splitlines()
    known = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    assert known
    assert known == {name: _digest(ROOT / name) for name in known}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "gone"
