"""Law 3: the balance and what is held stand on the account's row, follow from what was written, and leave
no less than the minimum."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from ledger.models import Account, AccountType, DailyTotal
from ledger.refusals import InsufficientFunds
from ledger.services.posting import release
from ledger.services.verification import verify
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory, keep, move, open_account

pytestmark = pytest.mark.django_db(transaction=True)
CHECK = "23514"
NUMBERS: list[tuple[str, Any]] = [
    ("balance", Decimal("1000000.00")),
    ("held", Decimal("1.00")),
    ("entry_count", 7),
    ("chain_head", b"another"),
    ("last_posted_at", "2040-01-01T00:00:00Z"),
]
FROZEN: list[tuple[str, Any]] = [
    ("currency", "USD"),
    ("type", "expense"),
    ("normal_side", "credit"),
    ("company_id", None),
]


def by_raw(account: Account, column: str, value: Any) -> None:
    raw.run(f"UPDATE ledger_account SET {column} = %s WHERE id = %s", [value, account.pk])


def by_queryset(account: Account, column: str, value: Any) -> None:
    Account.objects.filter(pk=account.pk).update(**{column: value})


def by_save(account: Account, column: str, value: Any) -> None:
    setattr(account, column, value)
    account.save(update_fields=[column])


def by_bulk_update(account: Account, column: str, value: Any) -> None:
    setattr(account, column, value)
    Account.objects.bulk_update([account], [column])


every_way = pytest.mark.parametrize("change", [by_raw, by_queryset, by_save, by_bulk_update])
Change = Callable[[Account, str, Any], None]


@pytest.fixture
def cash(transactional_db: None) -> Account:
    return open_account(balance="100.00", minimum="0")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company)


def available(account: Account) -> Decimal:
    return Account.objects.get(pk=account.pk).available


@every_way
@pytest.mark.parametrize(("column", "value"), NUMBERS, ids=[name for name, _ in NUMBERS])
def test_nobody_sets_an_accounts_numbers(
    cash: Account, attacker: str, change: Change, column: str, value: Any
) -> None:
    before = raw.rows_of(Account)
    with raw.refused():
        change(cash, column, value)
    assert raw.rows_of(Account) == before


@every_way
@pytest.mark.parametrize(("column", "value"), FROZEN, ids=[name for name, _ in FROZEN])
def test_nobody_changes_what_an_account_is(
    cash: Account, attacker: str, change: Change, column: str, value: Any
) -> None:
    value = value or CompanyFactory.create().pk
    before = raw.rows_of(Account)
    with raw.refused():
        change(cash, column, value)
    assert raw.rows_of(Account) == before


def test_nobody_moves_money_between_accounts_by_update(
    cash: Account, bank: Account, attacker: str
) -> None:
    with raw.refused():
        raw.run(
            "UPDATE ledger_account SET balance = CASE id WHEN %s THEN 60 ELSE 40 END"
            " WHERE id IN (%s, %s)",
            [cash.pk, cash.pk, bank.pk],
        )


@pytest.mark.parametrize(
    "attack",
    [
        (
            "MERGE INTO ledger_account account USING (SELECT 1) one ON account.code = 'cash'"
            " WHEN MATCHED THEN UPDATE SET balance = 1"
        ),
        (
            "INSERT INTO ledger_account (id, company_id, code, name, type, currency, normal_side, balance, held,"
            " entry_count, chain_head) SELECT id, company_id, code, name, type, currency, normal_side, 0, 0, 0, ''"
            " FROM ledger_account ON CONFLICT (id) DO UPDATE SET held = 1"
        ),
        (
            "CREATE TEMPORARY VIEW accounts AS SELECT * FROM ledger_account;"
            "UPDATE accounts SET entry_count = 7"
        ),
        (
            "CREATE TEMPORARY TABLE ledger_account (LIKE public.ledger_account);"
            "UPDATE public.ledger_account SET chain_head = 'x'"
        ),
        "UPDATE ledger_account SET balance = balance",
    ],
)
def test_nobody_names_an_accounts_numbers_in_a_roundabout_way(
    cash: Account, attacker: str, attack: str
) -> None:
    before = raw.rows_of(Account)
    with raw.refused():
        raw.run(attack)
    assert raw.rows_of(Account) == before


def test_the_application_may_rename_an_account(cash: Account) -> None:
    by_save(cash, "name", "Petty cash")
    assert Account.objects.get(pk=cash.pk).name == "Petty cash"


@pytest.mark.parametrize(
    "attack", ["DELETE FROM ledger_account", "TRUNCATE ledger_account CASCADE"]
)
def test_nobody_removes_an_account(cash: Account, attacker: str, attack: str) -> None:
    with raw.refused():
        raw.run(attack)


@pytest.mark.parametrize(
    "numbers",
    [
        {"balance": Decimal(5)},
        {"held": Decimal(5), "balance": Decimal(5)},
        {"entry_count": 1},
        {"chain_head": b"x"},
        {"last_posted_at": "2026-01-01T00:00:00Z"},
        {"balance": Decimal("NaN")},
    ],
    ids=str,
)
def test_no_account_opens_with_money_or_a_past(
    cash: Account, attacker: str, numbers: dict[str, Any]
) -> None:
    facts = {"id": uuid4(), "company_id": cash.company_id, "code": "rich", "name": "Rich"}
    facts |= {"type": "asset", "currency": "KES", "normal_side": "debit", "balance": 0, "held": 0}
    facts |= {"entry_count": 0, "chain_head": b"", "created_at": "2026-01-01T00:00:00Z"} | numbers
    with raw.refused():
        raw.run(
            f"INSERT INTO ledger_account ({', '.join(facts)}) VALUES ({', '.join(['%s'] * len(facts))})",
            [*facts.values()],
        )


def test_no_account_is_created_with_money_by_orm(cash: Account, attacker: str) -> None:
    with raw.refused():
        Account.objects.create(
            company=cash.company, code="rich", type=AccountType.ASSET, normal_side="debit",
            currency="KES", balance=5,
        )  # fmt: skip


def test_spending_more_than_the_balance_is_refused(cash: Account, bank: Account) -> None:
    with pytest.raises(InsufficientFunds):
        move(cash, bank, "100.01")
    assert available(cash) == 100


def test_spending_the_whole_balance_passes(cash: Account, bank: Account) -> None:
    move(cash, bank, "100.00")
    assert available(cash) == 0


def test_holding_more_than_is_available_is_refused(cash: Account) -> None:
    keep(cash, "60.00")
    with pytest.raises(InsufficientFunds):
        keep(cash, "40.01")


def test_spending_what_is_held_is_refused(cash: Account, bank: Account) -> None:
    keep(cash, "60.00")
    with pytest.raises(InsufficientFunds):
        move(cash, bank, "40.01")


def test_an_account_may_have_a_minimum_below_zero(bank: Account) -> None:
    overdraft = open_account(bank.company, minimum="-50")
    move(overdraft, bank, "50.00")
    with pytest.raises(InsufficientFunds):
        move(overdraft, bank, "0.01")


def test_an_account_without_a_minimum_may_owe(bank: Account, cash: Account) -> None:
    move(bank, cash, "1000.00")
    assert available(bank) == -1000


def test_a_minimum_above_the_balance_is_refused(cash: Account, attacker: str) -> None:
    with raw.refused(CHECK):
        by_raw(cash, "minimum", 101)


def test_the_application_cannot_lower_what_is_there_below_the_minimum_by_sql(
    cash: Account, bank: Account
) -> None:
    with raw.refused(CHECK):
        raw.call_post(raw.balanced(cash, bank, "100.01"))


@pytest.mark.parametrize("amount", ["0", "-1", "NaN"])
def test_a_hold_of_nothing_is_refused(bank: Account, amount: str) -> None:
    with raw.refused(CHECK):
        raw.run("SELECT ledger_hold_funds(%s, 'x', %s)", [bank.pk, amount])


def test_the_owner_cannot_set_held_beside_the_holds(cash: Account, as_owner: str) -> None:
    reference = keep(cash, "60.00")
    with raw.refused():
        by_raw(cash, "held", 0)
    with transaction.atomic():
        release(reference=reference)
    assert available(cash) == 100


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE ledger_dailytotal SET debit = debit + 1",
        "DELETE FROM ledger_dailytotal",
        "TRUNCATE ledger_dailytotal",
        (
            'INSERT INTO ledger_dailytotal (account_id, "on", debit, credit)'
            " SELECT id, '2020-01-01', 1, 0 FROM ledger_account"
        ),
    ],
)
def test_nobody_changes_a_daily_total(cash: Account, attacker: str, attack: str) -> None:
    before = raw.rows_of(DailyTotal)
    with raw.refused():
        raw.run(attack)
    assert raw.rows_of(DailyTotal) == before


@pytest.mark.parametrize("field", ["code", "side", "type"])
def test_an_account_that_makes_no_sense_is_refused(cash: Account, field: str) -> None:
    facts = {"code": "new", "normal_side": "debit", "type": "asset"}
    facts |= {"code": {"code": cash.code}, "side": {"normal_side": "left"}, "type": {"type": "x"}}[
        field
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(company=cash.company, name="New", currency="KES", **facts)


def test_an_untouched_ledger_holds(cash: Account, bank: Account) -> None:
    move(cash, bank, "10.00")
    keep(cash, "5.00")
    assert verify().holds
