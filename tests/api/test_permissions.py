"""The permission matrix: every address of the URL conf, every verb, every role, every scope."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from ledger.models import (
    AuditEvent,
    Branch,
    JournalEntry,
    LedgerEntry,
    Membership,
    OutboxEvent,
    Region,
    User,
)
from ledger.roles import Role
from ledger.services.deliveries import send_test
from ledger.services.webhooks import add_webhook
from tests.api.caller import Caller
from tests.api.estate import associate, one_of_everything
from tests.api.expectations import ROUTES, Expected, Kind
from tests.ledger.factories import BranchFactory, RegionFactory
from tests.treasury.bank import bank_report_of
from tests.treasury.desk import SYSTEM, Desk, make_desk
from tests.treasury.factories import DAY, acting, fill, today
from treasury.models import Delegation, SpendingLimit, TreasuryFund
from treasury.services.attachments import add_attachment
from treasury.services.batches import create_batch
from treasury.services.calendars import add_holiday
from treasury.services.delegations import create_delegation
from treasury.services.funds import open_fund
from treasury.services.limits import set_spending_limit
from treasury.services.questions import ask
from treasury.services.replenishment import replenish

VERBS = ("get", "post", "put", "patch", "delete", "options")
SCOPES = ("own", "other company", "sibling branch", "none")
# Outside the API: the admin has tests of its own, the rest shows nothing of anybody's.
ELSEWHERE = (
    "account/",
    "admin/",
    "approvals/",
    "owner/",
    "treasury/",
    "health/",
    "metrics",
    "demo/",
    "media/",
    "static/",
    "problems/",
)
RECEIVER = "https://93.184.215.14/hooks"
JUNK = {"no such field": "at all"}


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        else:
            assert isinstance(entry, URLPattern)
            yield path, entry.callback


CONFIGURED = {
    path: view
    for path, view in routes(get_resolver().url_patterns)
    if path and not path.startswith(ELSEWHERE)
}


def offered(view: Any) -> set[str]:
    return {verb for verb in VERBS if hasattr(view.view_class, verb) and verb != "options"}


@dataclass
class World:
    """A branch with one of everything in it, and people of every role inside and outside."""

    ids: dict[str, str]
    fund_id: UUID
    people: dict[tuple[str, str], User]

    def path(self, route: str) -> str:
        for name, value in self.ids.items():
            for kind in ("uuid", "slug", "str"):
                route = route.replace(f"<{kind}:{name}>", value)
        assert "<" not in route, route
        return "/" + route


def open_branch_fund(desk: Desk) -> tuple[Branch, Branch]:
    """Give the desk a fund that belongs to a branch; returns the branch and its sibling."""
    region: Region = RegionFactory.create(company=desk.company)
    branch, sibling = BranchFactory.create_batch(2, region=region)
    fund = open_fund(
        actor=SYSTEM,
        company_id=desk.company.pk,
        name="Branch",
        currency="KES",
        region_id=region.pk,
        branch_id=branch.pk,
    )
    fill(fund, desk.account().balance)
    desk.fund = TreasuryFund.objects.get(pk=fund.pk)
    return branch, sibling


def everybody(desk: Desk, sibling: Branch) -> dict[tuple[str, str], User]:
    """One person for each role and scope; a superuser is everywhere."""
    other = make_desk(balance=Decimal(0)).company
    places: dict[str, dict[str, Any]] = {
        "own": {"company": desk.company},
        "other company": {"company": other},
        "sibling branch": {
            "company": desk.company,
            "region": sibling.region,
            "branch": sibling,
        },
    }
    people: dict[tuple[str, str], User] = {}
    for role, (scope, place) in itertools.product(Role, places.items()):
        user = User.objects.create(username=f"{role.value} of {scope}")
        Membership.objects.create(user=user, role=role, **place)
        people[role.value, scope] = user
    people["nothing", "none"] = User.objects.create(username="nobody")
    people["superuser", "own"] = User.objects.create(username="super", is_superuser=True)
    return people


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[World]:
    """Built once for all cells, for none of them changes it; rolled back in the end."""
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole._from_testcase = True  # type: ignore[attr-defined]  # commands may run inside
        with whole:
            with connection.cursor() as cursor:  # the schema is long in the making
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield build_world()
            transaction.set_rollback(True)


def build_world() -> World:
    desk = make_desk()
    branch, sibling = open_branch_fund(desk)
    people = everybody(desk, sibling)
    # what only its own requester or executor may go on with is his
    desk.requester = people["requester", "own"]
    requisition = desk.request()
    attachment = add_attachment(
        actor=acting(desk.requester),
        requisition_id=requisition.pk,
        name="invoice.pdf",
        data=b"%PDF-1.7",
    )
    paid, pending = desk.paid(), desk.pending()
    pending.executor = people["treasurer", "own"]
    pending.save(update_fields=["executor"])
    batch = create_batch(
        actor=acting(desk.treasurer), requisitions=[desk.approved(amount="30").pk]
    ).batch
    batch.executor = people["treasurer", "own"]
    batch.save(update_fields=["executor"])
    variance = desk.variance(paid, "900")
    request = replenish(
        actor=acting(desk.treasurer), fund_id=desk.fund.pk, amount="10", reason="Low"
    )
    question = ask(
        actor=acting(desk.approver), kind="requisition", subject_id=requisition.pk, text="Why now?"
    )
    line = LedgerEntry.objects.filter(account=desk.fund.account_id).latest("sequence")
    event = AuditEvent.objects.filter(company=desk.company).latest("at")
    report = bank_report_of(desk)
    entry = JournalEntry.objects.filter(company=desk.company).latest("posted_at")
    ids = {
        "company_id": desk.company.pk,
        "region_id": branch.region_id,
        "branch_id": branch.pk,
        "account_id": desk.fund.account_id,
        "event_id": event.pk,
        "fund_id": desk.fund.pk,
        "requisition_id": requisition.pk,
        "attachment_id": attachment.pk,
        "payment_id": pending.pk,
        "delegation_id": delegate(desk).pk,
        "limit_id": limit_payees(desk).pk,
        "holiday_id": add_holiday(
            actor=SYSTEM, company_id=desk.company.pk, on=date(2030, 12, 25), name="Christmas"
        ).pk,
        "question_id": question.pk,
        "batch_id": batch.pk,
        "variance_id": variance.pk,
        "request_id": request.pk,
        "provider_id": report.provider_id,
        "file_id": report.file_id,
        "report_id": report.pk,
        "attempt_id": uuid4(),
        "short": "sf",
        "token": "0",
    }
    webhook = add_webhook(actor=acting(desk.cfo), company_id=desk.company.pk, url=RECEIVER)
    ids["webhook_id"] = webhook.pk
    ids["delivery_id"] = send_test(actor=acting(desk.cfo), webhook_id=webhook.pk).pk
    ids |= one_of_everything(associate(desk.company, branch), desk.treasurer)
    names = {name: str(value) for name, value in ids.items()}
    told = OutboxEvent.objects.filter(company=desk.company).latest("occurred_at")
    names["outbox_event_id"] = str(told.pk)
    names["journal_entry_id"], names["line_id"] = str(entry.pk), str(line.pk)
    return World(names, desk.fund.pk, people)


def limit_payees(desk: Desk) -> SpendingLimit:
    return set_spending_limit(
        actor=SYSTEM,
        company_id=desk.company.pk,
        currency="KES",
        scope="payee",
        most_payments=1000,
    )


def delegate(desk: Desk) -> Delegation:
    return create_delegation(
        actor=acting(desk.approver),
        company_id=desk.company.pk,
        role=Role.APPROVER,
        delegate_id=desk.auditor.pk,
        from_on=DAY,
        until_on=DAY,
        reason="Leave",
        today=today,
    )


def status_for(expected: Expected, role: str, scope: str) -> int:
    """What the contract says: 404 out of sight, 403 without the role, else as listed."""
    if expected.kind in {Kind.NOBODY, Kind.EVERYONE}:
        return expected.status
    has_role = role in {one.value for one in expected.roles}
    has_role = has_role or (role == "superuser" and not expected.his_own)
    sees = role == "superuser" or role not in {"owner", "nothing"}
    if expected.kind is Kind.LIST:
        return expected.status
    if expected.kind is Kind.MAKE:
        return expected.status if has_role else 403
    if expected.kind is Kind.HIS_OWN:
        return expected.status if (role, scope) == (Role.REQUESTER.value, "own") else 404
    in_sight = scope == "own" or (scope == "sibling branch" and expected.kind is Kind.COMPANY)
    if not (sees and in_sight):
        return 404
    if expected.whole_company and scope != "own":
        return 403
    return expected.status if has_role else 403


def test_every_address_is_listed_and_nothing_else() -> None:
    assert set(CONFIGURED) == set(ROUTES)


@pytest.mark.parametrize("route", sorted(CONFIGURED))
def test_every_verb_is_listed_and_nothing_else(route: str) -> None:
    assert offered(CONFIGURED[route]) == set(ROUTES[route])


@pytest.mark.parametrize("route", sorted(CONFIGURED))
def test_who_may_what_where(route: str, world: World) -> None:
    path = address(world, route)
    wrong = []
    people = world.people
    if all(expected.kind is Kind.NOBODY for expected in ROUTES[route].values()):
        people = {key: people[key] for key in (("superuser", "own"), ("nothing", "none"))}
    for (role, scope), user in people.items():
        for verb, listed in ROUTES[route].items():
            expected = status_for(listed, role, scope)
            found = answered(user, verb, path)
            if found != expected:
                wrong.append((role, scope, verb, found, expected))
    assert wrong == []


@pytest.mark.parametrize("route", sorted(CONFIGURED))
def test_a_verb_that_is_not_offered_is_offered_to_nobody(route: str, world: World) -> None:
    path = address(world, route)
    for verb in set(VERBS) - set(ROUTES[route]):
        for person in (("superuser", "own"), ("treasurer", "own"), ("nothing", "none")):
            assert answered(world.people[person], verb, path) == 405, (person, verb)


@pytest.mark.parametrize("route", sorted(CONFIGURED))
def test_who_is_nobody_may_nothing(route: str, world: World) -> None:
    path = address(world, route)
    for verb in VERBS:
        expected = ROUTES[route].get(verb)
        is_open = any(one.kind is Kind.NOBODY for one in ROUTES[route].values())
        status = expected.status if expected and is_open else 405 if is_open else 401
        assert answered(None, verb, path) == status, verb


def test_nothing_was_changed_by_asking(world: World) -> None:
    tables = (TreasuryFund, LedgerEntry)
    before = [model.objects.count() for model in tables]
    for route in ROUTES:
        for verb in ("post", "patch"):
            answered(world.people["superuser", "own"], verb, address(world, route))
    assert [model.objects.count() for model in tables] == before


def address(world: World, route: str) -> str:
    ids = dict(world.ids)
    ids["entry_id"] = ids["journal_entry_id"] if "journal" in route else ids["line_id"]
    if "api/events" in route:
        ids["event_id"] = ids["outbox_event_id"]
    path = World(ids, world.fund_id, {}).path(route)
    if route == "api/ledger/by_fund/":
        path += f"?fund_id={world.fund_id}"
    if route == "api/ledger/trial_balance/":
        path += f"?company={ids['company_id']}"
    return path


def answered(user: User | None, verb: str, path: str) -> int:
    client = Caller(user).client
    body = JUNK if verb in {"post", "patch", "put"} else None
    status: int = getattr(client, verb)(path, body).status_code
    return status
