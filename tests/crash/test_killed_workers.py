"""A worker dies at any step, whatever the gateway does: money leaves once, and nothing is lost."""

import random

import pytest

from payments.models import Provider
from tests.conftest import FULL
from tests.crash.faults import FAULTS
from tests.crash.matrix import (
    Cell,
    all_cells,
    chosen_cells,
    chosen_forgetful_cells,
    forgetful_cells,
)
from tests.crash.stage import Stage, assert_books_agree, assert_one_payout_at_most, told

CELLS = all_cells() if FULL else chosen_cells()
FORGETFUL = forgetful_cells() if FULL else chosen_forgetful_cells()


@pytest.mark.parametrize("cell", CELLS, ids=[f"{point} × {fault}" for point, fault in CELLS])
def test_a_killed_worker_loses_and_doubles_nothing(stage: Stage, cell: Cell) -> None:
    point, fault = cell[0], FAULTS[cell[1]]
    stage.chance = random.Random(" ".join(cell))
    payment = stage.play_to_the_end(fault, kill=point)
    assert_one_payout_at_most(stage, payment)
    assert_books_agree(stage, payment)
    assert stage.killed, told(stage, payment)
    assert payment.status in fault.ends, told(stage, payment)


@pytest.mark.parametrize(
    "cell", FORGETFUL, ids=[f"{point} × {fault}" for point, fault in FORGETFUL]
)
def test_what_a_gateway_would_pay_twice_is_sent_once(stage: Stage, cell: Cell) -> None:
    stage.simulator.deduplicate(references=False)
    Provider.objects.update(deduplicates=False)
    point, fault = cell[0], FAULTS[cell[1]]
    stage.chance = random.Random(" ".join(cell))
    payment = stage.play_to_the_end(fault, kill=point)
    assert_one_payout_at_most(stage, payment)
    assert_books_agree(stage, payment)
    assert payment.status in fault.ends | {"review"}, told(stage, payment)


def test_the_normal_run_names_every_step_and_every_fault() -> None:
    chosen = chosen_cells()
    assert len(set(chosen)) >= 60
    assert {point for point, _ in chosen} == {point for point, _ in all_cells()}
    assert {fault for _, fault in chosen} == set(FAULTS)
