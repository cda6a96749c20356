"""Which cells are played: all of them in the full run, a seeded choice that names everything else."""

import random
from itertools import product

from tests.crash.faults import FAULTS
from tests.crash.points import CALLBACK_STORED, POINTS

Cell = tuple[str, str]
SEED = 20
CELLS = 64


def all_cells() -> list[Cell]:
    """Every point crossed with every fault that leads there."""
    cells = [
        (point, fault)
        for point, fault in product(POINTS, FAULTS)
        if FAULTS[fault].leads_to(POINTS[point].needs)
    ]
    return cells + [(CALLBACK_STORED, fault) for fault in FAULTS]


def chosen_cells() -> list[Cell]:
    """At least ``CELLS`` cells in which every point and every fault occurs; always the same."""
    cells = all_cells()
    random.Random(SEED).shuffle(cells)
    chosen: list[Cell] = []
    for axis in (0, 1):
        seen = {cell[axis] for cell in chosen}
        for cell in cells:
            if cell[axis] not in seen:
                seen.add(cell[axis])
                chosen.append(cell)
    rest = (cell for cell in cells if cell not in set(chosen))
    while len(chosen) < CELLS:
        chosen.append(next(rest))
    return chosen
