"""Variances: recorded by one, approved by another, and then posted."""

from decimal import Decimal

import pytest

from ledger.models import JournalEntry
from ledger.refusals import (
    IllegalTransition,
    InsufficientFunds,
    InvalidInput,
    RoleRequired,
    SegregationOfDuties,
)
from ledger.roles import Role
from tests.treasury.desk import Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import DAY, acting, person, today
from treasury.awaiting import (
    variances_awaiting,
)
from treasury.models import Payment, ReplenishmentRequest, VarianceAdjustment
from treasury.selectors import (
    paid_amount,
)
from treasury.services.reconciliations import reconcile_payment
from treasury.services.variances import (
    NotPaid,
    StaleAmount,
    VariancePending,
    approve_variance,
    record_variance,
    reject_variance,
)


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def approve(desk: Desk, variance: VarianceAdjustment) -> VarianceAdjustment:
    return approve_variance(actor=acting(desk.cfo), variance_id=variance.pk, today=today)


def corrected(desk: Desk, adjusted: str) -> Payment:
    payment = desk.paid()
    approve(desk, desk.variance(payment, adjusted))
    return Payment.objects.get(pk=payment.pk)


def test_a_recorded_variance_posts_nothing(desk: Desk) -> None:
    variance = desk.variance(desk.paid(), "1150.00")
    assert (variance.status, variance.variance_amount) == ("pending", Decimal(150))
    assert variance.recorded_by == desk.treasurer
    assert desk.account().balance == 99_000


def test_an_approved_positive_variance_takes_money_from_the_fund(desk: Desk) -> None:
    payment = corrected(desk, "1150.00")
    variance = payment.variances.get()
    assert (variance.status, variance.approved_by) == ("approved", desk.cfo)
    assert desk.account().balance == 98_850
    entry = JournalEntry.objects.get(reference=variance.reference)
    assert (entry.effective_on, variance.journal_entry) == (DAY, entry)
    assert {(e.account_id, e.side, e.amount) for e in entry.ledger_entries.all()} == {
        (desk.fund.variance_account_id, "debit", Decimal(150)),
        (desk.fund.account_id, "credit", Decimal(150)),
    }


def test_an_approved_negative_variance_returns_money_to_the_fund(desk: Desk) -> None:
    payment = corrected(desk, "900.00")
    assert desk.account().balance == 99_100
    assert paid_amount(payment) == 900


def test_all_of_it_can_come_back(desk: Desk) -> None:
    assert paid_amount(corrected(desk, "0")) == 0
    assert desk.account().balance == 100_000


def test_the_payment_keeps_its_status_and_amount(desk: Desk) -> None:
    payment = corrected(desk, "900.00")
    assert (payment.status, payment.amount) == ("success", Decimal(1000))


def test_a_second_variance_starts_from_what_the_books_say_by_then(desk: Desk) -> None:
    payment = corrected(desk, "900.00")
    with pytest.raises(StaleAmount) as refused:
        desk.variance(payment, "800.00")
    assert (refused.value.status, refused.value.code) == (409, "stale_amount")
    approve(desk, desk.variance(payment, "950.00", original_amount="900.00"))
    assert paid_amount(payment) == 950


def test_a_variance_beyond_the_fund_is_refused_and_stays_pending(desk: Desk) -> None:
    variance = desk.variance(desk.paid(), "100001.00")
    with pytest.raises(InsufficientFunds) as refused:
        approve(desk, variance)
    assert (refused.value.status, refused.value.code) == (409, "insufficient_funds")
    variance.refresh_from_db()
    assert (variance.status, desk.account().balance) == ("pending", Decimal(99_000))


def test_a_variance_can_bring_a_fund_below_its_reorder_level(db: None) -> None:
    desk = make_desk(reorder_level="98900", target_level="100000")
    approve(desk, desk.variance(desk.paid(), "1200.00"))
    assert ReplenishmentRequest.objects.get().requested_amount == 1200


def test_one_variance_is_undecided_at_a_time(desk: Desk) -> None:
    payment = desk.paid()
    desk.variance(payment, "900.00")
    with pytest.raises(VariancePending) as refused:
        desk.variance(payment, "800.00")
    assert (refused.value.status, refused.value.code) == (409, "variance_pending")


def test_a_pending_payment_has_no_variance(desk: Desk) -> None:
    with pytest.raises(NotPaid):
        desk.variance(desk.pending(), "900.00")


def test_a_reconciled_payment_may_still_have_one(desk: Desk) -> None:
    payment = desk.paid()
    reconcile_payment(actor=acting(desk.reconciler), payment_id=payment.pk)
    approve(desk, desk.variance(payment, "900.00"))
    payment.refresh_from_db()
    assert payment.status == "reconciled"


@pytest.mark.parametrize("role", [Role.TREASURER, Role.RECONCILER])
def test_treasurers_and_reconcilers_record(desk: Desk, role: Role) -> None:
    user = rival_of(desk, role)
    variance = record_variance(
        actor=acting(user),
        payment_id=desk.paid().pk,
        original_amount=1000,
        adjusted_amount=Decimal("990.50"),
        reason="Change was given",
    )
    assert variance.recorded_by == user


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.APPROVER, Role.CFO, Role.AUDITOR])
def test_others_do_not_record(desk: Desk, role: Role) -> None:
    desk.treasurer, treasurer = rival_of(desk, role), desk.treasurer
    recorder, desk.treasurer = desk.treasurer, treasurer
    payment = desk.paid()
    with pytest.raises(RoleRequired):
        record_variance(
            actor=acting(recorder),
            payment_id=payment.pk,
            original_amount=1000,
            adjusted_amount=1,
            reason="x",
        )


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.APPROVER, Role.TREASURER, Role.AUDITOR])
def test_only_a_cfo_decides(desk: Desk, role: Role) -> None:
    variance = desk.variance(desk.paid(), "900.00")
    actor = acting(rival_of(desk, role))
    with pytest.raises(RoleRequired):
        approve_variance(actor=actor, variance_id=variance.pk, today=today)
    with pytest.raises(RoleRequired):
        reject_variance(actor=actor, variance_id=variance.pk, reason="No")


def test_whoever_recorded_it_does_not_decide_it(desk: Desk) -> None:
    desk.treasurer = person(desk.company, is_superuser=True)
    variance = desk.variance(desk.paid(), "900.00")
    actor = acting(desk.treasurer)
    with pytest.raises(SegregationOfDuties):
        approve_variance(actor=actor, variance_id=variance.pk, today=today)
    with pytest.raises(SegregationOfDuties):
        reject_variance(actor=actor, variance_id=variance.pk, reason="")


def test_a_rejected_variance_says_why_and_posts_nothing(desk: Desk) -> None:
    variance = desk.variance(desk.paid(), "900.00")
    rejected = reject_variance(
        actor=acting(desk.cfo), variance_id=variance.pk, reason="The receipt is clear"
    )
    assert (rejected.status, rejected.rejection_reason) == ("rejected", "The receipt is clear")
    assert desk.account().balance == 99_000
    with pytest.raises(IllegalTransition):
        approve(desk, variance)


def test_an_approved_variance_is_not_approved_again(desk: Desk) -> None:
    payment = corrected(desk, "900.00")
    with pytest.raises(IllegalTransition):
        approve(desk, payment.variances.get())
    assert desk.account().balance == 99_100


@pytest.mark.parametrize(
    ("field", "details"),
    [
        ("original_amount", {"original_amount": "1e3"}),
        ("original_amount", {"original_amount": "0"}),
        ("adjusted_amount", {"adjusted": "-1"}),
        ("adjusted_amount", {"adjusted": "999.999"}),
        ("adjusted_amount", {"adjusted": "1000.00"}),
        ("reason", {"reason": "  "}),
    ],
)
def test_bad_input_is_refused_on_its_field(desk: Desk, field: str, details: dict[str, str]) -> None:
    payment = desk.paid()
    adjusted = details.pop("adjusted", "900.00")
    with pytest.raises(InvalidInput) as refused:
        desk.variance(payment, adjusted, **details)
    assert list(refused.value.errors) == [field]


def test_a_variance_awaits_a_cfo_who_did_not_record_it(desk: Desk) -> None:
    desk.treasurer = rival_of(desk, Role.TREASURER, Role.CFO)
    variance = desk.variance(desk.paid(), "900.00")
    assert list(variances_awaiting(desk.cfo)) == [variance]
    assert list(variances_awaiting(desk.treasurer)) == []
    assert list(variances_awaiting(desk.auditor)) == []


# --- By raw SQL -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        (
            "status = 'approved', approved_by_id = recorded_by_id, approved_at = now()",
            "by_another|whole",
        ),
        ("status = 'rejected', rejected_by_id = recorded_by_id, rejected_at = now()", "by_another"),
        ("approved_by_id = recorded_by_id", "approved_by_another"),
        ("status = 'approved'", "approved_whole"),
        ("variance_amount = 1", "kept"),
        ("adjusted_amount = 1", "kept"),
        (
            "recorded_by_id = (SELECT id FROM ledger_user WHERE id <> recorded_by_id LIMIT 1)",
            "kept",
        ),
    ],
)
def test_sql_refuses_a_variance_that_breaks_its_laws(
    desk: Desk, assignment: str, words: str
) -> None:
    desk.variance(desk.paid(), "900.00")
    refused_by(words, f"UPDATE treasury_varianceadjustment SET {assignment}")


def test_sql_refuses_a_second_undecided_variance(desk: Desk) -> None:
    desk.variance(desk.paid(), "900.00")
    refused_by(
        "one_pending",
        "INSERT INTO treasury_varianceadjustment (variance_id, payment_id, company_id, currency,"
        " original_amount, adjusted_amount, variance_amount, reason, status, recorded_by_id,"
        " rejection_reason) SELECT gen_random_uuid(), payment_id, company_id, currency,"
        " original_amount, adjusted_amount, variance_amount, 'x', 'pending', recorded_by_id, ''"
        " FROM treasury_varianceadjustment",
    )


def test_sql_refuses_a_variance_whose_difference_is_wrong(desk: Desk) -> None:
    payment = desk.paid()
    refused_by(
        "variance_difference",
        "INSERT INTO treasury_varianceadjustment (variance_id, payment_id, company_id, currency,"
        " original_amount, adjusted_amount, variance_amount, reason, status, recorded_by_id,"
        " rejection_reason) SELECT gen_random_uuid(), payment_id, company_id, currency,"
        " 1000, 900, 100, 'x', 'pending', created_by_id, '' FROM treasury_payment"
        " WHERE payment_id = %s",
        payment.pk,
    )


def test_sql_refuses_to_delete_a_variance(desk: Desk) -> None:
    desk.variance(desk.paid(), "900.00")
    refused_by("permission denied|kept", "DELETE FROM treasury_varianceadjustment")
