"""Funds: a view on their own accounts in the books."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from ledger import audit
from ledger.models import Account, Branch, Membership, Region
from ledger.refusals import InsufficientFunds, InvalidInput, RoleRequired
from ledger.roles import Role
from ledger.services import posting
from tests.treasury.desk import SYSTEM, Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting, fill, person, today
from treasury.models import ReplenishmentRequest, TreasuryFund
from treasury.selectors import fund_lines_seen_by, funds_seen_by
from treasury.services.funds import open_fund, set_fund_levels
from treasury.services.reconciliations import reconcile_payment
from treasury.services.variances import approve_variance


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def opened(desk: Desk, **details: object) -> TreasuryFund:
    wanted = {"name": "Depot", "currency": "UGX"} | details
    return open_fund(actor=acting(desk.cfo), company_id=desk.company.pk, **wanted)  # type: ignore[arg-type]


def test_a_fund_opens_empty_with_accounts_of_its_own(desk: Desk) -> None:
    fund = opened(desk, reorder_level="100000", target_level="400000")
    assert (fund.current_balance, fund.held, fund.available_balance) == (
        Decimal(0),
        Decimal(0),
        Decimal(0),
    )
    accounts = Account.objects.filter(code__endswith=".002", company=desk.company)
    assert {account.code: (account.type, account.currency) for account in accounts} == {
        "1100.002": ("asset", "UGX"),
        "1900.002": ("asset", "UGX"),
        "2900.002": ("liability", "UGX"),
        "3100.002": ("equity", "UGX"),
        "5100.002": ("expense", "UGX"),
        "5900.002": ("expense", "UGX"),
    }
    assert fund.account.minimum == 0
    assert fund.check_reorder_needed()


def test_opening_a_fund_is_audited(desk: Desk) -> None:
    fund = opened(desk)
    event = audit.history_of(fund.reference).get()
    assert (event.action, event.actor, event.company) == ("fund.open", desk.cfo, desk.company)


def test_a_fund_never_falls_below_zero(desk: Desk) -> None:
    with pytest.raises(InsufficientFunds), transaction.atomic():
        posting.hold(account_id=desk.fund.account_id, amount=Decimal(100_001), reference="x")


@pytest.mark.parametrize("role", [Role.TREASURER, Role.APPROVER, Role.AUDITOR])
def test_only_a_cfo_opens_funds_and_sets_levels(desk: Desk, role: Role) -> None:
    actor = acting(rival_of(desk, role))
    with pytest.raises(RoleRequired):
        open_fund(actor=actor, company_id=desk.company.pk, name="Depot", currency="UGX")
    with pytest.raises(RoleRequired):
        set_fund_levels(actor=actor, fund_id=desk.fund.pk, reorder_level=1, target_level=2)


def test_a_cfo_of_a_region_opens_no_fund_of_the_company(desk: Desk) -> None:
    region = Region.objects.create(company=desk.company, name="Coast")
    user = person(desk.company)
    Membership.objects.create(user=user, company=desk.company, region=region, role=Role.CFO)
    with pytest.raises(RoleRequired):
        open_fund(actor=acting(user), company_id=desk.company.pk, name="D", currency="KES")
    fund = open_fund(
        actor=acting(user),
        company_id=desk.company.pk,
        region_id=region.pk,
        name="D",
        currency="KES",
    )
    assert fund.region == region


@pytest.mark.parametrize(
    ("field", "details"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "Petty cash"}),
        ("currency", {"currency": "ABC"}),
        ("reorder_level", {"reorder_level": "-1"}),
        ("target_level", {"target_level": "1.5"}),
        ("target_level", {"reorder_level": "10", "target_level": "9"}),
    ],
)
def test_bad_input_is_refused_on_its_field(desk: Desk, field: str, details: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        opened(desk, **details)
    assert list(refused.value.errors) == [field]


def test_a_region_of_another_company_is_unknown(desk: Desk) -> None:
    other = make_desk(name="Other").company
    region = Region.objects.create(company=other, name="Coast")
    branch = Branch.objects.create(region=region, name="Mombasa")
    with pytest.raises(InvalidInput) as refused:
        opened(desk, region_id=region.pk)
    assert "region" in refused.value.errors
    own = Region.objects.create(company=desk.company, name="Coast")
    with pytest.raises(InvalidInput) as refused:
        opened(desk, region_id=own.pk, branch_id=branch.pk)
    assert "branch" in refused.value.errors


def test_raising_the_reorder_level_asks_for_a_replenishment_at_once(desk: Desk) -> None:
    set_fund_levels(
        actor=acting(desk.cfo),
        fund_id=desk.fund.pk,
        reorder_level="150000",
        target_level="300000.00",
    )
    request = ReplenishmentRequest.objects.get()
    assert (request.auto_triggered, request.requested_amount) == (True, Decimal(200_000))


def test_a_fund_of_a_branch_is_seen_there_and_above_it_only(desk: Desk) -> None:
    region = Region.objects.create(company=desk.company, name="Coast")
    branch = Branch.objects.create(region=region, name="Mombasa")
    fund = opened(desk, region_id=region.pk, branch_id=branch.pk)
    local, regional = person(desk.company), person(desk.company)
    here = {"company": desk.company, "region": region}
    Membership.objects.create(user=local, branch=branch, role=Role.AUDITOR, **here)
    Membership.objects.create(user=regional, role=Role.AUDITOR, **here)
    assert list(funds_seen_by(local)) == list(funds_seen_by(regional)) == [fund]
    assert set(funds_seen_by(desk.auditor)) == {fund, desk.fund}


# --- The fund view of the books -------------------------------------------------------------------------


def test_the_lines_of_a_fund_say_what_moved_and_whether_it_was_reconciled(desk: Desk) -> None:
    payment = desk.paid()
    variance = desk.variance(payment, "900.00")
    approve_variance(actor=acting(desk.cfo), variance_id=variance.pk, today=today)
    reconcile_payment(actor=acting(desk.reconciler), payment_id=payment.pk)
    lines = fund_lines_seen_by(desk.auditor).values_list(
        "entry_type", "direction", "side", "amount", "balance_after", "is_reconciled"
    )
    assert list(lines) == [
        ("adjustment", "in", "debit", 100, 99_100, False),
        ("debit", "out", "credit", 1000, 99_000, True),
        ("credit", "in", "debit", 100_000, 100_000, False),
    ]
    paid = fund_lines_seen_by(desk.auditor).get(entry_type="debit")
    assert paid.execution_id == payment.execution.pk
    assert paid.reconciled_by_id == desk.reconciler.pk


def test_the_lines_of_other_companies_are_not_seen(desk: Desk) -> None:
    other = make_desk(name="Other")
    fill(other.fund, Decimal(5))
    assert not fund_lines_seen_by(desk.auditor).filter(fund_id=other.fund.pk).exists()


# --- By raw SQL -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("currency = 'UGX'", "kept"),
        ("account_id = spending_account_id", "kept"),
        ("company_id = gen_random_uuid()", "kept"),
        ("reorder_level = -1", "reorder_level"),
        ("reorder_level = 10, target_level = 9", "target_level"),
    ],
)
def test_sql_refuses_a_fund_that_breaks_its_laws(desk: Desk, assignment: str, words: str) -> None:
    refused_by(words, f"UPDATE treasury_treasuryfund SET {assignment}")


def test_sql_refuses_to_delete_a_fund_and_to_edit_its_balance(desk: Desk) -> None:
    refused_by("permission denied|kept", "DELETE FROM treasury_treasuryfund")
    refused_by("permission denied", "UPDATE ledger_account SET balance = balance + 1")


def test_two_funds_share_no_account(desk: Desk) -> None:
    other = opened(desk, currency="KES")
    copy = TreasuryFund(
        company=desk.company,
        currency="KES",
        name="Copy",
        **{
            f"{name}account": getattr(other, f"{name}account")
            for name in ("spending_", "funding_", "variance_", "suspense_", "clearing_")
        },
        account=desk.fund.account,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_a_job_opens_funds_too(desk: Desk) -> None:
    assert (
        open_fund(
            actor=SYSTEM, company_id=desk.company.pk, name="By a job", currency="RWF"
        ).currency
        == "RWF"
    )
