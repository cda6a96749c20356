"""Agreeing to a requisition: who, how many, in which order; by the services and by raw SQL."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from ledger.refusals import IllegalTransition, InvalidInput, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.treasury.desk import Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting, person
from treasury.awaiting import (
    requisitions_awaiting,
)
from treasury.models import Requisition, RequisitionApproval
from treasury.services.approving import AlreadyApproved
from treasury.services.requisitions import approve_requisition, edit_requisition, reject_requisition
from treasury.tiers import APPROVER_AND_CFO, ONE, Tier, is_complete, needed_for

ABOVE = "50001.00"


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def test_one_approval_is_enough_up_to_and_including_the_tier(desk: Desk) -> None:
    made = desk.request(amount="50000.00")
    done = approve_requisition(
        actor=acting(desk.approver), requisition_id=made.pk, comment="As agreed."
    )
    assert done.status == "approved"
    assert done.approved_at is not None
    assert done.amount_left == 50_000
    approval = RequisitionApproval.objects.get()
    assert (approval.approver, approval.role, approval.comment, approval.version) == (
        desk.approver,
        "approver",
        "As agreed.",
        1,
    )


@pytest.mark.parametrize("first", ["approver", "cfo"])
def test_above_the_tier_an_approver_and_a_cfo_agree_in_either_order(desk: Desk, first: str) -> None:
    made = desk.request(amount=ABOVE)
    people = [desk.approver, desk.cfo] if first == "approver" else [desk.cfo, desk.approver]
    statuses = [
        approve_requisition(actor=acting(user), requisition_id=made.pk).status for user in people
    ]
    assert statuses == ["submitted", "approved"]


@pytest.mark.parametrize("role", [Role.APPROVER, Role.CFO])
def test_two_of_one_kind_are_not_enough_above_the_tier(desk: Desk, role: Role) -> None:
    made = desk.request(amount=ABOVE)
    approve_requisition(actor=acting(rival_of(desk, role)), requisition_id=made.pk)
    with pytest.raises(AlreadyApproved) as refused:
        approve_requisition(actor=acting(rival_of(desk, role)), requisition_id=made.pk)
    assert (refused.value.status, refused.value.code) == (409, "already_approved")
    made.refresh_from_db()
    assert made.status == "submitted"


def test_one_person_with_both_roles_is_still_one_person(desk: Desk) -> None:
    both = rival_of(desk, Role.APPROVER, Role.CFO)
    made = desk.request(amount=ABOVE)
    approve_requisition(actor=acting(both), requisition_id=made.pk)
    with pytest.raises(AlreadyApproved):
        approve_requisition(actor=acting(both), requisition_id=made.pk)


@pytest.mark.parametrize("first", ["approver", "cfo"])
def test_who_has_both_roles_gives_the_one_that_is_missing(desk: Desk, first: str) -> None:
    both = rival_of(desk, Role.APPROVER, Role.CFO)
    made = desk.request(amount=ABOVE)
    approve_requisition(actor=acting(getattr(desk, first)), requisition_id=made.pk)
    done = approve_requisition(actor=acting(both), requisition_id=made.pk)
    assert done.status == "approved"


def test_without_tiers_both_approvals_are_needed(desk: Desk) -> None:
    desk = make_desk(currency="UGX", balance=Decimal(0))
    made = desk.request(amount="10")
    first = approve_requisition(actor=acting(desk.approver), requisition_id=made.pk)
    assert first.status == "submitted"


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.TREASURER, Role.RECONCILER, Role.AUDITOR])
def test_other_roles_neither_approve_nor_reject(desk: Desk, role: Role) -> None:
    made = desk.request()
    user = rival_of(desk, role)
    with pytest.raises(RoleRequired):
        approve_requisition(actor=acting(user), requisition_id=made.pk)
    with pytest.raises(RoleRequired):
        reject_requisition(actor=acting(user), requisition_id=made.pk, reason="No.")


@pytest.mark.parametrize("as_superuser", [False, True])
def test_a_requester_neither_approves_nor_rejects_his_own(desk: Desk, as_superuser: bool) -> None:
    roles = (Role.REQUESTER, Role.APPROVER, Role.CFO)
    desk.requester = person(desk.company, *roles, is_superuser=as_superuser)
    made = desk.request()
    with pytest.raises(SegregationOfDuties):
        approve_requisition(actor=acting(desk.requester), requisition_id=made.pk)
    with pytest.raises(SegregationOfDuties):
        reject_requisition(actor=acting(desk.requester), requisition_id=made.pk, reason="")


def test_an_approval_is_for_one_version_only(desk: Desk) -> None:
    made = desk.request(amount=ABOVE)
    approve_requisition(actor=acting(desk.approver), requisition_id=made.pk)
    edit_requisition(actor=acting(desk.requester), requisition_id=made.pk, amount="60000")
    after = approve_requisition(actor=acting(desk.cfo), requisition_id=made.pk)
    assert after.status == "submitted"


def test_what_is_decided_is_not_decided_again(desk: Desk) -> None:
    approved = desk.approved()
    for user in (desk.cfo, desk.approver):
        with pytest.raises(IllegalTransition):
            approve_requisition(actor=acting(user), requisition_id=approved.pk)
        with pytest.raises(IllegalTransition):
            reject_requisition(actor=acting(user), requisition_id=approved.pk, reason="Late")


def test_a_paid_requisition_is_not_approved_again(desk: Desk) -> None:
    requisition = desk.paid().requisition
    with pytest.raises(IllegalTransition):
        approve_requisition(actor=acting(desk.cfo), requisition_id=requisition.pk)


def test_a_rejection_says_why_and_by_whom(desk: Desk) -> None:
    made = desk.request()
    rejected = reject_requisition(
        actor=acting(desk.cfo), requisition_id=made.pk, reason=" Not in the budget. "
    )
    assert (rejected.status, rejected.rejected_by) == ("rejected", desk.cfo)
    assert rejected.rejection_reason == "Not in the budget."
    assert rejected.rejected_at is not None


def test_a_rejection_without_a_reason_is_refused_on_the_field(desk: Desk) -> None:
    made = desk.request()
    with pytest.raises(InvalidInput) as refused:
        reject_requisition(actor=acting(desk.cfo), requisition_id=made.pk, reason=" ")
    assert "reason" in refused.value.errors


# --- What waits for whom --------------------------------------------------------------------------------


def awaiting(user: object) -> set[Requisition]:
    return set(requisitions_awaiting(user))  # type: ignore[arg-type]


def test_a_requisition_awaits_approvers_and_cfos_but_not_its_requester(desk: Desk) -> None:
    desk.requester = rival_of(desk, Role.REQUESTER, Role.APPROVER)
    made = desk.request()
    assert awaiting(desk.approver) == awaiting(desk.cfo) == {made}
    assert awaiting(desk.requester) == awaiting(desk.treasurer) == set()


def test_a_half_approved_requisition_awaits_the_other_role(desk: Desk) -> None:
    made = desk.request(amount=ABOVE)
    approve_requisition(actor=acting(desk.approver), requisition_id=made.pk)
    assert awaiting(desk.cfo) == {made}
    assert awaiting(desk.approver) == awaiting(rival_of(desk, Role.APPROVER)) == set()


def test_another_companys_requisition_awaits_nobody_here(desk: Desk) -> None:
    made = make_desk(name="Other").request()
    assert made not in awaiting(desk.approver)


# --- Tiers, purely --------------------------------------------------------------------------------------

TIERS = [Tier(None, APPROVER_AND_CFO), Tier(Decimal(50_000), ONE)]


@pytest.mark.parametrize(
    ("amount", "needs"), [("50000", ONE), ("50000.01", APPROVER_AND_CFO), ("0.01", ONE)]
)
def test_the_least_limit_that_covers_an_amount_decides(amount: str, needs: str) -> None:
    assert needed_for(Decimal(amount), TIERS) == needs


@given(st.decimals(min_value="0.01", max_value="1e9", places=2))
def test_an_amount_above_every_tier_needs_both(amount: Decimal) -> None:
    assert needed_for(amount, [Tier(amount - Decimal("0.01"), ONE)]) == APPROVER_AND_CFO


@given(st.lists(st.sampled_from(["approver", "cfo"]), max_size=4))
def test_two_are_complete_only_with_one_of_each(given_roles: list[str]) -> None:
    assert is_complete(APPROVER_AND_CFO, given_roles) == ({"approver", "cfo"} <= set(given_roles))


# --- By raw SQL -----------------------------------------------------------------------------------------

APPROVE = """
    INSERT INTO treasury_requisitionapproval
        (id, requisition_id, version, requester_id, approver_id, role, comment)
    VALUES (%s, %s, %s, %s, %s, 'approver', '')
"""


def test_sql_refuses_a_requester_who_approves_his_own(desk: Desk) -> None:
    made = desk.request()
    own = desk.requester.pk
    refused_by("not_by_requester", APPROVE, uuid4(), made.pk, 1, own, own)


def test_sql_refuses_an_approval_that_names_another_requester(desk: Desk) -> None:
    made = desk.request()
    other, own = desk.auditor.pk, desk.requester.pk
    refused_by("same_requester", APPROVE, uuid4(), made.pk, 1, other, own)


def test_sql_refuses_an_approval_of_another_version(desk: Desk) -> None:
    made = desk.request()
    people = desk.requester.pk, desk.approver.pk
    refused_by("version", APPROVE, uuid4(), made.pk, 2, *people)


def test_sql_refuses_a_second_approval_by_one_person(desk: Desk) -> None:
    made = desk.request(amount=ABOVE)
    approve_requisition(actor=acting(desk.approver), requisition_id=made.pk)
    people = desk.requester.pk, desk.approver.pk
    refused_by("approval_once", APPROVE, uuid4(), made.pk, 1, *people)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE treasury_requisitionapproval SET version = 2",
        "UPDATE treasury_requisitionapproval SET comment = 'x'",
        "DELETE FROM treasury_requisitionapproval",
        "TRUNCATE treasury_requisitionapproval",
    ],
)
def test_sql_refuses_to_change_approvals(desk: Desk, sql: str) -> None:
    desk.approved()
    refused_by("permission denied|kept as it was written", sql)


@pytest.mark.parametrize(
    ("assignment", "constraint"),
    [
        ("committed = 1", "kept"),
        ("status = 'paid'", "may not become"),
        ("rejected_by_id = requested_by_id, rejected_at = now()", "rejected_by_another"),
        (
            "requested_by_id = (SELECT id FROM ledger_user WHERE id <> requested_by_id LIMIT 1)",
            "kept|frozen",
        ),
        ("amount = 0", "requisition_amount"),
        ("method = 'cheque'", "requisition_method"),
        ("currency = 'UGX'", "kept|frozen"),
    ],
)
def test_sql_refuses_a_requisition_that_breaks_its_laws(
    desk: Desk, assignment: str, constraint: str
) -> None:
    desk.request()
    refused_by(constraint, f"UPDATE treasury_requisition SET {assignment}")


def test_sql_refuses_payments_of_more_than_is_approved(desk: Desk) -> None:
    payment = desk.pending()
    refused_by(
        "requisition_committed",
        "UPDATE treasury_payment SET amount = amount + 1 WHERE payment_id = %s",
        payment.pk,
    )


def test_the_orm_refuses_to_delete_or_rewrite_what_was_approved(desk: Desk) -> None:
    desk.approved()
    for act in (
        lambda: RequisitionApproval.objects.update(comment="x"),
        lambda: RequisitionApproval.objects.all().delete(),
        lambda: Requisition.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
