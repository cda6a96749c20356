"""Lists of service periods: they cost the same however long they are, and refuse what does not fit."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.estate import associate, one_of_everything, record_in
from tests.api.village import Village
from tests.treasury.factories import acting

LISTS = [
    "api/associations",
    "api/owners",
    "api/properties",
    "api/meters",
    "api/periods",
    "api/periods/{period}/contributions",
    "api/periods/{period}/contributions/?owner_id={owner}",
    "api/periods/{period}/expenses",
    "api/periods/{period}/expenses/?paid_by={owner}",
    "api/periods/{period}/charges",
    "api/periods/{period}/budget-items",
    "api/periods/{period}/readings",
    "api/periods/{period}/instalments",
]
MOST = 9


class Growing:
    """An association to which one of everything is added, again and again."""

    def __init__(self, village: Village) -> None:
        self.village = village
        self.association = associate(village.scene.company, name="Growing")
        self.treasurer = village.scene.people["treasurer"]
        self.ids: dict[str, UUID] = {}

    def grow(self, number: int) -> None:
        """One more of everything, and one more record in the first of its periods."""
        made = one_of_everything(self.association, self.treasurer, number)
        self.ids = self.ids or made
        actor = acting(self.treasurer)
        record_in(self.ids["period_id"], self.ids, actor, f"Item {number}")

    def cost(self, route: str) -> tuple[int, int]:
        """How many queries an address costs, and how many rows it shows."""
        path = "/" + route.format(period=self.ids["period_id"], owner=self.ids["owner_id"])
        client = self.village.by("auditor").client
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        assert answer.status_code == 200, answer.content
        return len(captured), len(answer.json()["results"])


def test_a_longer_list_costs_no_more_queries(village: Village) -> None:
    growing = Growing(village)
    growing.grow(1)
    few = {route: growing.cost(route) for route in LISTS}
    for number in (2, 3):
        growing.grow(number)
    for route in LISTS:
        many, rows = growing.cost(route)
        assert many == few[route][0] <= MOST, route
        assert rows > few[route][1] or route == "api/associations", route


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("periods/?status=open", "status"),
        ("periods/?association=mine", "association"),
        ("periods/?on=today", "on"),
        ("periods/?awaiting=you", "awaiting"),
        ("periods/?ordering=secret", "ordering"),
        ("owners/?cursor=x", "cursor"),
        ("{period}/contributions/?owner_id=me", "owner_id"),
        ("{period}/contributions/?amount_min=NaN", "amount_min"),
        ("{period}/expenses/?paid_by=me", "paid_by"),
        ("{period}/expenses/?kind=gift", "kind"),
        ("{period}/charges/?date_from=x", "date_from"),
        ("{period}/readings/?page_size=0", "page_size"),
        ("{period}/readings/?format=csv", "format"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(
    village: Village, period: str, query: str, field: str
) -> None:
    path = f"/api/{query}".replace("/api/{period}", period)
    assert list(village.treasurer.get(path, 400)["errors"]) == [field]


def test_the_slash_at_the_end_is_optional(village: Village, period: str) -> None:
    for path in ("/api/periods", period, f"{period}/contributions", "/api/associations"):
        assert village.treasurer.get(path) == village.treasurer.get(f"{path}/")
        for verb in ("put", "delete"):
            assert getattr(village.treasurer.client, verb)(path).status_code == 405
