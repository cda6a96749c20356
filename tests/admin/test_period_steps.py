"""What is done to a period on its page."""

from datetime import date
from decimal import Decimal

from ledger.admin.cells import page_of
from periods.models import BudgetItem
from tests.admin.office import STAFF_ROLES, Office, do, signed_in, text_of
from tests.periods.estate import build_estate
from tests.scene import Scene


def test_the_budget_of_the_period_before_is_taken_over(office: Office) -> None:
    people = {name: office.person(name) for name in STAFF_ROLES}
    estate = build_estate(scene=Scene(office.company, office.fund, people, Decimal(0)))
    first = estate.period()
    estate.item(first, "Lift", budgeted_cost="70.00")
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    treasurer = estate.scene.people["treasurer"]
    label = "Take over the last budget"
    assert label in text_of(signed_in(treasurer).get(page_of(second)))
    assert label not in text_of(signed_in(treasurer).get(page_of(first)))
    assert do(treasurer, "take-over", second).status_code == 302
    assert BudgetItem.objects.get(period=second).payment_type == "Lift"
    again = do(treasurer, "take-over", second)
    assert "has every budget item of the one before it" in text_of(again)
