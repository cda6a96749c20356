"""Worked cases of periods asked over HTTP: what the runners share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from tests.api.village import Village, build_village
from tests.cases.loading import UNSAID_CURRENCY
from tests.scene import Scene

START, END = date(2026, 1, 1), date(2026, 3, 31)
DAY = timedelta(days=1)
NUMBERS = count(1)


@dataclass
class Refused(Exception):
    """The API refused a step of a case."""

    status: int
    code: str


@dataclass
class Street:
    """A case's association; every step raises ``Refused`` when the API does."""

    village: Village

    @classmethod
    def build(
        cls, scene: Scene, weights: dict[str, str], *, currency: str = UNSAID_CURRENCY, **asked: Any
    ) -> "Street":
        """An association whose owners, in this order, have a property each with these weights."""
        name = f"Case {next(NUMBERS)}"
        street = cls(build_village({}, scene=scene, name=name, currency=currency, **asked))
        for owner, weight in weights.items():
            street.add(owner, weight)
        return street

    def post(self, path: str, body: Any = None, by: str = "treasurer") -> Any:
        return _done(self.village.by(by).client.post(path, body))

    def patch(self, path: str, body: Any, by: str = "treasurer") -> Any:
        return _done(self.village.by(by).client.patch(path, body))

    def get(self, path: str) -> Any:
        return _done(self.village.treasurer.client.get(path))

    def add(self, owner: str, weight: str | None) -> None:
        """An owner and, with a weight, a property of his."""
        self.village.owners[owner] = self.post(
            "/api/owners/", {"association": self.village.association, "name": owner}
        )["id"]
        if weight is not None:
            self.add_unit(f"Flat {owner}", owner, weight)

    def add_unit(self, label: str, owner: str, weight: str, **asked: Any) -> str:
        body = {"association": self.village.association, "owner": self.village.owners[owner]}
        body |= {"label": label, "share_weight": weight} | asked
        found: str = self.post("/api/properties/", body)["id"]
        self.village.units[owner] = found
        return found

    def period(self, start: date = START, end: date = END, name: str = "") -> str:
        """The address of the next period."""
        body = {"association": self.village.association, "name": name or f"From {start}"}
        body |= {"start_date": str(start), "end_date": str(end)}
        return f"/api/periods/{self.post('/api/periods/', body)['id']}"

    def item(self, period: str, kind: str = "Shared", **asked: Any) -> str:
        body = {"payment_type": kind, "allocation_strategy": "PROPORTIONAL"} | asked
        found: str = self.post(f"{period}/budget-items/", body)["id"]
        return found

    def expense(self, period: str, item: str | None, amount: str, day: date, **asked: Any) -> Any:
        if asked.get("paid_by"):
            asked["paid_by"] = self.village.owners[asked["paid_by"]]
        body = {"payment_type": "Shared", "amount": amount, "date": str(day), "budget_item": item}
        return self.post(f"{period}/expenses/", body | asked)

    def contribute(self, period: str, owner: str, amount: str, day: date) -> None:
        body = {"owner_id": self.village.owners[owner], "amount": amount, "date": str(day)}
        self.post(f"{period}/contributions/", body)

    def close(self, period: str) -> Any:
        return self.post(f"{period}/close/", None, "cfo")

    def reopen(self, period: str) -> None:
        self.patch(f"{period}/", {"status": "OPEN", "reason": "A case asks it"}, "cfo")

    def column(self, period: str, name: str) -> dict[str, str]:
        """A column of the balance sheet, by the owners' names."""
        sheet = self.get(f"{period}/balance-sheet/")
        assert all(tie["holds"] for tie in sheet["ties"])
        return {line["name"]: line[name] for line in sheet["owners"]}

    def meter(self, item: str, owner: str | None, **asked: Any) -> str:
        """A meter of the owner's property, or the main one."""
        body: dict[str, Any] = {"association": self.village.association, "budget_item": item}
        body["property"] = self.village.units[owner] if owner else None
        found: str = self.post("/api/meters/", body | asked)["id"]
        return found

    def read(self, period: str, meter: str, start: str, end: str, **asked: Any) -> Any:
        body = {"meter": meter, "meter_start_reading": start, "meter_end_reading": end}
        return self.post(f"{period}/readings/", body | {"confirmed": True} | asked)


def refusal_of(step: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        step()
    return refused.value.code


def _done(answer: Any) -> Any:
    body = answer.json()
    if answer.status_code >= 400:
        raise Refused(answer.status_code, body["code"])
    return body
