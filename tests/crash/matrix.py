"""Which cells are played: all of them in the full run, a seeded choice that names everything else."""

import random
from itertools import product

from tests.crash.faults import FAULTS
from tests.crash.points import CALLBACK_STORED, POINTS

# Nothing is in doubt here unless a worker dies: then the gateway is asked, and may not know it yet.
TEMPTING = {"nothing", "not found although taken", "enquiry does not find it yet"}

Cell = tuple[str, str]
SEED = 20
CELLS = 64
FORGETFUL_CELLS = 12


def all_cells() -> list[Cell]:
    """Every point crossed with every fault that leads there."""
    cells = [
        (point, fault)
        for point, fault in product(POINTS, FAULTS)
        if FAULTS[fault].leads_to(POINTS[point].needs)
    ]
    return cells + [(CALLBACK_STORED, fault) for fault in FAULTS]


def forgetful_cells() -> list[Cell]:
    """The cells for a gateway that pays a reference again: faults after which it might be sent again."""
    tempting = {name for name, fault in FAULTS.items() if fault.again or fault.doubt} | TEMPTING
    return [cell for cell in all_cells() if cell[1] in tempting]


def chosen_forgetful_cells() -> list[Cell]:
    """A seeded few of them; always the same."""
    return random.Random(SEED).sample(forgetful_cells(), FORGETFUL_CELLS)


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
