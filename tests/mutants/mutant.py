"""A mutant: Bursar with one guard taken out, and the tests that must notice."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

from config.embedded import postgres, session
from config.embedded.home import ROOT, Home
from tests.settings import TEST_HOME

# Where a law stands that no text holds alone: it is taken out of the migrated database itself.
DATABASE = ""
# All runs share one cluster, which stays for the next time, as the tests' own does.
HOME = Home(TEST_HOME.with_name("mutants"))
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "docs", "*.md")
AT_THE_END = " ERROR at teardown of "
SUMMARY = re.compile(r"(\d+) (passed|failed|error)")


@dataclass(frozen=True, slots=True)
class Mutant:
    """``old`` in the file becomes ``new``; in ``DATABASE``, ``new`` is SQL that takes the law out."""

    guard: str
    file: str
    old: str
    new: str
    killers: tuple[str, ...]

    def applied_to(self, text: str) -> str:
        """Return the file's text without the guard; a guard that is not found once is an error."""
        assert text.count(self.old) == 1, f"{self.file} holds {text.count(self.old)} × {self.old!r}"
        return text.replace(self.old, self.new)


def drop(table: str, constraint: str) -> str:
    """SQL that takes a constraint out."""
    return f"ALTER TABLE {table} DROP CONSTRAINT {constraint};"


def drop_trigger(table: str, trigger: str) -> str:
    """SQL that takes a trigger out."""
    return f"DROP TRIGGER {trigger} ON {table};"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many of the tests that were run passed, failed, and could not be run.

    What a failed test leaves may break a law when it is undone; such an error is none of these.
    """

    passed: int
    failed: int
    broken: int
    output: str


def services() -> AbstractContextManager[None]:
    """The cluster of the runs, started once for all of them: each joins it."""
    cluster = postgres.Postgres(HOME.postgres_data, HOME.postgres_sockets, careless=True)
    return session.lent(HOME, [session.database_service(cluster)])


class Copy:
    """A copy of the source tree in which guards are taken out, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        shutil.copytree(ROOT, self.tree, ignore=LEFT_OUT)
        # By its content: two texts of one length within a second look alike by size and time.
        by_content = PycInvalidationMode.CHECKED_HASH
        assert compileall.compile_dir(self.tree, quiet=1, invalidation_mode=by_content)

    def run(self, killers: tuple[str, ...], *, without: str = "") -> Outcome:
        """Run these tests in the copy, in a process and on a database of its own, perhaps without a law."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BURSAR_", "PYTEST_", "DATABASE_", "REDIS_"))
        }
        environment |= {"BURSAR_TEST_HOME": str(HOME.path), "PYTHONDONTWRITEBYTECODE": "1"}
        environment["BURSAR_TEST_WITHOUT"] = without
        command = [sys.executable, "-m", "pytest", *killers, "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            command, cwd=self.tree, env=environment, capture_output=True, text=True, check=False
        )
        last = done.stdout.rstrip().rpartition("\n")[2]
        counted = {word: int(number) for number, word in SUMMARY.findall(last)}
        return Outcome(
            counted.get("passed", 0),
            counted.get("failed", 0),
            counted.get("error", 0) - done.stdout.count(AT_THE_END),
            done.stdout[-4000:] + done.stderr[-2000:],
        )

    def run_without(self, mutant: Mutant) -> Outcome:
        """Run the mutant's tests with its guard taken out, and put it back."""
        if mutant.file == DATABASE:
            return self.run(mutant.killers, without=mutant.new)
        file = self.tree / mutant.file
        whole = file.read_text(encoding="utf-8")
        file.write_text(mutant.applied_to(whole), encoding="utf-8")
        try:
            return self.run(mutant.killers)
        finally:
            file.write_text(whole, encoding="utf-8")
