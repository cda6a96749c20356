"""What a measurement found, and how it is told: as a table, as Markdown and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: seconds of ``this`` and of what it is held ``against``, their ratio, and what it should be.

    ``better`` is what a larger ratio means: ``times`` as fast as what it is held against, or ``of`` a cost
    that should stay flat (then smaller is better).
    """

    label: str
    this: float
    against: float | None
    ratio: float | None
    aim: float | None
    better: str = "times"

    @classmethod
    def of(cls, label: str, *, this: float, floor: float, aim: float | None) -> "Figure":
        """How much of the floor's speed this reaches: 1 is as fast as the floor."""
        return cls(label, this, floor, floor / this, aim)

    @property
    def is_met(self) -> bool | None:
        if self.aim is None or self.ratio is None:
            return None
        return self.ratio >= self.aim if self.better == "times" else self.ratio <= self.aim

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """The line as text: label, this, against, ratio, aim, whether it is met."""
        sign = "≥" if self.better == "times" else "≤"
        aim = "" if self.aim is None else f"{sign} {self.aim:g}"
        met = {True: "met", False: "not met", None: ""}[self.is_met]
        against = "" if self.against is None else _ms(self.against)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.label, _ms(self.this), against, ratio, aim, met


HEADINGS = ("measure", "this", "against", "ratio", "aim", "")


def row(cells: Sequence[str]) -> str:
    label, *others = cells
    return f"{label:<78}" + "".join(f"{cell:>13}" for cell in others)


def write(figures: Sequence[Figure], folder: Path) -> None:
    """Write ``bench.json`` and ``bench.md`` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps([asdict(figure) for figure in figures], indent=2, ensure_ascii=False)
    (folder / "bench.json").write_text(told + "\n", encoding="utf-8")
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(figure.cells() for figure in figures)]
    text = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    (folder / "bench.md").write_text(text + "\n", encoding="utf-8")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms"
