"""The clocks: the database's for whatever is stamped or expires, the company's civil date for whatever
is dated.

``ledger_clock()`` is PostgreSQL's ``clock_timestamp()`` behind a name of our own, which only the owner
of the tables can redefine: that is how demo data gets a past and tests get a future, and why no process
can argue about the time.
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.utils import timezone

if TYPE_CHECKING:
    from ledger.models import Company


class DatabaseClock(models.Func):
    """This instant by the database's clock, as an expression for defaults, writes and filters."""

    function = "ledger_clock"
    output_field = models.DateTimeField()
    arity = 0


class CivilDate(models.Func):
    """The civil date in a time zone by the database's clock, as an expression for filters."""

    template = "(ledger_clock() AT TIME ZONE %(expressions)s)::date"
    output_field = models.DateField()
    arity = 1


def database_now() -> datetime:
    """Return this instant by the database's clock, in UTC; the one clock that all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_clock()")
        now: datetime = cursor.fetchone()[0]
    return now


def today(company: "Company") -> date:
    """Return the civil date in the company's time zone. Entrances call this and pass the date on."""
    return timezone.now().astimezone(ZoneInfo(company.time_zone)).date()


def written_instant(moment: datetime) -> str:
    """Write an aware instant in UTC with milliseconds: ``2025-03-01T09:30:00.000Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
