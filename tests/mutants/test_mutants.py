"""Take any one guard out, and a test fails: each mutant of the catalogue is killed."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from config.embedded.home import ROOT
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import DATABASE, Copy, Mutant, services

NAMES = [mutant.guard for mutant in MUTANTS]
IN_TEXTS = [mutant for mutant in MUTANTS if mutant.file != DATABASE]
LAWS = [mutant for mutant in MUTANTS if mutant.file == DATABASE]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    with services():
        yield Copy(tmp_path_factory.mktemp("mutants"))


def require_killers(mutant: Mutant) -> None:
    """The tests that are to notice are there."""
    for killer in mutant.killers:
        file, _, test = killer.partition("::")
        name = test.partition("[")[0]
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_there_are_thirty_and_no_two_are_the_same() -> None:
    assert len(MUTANTS) >= 30
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("mutant", IN_TEXTS, ids=[mutant.guard for mutant in IN_TEXTS])
def test_the_guard_is_where_the_catalogue_says(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.applied_to(text) != text
    require_killers(mutant)


@pytest.mark.parametrize("mutant", LAWS, ids=[mutant.guard for mutant in LAWS])
def test_the_law_is_one_of_the_database(
    mutant: Mutant, superuser_connection: psycopg.Connection
) -> None:
    with superuser_connection.transaction(force_rollback=True):
        superuser_connection.execute(mutant.new)
    require_killers(mutant)


@pytest.mark.full
def test_with_every_guard_in_place_they_all_pass(copy: Copy) -> None:
    killers = tuple(sorted({killer for mutant in MUTANTS for killer in mutant.killers}))
    outcome = copy.run(killers)
    assert (outcome.failed, outcome.broken) == (0, 0), outcome.output
    assert outcome.passed >= len(killers)


@pytest.mark.full
@pytest.mark.parametrize("mutant", MUTANTS, ids=NAMES)
def test_without_the_guard_a_test_fails(mutant: Mutant, copy: Copy) -> None:
    outcome = copy.run_without(mutant)
    assert outcome.broken == 0, outcome.output
    assert outcome.failed >= 1, f"{mutant.guard}: nobody noticed\n{outcome.output}"
