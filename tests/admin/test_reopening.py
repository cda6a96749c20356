"""Reopening a period on its page: asked by one CFO, confirmed or rejected by another or taken back by the first."""

from decimal import Decimal

import pytest

from ledger.admin.cells import page_of
from ledger.models import Membership, User
from ledger.roles import Role
from periods.models import ServicePeriod
from tests.admin.office import STAFF_ROLES, Office, do, signed_in, text_of
from tests.periods.estate import build_estate
from tests.scene import Scene

CONFIRM, WITHDRAW = "Confirm the reopening", "Withdraw the reopening"
REJECT = "Reject the reopening"


@pytest.fixture
def period(office: Office) -> ServicePeriod:
    """A closed period of which statements were sent, which the CFO wants open again."""
    people = {name: office.person(name) for name in STAFF_ROLES}
    estate = build_estate(scene=Scene(office.company, office.fund, people, Decimal(0)))
    period = estate.close(estate.period())
    ServicePeriod.objects.filter(pk=period.pk).update(statements_sent_at=period.closed_at)
    answer = do(office.cfo, "reopen", period, reason="A bill came late")
    assert answer.status_code == 302
    return period


@pytest.fixture
def other(office: Office) -> User:
    """Another CFO."""
    Membership.objects.create(user=office.approver, company=office.company, role=Role.CFO)
    return office.approver


def page(user: User, period: ServicePeriod) -> str:
    return text_of(signed_in(user).get(page_of(period)))


def test_whoever_asked_takes_it_back_on_the_page(
    office: Office, other: User, period: ServicePeriod
) -> None:
    assert WITHDRAW in page(office.cfo, period)
    assert "wants it open again: “A bill came late”. Another CFO confirms or rejects." in page(
        office.cfo, period
    )
    assert do(office.cfo, "withdraw-reopening", period).status_code == 302
    shown = page(office.cfo, period)
    assert "wants it open again" not in shown
    assert WITHDRAW not in shown
    assert "Period: withdraw reopening" in shown
    assert CONFIRM not in page(other, period)


def test_another_cfo_confirms_and_does_not_take_it_back(
    office: Office, other: User, period: ServicePeriod
) -> None:
    shown = page(other, period)
    assert CONFIRM in shown
    assert WITHDRAW not in shown
    assert do(other, "withdraw-reopening", period).status_code == 403
    assert do(other, "approve-reopening", period).status_code == 302
    period.refresh_from_db()
    assert period.status == "OPEN"


def test_another_cfo_rejects_it_on_the_page(
    office: Office, other: User, period: ServicePeriod
) -> None:
    assert do(office.cfo, "reject-reopening", period, reason="No").status_code == 403
    assert REJECT in page(other, period)
    assert do(other, "reject-reopening", period, reason="The bill is ours").status_code == 302
    shown = page(office.cfo, period)
    assert "wants it open again" not in shown
    assert "Period: reject reopening" in shown
    assert "The bill is ours" in shown
    assert REJECT not in page(other, period)
