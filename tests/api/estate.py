"""One of everything that periods keeps, for tests that ask about every address."""

from datetime import date
from uuid import UUID

from ledger.actor import Actor
from ledger.models import Branch, Company, User
from periods.models import Association, BudgetItem
from periods.services.associations import create_association
from periods.services.budget_items import create_budget_item
from periods.services.charges import record_charge
from periods.services.contributions import record_contribution
from periods.services.expenses import record_expense
from periods.services.instalments import plan_instalments
from periods.services.meters import add_meter
from periods.services.opening import open_period
from periods.services.owners import add_owner
from periods.services.properties import add_property
from periods.services.readings import record_reading
from tests.treasury.desk import SYSTEM
from tests.treasury.factories import acting, today

START, END = date(2026, 1, 1), date(2026, 12, 31)


def associate(company: Company, branch: Branch | None = None, name: str = "Acacia") -> Association:
    """An association of the company, or of a branch of it."""
    return create_association(
        actor=SYSTEM,
        company_id=company.pk,
        name=name,
        currency="KES",
        branch_id=branch.pk if branch else None,
    )


def one_of_everything(association: Association, by: User, number: int = 1) -> dict[str, UUID]:
    """A period with one record of each kind, an owner and his property; their ids by parameter."""
    actor: Actor = acting(by)
    owner = add_owner(actor=SYSTEM, association_id=association.pk, name=f"Owner {number}")
    unit = add_property(
        actor=SYSTEM, association_id=association.pk, owner_id=owner.pk, label=f"Flat {number}"
    )
    year = START.year + number - 1
    period = open_period(
        actor=actor,
        association_id=association.pk,
        name=f"{year}",
        start_date=START.replace(year=year),
        end_date=END.replace(year=year),
    )
    ids = {"owner_id": owner.pk, "property_id": unit.pk, "period_id": period.pk}
    return ids | {"association_id": association.pk} | record_in(period.pk, ids, actor)


def record_in(
    period_id: UUID, ids: dict[str, UUID], actor: Actor, kind: str = "Security"
) -> dict[str, UUID]:
    """One record of each kind in a period."""
    item = create_budget_item(
        actor=actor,
        period_id=period_id,
        payment_type=kind,
        budgeted_cost="100",
        allocation_strategy="PROPORTIONAL",
        scope=[ids["property_id"]],
    )
    day = item.period.start_date
    contribution = record_contribution(
        actor=actor, period_id=period_id, owner_id=ids["owner_id"], amount="10", date=day
    )
    expense = record_expense(
        actor=actor,
        period_id=period_id,
        payment_type=kind,
        amount="10",
        date=day,
        paid_by=ids["owner_id"],
        budget_item=item.pk,
    )
    charge = record_charge(
        actor=actor,
        period_id=period_id,
        owner_id=ids["owner_id"],
        amount="10",
        description="A key",
        today=today,
    )
    return read_meter(item, ids["property_id"], actor) | {
        "item_id": item.pk,
        "contribution_id": contribution.pk,
        "expense_id": expense.pk,
        "charge_id": charge.pk,
    }


def read_meter(beside: BudgetItem, property_id: UUID, actor: Actor) -> dict[str, UUID]:
    """A meter with a reading for an item of its own beside the other one, and instalments."""
    item = create_budget_item(
        actor=actor,
        period_id=beside.period_id,
        payment_type=f"Water beside {beside.payment_type}",
        budgeted_cost="0",
        allocation_strategy="USAGE_BASED",
    )
    meter = add_meter(
        actor=actor,
        association_id=item.association_id,
        budget_item_id=item.pk,
        property_id=property_id,
    )
    reading = record_reading(
        actor=actor,
        period_id=item.period_id,
        meter_id=meter.pk,
        meter_start_reading="0",
        meter_end_reading="7.5",
    )
    plan = plan_instalments(
        actor=actor,
        period_id=item.period_id,
        amount="100",
        instalments=2,
        first_due_on=item.period.start_date,
        description="A new roof",
    )
    return {"meter_id": meter.pk, "reading_id": reading.pk, "plan_id": plan.pk}
