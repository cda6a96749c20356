"""Accounts over the API: balances now and then, and statements."""

from datetime import date, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from ledger.models import Account, AccountType, LedgerEntry
from ledger.roles import Role
from tests.api.conftest import Calling, Organisation
from tests.ledger.factories import keep, move, open_account

DAY = date(2026, 3, 2)


@pytest.fixture
def auditor(organisation: Organisation, calling: Calling) -> APIClient:
    return calling(organisation.person(Role.AUDITOR))


@pytest.fixture
def cash(organisation: Organisation) -> Account:
    """An account with 1,000.00 from the 2nd, less 100.00 on the 4th and 50.00 dated back to the 1st."""
    account = open_account(organisation.company, code="cash", minimum="0", balance="1000")
    spent = open_account(organisation.company, code="spent", type=AccountType.EXPENSE)
    move(account, spent, "100", effective_on=DAY + timedelta(days=2))
    move(account, spent, "50", effective_on=DAY - timedelta(days=1))
    return account


def test_an_account_shows_what_it_holds(auditor: APIClient, cash: Account) -> None:
    keep(cash, "200")
    answer = auditor.get(f"/api/ledger/accounts/{cash.pk}/").json()
    shown = {name: answer[name] for name in ("balance", "held", "available", "minimum")}
    assert shown == {
        "balance": "850.00",
        "held": "200.00",
        "available": "650.00",
        "minimum": "0.00",
    }
    assert answer["id"] == str(cash.pk)
    assert answer["company"] == str(cash.company_id)


def test_amounts_have_exactly_the_decimals_of_their_currency(
    auditor: APIClient, organisation: Organisation
) -> None:
    for currency, written in (("RWF", "7"), ("KES", "7.00"), ("KWD", "7.000")):
        account = open_account(organisation.company, currency=currency, balance="7")
        answer = auditor.get(f"/api/ledger/accounts/{account.pk}/").json()
        assert (answer["balance"], answer["minimum"]) == (written, None)


def test_instants_are_utc_with_milliseconds(auditor: APIClient, cash: Account) -> None:
    posted = auditor.get(f"/api/ledger/accounts/{cash.pk}/").json()["last_posted_at"]
    assert len(posted) == len("2026-03-02T09:30:00.000Z")
    assert posted.endswith("Z")


def balance(client: APIClient, account: Account, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/ledger/accounts/{account.pk}/balance/{query}")
    assert answer.status_code == 200, answer.content
    result: dict[str, Any] = answer.json()
    return result


def test_a_balance_is_asked_for_now(auditor: APIClient, cash: Account) -> None:
    assert balance(auditor, cash) == {
        "account": str(cash.pk),
        "currency": "KES",
        "balance": "850.00",
        "held": "0.00",
        "available": "850.00",
    }


def test_a_balance_at_an_instant_goes_by_posting_order(auditor: APIClient, cash: Account) -> None:
    first = LedgerEntry.objects.get(account=cash, sequence=1).posted_at
    answer = balance(auditor, cash, f"?at={first:%Y-%m-%dT%H:%M:%S.%fZ}")
    assert answer["balance"] == "1000.00"
    assert "held" not in answer
    assert balance(auditor, cash, "?at=2020-01-01T00:00:00Z")["balance"] == "0.00"


def test_a_balance_on_a_date_goes_by_effective_date(auditor: APIClient, cash: Account) -> None:
    days = {"2026-02-28": "0.00", "2026-03-01": "-50.00", "2026-03-02": "950.00"}
    days |= {"2026-03-03": "950.00", "2026-03-04": "850.00"}
    found = {day: balance(auditor, cash, f"?on={day}")["balance"] for day in days}
    assert found == days


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?at=yesterday", "at"),
        ("?on=2026-02-30", "on"),
        ("?on=2026-03-01&at=2026-03-01T00:00:00Z", "on"),
        ("?at=9999-12-31T23:59:59-14:00", "at"),
    ],
)
def test_an_unreadable_moment_is_refused(
    auditor: APIClient, cash: Account, query: str, field: str
) -> None:
    answer = auditor.get(f"/api/ledger/accounts/{cash.pk}/balance/{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def statement(client: APIClient, account: Account, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/ledger/accounts/{account.pk}/statement/{query}")
    assert answer.status_code == 200, answer.content
    result: dict[str, Any] = answer.json()
    return result


def test_a_statement_lies_between_its_balances(auditor: APIClient, cash: Account) -> None:
    answer = statement(auditor, cash, "?since=2026-03-02&until=2026-03-31")
    assert (answer["opening_balance"], answer["closing_balance"]) == ("-50.00", "850.00")
    lines = [(line["side"], line["amount"]) for line in answer["results"]]
    assert lines == [("credit", "100.00"), ("debit", "1000.00")]
    assert (answer["since"], answer["until"]) == ("2026-03-02", "2026-03-31")


def test_a_whole_statement_begins_with_nothing(auditor: APIClient, cash: Account) -> None:
    answer = statement(auditor, cash)
    assert (answer["opening_balance"], answer["closing_balance"]) == ("0.00", "850.00")
    assert [line["balance_after"] for line in answer["results"]] == ["850.00", "900.00", "1000.00"]
    assert (answer["next"], answer["previous"], answer["since"]) == (None, None, None)


def test_a_statement_is_read_page_by_page(auditor: APIClient, cash: Account) -> None:
    first = statement(auditor, cash, "?page_size=2")
    second = auditor.get(first["next"]).json()
    assert [line["sequence"] for line in first["results"]] == [3, 2]
    assert [line["sequence"] for line in second["results"]] == [1]
    assert second["next"] is None
    assert auditor.get(second["previous"]).json()["results"] == first["results"]
    assert second["closing_balance"] == first["closing_balance"]


@pytest.mark.parametrize("query", ["?since=never", "?since=0000-00-00", "?until=2026-03"])
def test_a_statement_of_no_period_is_refused(auditor: APIClient, cash: Account, query: str) -> None:
    answer = auditor.get(f"/api/ledger/accounts/{cash.pk}/statement/{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_a_statement_since_the_first_of_all_days_begins_with_nothing(
    auditor: APIClient, cash: Account
) -> None:
    assert statement(auditor, cash, "?since=0001-01-01")["opening_balance"] == "0.00"


def test_a_period_does_not_end_before_it_begins(auditor: APIClient, cash: Account) -> None:
    path = f"/api/ledger/accounts/{cash.pk}/statement/"
    answer = auditor.get(path + "?since=2026-03-02&until=2026-03-01")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["until"])


@pytest.mark.parametrize("suffix", ["", "balance/", "statement/"])
def test_another_companys_account_is_not_found(
    auditor: APIClient, organisation: Organisation, suffix: str
) -> None:
    account = open_account(organisation.other)
    answer = auditor.get(f"/api/ledger/accounts/{account.pk}/{suffix}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_accounts_are_listed_and_filtered(
    auditor: APIClient, organisation: Organisation, cash: Account
) -> None:
    open_account(organisation.other)
    found = auditor.get("/api/ledger/accounts/?type=expense").json()["results"]
    assert [account["code"] for account in found] == ["spent"]
    codes = [row["code"] for row in auditor.get("/api/ledger/accounts/").json()["results"]]
    assert codes == sorted(codes)
    assert len(codes) == 3


def test_a_list_of_accounts_costs_two_queries_however_long(
    auditor: APIClient, organisation: Organisation, django_assert_num_queries: Any
) -> None:
    for rows in (1, 5):
        for _ in range(rows):
            open_account(organisation.company)
        with django_assert_num_queries(2):  # what the caller may see, the page
            auditor.get("/api/ledger/accounts/")
