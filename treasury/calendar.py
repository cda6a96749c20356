"""On which day a scheduled payment goes out, and until when on that day. Pure: no ORM."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

# Further than any run of holidays and weekends; a calendar without business days has none.
FURTHEST_D = 366
SATURDAY, SUNDAY = 5, 6


class Roll(StrEnum):
    """Where a payment goes whose day is no business day."""

    NEXT = "next"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A company's business days: ``weekend`` holds weekdays (0 is Monday), ``cut_off`` a local time or None."""

    weekend: Collection[int] = (SATURDAY, SUNDAY)
    holidays: Collection[date] = field(default_factory=frozenset)
    roll: Roll = Roll.NEXT
    cut_off: time | None = None

    def is_business_day(self, day: date) -> bool:
        """Whether payments go out on this civil date."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def due_on(self, scheduled_for: date) -> date:
        """Return the business day on which a payment scheduled for this date goes out.

        It is the date itself, or the nearest business day in the direction of ``roll``; where there is
        none within a year, the date itself.
        """
        step = timedelta(days=-1 if self.roll is Roll.PREVIOUS else 1)
        day = scheduled_for
        for _ in range(FURTHEST_D):
            if self.is_business_day(day):
                return day
            day += step
        return scheduled_for

    def open_from(self, day: date) -> date:
        """Return the first business day from this date on; where there is none within a year, the date."""
        return replace(self, roll=Roll.NEXT).due_on(day)

    def goes_out(self, due_on: date, *, now: datetime) -> bool:
        """Whether what is due on ``due_on`` may go out at ``now``, the company's local time.

        What was missed goes out on the next business day; after the cut-off the next one is tomorrow's.
        """
        today = now.date()
        in_time = self.cut_off is None or now.time() < self.cut_off
        return today >= due_on and self.is_business_day(today) and in_time
