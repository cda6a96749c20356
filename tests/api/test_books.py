"""The journal, the trial balance and the audit trail over the API."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from ledger import audit
from ledger.actor import Actor
from ledger.clock import today
from ledger.models import Account, AccountType
from ledger.refusals import RoleRequired
from ledger.roles import Role
from ledger.services.posting import reverse
from tests.api.conftest import Calling, Organisation
from tests.ledger.factories import MembershipFactory, move, open_account


@pytest.fixture
def auditor(organisation: Organisation, calling: Calling) -> APIClient:
    return calling(organisation.person(Role.AUDITOR))


@pytest.fixture
def accounts(organisation: Organisation) -> tuple[Account, Account]:
    cash = open_account(organisation.company, code="100-cash")
    rent = open_account(organisation.company, code="600-rent", type=AccountType.EXPENSE)
    return cash, rent


def test_a_journal_entry_shows_its_lines(
    auditor: APIClient, accounts: tuple[Account, Account]
) -> None:
    cash, rent = accounts
    entry = move(cash, rent, "250", reference="rent:march", description="Rent of March")
    answer = auditor.get(f"/api/ledger/journal/{entry}/").json()
    assert (answer["reference"], answer["description"]) == ("rent:march", "Rent of March")
    assert (answer["reversal_of"], answer["reversed_by"]) == (None, None)
    lines = [
        (line["account_code"], line["side"], line["amount"], line["balance_after"])
        for line in answer["ledger_entries"]
    ]
    assert lines == [
        ("600-rent", "debit", "250.00", "250.00"),
        ("100-cash", "credit", "250.00", "-250.00"),
    ]


def test_a_reversal_and_what_it_reverses_point_at_each_other(
    auditor: APIClient, accounts: tuple[Account, Account]
) -> None:
    entry = move(*accounts, "250")
    with transaction.atomic():
        mirror = reverse(
            journal_entry_id=entry,
            reference="undo",
            description="Undo",
            effective_on=date(2026, 3, 3),
        )
    assert auditor.get(f"/api/ledger/journal/{entry}/").json()["reversed_by"] == str(mirror)
    assert auditor.get(f"/api/ledger/journal/{mirror}/").json()["reversal_of"] == str(entry)


def test_the_journal_is_listed_newest_first_and_filtered(
    auditor: APIClient, organisation: Organisation, accounts: tuple[Account, Account]
) -> None:
    cash, rent = accounts
    third = open_account(organisation.company)
    first = move(cash, rent, "1", reference="one", effective_on=date(2026, 3, 1))
    second = move(cash, third, "2", reference="two", effective_on=date(2026, 3, 5))
    move(open_account(organisation.other), open_account(organisation.other), "3")

    def found(query: str = "") -> list[str]:
        return [row["id"] for row in auditor.get(f"/api/ledger/journal/{query}").json()["results"]]

    assert found() == [str(second), str(first)]
    assert found(f"?account={rent.pk}") == [str(first)]
    assert found("?reference=two") == [str(second)]
    assert found("?effective_to=2026-03-04") == [str(first)]
    assert found("?effective_from=2026-03-04") == [str(second)]
    assert found("?posted_to=2020-01-01") == []
    assert found("?posted_from=2020-01-01T00:00:00Z") == [str(second), str(first)]
    assert found("?ordering=posted_at") == [str(first), str(second)]


def test_a_list_of_entries_costs_two_queries_and_one_entry_three(
    auditor: APIClient, accounts: tuple[Account, Account], django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        entry = move(*accounts, "1")
    with django_assert_num_queries(2):  # what the caller may see, the page
        auditor.get("/api/ledger/journal/")
    with django_assert_num_queries(3):  # and the lines
        auditor.get(f"/api/ledger/journal/{entry}/")


def test_a_trial_balance_is_equal_on_both_sides(
    auditor: APIClient, organisation: Organisation, accounts: tuple[Account, Account]
) -> None:
    move(*accounts, "250", effective_on=date(2026, 3, 1))
    move(*accounts, "50", effective_on=date(2026, 3, 9))
    answer = auditor.get("/api/ledger/trial_balance/?on=2026-03-02").json()
    assert (answer["company"], answer["on"]) == (str(organisation.company.pk), "2026-03-02")
    rows = [(row["code"], row["debit"], row["credit"]) for row in answer["rows"]]
    assert rows == [("100-cash", "0.00", "250.00"), ("600-rent", "250.00", "0.00")]
    assert answer["totals"] == [{"currency": "KES", "debit": "250.00", "credit": "250.00"}]


def test_a_trial_balance_is_of_today_unless_another_day_is_named(
    auditor: APIClient, organisation: Organisation
) -> None:
    answer = auditor.get("/api/ledger/trial_balance/").json()
    assert answer["on"] == today(organisation.company).isoformat()


def test_who_sees_several_companies_names_one(organisation: Organisation, calling: Calling) -> None:
    user = organisation.person(Role.AUDITOR)
    MembershipFactory.create(user=user, company=organisation.other, role=Role.CFO)
    path = "/api/ledger/trial_balance/"
    unnamed = calling(user).get(path)
    assert (unnamed.status_code, list(unnamed.json()["errors"])) == (400, ["company"])
    named = calling(user).get(f"{path}?company={organisation.other.pk}")
    assert named.json()["company"] == str(organisation.other.pk)


def test_another_companys_trial_balance_is_not_found(
    auditor: APIClient, organisation: Organisation
) -> None:
    for company_id in (organisation.other.pk, uuid4()):
        answer = auditor.get(f"/api/ledger/trial_balance/?company={company_id}")
        assert answer.status_code == 404
    assert auditor.get("/api/ledger/trial_balance/?company=ours").status_code == 400


def test_the_audit_trail_shows_who_did_what_from_where(
    auditor: APIClient, organisation: Organisation
) -> None:
    user = organisation.person(Role.TREASURER)
    actor = Actor.of(user, ip_address="192.0.2.7", user_agent="curl", request_id="request-1")
    audit.record(
        actor=actor,
        action="payment.cancel",
        subject="treasury.payment:1",
        company_id=organisation.company.pk,
        before={"status": "pending"},
        after={"status": "cancelled"},
    )
    (event,) = auditor.get("/api/audit/").json()["results"]
    assert event["actor"] == str(user.pk)
    assert event["actor_name"] == user.username
    assert (event["ip_address"], event["user_agent"]) == ("192.0.2.7", "curl")
    assert (event["before"], event["after"]) == ({"status": "pending"}, {"status": "cancelled"})
    assert auditor.get(f"/api/audit/{event['id']}/").json() == event


def test_the_audit_trail_is_filtered(auditor: APIClient, organisation: Organisation) -> None:
    company_id = organisation.company.pk
    users = [organisation.person(Role.TREASURER) for _ in range(2)]
    for user, subject in zip(users, ("treasury.payment:1", "treasury.payment:2"), strict=True):
        audit.record(
            actor=Actor.of(user), action="payment.edit", subject=subject, company_id=company_id
        )
    audit.record_refusal(
        actor=Actor.of(users[0]),
        action="payment.execute",
        subject="treasury.payment:1",
        refusal=RoleRequired("No."),
        company_id=company_id,
    )

    def count(query: str) -> int:
        return len(auditor.get(f"/api/audit/?{query}").json()["results"])

    assert count("") == 3
    assert count("subject=treasury.payment:1") == 2
    assert count(f"actor={users[1].pk}") == 1
    assert count("action=payment.execute") == 1
    assert count("outcome=refused") == count("code=role_required") == 1
    assert count("at_to=2020-01-01") == 0
    assert count("at_from=2020-01-01&outcome=done") == 2
    assert auditor.get("/api/audit/?outcome=perhaps").status_code == 400
    assert auditor.get("/api/audit/?at_from=yesterday").status_code == 400


def test_another_companys_events_are_not_seen(
    auditor: APIClient, organisation: Organisation
) -> None:
    actor = Actor.system("janitor")
    audit.record(actor=actor, action="x", subject="y:1", company_id=organisation.other.pk)
    audit.record(actor=actor, action="x", subject="y:2")
    assert auditor.get("/api/audit/").json()["results"] == []
