"""The quarters that the demo takes place in. Pure: no ORM."""

from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)
CLOSED = 4


@dataclass(frozen=True, slots=True)
class Quarter:
    """Three months; ``day`` counts from the first."""

    start: date

    @property
    def end(self) -> date:
        return self.after().start - DAY

    @property
    def name(self) -> str:
        return f"Quarter {(self.start.month + 2) // 3} of {self.start.year}"

    def after(self) -> "Quarter":
        """The next quarter."""
        if self.start.month == 10:
            return Quarter(date(self.start.year + 1, 1, 1))
        return Quarter(date(self.start.year, self.start.month + 3, 1))

    def before(self) -> "Quarter":
        """The quarter before."""
        if self.start.month == 1:
            return Quarter(date(self.start.year - 1, 10, 1))
        return Quarter(date(self.start.year, self.start.month - 3, 1))

    def day(self, number: int) -> date:
        """The n-th day of the quarter."""
        return self.start + timedelta(days=number - 1)


def quarters_until(today: date) -> list[Quarter]:
    """Return four quarters that are over and the one that ``today`` lies in."""
    found = [Quarter(date(today.year, 3 * ((today.month - 1) // 3) + 1, 1))]
    while len(found) <= CLOSED:
        found.insert(0, found[0].before())
    return found
