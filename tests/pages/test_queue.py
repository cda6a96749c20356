"""What a page of the queue reads: of which kinds how many wait, by which index, in how many questions."""

import itertools
from typing import Any

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.access import within_reach
from ledger.models import Membership
from ledger.once import once, read_once
from ledger.roles import Role
from tests.admin.office import Office, signed_in
from tests.pages.conftest import shown
from tests.treasury.factories import acting, today
from treasury.services.replenishment import replenish
from treasury.services.reversals import reverse_payment
from treasury.worklist import queue
from treasury.worklist.kinds import KINDS
from treasury.worklist.queue import page_of_queue

QUEUE = "/approvals/"
# The session, the person, his roles, who lets him act, the clock, the keys, the questions he has to answer and
# about what is shown, the tiers and funds; the rows of three kinds; and the evidence beside the first.
MOST_QUESTIONS = 24


def fill(office: Office) -> None:
    """Something of four kinds."""
    office.request()
    office.variance(office.paid(), "900.00")
    payment = office.paid()
    reverse_payment(
        actor=acting(office.reconciler),
        payment_id=payment.pk,
        evidence="Paid in again.",
        today=today,
    )


def asked(office: Office, path: str = QUEUE) -> int:
    client = signed_in(office.cfo)
    with CaptureQueriesContext(connection) as captured:
        shown(client, path)
    return len(captured)


def test_what_waits_is_counted_whatever_is_listed(office: Office) -> None:
    fill(office)
    replenish(actor=acting(office.treasurer), fund_id=office.fund.pk, amount="10", reason="Low")
    waiting = {"requisition": 1, "variance": 1, "replenishment": 1, "return": 1}
    for kind in ("", "variance", "batch"):
        page = page_of_queue(office.cfo, kind=kind)
        assert page.counts == dict.fromkeys(KINDS, 0) | waiting
        listed = {kind} & waiting.keys() if kind else waiting.keys()
        assert {item.kind for item in page.items} == listed


def test_one_s_own_requests_are_listed_and_not_counted(office: Office) -> None:
    Membership.objects.create(user=office.requester, company=office.company, role=Role.CFO)
    office.request()
    page = page_of_queue(office.requester)
    assert [bool(item.locked) for item in page.items] == [True]
    assert page.counts["requisition"] == 0


def test_counting_ends_somewhere(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    for number in range(4):
        office.request(payee_name=f"Payee {number}")
    assert page_of_queue(office.cfo).counts["requisition"] == 2
    assert page_of_queue(office.cfo, kind="variance").counts["requisition"] == 2


def test_a_page_of_several_kinds_is_read_in_few_questions(office: Office) -> None:
    fill(office)
    few = asked(office)
    assert few <= MOST_QUESTIONS
    fill(office)
    assert asked(office) == few


@pytest.mark.parametrize("role", Role)
def test_who_has_no_role_for_a_kind_would_find_nothing_of_it(office: Office, role: Role) -> None:
    """What the queue does not even ask for is nothing by the kind's own rules too."""
    fill(office)
    user = office.requester
    user.memberships.all().delete()
    Membership.objects.create(user=user, company=office.company, role=role)
    for kind in KINDS.values():
        if role not in kind.for_roles:
            with pytest.raises(EmptyResultSet):
                str(kind.waiting(user).union(kind.own(user), all=True).query)


def test_what_others_agreed_to_is_looked_up_for_each_row(office: Office) -> None:
    """Neither a join with all approvals nor a hash of them, whatever PostgreSQL expects."""
    Membership.objects.create(user=office.cfo, company=office.company, role=Role.APPROVER)
    office.request()
    waiting = KINDS["requisition"]
    plan: Any = waiting.waiting(office.cfo).order_by(*waiting.order).values("pk")[:26].explain()
    assert "SubPlan" in plan
    assert [word for word in ("Anti Join", "hashed") if word in plan] == []


def test_a_page_reads_roles_once_and_a_command_anew(office: Office) -> None:
    def reach() -> object:
        return within_reach(office.cfo, roles=(Role.CFO,))

    with read_once():
        reach()
        with CaptureQueriesContext(connection) as captured, read_once():
            reach()
        assert len(captured) == 0
    with CaptureQueriesContext(connection) as captured:
        reach()
        reach()
    assert len(captured) == 2


def test_what_was_read_once_is_forgotten_after_the_page() -> None:
    numbers = itertools.count(1)
    for expected in (1, 2):
        with read_once():
            found = [once("number", numbers.__next__) for _ in range(2)]
        assert found == [expected, expected]
