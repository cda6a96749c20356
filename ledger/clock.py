"""The clocks: the database's for whatever expires, the company's civil date for whatever is dated."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from ledger.models import Company


def database_now() -> datetime:
    """Return this instant by the database's clock, in UTC; the one clock that all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def today(company: Company) -> date:
    """Return the civil date in the company's time zone. Entrances call this and pass the date on."""
    return timezone.now().astimezone(ZoneInfo(company.time_zone)).date()
