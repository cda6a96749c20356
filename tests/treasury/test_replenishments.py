"""Replenishment: asked for by the fund itself or a treasurer, approved, and only then credited."""

from decimal import Decimal

import pytest

from ledger.models import JournalEntry
from ledger.refusals import IllegalTransition, InvalidInput, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.treasury.desk import SYSTEM, Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import DAY, acting, person, today
from treasury.awaiting import (
    replenishments_awaiting,
)
from treasury.models import ReplenishmentRequest
from treasury.services.replenishment import (
    ReplenishmentPending,
    approve_replenishment,
    check_reorder_levels,
    fund_replenishment,
    reject_replenishment,
    replenish,
)


@pytest.fixture
def desk(db: None) -> Desk:
    """The fund holds 100,000, asks below 99,500, and wants 150,000 then."""
    return make_desk(reorder_level="99500.00", target_level="150000.00")


def asked(desk: Desk, amount: str = "5000.00") -> ReplenishmentRequest:
    return replenish(
        actor=acting(desk.treasurer), fund_id=desk.fund.pk, amount=amount, reason="Payday"
    )


def approved(desk: Desk) -> ReplenishmentRequest:
    request = asked(desk)
    return approve_replenishment(actor=acting(desk.cfo), replenishment_id=request.pk)


def funded(desk: Desk) -> ReplenishmentRequest:
    request = approved(desk)
    return fund_replenishment(
        actor=acting(desk.treasurer), replenishment_id=request.pk, today=today
    )


def test_a_payment_that_leaves_too_little_lets_the_fund_ask(desk: Desk) -> None:
    desk.paid(amount="1000.00")
    request = ReplenishmentRequest.objects.get()
    assert (request.status, request.auto_triggered) == ("pending", True)
    assert (request.current_balance, request.requested_amount) == (Decimal(99_000), Decimal(51_000))
    assert request.requested_by is None


def test_a_payment_that_leaves_the_reorder_level_exactly_asks_for_nothing(desk: Desk) -> None:
    desk.paid(amount="500.00")
    assert not ReplenishmentRequest.objects.exists()


def test_a_fund_never_has_two_open_requests(desk: Desk) -> None:
    desk.paid(amount="1000.00")
    desk.paid(amount="1000.00")
    assert check_reorder_levels(actor=SYSTEM) == 0
    with pytest.raises(ReplenishmentPending) as refused:
        asked(desk)
    assert (refused.value.status, refused.value.code) == (409, "replenishment_pending")
    assert ReplenishmentRequest.objects.count() == 1


def test_an_approved_request_is_still_open(desk: Desk) -> None:
    approved(desk)
    with pytest.raises(ReplenishmentPending):
        asked(desk)


def test_the_scheduled_check_finds_funds_that_are_low_once(db: None) -> None:
    desk = make_desk(balance=Decimal(0), reorder_level="10.00", target_level="20.00")
    make_desk(name="Full", reorder_level="10.00", target_level="20.00")
    assert check_reorder_levels(actor=SYSTEM) == 1
    assert check_reorder_levels(actor=SYSTEM) == 0
    request = ReplenishmentRequest.objects.get()
    assert (request.fund, request.requested_amount) == (desk.fund, Decimal(20))


def test_a_treasurer_asks_by_hand(desk: Desk) -> None:
    request = asked(desk)
    assert (request.status, request.auto_triggered) == ("pending", False)
    assert (request.requested_by, request.reason) == (desk.treasurer, "Payday")
    assert desk.account().balance == 100_000


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.CFO, Role.RECONCILER, Role.AUDITOR])
def test_only_a_treasurer_asks_by_hand(desk: Desk, role: Role) -> None:
    with pytest.raises(RoleRequired):
        replenish(actor=acting(rival_of(desk, role)), fund_id=desk.fund.pk, amount=1, reason="x")


@pytest.mark.parametrize(
    ("field", "amount", "reason"),
    [("amount", "0", "x"), ("amount", "1.001", "x"), ("reason", 1, "")],
)
def test_bad_input_is_refused_on_its_field(
    desk: Desk, field: str, amount: str, reason: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        replenish(actor=acting(desk.treasurer), fund_id=desk.fund.pk, amount=amount, reason=reason)
    assert list(refused.value.errors) == [field]


def test_approval_credits_nothing(desk: Desk) -> None:
    request = approved(desk)
    assert (request.status, request.approved_by) == ("approved", desk.cfo)
    assert request.approved_at is not None
    assert desk.account().balance == 100_000


def test_funding_posts_to_the_books_and_marks_the_fund(desk: Desk) -> None:
    request = funded(desk)
    desk.fund.refresh_from_db()
    assert (request.status, request.funded_by) == ("funded", desk.treasurer)
    assert desk.account().balance == 105_000
    assert desk.fund.last_replenished == request.funded_at
    entry = JournalEntry.objects.get(reference=request.reference)
    assert (entry.effective_on, request.journal_entry) == (DAY, entry)
    assert {(e.account_id, e.side, e.amount) for e in entry.ledger_entries.all()} == {
        (desk.fund.account_id, "debit", Decimal(5000)),
        (desk.fund.funding_account_id, "credit", Decimal(5000)),
    }


def test_funding_twice_credits_once(desk: Desk) -> None:
    request = funded(desk)
    with pytest.raises(IllegalTransition):
        fund_replenishment(actor=acting(desk.treasurer), replenishment_id=request.pk, today=today)
    assert desk.account().balance == 105_000


def test_funding_before_approval_is_refused(desk: Desk) -> None:
    request = asked(desk)
    with pytest.raises(IllegalTransition):
        fund_replenishment(actor=acting(desk.treasurer), replenishment_id=request.pk, today=today)


def test_a_fund_that_is_still_low_when_filled_asks_again(db: None) -> None:
    desk = make_desk(reorder_level="200000", target_level="300000")
    first = funded(desk)
    second = ReplenishmentRequest.objects.exclude(pk=first.pk).get()
    assert (second.auto_triggered, second.requested_amount) == (True, Decimal(195_000))


def test_whoever_recorded_it_neither_approves_nor_rejects_it(desk: Desk) -> None:
    desk.treasurer = person(desk.company, is_superuser=True)
    request = asked(desk)
    with pytest.raises(SegregationOfDuties):
        approve_replenishment(actor=acting(desk.treasurer), replenishment_id=request.pk)
    with pytest.raises(SegregationOfDuties):
        reject_replenishment(actor=acting(desk.treasurer), replenishment_id=request.pk, reason="")


def test_whoever_approved_it_does_not_fund_it(desk: Desk) -> None:
    desk.paid(amount="1000.00")
    desk.cfo = rival_of(desk, Role.CFO, Role.TREASURER)
    request = ReplenishmentRequest.objects.get()
    approve_replenishment(actor=acting(desk.cfo), replenishment_id=request.pk)
    with pytest.raises(SegregationOfDuties):
        fund_replenishment(actor=acting(desk.cfo), replenishment_id=request.pk, today=today)
    assert desk.account().balance == 99_000


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.APPROVER, Role.TREASURER, Role.AUDITOR])
def test_only_a_cfo_approves_and_rejects(desk: Desk, role: Role) -> None:
    request, user = asked(desk), rival_of(desk, role)
    with pytest.raises(RoleRequired):
        approve_replenishment(actor=acting(user), replenishment_id=request.pk)
    with pytest.raises(RoleRequired):
        reject_replenishment(actor=acting(user), replenishment_id=request.pk, reason="No")


def test_a_rejected_request_says_why_and_makes_room_for_another(desk: Desk) -> None:
    request = approved(desk)
    rejected = reject_replenishment(
        actor=acting(desk.cfo), replenishment_id=request.pk, reason="Wait for the audit"
    )
    assert (rejected.status, rejected.rejected_by) == ("rejected", desk.cfo)
    assert rejected.rejection_reason == "Wait for the audit"
    assert asked(desk).status == "pending"


def test_requests_await_a_cfo_and_then_another_treasurer(desk: Desk) -> None:
    request = asked(desk)
    assert list(replenishments_awaiting(desk.cfo)) == [request]
    assert list(replenishments_awaiting(desk.treasurer)) == []
    approve_replenishment(actor=acting(desk.cfo), replenishment_id=request.pk)
    assert list(replenishments_awaiting(desk.cfo)) == []
    assert list(replenishments_awaiting(desk.treasurer)) == [request]
    assert list(replenishments_awaiting(desk.auditor)) == []


# --- By raw SQL -----------------------------------------------------------------------------------------

ASK = """
    INSERT INTO treasury_replenishmentrequest (request_id, fund_id, company_id, currency,
        current_balance, requested_amount, reason, status, auto_triggered, rejection_reason)
    SELECT gen_random_uuid(), fund_id, company_id, %s, 0, %s, '', %s, true, ''
    FROM treasury_treasuryfund
"""


def test_sql_refuses_a_second_open_request(desk: Desk) -> None:
    asked(desk)
    refused_by("one_open", ASK, "KES", 10, "pending")


@pytest.mark.parametrize(
    ("currency", "amount", "status", "words"),
    [
        ("UGX", 10, "pending", "same_fund"),
        ("KES", 0, "pending", "replenishment_amount"),
        ("KES", 10, "funded", "may not become"),
    ],
)
def test_sql_refuses_a_request_that_breaks_its_laws(
    desk: Desk, currency: str, amount: int, status: str, words: str
) -> None:
    refused_by(words, ASK, currency, amount, status)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        (
            "status = 'approved', approved_by_id = requested_by_id, approved_at = now()",
            "by_another",
        ),
        (
            "status = 'rejected', rejected_by_id = requested_by_id, rejected_at = now()",
            "by_another",
        ),
        ("status = 'approved'", "approved_whole"),
        ("status = 'funded'", "may not become"),
        ("requested_amount = 9999999", "kept"),
        ("requested_by_id = NULL", "kept"),
    ],
)
def test_sql_refuses_a_change_that_breaks_the_laws(desk: Desk, assignment: str, words: str) -> None:
    asked(desk)
    refused_by(words, f"UPDATE treasury_replenishmentrequest SET {assignment}")


def test_sql_refuses_whoever_approved_as_the_one_who_funds(desk: Desk) -> None:
    approved(desk)
    refused_by(
        "funded_by_another",
        "UPDATE treasury_replenishmentrequest SET funded_by_id = approved_by_id",
    )


def test_sql_refuses_to_delete_a_request(desk: Desk) -> None:
    asked(desk)
    refused_by("permission denied|kept", "DELETE FROM treasury_replenishmentrequest")
