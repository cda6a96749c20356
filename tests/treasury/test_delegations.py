"""Delegations: approving for a colleague, who stays one person with his delegate."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ledger.clock import today
from ledger.models import AuditEvent, Company, Membership, User
from ledger.refusals import InvalidInput, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.treasury import factories
from tests.treasury.desk import Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting
from treasury.authority import active_delegations
from treasury.awaiting import (
    replenishments_awaiting,
    requisitions_awaiting,
    variances_awaiting,
)
from treasury.models import Delegation, Payment
from treasury.services.approving import AlreadyApproved
from treasury.services.codes import send_otp
from treasury.services.delegations import DelegationEnded, create_delegation, end_delegation
from treasury.services.payments import create_payment
from treasury.services.replenishment import approve_replenishment, fund_replenishment, replenish
from treasury.services.requisitions import approve_requisition, reject_requisition
from treasury.services.variances import approve_variance

DAY = timedelta(days=1)
LARGE = "60000.00"


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture
def colleague(desk: Desk) -> User:
    """Somebody who works for the company and may approve nothing himself."""
    return rival_of(desk, Role.AUDITOR)


def delegate(
    desk: Desk, by: User, to: User, role: Role = Role.CFO, *, start: int = 0, days: int = 3
) -> Delegation:
    first = today(desk.company) + start * DAY
    return create_delegation(
        actor=acting(by),
        company_id=desk.company.pk,
        role=role,
        delegate_id=to.pk,
        from_on=first,
        until_on=first + (days - 1) * DAY,
        reason="On leave",
        today=today,
    )


def test_a_delegate_approves_in_his_own_name_for_the_delegator(desk: Desk, colleague: User) -> None:
    delegation = delegate(desk, desk.cfo, colleague)
    requisition = approve_requisition(
        actor=acting(colleague), requisition_id=desk.request().pk, comment="Fine."
    )
    given = requisition.all_approvals.get()
    assert (given.approver, given.on_behalf_of, given.role) == (colleague, desk.cfo, "cfo")
    assert given.delegation == delegation
    event = AuditEvent.objects.get(action="requisition.approve")
    assert event.actor == colleague
    assert (event.after or {})["on_behalf_of"] == str(desk.cfo.pk)


def test_who_has_no_delegation_approves_nothing(desk: Desk, colleague: User) -> None:
    with pytest.raises(RoleRequired):
        approve_requisition(actor=acting(colleague), requisition_id=desk.request().pk)


def lasting(desk: Desk, to: User, start: int, end: int, by: User | None = None) -> Delegation:
    """A delegation by the CFO whose first and last day are so many days from today, past ones too."""
    now = today(desk.company)
    return Delegation.objects.create(
        company=desk.company,
        role=Role.CFO,
        delegator=by or desk.cfo,
        delegate=to,
        from_on=now + start * DAY,
        until_on=now + end * DAY,
        reason="On leave",
    )


@pytest.mark.parametrize(
    ("start", "end", "holds"), [(0, 0, True), (-3, 0, True), (1, 2, False), (-3, -1, False)]
)
def test_a_delegation_begins_and_ends_by_itself(
    desk: Desk, colleague: User, start: int, end: int, holds: bool
) -> None:
    lasting(desk, colleague, start, end)
    assert active_delegations(colleague).exists() is holds
    waiting = desk.request()
    assert requisitions_awaiting(colleague).filter(pk=waiting.pk).exists() is holds


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_its_days_are_the_company_s(desk: Desk, colleague: User, zone: str) -> None:
    Company.objects.filter(pk=desk.company.pk).update(time_zone=zone)
    desk.company.refresh_from_db()
    lasting(desk, colleague, 0, 0)
    assert active_delegations(colleague).exists()


def test_it_may_be_ended_early_and_stays_ended(desk: Desk, colleague: User) -> None:
    delegation = delegate(desk, desk.cfo, colleague)
    end_delegation(actor=acting(colleague), delegation_id=delegation.pk)
    assert not active_delegations(colleague).exists()
    with pytest.raises(DelegationEnded):
        end_delegation(actor=acting(desk.cfo), delegation_id=delegation.pk)
    refused_by(
        "may not be changed|append-only|refuse",
        "UPDATE treasury_delegation SET ended_at = NULL, ended_by_id = NULL",
    )


def test_a_stranger_may_not_end_it(desk: Desk, colleague: User) -> None:
    delegation = delegate(desk, desk.cfo, colleague)
    with pytest.raises(RoleRequired):
        end_delegation(actor=acting(desk.treasurer), delegation_id=delegation.pk)


def test_it_ends_when_the_delegator_loses_his_role(desk: Desk, colleague: User) -> None:
    delegate(desk, desk.cfo, colleague)
    Membership.objects.filter(user=desk.cfo).delete()
    with pytest.raises(RoleRequired):
        approve_requisition(actor=acting(colleague), requisition_id=desk.request().pk)


# --- Segregation ----------------------------------------------------------------------------------------


def test_he_may_not_approve_what_he_asked_for_himself(desk: Desk) -> None:
    delegate(desk, desk.cfo, desk.requester)
    with pytest.raises(SegregationOfDuties):
        approve_requisition(actor=acting(desk.requester), requisition_id=desk.request().pk)


def test_he_may_not_approve_what_the_delegator_asked_for(desk: Desk, colleague: User) -> None:
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.REQUESTER)
    delegate(desk, desk.cfo, colleague)
    requisition = replace(desk, requester=desk.cfo).request()
    assert not requisitions_awaiting(colleague).exists()
    for decide in (
        lambda: approve_requisition(actor=acting(colleague), requisition_id=requisition.pk),
        lambda: reject_requisition(
            actor=acting(colleague), requisition_id=requisition.pk, reason="No."
        ),
    ):
        with pytest.raises(SegregationOfDuties):
            decide()


def test_two_approvals_never_come_from_a_person_and_his_delegate(desk: Desk) -> None:
    """The approver holds the CFO's delegation: whatever he does in either part, a third is needed."""
    delegate(desk, desk.cfo, desk.approver)
    first = desk.request(amount=LARGE)
    approve_requisition(actor=acting(desk.approver), requisition_id=first.pk)
    with pytest.raises(AlreadyApproved):
        approve_requisition(actor=acting(desk.approver), requisition_id=first.pk)
    assert approve_requisition(actor=acting(desk.cfo), requisition_id=first.pk).status == "approved"


@pytest.mark.parametrize("delegate_first", [True, False])
def test_x_and_his_delegate_acting_for_x_are_one(desk: Desk, delegate_first: bool) -> None:
    """X is approver and CFO; his delegate and he may not give both approvals of one requisition."""
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.APPROVER)
    colleague = rival_of(desk, Role.AUDITOR)
    delegate(desk, desk.cfo, colleague, Role.APPROVER)
    requisition = desk.request(amount=LARGE)
    order = [colleague, desk.cfo] if delegate_first else [desk.cfo, colleague]
    approve_requisition(actor=acting(order[0]), requisition_id=requisition.pk)
    assert not requisitions_awaiting(order[1]).exists()
    with pytest.raises(SegregationOfDuties):
        approve_requisition(actor=acting(order[1]), requisition_id=requisition.pk)
    other = rival_of(desk, Role.APPROVER, Role.CFO)
    done = approve_requisition(actor=acting(other), requisition_id=requisition.pk)
    assert done.status == "approved"


def test_the_delegator_does_not_execute_what_was_approved_for_him(desk: Desk) -> None:
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.TREASURER)
    colleague = rival_of(desk, Role.AUDITOR)
    delegate(desk, desk.cfo, colleague)
    requisition = approve_requisition(actor=acting(colleague), requisition_id=desk.request().pk)
    payment = create_payment(actor=acting(desk.treasurer), requisition_id=requisition.pk)
    with pytest.raises(SegregationOfDuties):
        send_otp(actor=acting(desk.cfo), payment_id=payment.pk)
    refused_by(
        "in the name of its executor",
        "UPDATE treasury_payment SET executor_id = %s WHERE payment_id = %s",
        desk.cfo.pk,
        payment.pk,
    )


def test_a_policy_that_becomes_stricter_is_asked_about_the_delegator_when_money_leaves(
    desk: Desk, colleague: User
) -> None:
    """He became the executor while that was allowed; only the status changes after it."""
    policy = Company.objects.filter(pk=desk.company.pk)
    policy.update(separate_executor=False)
    delegate(desk, desk.cfo, colleague)
    requisition = approve_requisition(actor=acting(colleague), requisition_id=desk.request().pk)
    payment = create_payment(actor=acting(desk.treasurer), requisition_id=requisition.pk)
    Payment.objects.filter(pk=payment.pk).update(executor=desk.cfo)
    policy.update(separate_executor=True)
    refused_by(
        "in the name of its executor",
        "UPDATE treasury_payment SET status = 'executing' WHERE payment_id = %s",
        payment.pk,
    )


def test_a_variance_is_approved_for_a_cfo_who_did_not_record_it(
    desk: Desk, colleague: User
) -> None:
    delegate(desk, desk.cfo, colleague)
    variance = desk.variance(desk.paid(), "900.00")
    assert variances_awaiting(colleague).get() == variance
    done = approve_variance(actor=acting(colleague), variance_id=variance.pk, today=factories.today)
    assert (done.approved_by, done.approved_for) == (colleague, desk.cfo)


def test_a_variance_that_the_delegator_recorded_is_not_for_his_delegate(
    desk: Desk, colleague: User
) -> None:
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.TREASURER)
    delegate(desk, desk.cfo, colleague)
    paid = desk.paid()
    variance = replace(desk, treasurer=desk.cfo).variance(paid, "900.00")
    assert not variances_awaiting(colleague).exists()
    with pytest.raises(SegregationOfDuties):
        approve_variance(actor=acting(colleague), variance_id=variance.pk, today=factories.today)


def test_the_delegator_does_not_fund_what_was_approved_for_him(desk: Desk) -> None:
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.TREASURER)
    colleague = rival_of(desk, Role.AUDITOR)
    delegate(desk, desk.cfo, colleague)
    request = replenish(
        actor=acting(desk.treasurer), fund_id=desk.fund.pk, amount="10", reason="Low"
    )
    assert replenishments_awaiting(colleague).get() == request
    approve_replenishment(actor=acting(colleague), replenishment_id=request.pk)
    assert not replenishments_awaiting(desk.cfo).exists()
    with pytest.raises(SegregationOfDuties):
        fund_replenishment(
            actor=acting(desk.cfo), replenishment_id=request.pk, today=factories.today
        )


# --- What cannot be made ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from_on": -1}, "from_on"),
        ({"until_on": -1}, "until_on"),
        ({"until_on": 92}, "until_on"),
        ({"role": "treasurer"}, "role"),
        ({"reason": "  "}, "reason"),
        ({"delegate": "self"}, "delegate"),
        ({"delegate": "stranger"}, "delegate"),
    ],
)
def test_a_delegation_that_makes_no_sense_is_refused(
    desk: Desk, colleague: User, change: dict[str, Any], field: str
) -> None:
    stranger = factories.person(factories.make_company(), Role.CFO)
    people = {"self": desk.cfo.pk, "stranger": stranger.pk}
    now: date = today(desk.company)
    wanted = {
        "company_id": desk.company.pk,
        "role": change.get("role", "cfo"),
        "delegate_id": people.get(change.get("delegate", ""), colleague.pk),
        "from_on": now + change.get("from_on", 0) * DAY,
        "until_on": now + change.get("until_on", 2) * DAY,
        "reason": change.get("reason", "Leave"),
        "today": today,
    }
    with pytest.raises(InvalidInput) as refused:
        create_delegation(actor=acting(desk.cfo), **wanted)
    assert list(refused.value.errors) == [field]
    assert not Delegation.objects.exists()


def test_what_is_delegated_is_not_handed_on(desk: Desk, colleague: User) -> None:
    delegate(desk, desk.cfo, colleague)
    with pytest.raises(RoleRequired):
        delegate(desk, colleague, desk.auditor)


# --- The database says the same --------------------------------------------------------------------------

INSERT = (
    "INSERT INTO treasury_requisitionapproval"
    " (id, requisition_id, version, requester_id, approver_id, role, comment, on_behalf_of_id,"
    " delegation_id, approved_at)"
    " VALUES (gen_random_uuid(), %s, 1, %s, %s, 'cfo', '', %s, %s, ledger_clock())"
)


def test_no_approval_is_written_for_the_requester(desk: Desk, colleague: User) -> None:
    Membership.objects.create(user=desk.requester, company=desk.company, role=Role.CFO)
    delegation = lasting(desk, colleague, 0, 1, by=desk.requester)
    requisition = desk.request()
    people = (desk.requester.pk, colleague.pk, desk.requester.pk)
    refused_by(
        "treasury_approval_not_for_requester", INSERT, requisition.pk, *people, delegation.pk
    )


@pytest.mark.parametrize(("start", "end"), [(1, 2), (-3, -1)])
def test_no_approval_is_written_under_a_delegation_that_does_not_hold(
    desk: Desk, colleague: User, start: int, end: int
) -> None:
    delegation = lasting(desk, colleague, start, end)
    people = (desk.requester.pk, colleague.pk, desk.cfo.pk)
    refused_by("does not hold", INSERT, desk.request().pk, *people, delegation.pk)


def test_no_approval_is_written_under_somebody_else_s_delegation(
    desk: Desk, colleague: User
) -> None:
    delegation = lasting(desk, colleague, 0, 1)
    people = (desk.requester.pk, desk.auditor.pk, desk.cfo.pk)
    refused_by("does not hold", INSERT, desk.request().pk, *people, delegation.pk)


def test_no_approval_is_written_for_somebody_without_a_delegation(
    desk: Desk, colleague: User
) -> None:
    people = (desk.requester.pk, colleague.pk, desk.cfo.pk)
    refused_by("delegation", INSERT, desk.request().pk, *people, None)


def test_a_person_and_his_delegate_are_not_two_to_the_database(desk: Desk, colleague: User) -> None:
    delegation = lasting(desk, colleague, 0, 1)
    requisition = desk.request(amount=LARGE)
    approve_requisition(actor=acting(desk.cfo), requisition_id=requisition.pk)
    people = (desk.requester.pk, colleague.pk, desk.cfo.pk)
    refused_by("are not two", INSERT, requisition.pk, *people, delegation.pk)


def test_no_variance_is_approved_for_somebody_without_his_delegation(
    desk: Desk, colleague: User
) -> None:
    variance = desk.variance(desk.paid(), "900.00")
    delegation = lasting(desk, colleague, -3, -1)
    refused_by(
        "does not hold",
        "UPDATE treasury_varianceadjustment SET approved_by_id = %s, approved_for_id = %s,"
        " delegation_id = %s WHERE variance_id = %s",
        colleague.pk,
        desk.cfo.pk,
        delegation.pk,
        variance.pk,
    )


def test_its_dates_and_people_never_change(desk: Desk, colleague: User) -> None:
    delegate(desk, desk.cfo, colleague)
    for change in ("until_on = until_on + 1", "delegate_id = delegator_id", "role = 'approver'"):
        refused_by(".", f"UPDATE treasury_delegation SET {change}")
    refused_by(".", "DELETE FROM treasury_delegation")
