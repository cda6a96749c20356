"""Every row lock of periods, in the one global order; no other file of this app takes one.

Association, period(s) in the order of time, then treasury's (fund, requisition, payment), then the records
of a period, accounts by id. What is recorded locks its period alone; whatever concerns several periods locks
the association first.
"""

from datetime import date
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from ledger.clock import DatabaseClock
from ledger.models import Company
from ledger.refusals import NotFound
from ledger.rows import Columns, join, rows_of
from periods.models import (
    Association,
    BudgetItem,
    Expense,
    InstalmentPlan,
    Meter,
    Owner,
    Property,
    Reading,
    ServicePeriod,
)
from periods.models.recorded import Recorded
from periods.models.statement import Mailed
from periods.states import ExpenseKind, PeriodStatus

Row = TypeVar("Row", bound=Model)
Record = TypeVar("Record", bound=Recorded)
Mail = TypeVar("Mail", bound=Mailed)
PERIOD, ASSOCIATION, COMPANY = Columns(ServicePeriod), Columns(Association), Columns(Company)
# Before whatever is recorded: one statement that PostgreSQL plans once.
PERIOD_AND_PLACE = f"""
    SELECT {PERIOD.of("period")}, {ASSOCIATION.of("association")}, {COMPANY.of("company")}
    FROM periods_serviceperiod period
    JOIN periods_association association ON association.id = period.association_id
    JOIN ledger_company company ON company.id = association.company_id
    WHERE period.id = %s FOR NO KEY UPDATE OF period
"""  # noqa: S608 -- column names of models


def lock_association(association_id: UUID) -> Association:
    """Lock one association: its periods, owners and properties then change through this command alone."""
    rows = Association.objects.select_related("company").filter(pk=association_id)
    return _the_one(rows.select_for_update(of=("self",), no_key=True), "association")


def lock_period(period_id: UUID) -> ServicePeriod:
    """Lock one period; its association and company are read with it."""
    found = rows_of(PERIOD_AND_PLACE, (period_id,))
    if not found:
        raise NotFound("There is no such period.")
    values = iter(found[0])
    period, association = PERIOD.read(values), ASSOCIATION.read(values)
    join(association, company=COMPANY.read(values))
    join(period, association=association)
    return period


def lock_chain(period_id: UUID) -> tuple[Association, list[ServicePeriod]]:
    """Lock a period's association and, in the order of time, the period and all that follow it."""
    found = ServicePeriod.objects.filter(pk=period_id).values_list("association_id").first()
    if found is None:
        raise NotFound("There is no such period.")
    association = lock_association(found[0])
    rows = ServicePeriod.objects.filter(association=association).order_by("start_date")
    periods = list(rows.select_for_update(no_key=True))
    for period in periods:
        period.association = association
    first = next(place for place, period in enumerate(periods) if period.pk == period_id)
    return association, periods[first:]


def lock_open_periods(association: Association, since: date) -> list[ServicePeriod]:
    """Lock the open periods of a locked association that end on a day or later, in the order of time."""
    rows = ServicePeriod.objects.filter(
        association=association, status=PeriodStatus.OPEN, end_date__gte=since
    )
    periods = list(rows.order_by("start_date").select_for_update(no_key=True))
    for period in periods:
        period.association = association
    return periods


def lock_record(model: type[Record], record_id: UUID) -> Record:
    """Lock a record of a period, and the period before it."""
    found = model._default_manager.filter(pk=record_id).values_list("period_id").first()
    if found is None:
        raise NotFound(f"There is no such {model.noun}.")
    period = lock_period(found[0])
    rows = model._default_manager.filter(pk=record_id).select_for_update(no_key=True)
    record = _the_one(rows.order_by(), model.noun)
    record.period, record.association = period, period.association
    return record


def lock_refunded(expense_id: UUID, association_id: UUID) -> Expense | None:
    """Lock a live expense of an association, after the period of its refund, so that its refunds stand still.

    It may be of another period, which is not locked: refunding an expense changes nothing of it.
    """
    rows = Expense.objects.filter(
        pk=expense_id, association=association_id, kind=ExpenseKind.EXPENSE, voided_at=None
    )
    return rows.select_for_update(no_key=True).order_by().first()


def lock_budget_item(item_id: UUID) -> BudgetItem:
    """Lock a budget item, and its period before it."""
    found = BudgetItem.objects.filter(pk=item_id).values_list("period_id").first()
    if found is None:
        raise NotFound("There is no such budget item.")
    period = lock_period(found[0])
    item = _the_one(
        BudgetItem.objects.filter(pk=item_id).select_for_update(no_key=True), "budget item"
    )
    item.period, item.association = period, period.association
    return item


def lock_reading(reading_id: UUID) -> Reading:
    """Lock a reading, and its period before it."""
    found = Reading.objects.filter(pk=reading_id).values_list("period_id").first()
    if found is None:
        raise NotFound("There is no such reading.")
    period = lock_period(found[0])
    rows = Reading.objects.select_related("meter__property").filter(pk=reading_id)
    reading = _the_one(rows.select_for_update(of=("self",), no_key=True), "reading")
    reading.period, reading.association = period, period.association
    return reading


def lock_owner(owner_id: UUID) -> Owner:
    """Lock an owner's association, and the owner."""
    found = Owner.objects.filter(pk=owner_id).values_list("association_id").first()
    if found is None:
        raise NotFound("There is no such owner.")
    association = lock_association(found[0])
    owner = _the_one(Owner.objects.filter(pk=owner_id).select_for_update(no_key=True), "owner")
    owner.association = association
    return owner


def lock_meter(meter_id: UUID) -> Meter:
    """Lock a meter's association, and the meter."""
    found = Meter.objects.filter(pk=meter_id).values_list("association_id").first()
    if found is None:
        raise NotFound("There is no such meter.")
    association = lock_association(found[0])
    rows = Meter.objects.select_related("property").filter(pk=meter_id)
    meter = _the_one(rows.select_for_update(of=("self",), no_key=True), "meter")
    meter.association = association
    return meter


def lock_instalment_plan(plan_id: UUID) -> InstalmentPlan:
    """Lock an instalment plan, and its period before it."""
    found = InstalmentPlan.objects.filter(pk=plan_id).values_list("period_id").first()
    if found is None:
        raise NotFound("There is no such plan.")
    period = lock_period(found[0])
    rows = InstalmentPlan.objects.filter(pk=plan_id).select_for_update(no_key=True)
    plan = _the_one(rows.order_by(), "plan")
    plan.period, plan.association = period, period.association
    return plan


def lock_property(property_id: UUID) -> Property:
    """Lock a property's association, and the property."""
    found = Property.objects.filter(pk=property_id).values_list("association_id").first()
    if found is None:
        raise NotFound("There is no such property.")
    association = lock_association(found[0])
    rows = Property.objects.filter(pk=property_id).select_for_update(no_key=True)
    unit = _the_one(rows, "property")
    unit.association = association
    return unit


def lock_due_mail(model: type[Mail]) -> Mail | None:
    """Lock one mail that is due and that nobody else is handing over; None when there is none."""
    due = model._default_manager.filter(sent_at=None, try_at__lte=DatabaseClock()).exclude(email="")
    rows = due.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return rows.order_by("try_at").first()


def _the_one(rows: QuerySet[Row], noun: str) -> Row:
    """Return the only row, or raise ``NotFound`` in words that fit a thing one may not see."""
    row = rows.first()
    if row is None:
        raise NotFound(f"There is no such {noun}.")
    return row
