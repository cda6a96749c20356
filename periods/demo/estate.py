"""The association of the demo: Acacia Court, its eight owners, five quarters, one of them open again."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ledger.actor import Actor
from ledger.clock import today
from ledger.models import Company, User
from periods.demo.calendar import Quarter, quarters_until
from periods.models import Association, BudgetItem, Meter, Owner, Property, ServicePeriod
from periods.services.associations import create_association
from periods.services.budget_items import create_budget_item
from periods.services.charges import record_charge
from periods.services.closing import close_period
from periods.services.contributions import record_contribution
from periods.services.expenses import record_expense
from periods.services.instalments import plan_instalments
from periods.services.late_fees import charge_late_fees, set_late_fee_rule
from periods.services.meters import add_meter
from periods.services.opening import open_period
from periods.services.opening_balances import record_opening_balances
from periods.services.owners import add_owner
from periods.services.paying import pay_expense_through_treasury
from periods.services.properties import add_property, edit_property, transfer_property
from periods.services.readings import record_reading
from periods.services.reopening import approve_reopening, reopen_period
from periods.services.statements import send_statements
from treasury.models import TreasuryFund
from treasury.services.execution import execute_payment
from treasury.services.funds import open_fund
from treasury.services.payments import create_payment
from treasury.services.requisitions import approve_requisition

NAME = "Acacia Court"
# Name, share weight, first reading of his water meter; the first one has the login `owner`.
OWNERS = (
    ("Halima Abdi", "140", "1204"),
    ("Daniel Kariuki", "140", "988"),
    ("Mercy Chebet", "125", "2310"),
    ("James Odhiambo", "125", "1755"),
    ("Wanjiku and Thomas Kamau-Lindqvist", "120", "640"),
    ("Aisha Noor", "120", "1420"),
    ("Patrick Mutua", "115", "1102"),
    ("Lucy Nyambura", "115", "877"),
)
QUARTERLY = 27_500
WATER = (31, 24, 42, 28, 19, 35, 22, 26)
COMMON_WATER = 38


@dataclass
class Estate:
    """The association while it is built: owners, properties and meters in the order of ``OWNERS``."""

    company: Company
    people: dict[str, User]
    association: Association = field(default_factory=Association)
    owners: list[Owner] = field(default_factory=list)
    units: list[Property] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    main: Meter | None = None

    def by_today(self, quarter: Quarter, day: int) -> date:
        """The n-th day of a quarter, or today where that day is still to come."""
        return min(quarter.day(day), today(self.company))

    def acting(self, name: str) -> Actor:
        return Actor.of(self.people[name], user_agent="demo")


def load_estate(company: Company, people: dict[str, User]) -> Association | None:
    """Build the association unless the company has one; return it. ``people`` are by demo username."""
    if Association.objects.filter(company=company).exists():
        return None
    estate = Estate(company, people)
    fund = _set_up(estate)
    quarters = quarters_until(today(company))
    periods = [_open(estate, quarter) for quarter in quarters]
    _bring_along(estate)
    for number, (quarter, period) in enumerate(zip(quarters, periods, strict=True)):
        _live(estate, quarter, period, number)
    closed = periods[:-1]
    _close_all(estate, closed)
    _transfer(estate, quarters[-1])
    _owe_instalments(estate, quarters[-1], periods[-1])
    _reopen(estate, closed[1])
    assert fund.currency == estate.association.currency
    return estate.association


def _set_up(estate: Estate) -> TreasuryFund:
    treasurer, cfo = estate.acting("treasurer"), estate.acting("cfo")
    fund = open_fund(
        actor=cfo,
        company_id=estate.company.pk,
        name=f"{NAME} account",
        currency="KES",
        reorder_level=0,
        target_level=0,
    )
    estate.association = create_association(
        actor=cfo, company_id=estate.company.pk, name=NAME, currency="KES", fund_id=fund.pk
    )
    pk = estate.association.pk
    for number, (name, weight, _) in enumerate(OWNERS):
        first = name.split()[0].lower()
        owner = add_owner(
            actor=treasurer,
            association_id=pk,
            name=name,
            email=f"{first}@acacia-court.example",
            user_id=estate.people["owner"].pk if number == 0 else None,
        )
        unit = add_property(
            actor=treasurer,
            association_id=pk,
            owner_id=owner.pk,
            label=f"Flat {chr(65 + number // 4)}{number % 4 + 1}",
            share_weight=weight,
        )
        estate.owners.append(owner)
        estate.units.append(unit)
    gatehouse = add_property(
        actor=treasurer,
        association_id=pk,
        owner_id=estate.owners[1].pk,
        label="Gatehouse kiosk",
        share_weight="20",
    )
    edit_property(actor=treasurer, property_id=gatehouse.pk, active=False)
    set_late_fee_rule(
        actor=cfo, association_id=pk, grace_days=5, fixed_fee="250.00", yearly_percent="12"
    )
    return fund


def _open(estate: Estate, quarter: Quarter) -> ServicePeriod:
    return open_period(
        actor=estate.acting("treasurer"),
        association_id=estate.association.pk,
        name=quarter.name,
        start_date=quarter.start,
        end_date=quarter.end,
    )


def _bring_along(estate: Estate) -> None:
    """What the association came with from its last book-keeper."""
    owners = estate.owners
    record_opening_balances(
        actor=estate.acting("treasurer"),
        association_id=estate.association.pk,
        cash="86450.00",
        balances={owners[1].pk: "1250.00", owners[4].pk: "-3400.00"},
    )


def _live(estate: Estate, quarter: Quarter, period: ServicePeriod, number: int) -> None:
    """One quarter: what is planned, paid in, spent, read and charged."""
    items = _items(estate, period)
    if not estate.meters:
        _meters(estate, items["Water"])
    _pay_in(estate, quarter, period, number)
    _spend(estate, quarter, period, items, number)
    if number < 4:
        _read(estate, quarter, period, number)


def _items(estate: Estate, period: ServicePeriod) -> dict[str, BudgetItem]:
    lift = [unit.pk for unit in estate.units if unit.label.startswith("Flat B")]
    plans: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("Security", "120000", "PROPORTIONAL", {}),
        ("Garden", "24000", "FIXED_FEE", {}),
        ("Lift of block B", "18000", "FIXED_FEE", {"scope": lift}),
        ("Water", "26000", "USAGE_BASED", {"base_percent": "20", "fallback": "BY_SHARE"}),
        ("Reserve", "0", "NONE", {}),
    )
    return {
        name: create_budget_item(
            actor=estate.acting("treasurer"),
            period_id=period.pk,
            payment_type=name,
            budgeted_cost=cost,
            allocation_strategy=strategy,
            **more,
        )
        for name, cost, strategy, more in plans
    }


def _meters(estate: Estate, water: BudgetItem) -> None:
    def meter(property_id: Any) -> Meter:
        return add_meter(
            actor=estate.acting("treasurer"),
            association_id=estate.association.pk,
            budget_item_id=water.pk,
            property_id=property_id,
            digits=5,
        )

    estate.main = meter(None)
    estate.meters = [meter(unit.pk) for unit in estate.units]


def _pay_in(estate: Estate, quarter: Quarter, period: ServicePeriod, number: int) -> None:
    for place, owner in enumerate(estate.owners):
        late = place == 6 and number % 2 == 1
        if number == 4 and place > 3:
            continue
        record_contribution(
            actor=estate.acting("reconciler"),
            period_id=period.pk,
            owner_id=owner.pk,
            amount=f"{QUARTERLY - (5_000 if late else 0)}.00",
            date=estate.by_today(quarter, 3 + 2 * place),
            comment="Paid a part" if late else "",
        )


def _spend(
    estate: Estate,
    quarter: Quarter,
    period: ServicePeriod,
    items: dict[str, BudgetItem],
    number: int,
) -> None:
    def spend(item: str, amount: str, day: int, vendor: str, **more: Any) -> Any:
        return record_expense(
            actor=estate.acting("reconciler"),
            period_id=period.pk,
            payment_type=item,
            budget_item=items[item].pk,
            amount=amount,
            date=estate.by_today(quarter, day),
            vendor=vendor,
            **more,
        )

    spend("Security", "117450.00", 28, "Simba Guards Ltd")
    spend("Garden", "23800.00", 12, "Greenhands", paid_by=estate.owners[3].pk)
    if number == 4:
        bulbs = spend("Garden", "950.00", 14, "Tumaini Hardware", description="Lamps at the gate")
        _pay_through_treasury(estate, bulbs.pk)
        return
    spend("Lift of block B", f"{16_400 + 310 * number}.00", 41, "Otis East Africa")
    bill = spend("Water", f"{24_615 + 735 * number}.40", 61, "Nairobi City Water")
    if number == 2:
        spend("Water", "1200.00", 66, "Nairobi City Water", kind="refund", refund_of=bill.pk)
    spend("Reserve", "3500.00", 70, "Auditor", description="Review of the books")
    record_charge(
        actor=estate.acting("treasurer"),
        period_id=period.pk,
        owner_id=estate.owners[number].pk,
        amount="1500.00",
        description="Second gate key",
        date=quarter.day(20),
        today=today,
    )


def _read(estate: Estate, quarter: Quarter, period: ServicePeriod, number: int) -> None:
    """Read the meters; one could not be read in the second quarter, one was replaced in the third."""
    assert estate.main is not None
    whole = sum(WATER) + COMMON_WATER
    _counted(estate, period, estate.main, 5000 + whole * number, 5000 + whole * (number + 1))
    for place, meter in enumerate(estate.meters):
        first = int(OWNERS[place][2])
        start = first + WATER[place] * number
        if place == 2 and number == 1:
            record_reading(
                actor=estate.acting("reconciler"),
                period_id=period.pk,
                meter_id=meter.pk,
                kind="ESTIMATED",
            )
        elif place == 2 and number == 2:
            _counted(estate, period, meter, first + WATER[place], start + WATER[place])
        elif place == 5 and number == 2:
            middle = quarter.day(45)
            _counted(estate, period, meter, start, start + 20, to_on=middle)
            _counted(estate, period, meter, 0, 15, from_on=middle + timedelta(days=1))
        elif place == 5 and number == 3:
            _counted(estate, period, meter, 15, 15 + WATER[place])
        else:
            _counted(estate, period, meter, start, start + WATER[place])


def _counted(
    estate: Estate, period: ServicePeriod, meter: Meter, start: int, end: int, **days: Any
) -> None:
    record_reading(
        actor=estate.acting("reconciler"),
        period_id=period.pk,
        meter_id=meter.pk,
        meter_start_reading=start,
        meter_end_reading=end,
        **days,
    )


def _pay_through_treasury(estate: Estate, expense_id: Any) -> None:
    """Asked for by whoever recorded it, approved by another, paid in cash by a third."""
    expense = pay_expense_through_treasury(
        actor=estate.acting("reconciler"),
        expense_id=expense_id,
        method="cash",
        destination="Caretaker's office",
    )
    assert expense.requisition_id is not None
    requisition = approve_requisition(
        actor=estate.acting("approver"), requisition_id=expense.requisition_id, comment="Needed."
    )
    treasurer = estate.acting("treasurer")
    payment = create_payment(actor=treasurer, requisition_id=requisition.pk)
    execute_payment(actor=treasurer, payment_id=payment.pk, today=today)


def _close_all(estate: Estate, periods: list[ServicePeriod]) -> None:
    for period in periods:
        close_period(actor=estate.acting("cfo"), period_id=period.pk)
        send_statements(actor=estate.acting("treasurer"), period_id=period.pk)


def _transfer(estate: Estate, quarter: Quarter) -> None:
    """Lucy Nyambura sold her flat in the quarter that is open."""
    buyer = add_owner(
        actor=estate.acting("treasurer"),
        association_id=estate.association.pk,
        name="Kevin Barasa",
        email="kevin@acacia-court.example",
    )
    transfer_property(
        actor=estate.acting("treasurer"),
        property_id=estate.units[-1].pk,
        owner_id=buyer.pk,
        from_on=quarter.day(16),
    )


def _owe_instalments(estate: Estate, quarter: Quarter, period: ServicePeriod) -> None:
    """A new roof is asked for; whoever is behind by today is charged for it."""
    plan_instalments(
        actor=estate.acting("treasurer"),
        period_id=period.pk,
        amount="480000.00",
        instalments=4,
        first_due_on=quarter.day(10),
        description="New roof of block A",
    )
    day = today(estate.company)
    charge_late_fees(actor=estate.acting("treasurer"), period_id=period.pk, on=day)


def _reopen(estate: Estate, period: ServicePeriod) -> None:
    """A bill was missing; statements were sent, so that it takes two people."""
    reopen_period(
        actor=estate.acting("cfo"),
        period_id=period.pk,
        reason="The lift's repair of that quarter was billed late.",
    )
    approve_reopening(actor=estate.acting("admin"), period_id=period.pk)
