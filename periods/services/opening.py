"""Opening periods: they follow each other without gap or overlap."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from ledger import outbox
from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import InvalidInput
from periods import duties, locks
from periods.models import Association, ServicePeriod
from periods.refusals import NameTaken, PeriodGap, PeriodOverlap
from periods.services.noting import note
from treasury.texts import require_text

LONGEST_NAME = 120
FIRST_YEAR, LAST_YEAR = 1970, 2200


@command("period.open")
def open_period(
    *, actor: Actor, association_id: UUID, name: str, start_date: date, end_date: date
) -> ServicePeriod:
    """Open the next period of an association, from the day after the last one ends; return it.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` (``start_not_before_end``), ``NameTaken``,
    ``PeriodOverlap``, ``PeriodGap``.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    name = require_text(name, field="name", longest=LONGEST_NAME)
    _require_dates(start_date, end_date)
    previous = _previous(association, start_date, end_date)
    same = ServicePeriod.objects.filter(
        association=association, name__iexact=name, start_date__year=start_date.year
    )
    if same.exists():
        raise NameTaken(f"There is a period of this name in {start_date.year}.")
    period = ServicePeriod(
        association=association,
        name=name,
        start_date=start_date,
        end_date=end_date,
        previous=previous,
        previous_end=previous.end_date if previous else None,
        created_by=actor.user,
    )
    period.save(force_insert=True)
    period.refresh_from_db(fields=["created_at"])
    note(actor, "period.open", period, association=association)
    tell_period("period.opened", period)
    return period


def tell_period(kind: str, period: ServicePeriod) -> None:
    """Tell clients about a period of a locked association."""
    association = period.association
    outbox.publish(
        kind=kind,
        subject=period.reference,
        company_id=association.company_id,
        payload=period_facts(period),
    )


def period_facts(period: ServicePeriod) -> dict[str, Any]:
    """Return what clients are told about a period."""
    return {
        "id": str(period.pk),
        "association": str(period.association_id),
        "name": period.name,
        "start_date": period.start_date.isoformat(),
        "end_date": period.end_date.isoformat(),
        "status": str(period.status),
        "version": period.version,
    }


def _require_dates(start_date: date, end_date: date) -> None:
    if start_date >= end_date:
        message = "A period ends after it starts."
        raise InvalidInput.on("end_date", message, code="start_not_before_end")
    for field, day in (("start_date", start_date), ("end_date", end_date)):
        require_year(field, day)


def require_year(field: str, day: date) -> None:
    """Raise ``InvalidInput`` on the field for a day that no period could be near."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput.on(field, f"From {FIRST_YEAR} to {LAST_YEAR}.")


def _previous(association: Association, start: date, end: date) -> ServicePeriod | None:
    """Return the period that this one follows; None for the first."""
    of_association = ServicePeriod.objects.filter(association=association)
    overlapped = of_association.filter(start_date__lte=end, end_date__gte=start).first()
    if overlapped:
        raise PeriodOverlap(
            f"{overlapped.name} is from {overlapped.start_date} to {overlapped.end_date}."
        )
    last = of_association.order_by("start_date").last()
    if last and start != last.end_date + timedelta(days=1):
        wanted = last.end_date + timedelta(days=1)
        raise PeriodGap(f"{last.name} ends on {last.end_date}: the next one starts on {wanted}.")
    return last
