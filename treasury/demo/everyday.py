"""What happens every week: the small payments that funds are there for."""

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from treasury.demo.cast import COMPANIES, FREIGHT, CompanyPlan, FundPlan
from treasury.demo.stage import Stage, Wish
from treasury.models import ReplenishmentRequest
from treasury.services.reconciliations import reconcile_payment
from treasury.services.replenishment import (
    approve_replenishment,
    fund_replenishment,
    replenish,
)
from treasury.services.requisitions import cancel_requisition, reject_requisition
from treasury.services.variances import approve_variance
from treasury.states import ReplenishmentStatus

Story = Generator[datetime, None, None]
WEEKS = 6
SATURDAY = 5
CASH = "cash"
MPESA = "mpesa"
HEAD_OFFICE = "Head office operations"
PORT = "Mombasa port clearance"


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that is bought again and again: for between so much and so much, in steps."""

    purpose: str
    payee: str
    least: int
    most: int
    step: int
    method: str = CASH
    destination: str = "Collected at the office"

    def wish(self, fund: str, chance: random.Random, *, gateway: bool) -> Wish:
        """Ask for it, by another method while there is no gateway."""
        amount = chance.randrange(self.least, self.most + 1, self.step)
        method, destination = self.method, self.destination
        if method == MPESA and not gateway:
            method, destination = CASH, "Collected at the office"
        return Wish(fund, amount, self.purpose, self.payee, method, destination)


ERRANDS = {
    "KES": (
        Errand(
            "Diesel for the Nairobi to Mombasa run", "Salama Filling Station", 18_000, 42_000, 500
        ),
        Errand("Two recapped tyres, KDB 418C", "Enterprise Road Tyres", 22_000, 48_000, 1_000),
        Errand(
            "Casual loaders, night shift", "Dennis Mutiso", 2_400, 9_600, 400, MPESA, "0722418377"
        ),
        Errand(
            "Weighbridge and parking fees", "Zawadi Atieno", 600, 4_800, 200, MPESA, "0733905614"
        ),
        Errand(
            "Driver's overnight allowance", "Hassan Juma", 1_500, 6_000, 500, MPESA, "0710552983"
        ),
        Errand("Office water and cleaning", "Mama Njeri Supplies", 450, 3_800, 50),
        Errand("Port handling charges, two containers", "Kilindini Handlers", 28_000, 64_000, 500),
        Errand(
            "Motorbike courier, customs papers", "Kevin Odhiambo", 350, 950, 50, MPESA, "0701883452"
        ),
    ),
    "UGX": (
        Errand(
            "Diesel for the Kampala to Kigali run", "Nile Pride Fuels", 350_000, 1_450_000, 10_000
        ),
        Errand("Warehouse guards, weekly", "Kyambogo Guarding", 180_000, 420_000, 5_000),
        Errand("Airtime and internet bundles", "Nakato Agencies", 20_000, 90_000, 5_000),
        Errand("Forklift repair", "Ssemakula Mechanics", 240_000, 1_900_000, 10_000),
    ),
    "RWF": (
        Errand("Fuel for the delivery van", "Station Nyabugogo", 45_000, 160_000, 1_000),
        Errand("Loaders at the depot", "Emmanuel Bizimana", 24_000, 120_000, 3_000),
        Errand("Sacks and twine", "Papeterie Kimironko", 60_000, 380_000, 5_000),
        Errand("Generator service", "Atelier Gakire", 90_000, 620_000, 5_000),
        Errand("Staff transport, harvest week", "Chantal Umutoni", 6_000, 85_000, 1_000),
    ),
}


def stories(stage: Stage, *, begin: datetime, end: datetime, gateway: bool) -> Iterator[Story]:
    """All that is ordinary between two moments, at both companies."""
    chance = _dice("bursar")
    for plan in COMPANIES:
        days = list(_working_days(plan, begin, end))
        yield _mornings(stage, plan, days)
        for fund in plan.funds:
            yield _opening(stage, plan, fund, days[0])
            for week in range(WEEKS):
                here = days[1 + week * 5 : 6 + week * 5]
                for day in chance.sample(here, _errands_in(week, fund)):
                    errand = chance.choice(ERRANDS[fund.currency])
                    wish = errand.wish(fund.name, chance, gateway=gateway and plan is FREIGHT)
                    yield _errand(stage, wish, day, _dice(chance.random()))


def _errands_in(week: int, fund: FundPlan) -> int:
    """The head office is busy; outside Kenya every third week is quiet."""
    if fund.currency == "KES":
        return 2 if fund.opening > 1_000_000 else 1
    return min(week % 3, 1)


def _dice(seed: str | float) -> random.Random:
    """Chance that falls the same way every time."""
    return random.Random(seed)  # noqa: S311 -- not a secret


def _working_days(plan: CompanyPlan, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Eight o'clock in the morning of every working day."""
    zone = ZoneInfo(plan.time_zone)
    day = begin.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        if day.weekday() < SATURDAY:
            yield datetime.combine(day, time(8), zone)
        day += timedelta(days=1)


def _opening(stage: Stage, plan: CompanyPlan, fund: FundPlan, day: datetime) -> Story:
    """The fund gets its first money, as it later gets more."""
    prefix = "" if plan is FREIGHT else "other_"
    yield day
    request = replenish(
        actor=stage.acting(f"{prefix}treasurer"),
        fund_id=stage.cast.funds[fund.name].pk,
        amount=fund.opening,
        reason="Opening float",
    )
    yield day + timedelta(minutes=40)
    approve_replenishment(actor=stage.acting(f"{prefix}cfo"), replenishment_id=request.pk)
    yield day + timedelta(minutes=95)
    fund_replenishment(
        actor=stage.acting(f"{prefix}treasurer"), replenishment_id=request.pk, today=stage.today
    )


def _mornings(stage: Stage, plan: CompanyPlan, days: list[datetime]) -> Story:
    """Each morning but the last two, the CFO agrees to what funds asked for and the treasurer fills them."""
    prefix = "" if plan is FREIGHT else "other_"
    asked = ReplenishmentRequest.objects.filter(company=stage.cast.companies[plan.code])
    for day in days[1:-2]:
        yield day + timedelta(minutes=20)
        for request in asked.filter(status=ReplenishmentStatus.PENDING):
            approve_replenishment(actor=stage.acting(f"{prefix}cfo"), replenishment_id=request.pk)
            fund_replenishment(
                actor=stage.acting(f"{prefix}treasurer"),
                replenishment_id=request.pk,
                today=stage.today,
            )


def _errand(stage: Stage, wish: Wish, day: datetime, chance: random.Random) -> Story:
    """Asked for in the morning, approved, paid in the afternoon, reconciled in the days after."""
    luck = chance.random()
    yield day + timedelta(minutes=chance.randrange(60, 180))
    requisition = stage.request(wish)
    prefix = stage.prefix(requisition.fund)
    yield stage.after(minutes=chance.randrange(20, 150))
    if luck < 0.05:
        reject_requisition(
            actor=stage.acting(f"{prefix}approver"),
            requisition_id=requisition.pk,
            reason="The quotation is missing.",
        )
        return
    requisition = stage.approve(requisition)
    yield stage.after(minutes=chance.randrange(15, 120))
    if luck > 0.96:
        cancel_requisition(actor=stage.acting(f"{prefix}requester"), requisition_id=requisition.pk)
        return
    payment = stage.execute(stage.make_payment(requisition))
    if payment.method == MPESA:
        payment = stage.settle(payment)
    if 0.05 <= luck < 0.11:
        yield stage.after(hours=3)
        variance = stage.correct(payment, -wish.amount // 20, "Change was brought back.")
        yield stage.after(hours=20)
        approve_variance(
            actor=stage.acting(f"{prefix}cfo"), variance_id=variance.pk, today=stage.today
        )
    if luck < 0.75:
        yield stage.after(days=chance.randrange(1, 4))
        reconciler = "reconciler" if not prefix else "admin"
        reconcile_payment(
            actor=stage.acting(reconciler), payment_id=payment.pk, note="Receipt on file."
        )
