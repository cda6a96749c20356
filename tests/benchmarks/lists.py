"""Lists with many payments beside lists with a thousand: the same queries, in how much more time."""

import statistics
import time
from collections.abc import Iterator
from uuid import UUID

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from ledger.models import User
from tests.benchmarks.figures import Figure
from tests.benchmarks.office import FUNDS, Office, open_office

FEW = 1_000
AT_ONCE = 50_000
ASKED = 5
WITHIN = 3.0
STATES = """
    UPDATE treasury_payment SET
        created_at = created_at - (hashtext(payment_id::text) & 65535) * interval '100 seconds',
        status = CASE WHEN hashtext(payment_id::text) %% 20 = 0 THEN 'pending' ELSE 'success' END,
        spent_on = CASE WHEN hashtext(payment_id::text) %% 20 = 0 THEN spent_on ELSE current_date END
    WHERE payment_id = ANY(%(payments)s)
"""
# One in a hundred still waits for somebody who approves; a payee is paid some two hundred times.
SUBMITTED = """
    UPDATE treasury_requisition SET
        payee_index = md5((hashtext(requisition_id::text) %% 5000)::text),
        requested_at = requested_at - (hashtext(requisition_id::text) & 65535) * interval '100 seconds',
        status = CASE WHEN abs(hashtext(requisition_id::text)) %% 100 = 0 THEN 'submitted' ELSE 'paid' END
    WHERE requisition_id IN (SELECT requisition_id FROM treasury_payment WHERE payment_id = ANY(%(payments)s))
"""
UNAPPROVED = """
    DELETE FROM treasury_requisitionapproval WHERE requisition_id IN
        (SELECT requisition_id FROM treasury_requisition WHERE status = 'submitted')
"""
LISTS = {
    "payments in the admin": "/admin/treasury/payment/",
    "GET /api/payments/": "/api/payments/",
    "the approvals page": "/approvals/",
    "the dashboard": "/treasury/",
}


def measure(name: str, *, payments: int, rounds: int) -> Iterator[Figure]:
    """Ask for each list with a thousand payments, then with so many; yield how the times relate."""
    office = open_office(name)
    User.objects.filter(pk=office.scene.people["approver"].pk).update(is_staff=True)
    _seed(office, FEW)
    few = {label: _asked(office, path, rounds) for label, path in LISTS.items()}
    _seed(office, payments - FEW)
    for label, path in LISTS.items():
        queries, seconds = _asked(office, path, rounds)
        queries_before, seconds_before = few[label]
        told = (
            f"{queries} queries"
            if queries == queries_before
            else (f"{queries_before} queries became {queries}")
        )
        named = f"{label}, {payments:,} payments / {FEW:,} ({told})"
        yield Figure(named, seconds, seconds_before, seconds / seconds_before, WITHIN, "flat")


def _seed(office: Office, number: int) -> None:
    """Add payments over a good two months; most are paid, and some requisitions wait for an approver."""
    for start in range(0, number, AT_ONCE):
        ids: list[UUID] = office.pending(min(AT_ONCE, number - start), funds=FUNDS, coded=False)
        with office.owner() as owner:
            owner.execute(STATES, {"payments": ids})
            owner.execute(SUBMITTED, {"payments": ids})
    with office.owner() as owner:
        owner.execute(UNAPPROVED)
    office.analyse()


def _asked(office: Office, path: str, rounds: int) -> tuple[int, float]:
    """How many queries the approver's list takes, and its median seconds."""
    user = office.scene.people["approver"]
    if path.startswith("/api/"):
        client = Client(
            headers={"Authorization": f"Token {AuthToken.objects.create(user=user)[1]}"}
        )
    else:
        client = Client()
        client.force_login(user)
    _get(client, path)
    with CaptureQueriesContext(connection) as captured:
        _get(client, path)
    return len(captured), statistics.median(_get(client, path) for _ in range(ASKED * rounds))


def _get(client: Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return time.perf_counter() - began
