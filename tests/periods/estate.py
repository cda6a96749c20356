"""Where tests of shared costs take place: a company, its people, an association with owners and periods.

Everything goes through the services; the database's laws watch over it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.actor import Actor
from ledger.models import Account, Company, Membership, User
from ledger.roles import Role
from periods.models import (
    Association,
    BudgetItem,
    Contribution,
    Expense,
    Owner,
    Property,
    ReopenRequest,
    ServiceCharge,
    ServicePeriod,
)
from periods.services.associations import create_association
from periods.services.budget_items import create_budget_item
from periods.services.charges import record_charge
from periods.services.closing import close_period
from periods.services.contributions import record_contribution
from periods.services.expenses import record_expense
from periods.services.opening import open_period
from periods.services.owners import add_owner
from periods.services.properties import add_property
from periods.services.reopening import reopen_period
from periods.sheets import balance_sheet_of
from tests.scene import Scene, build_scene

DAY = date(2026, 2, 10)


def today(company: Company) -> date:
    """The day on which the tests take place."""
    return DAY


@dataclass
class Estate:
    """An association of a scene's company, with its owners and properties by name."""

    scene: Scene
    association: Association
    owners: dict[str, Owner]
    units: dict[str, Property]

    def actor(self, name: str) -> Actor:
        """The named person, as an entrance would pass him on."""
        return self.scene.actor(name)

    def period(
        self,
        name: str = "First quarter",
        start: date = date(2026, 1, 1),
        end: date = date(2026, 3, 31),
    ) -> ServicePeriod:
        """The next period, open."""
        return open_period(
            actor=self.actor("treasurer"),
            association_id=self.association.pk,
            name=name,
            start_date=start,
            end_date=end,
        )

    def item(
        self, period: ServicePeriod, payment_type: str = "Security", **asked: Any
    ) -> BudgetItem:
        """How one payment type is shared; by weight unless asked otherwise."""
        content = {"budgeted_cost": "0", "allocation_strategy": "PROPORTIONAL"} | asked
        return create_budget_item(
            actor=self.actor("treasurer"),
            period_id=period.pk,
            payment_type=payment_type,
            **content,
        )

    def contribution(
        self, period: ServicePeriod, owner: str, amount: str, **asked: Any
    ) -> Contribution:
        """What the named owner pays in, on the period's first day unless asked otherwise."""
        return record_contribution(
            actor=self.actor("treasurer"),
            period_id=period.pk,
            owner_id=self.owners[owner].pk,
            amount=amount,
            **{"date": period.start_date} | asked,
        )

    def expense(
        self,
        period: ServicePeriod,
        amount: str,
        *,
        item: BudgetItem | None = None,
        paid_by: str | None = None,
        **asked: Any,
    ) -> Expense:
        """A cost, on the period's first day, paid from cash unless an owner is named."""
        content = {"payment_type": item.payment_type if item else "Security"}
        return record_expense(
            actor=self.actor("treasurer"),
            period_id=period.pk,
            amount=amount,
            paid_by=self.owners[paid_by].pk if paid_by else None,
            budget_item=item.pk if item else None,
            **content | {"date": period.start_date} | asked,
        )

    def charge(self, period: ServicePeriod, owner: str, amount: str, **asked: Any) -> ServiceCharge:
        """What one owner alone is charged, on the period's first day."""
        content: dict[str, Any] = {"description": "Second key", "date": period.start_date} | asked
        return record_charge(
            actor=self.actor("treasurer"),
            period_id=period.pk,
            owner_id=self.owners[owner].pk,
            amount=amount,
            today=today,
            **content,
        )

    def close(self, period: ServicePeriod) -> ServicePeriod:
        """Close the period, as the CFO."""
        return close_period(actor=self.actor("cfo"), period_id=period.pk)

    def reopen(self, period: ServicePeriod, reason: str = "A bill came late") -> ReopenRequest:
        """Open a closed period again, as the CFO."""
        return reopen_period(actor=self.actor("cfo"), period_id=period.pk, reason=reason)

    def closings(self, period: ServicePeriod) -> dict[str, Decimal]:
        """With what each owner closes the period, by name."""
        sheet = balance_sheet_of(ServicePeriod.objects.get(pk=period.pk))
        return {line.name: line.closing for line in sheet.owners}

    def add_unit(self, owner: str, weight: str = "100", **asked: Any) -> Property:
        """A property of a new owner."""
        self.owners[owner] = add_owner(
            actor=self.actor("treasurer"), association_id=self.association.pk, name=owner
        )
        self.units[owner] = add_property(
            actor=self.actor("treasurer"),
            association_id=self.association.pk,
            owner_id=self.owners[owner].pk,
            label=f"Flat {owner}",
            share_weight=weight,
            **asked,
        )
        return self.units[owner]

    def balance(self, owner: str) -> Any:
        """The balance of the named owner's control account now: positive when he is owed."""
        return Account.objects.get(pk=self.owners[owner].account_id).balance


def build_estate(
    weights: dict[str, str] | None = None,
    *,
    scene: Scene | None = None,
    with_fund: bool = False,
    **asked: Any,
) -> Estate:
    """An association whose owners have a property each, with these weights."""
    scene = scene or build_scene(opening=0)
    association = create_association(
        actor=scene.actor("cfo"),
        company_id=scene.company.pk,
        fund_id=scene.fund.pk if with_fund else None,
        **{"name": "Acacia Court", "currency": "KES"} | asked,
    )
    estate = Estate(scene, association, {}, {})
    for name, weight in (weights or {"Ann": "450", "Bob": "300", "Cy": "250"}).items():
        estate.add_unit(name, weight)
    return estate


def login_of(estate: Estate, owner: str) -> User:
    """Give the named owner a login with the role owner, and return it."""
    user = User.objects.create(
        username=f"{estate.scene.company.code}_{owner}".lower(), email=f"{owner}@example.com"
    )
    Membership.objects.create(user=user, company=estate.scene.company, role=Role.OWNER)
    Owner.objects.filter(pk=estate.owners[owner].pk).update(user=user)
    estate.owners[owner].user = user
    return user
