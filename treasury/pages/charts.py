"""Charts as SVG made on the server: bars that a page draws without a script, each beside its own table.

Lengths are parts of 1000 of the widest bar of one chart, so that no two currencies share a scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger.admin.cells import Tone

WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is, how that is said, and where a mark stands on it, if any."""

    name: str
    value: Decimal | int
    text: str
    tone: Tone = "busy"
    mark: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bar as it is drawn: all lengths in the units of the picture."""

    name: str
    text: str
    tone: Tone
    length: int
    mark: int | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of bars with a title, what it shows in a sentence, and the table that says the same."""

    name: str
    title: str
    summary: str
    bars: Sequence[Bar]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = "Nothing to show yet."

    @property
    def drawn(self) -> list[Drawn]:
        widest = max((max(bar.value, bar.mark or 0) for bar in self.bars), default=0)
        return [_drawn(bar, Decimal(widest)) for bar in self.bars]


def _drawn(bar: Bar, widest: Decimal) -> Drawn:
    return Drawn(
        bar.name,
        bar.text,
        bar.tone,
        length=_part(Decimal(bar.value), widest),
        mark=None if bar.mark is None else _part(bar.mark, widest),
    )


def _part(value: Decimal, widest: Decimal) -> int:
    """How long a bar is; what is not nothing can be seen."""
    if widest <= 0 or value <= 0:
        return 0
    return max(int(value / widest * WIDTH), 4)
