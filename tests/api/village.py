"""An association as its people see it through the API."""

from dataclasses import dataclass, replace
from typing import Any

from ledger.models import Membership, User
from ledger.roles import Role
from periods.models import Owner
from tests.api.caller import Caller
from tests.scene import Scene, build_scene

FIRST = ("First quarter", "2026-01-01", "2026-03-31")
THREE = {"Ann": "450", "Bob": "300", "Cy": "250"}
SECOND = ("Second quarter", "2026-04-01", "2026-06-30")


@dataclass
class Village:
    """One association of a scene's company; owners and properties by name, as ids."""

    scene: Scene
    association: str
    owners: dict[str, str]
    units: dict[str, str]

    def copy(self) -> "Village":
        """The same, to which more can be added."""
        return replace(self, owners=dict(self.owners), units=dict(self.units))

    def by(self, name: str) -> Caller:
        """The named person of the company."""
        return Caller(self.scene.people[name])

    @property
    def treasurer(self) -> Caller:
        return self.by("treasurer")

    @property
    def cfo(self) -> Caller:
        return self.by("cfo")

    def signed_in(self, owner: str) -> Caller:
        """The named owner, who gets a login with the role owner."""
        user = User.objects.create(
            username=f"{self.scene.company.code}_{owner}".lower(), email=f"{owner}@example.com"
        )
        Membership.objects.create(user=user, company=self.scene.company, role=Role.OWNER)
        Owner.objects.filter(pk=self.owners[owner]).update(user=user)
        return Caller(user)

    def balance(self, owner: str) -> str:
        """What the books say of the named owner now."""
        found: str = self.treasurer.get(f"/api/owners/{self.owners[owner]}/")["balance"]
        return found

    def add_owner(self, name: str, weight: str | None = None, **asked: Any) -> str:
        """An owner and, with a weight, his property."""
        body = {"association": self.association, "name": name} | asked
        self.owners[name] = self.treasurer.post("/api/owners/", body, 201)["id"]
        if weight is not None:
            unit = {"association": self.association, "owner": self.owners[name]}
            unit |= {"label": f"Flat {name}", "share_weight": weight}
            self.units[name] = self.treasurer.post("/api/properties/", unit, 201)["id"]
        return self.owners[name]

    def period(self, name: str, start: str, end: str) -> str:
        """The address of the next period, open."""
        body = {"association": self.association, "name": name}
        body |= {"start_date": start, "end_date": end}
        made = self.treasurer.post("/api/periods/", body, 201)
        return f"/api/periods/{made['id']}"

    def item(self, period: str, payment_type: str = "Security", **asked: Any) -> str:
        """A budget item, shared by weight unless asked otherwise."""
        body = {"payment_type": payment_type, "allocation_strategy": "PROPORTIONAL"} | asked
        found: str = self.treasurer.post(f"{period}/budget-items/", body, 201)["id"]
        return found

    def expense(self, period: str, amount: str, **asked: Any) -> Any:
        """A cost on the first day of the first quarter unless asked otherwise."""
        body = {"payment_type": "Security", "amount": amount, "date": "2026-01-01"} | asked
        if isinstance(body.get("paid_by"), str):
            body["paid_by"] = self.owners.get(body["paid_by"], body["paid_by"])
        return self.treasurer.post(f"{period}/expenses/", body, 201)

    def contribution(self, period: str, owner: str, amount: str, date: str = "2026-01-01") -> Any:
        body = {"owner_id": self.owners[owner], "amount": amount, "date": date}
        return self.treasurer.post(f"{period}/contributions/", body, 201)


def build_village(
    weights: dict[str, str] | None = None, *, scene: Scene | None = None, **asked: Any
) -> Village:
    """An association whose owners have a property each with these weights, all set up by HTTP."""
    scene = scene or build_scene(opening=0)
    body = {"name": "Acacia Court", "currency": "KES"} | asked
    association = Caller(scene.people["cfo"]).post("/api/associations/", body, 201)["id"]
    village = Village(scene, association, {}, {})
    for name, weight in (THREE if weights is None else weights).items():
        village.add_owner(name, weight)
    return village
