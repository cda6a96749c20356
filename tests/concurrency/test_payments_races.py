"""Two people, or two jobs, at the same thing at the same instant: one of them wins, whole."""

from functools import partial
from typing import Any

import pytest

from ledger.actor import Actor
from ledger.clock import today
from ledger.models import JournalEntry
from tests.crowd import at_once, tally
from tests.scene import Scene, assert_books_hold, build_scene
from treasury.models import Payment, ReplenishmentRequest, Requisition, RequisitionApproval
from treasury.services.execution import execute_payment
from treasury.services.payments import cancel_payment, create_payment, edit_payment, retry_payment
from treasury.services.reconciliations import reconcile_payment
from treasury.services.replenishment import (
    approve_replenishment,
    check_reorder_levels,
    fund_replenishment,
    replenish,
)
from treasury.services.requisitions import (
    approve_requisition,
    cancel_requisition,
    edit_requisition,
    reject_requisition,
)
from treasury.services.variances import approve_variance, record_variance, reject_variance

ROUNDS = 5
CROWD = 20


def by(scene: Scene, name: str, act: Any, **arguments: Any) -> partial[Any]:
    return partial(act, actor=scene.actor(name), **arguments)


def test_of_two_approvers_at_once_one_approves(scene: Scene) -> None:
    for _ in range(ROUNDS):
        asked = {"requisition_id": scene.requisition(500, approved=False).pk}
        people = ("approver", "second_approver", "cfo", "second_cfo")
        outcomes = at_once([by(scene, name, approve_requisition, **asked) for name in people])
        assert tally(outcomes) == {"done": 1, "409 illegal_transition": 3}
    assert RequisitionApproval.objects.count() == ROUNDS


def test_an_approval_and_a_rejection_at_once_leave_one_of_them(scene: Scene) -> None:
    for _ in range(ROUNDS):
        asked = {"requisition_id": scene.requisition(500, approved=False).pk}
        approve = by(scene, "approver", approve_requisition, **asked)
        reject = by(scene, "second_approver", reject_requisition, reason="Too much.", **asked)
        assert tally(at_once([approve, reject])) == {"done": 1, "409 illegal_transition": 1}


def test_an_edit_against_an_approval_never_leaves_an_old_approval_in_force(scene: Scene) -> None:
    for _ in range(ROUNDS):
        requisition = scene.requisition(500, approved=False)
        asked = {"requisition_id": requisition.pk}
        edit = by(scene, "requester", edit_requisition, amount=900, **asked)
        assert tally(at_once([by(scene, "approver", approve_requisition, **asked), edit])) == {
            "done": 2
        }
        requisition.refresh_from_db()
        versions = {approval.version for approval in requisition.all_approvals.all()}
        approved = requisition.status == "approved"
        assert (str(requisition.amount), requisition.version) == ("900.0000", 2)
        assert approved == (versions == {2})


def test_an_edit_against_an_execution_pays_what_was_approved_or_nothing(scene: Scene) -> None:
    for _ in range(ROUNDS):
        payment = scene.payment(500)
        asked = {"requisition_id": payment.requisition_id}
        edit = by(scene, "requester", edit_requisition, amount=900, **asked)
        execute = by(scene, "treasurer", execute_payment, payment_id=payment.pk, today=today)
        outcomes = at_once([edit, execute])
        assert tally(outcomes).get("done") == 1, tally(outcomes)
        payment.refresh_from_db()
        assert payment.status in {"success", "cancelled"}
        assert payment.amount == 500
    assert_books_hold()


def test_a_payment_cannot_be_cancelled_edited_and_executed(scene: Scene) -> None:
    for _ in range(ROUNDS):
        asked = {"payment_id": scene.payment(500).pk}
        outcomes = at_once(
            [
                by(scene, "treasurer", execute_payment, today=today, **asked),
                by(scene, "second_treasurer", cancel_payment, **asked),
            ]
        )
        assert tally(outcomes) == {"done": 1, "409 illegal_transition": 1}
    assert_books_hold()


def test_an_edit_against_an_execution_of_the_payment_is_before_or_refused(scene: Scene) -> None:
    for _ in range(ROUNDS):
        payment = scene.payment(500)
        asked = {"payment_id": payment.pk}
        execute = by(scene, "treasurer", execute_payment, today=today, **asked)
        edit = by(scene, "second_treasurer", edit_payment, amount=400, **asked)
        edited = tally(at_once([execute, edit])) == {"done": 2}
        payment.refresh_from_db()
        assert payment.status == "success"
        assert payment.amount == (400 if edited else 500)
    assert_books_hold()


def failed_payment(scene: Scene) -> Payment:
    """A payment that failed once, as far as the tables say."""
    payment = scene.payment(500)
    rows = Payment.objects.filter(pk=payment.pk)
    rows.update(status="executing", executor=scene.people["treasurer"])
    rows.update(status="failed", retry_count=1)
    return payment


def test_retries_cancellations_and_executions_at_once_follow_the_table(scene: Scene) -> None:
    for _ in range(ROUNDS):
        payment = failed_payment(scene)
        asked = {"payment_id": payment.pk}
        retry = by(scene, "treasurer", retry_payment, **asked)
        cancel = by(scene, "second_treasurer", cancel_payment, **asked)
        execute = by(scene, "treasurer", execute_payment, today=today, **asked)
        outcomes = at_once([retry, execute, cancel, retry, execute, execute])
        retried, executed, cancelled = (
            sum(not isinstance(outcome, Exception) for outcome in of)
            for of in ([outcomes[0], outcomes[3]], [outcomes[1], *outcomes[4:]], outcomes[2:3])
        )
        payment.refresh_from_db()
        assert set(tally(outcomes)) <= {"done", "409 illegal_transition"}
        assert (executed, cancelled) == {
            "success": (1, 0),
            "cancelled": (0, 1),
            "pending": (0, 0),
        }[payment.status]
        assert retried == 1 or cancelled
        assert payment.retry_count == 1
    assert_books_hold()


def test_payments_made_at_once_never_exceed_the_requisition(scene: Scene) -> None:
    requisition = scene.requisition(1000)
    make = by(scene, "treasurer", create_payment, requisition_id=requisition.pk, amount="100.00")
    said = tally(at_once([make] * CROWD))
    assert said == {"done": 10, "409 exceeds_approved_amount": CROWD - 10}
    assert Requisition.objects.get(pk=requisition.pk).committed == 1000


def test_a_cancelled_requisition_has_no_payment_made_at_the_same_time(scene: Scene) -> None:
    for _ in range(ROUNDS):
        asked = {"requisition_id": scene.requisition(500).pk}
        make = by(scene, "treasurer", create_payment, **asked)
        cancel = by(scene, "requester", cancel_requisition, **asked)
        at_once([make, cancel])
        live = Payment.objects.filter(**asked).exclude(status="cancelled")
        assert not live.exists()
        assert Requisition.objects.get(pk=asked["requisition_id"]).status == "cancelled"


@pytest.fixture
def low_scene(transactional_db: None, sent_tasks: object) -> Scene:
    """A fund with 1,000 that asks to be filled below 5,000."""
    return build_scene(opening=1_000, reorder_level=5_000)


def test_a_low_fund_asks_once_however_many_notice(low_scene: Scene) -> None:
    check = partial(check_reorder_levels, actor=Actor.system("reorder check"))
    ask = by(low_scene, "treasurer", replenish, fund_id=low_scene.fund.pk, amount=10, reason="Low")
    pay = [
        by(low_scene, "treasurer", execute_payment, payment_id=payment.pk, today=today)
        for payment in low_scene.many_payments(8, 50)
    ]
    outcomes = at_once([*[check] * 6, *[ask] * 6, *pay])
    assert not [o for o in outcomes if isinstance(o, Exception) and "replenishment" not in str(o)]
    assert ReplenishmentRequest.objects.count() == 1


def test_a_replenishment_is_funded_once(low_scene: Scene) -> None:
    check_reorder_levels(actor=Actor.system("reorder check"))
    asked = {"replenishment_id": ReplenishmentRequest.objects.get().pk}
    approvals = [
        by(low_scene, name, approve_replenishment, **asked) for name in ("cfo", "second_cfo")
    ]
    assert tally(at_once(approvals * 5)) == {"done": 1, "409 illegal_transition": 9}
    funders = [
        by(low_scene, name, fund_replenishment, today=today, **asked)
        for name in ("treasurer", "second_treasurer")
    ]
    assert tally(at_once(funders * 10)) == {"done": 1, "409 illegal_transition": CROWD - 1}
    assert low_scene.balances().balance == 10_000
    assert_books_hold()


def test_a_variance_is_approved_once(scene: Scene) -> None:
    payment = scene.payment(1000)
    execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    variance = record_variance(
        actor=scene.actor("reconciler"),
        payment_id=payment.pk,
        original_amount="1000.00",
        adjusted_amount="1100.00",
        reason="The receipt says 1,100.",
    )
    asked = {"variance_id": variance.pk}
    approve = [
        by(scene, name, approve_variance, today=today, **asked) for name in ("cfo", "second_cfo")
    ]
    reject = by(scene, "cfo", reject_variance, reason="No.", **asked)
    assert tally(at_once([*approve * 9, reject, reject])) == {
        "done": 1,
        "409 illegal_transition": CROWD - 1,
    }
    booked = JournalEntry.objects.filter(variance__isnull=False).count()
    assert scene.balances().balance == scene.opening - 1000 - 100 * booked
    assert_books_hold()


def test_of_two_variances_recorded_at_once_one_stands(scene: Scene) -> None:
    payment = scene.payment(1000)
    execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    record = by(
        scene,
        "reconciler",
        record_variance,
        payment_id=payment.pk,
        original_amount="1000.00",
        adjusted_amount="900.00",
        reason="The receipt says 900.",
    )
    said = tally(at_once([record] * CROWD))
    assert said.pop("done") == 1
    assert set(said) == {"409 variance_pending"}


def test_a_payment_is_reconciled_once(scene: Scene) -> None:
    payment = scene.payment(1000)
    execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    reconcile = by(scene, "reconciler", reconcile_payment, payment_id=payment.pk)
    said = tally(at_once([reconcile] * CROWD))
    assert said == {"done": 1, "409 illegal_transition": CROWD - 1}
