"""What every list does: pages, order, filters, and refusing what does not fit."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from config.paging import Cursor
from ledger.models import Account, JournalEntry
from ledger.roles import Role
from tests.api.conftest import Calling, Organisation
from tests.ledger.factories import BranchFactory, RegionFactory, move, open_account


@pytest.fixture
def auditor(organisation: Organisation, calling: Calling) -> APIClient:
    return calling(organisation.person(Role.AUDITOR))


@pytest.fixture
def accounts(organisation: Organisation) -> list[Account]:
    """Seven accounts, several of one name."""
    accounts = [open_account(organisation.company, code=f"a{n}") for n in range(7)]
    for account in accounts[:4]:
        Account.objects.filter(pk=account.pk).update(name="Same")
    return accounts


def walk(client: APIClient, address: str, link: str = "next") -> list[list[dict[str, Any]]]:
    pages = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        assert set(answer.json()) == {"results", "next", "previous"}
        pages.append(answer.json()["results"])
        address = answer.json()[link]
    return pages


@pytest.mark.parametrize(
    "ordering", ["", "&ordering=name", "&ordering=-name", "&ordering=-balance"]
)
def test_pages_show_every_row_once_in_both_directions(
    auditor: APIClient, accounts: list[Account], ordering: str
) -> None:
    pages = walk(auditor, f"/api/ledger/accounts/?page_size=3{ordering}")
    assert [len(page) for page in pages] == [3, 3, 1]
    seen = [row["id"] for page in pages for row in page]
    assert set(seen) == {str(account.pk) for account in accounts}
    assert len(seen) == 7


def test_the_way_back_is_the_way_there(auditor: APIClient, accounts: list[Account]) -> None:
    first = auditor.get("/api/ledger/accounts/?page_size=3").json()
    second = auditor.get(first["next"]).json()
    third = auditor.get(second["next"]).json()
    assert third["next"] is None
    assert auditor.get(third["previous"]).json()["results"] == second["results"]
    back = auditor.get(second["previous"]).json()
    assert (back["results"], back["previous"]) == (first["results"], None)


def test_what_is_added_meanwhile_moves_no_page(
    auditor: APIClient, organisation: Organisation, accounts: list[Account]
) -> None:
    first = auditor.get("/api/ledger/accounts/?page_size=3").json()
    open_account(organisation.company, code="a0-new")
    second = auditor.get(first["next"]).json()
    assert [row["code"] for row in second["results"]] == ["a3", "a4", "a5"]


def test_the_last_page_costs_what_the_first_does(
    auditor: APIClient, organisation: Organisation, django_assert_num_queries: Any
) -> None:
    one, two = (open_account(organisation.company) for _ in range(2))
    for _ in range(6):
        move(one, two, "1")
    first = auditor.get("/api/ledger/journal/?page_size=2").json()
    second = auditor.get(first["next"]).json()
    with django_assert_num_queries(2):  # nothing is counted
        auditor.get(second["next"])
    assert JournalEntry.objects.count() == 6


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page_size=0", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=٣", "page_size"),
        ("page_size=many", "page_size"),
        ("cursor=nonsense", "cursor"),
        ("cursor=W1siYSJdLFsiYiJdLHRydWVd", "cursor"),
        ("cursor=bnVsbA", "cursor"),
        ("cursor=%00", "cursor"),
        ("ordering=password", "ordering"),
        ("ordering=code,,nothing", "ordering"),
        ("company=mine", "company"),
        ("type=money", "type"),
        ("code=%00", "code"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(
    auditor: APIClient, query: str, field: str
) -> None:
    answer = auditor.get(f"/api/ledger/accounts/?{query}")
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [field]


def test_a_cursor_of_one_order_is_not_taken_in_another(
    auditor: APIClient, accounts: list[Account]
) -> None:
    onward = auditor.get("/api/ledger/accounts/?page_size=3").json()["next"]
    answer = auditor.get(onward + "&ordering=name")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["cursor"])


def test_a_page_is_never_longer_than_two_hundred(
    auditor: APIClient, organisation: Organisation
) -> None:
    RegionFactory.create_batch(205, company=organisation.company)
    assert len(auditor.get("/api/regions/?page_size=1000").json()["results"]) == 200


def test_the_organisation_can_be_read(
    auditor: APIClient, organisation: Organisation, django_assert_num_queries: Any
) -> None:
    BranchFactory.create()
    companies = auditor.get("/api/companies/").json()["results"]
    assert [company["id"] for company in companies] == [str(organisation.company.pk)]
    with django_assert_num_queries(2):
        branches = auditor.get(f"/api/branches/?region={organisation.region.pk}").json()["results"]
    assert {branch["id"] for branch in branches} == {
        str(organisation.branch.pk),
        str(organisation.sibling.pk),
    }
    assert branches[0]["company"] == str(organisation.company.pk)


@pytest.mark.parametrize("path", ["/api/ledger/accounts", "/api/me", "/api/companies"])
def test_the_trailing_slash_is_optional(auditor: APIClient, path: str) -> None:
    assert auditor.get(path).status_code == auditor.get(path + "/").status_code == 200
    assert auditor.put(path).status_code == auditor.delete(path + "/").status_code == 405


def test_a_verb_that_is_not_offered_is_a_405_problem(auditor: APIClient) -> None:
    answer = auditor.put("/api/ledger/accounts/", {})
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "method_not_allowed"


def test_what_is_nowhere_is_a_404_problem(auditor: APIClient) -> None:
    answer = auditor.get("/api/nowhere/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("offset", ["-23:59", "+19:15"])
def test_an_offset_that_no_clock_has_still_names_an_instant(
    auditor: APIClient, offset: str
) -> None:
    answer = auditor.get("/api/ledger/journal/", {"posted_to": f"2025-03-01T09:30:00{offset}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "value", ["2025-03-01T09:30:00-23:59", "nul \0", "0001-01-01T00:00:00+14:00"]
)
def test_a_cursor_that_somebody_made_up_never_fails(auditor: APIClient, value: str) -> None:
    made_up = Cursor(("-posted_at", "-id"), (value, str(uuid4())), forward=True).encode()
    answer = auditor.get("/api/ledger/journal/", {"cursor": made_up})
    assert answer.status_code in {200, 400}
