"""The colour of each status; its word stands beside it."""

from collections.abc import Mapping
from decimal import Decimal

from ledger.admin.cells import Badge, Tone
from periods.models import ServicePeriod
from periods.models.recorded import Recorded

PERIOD: Mapping[str, Tone] = {"OPEN": "busy", "CLOSED": "good", "STALE": "careful"}


def period_badge(period: ServicePeriod) -> Badge:
    """A period's status."""
    return Badge(str(period.get_status_display()), PERIOD.get(period.status, "quiet"))


def record_badge(record: Recorded) -> Badge:
    """Whether a record counts."""
    return Badge("Void", "quiet") if record.is_void else Badge("Recorded", "good")


def balance_badge(balance: Decimal) -> Badge:
    """Who owes whom."""
    if balance < 0:
        return Badge("Owes", "bad")
    return Badge("Is owed", "good") if balance > 0 else Badge("Even", "quiet")
