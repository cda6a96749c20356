"""A delegate approves a batch for a colleague; the two stay one person."""

from typing import Any

import pytest

from ledger.models import AuditEvent, Membership, User
from ledger.refusals import RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.treasury.desk import Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting
from tests.treasury.test_batch_attacks import uploaded
from tests.treasury.test_delegations import LARGE, delegate
from treasury import duties
from treasury.awaiting import (
    batches_awaiting,
)
from treasury.models import Batch, RequisitionApproval
from treasury.services.batch_approval import approve_batch
from treasury.services.batches import create_batch
from treasury.services.delegations import end_delegation

TWO = (
    "payee_name,method,destination,amount,purpose\n"
    f"Amina Traders,cash,Front desk,{LARGE},Paper\n"
    "Juma Stores,cash,Gate,250,Brooms\n"
)


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture
def colleague(desk: Desk) -> User:
    """Somebody who works for the company and may approve nothing himself."""
    return rival_of(desk, Role.AUDITOR)


def approve(user: User, batch: Batch) -> Batch:
    return approve_batch(actor=acting(user), batch_id=batch.pk)


def test_a_delegate_approves_in_his_own_name_for_the_delegator(desk: Desk, colleague: User) -> None:
    batch = uploaded(desk)
    assert not batches_awaiting(colleague).exists()
    with pytest.raises(RoleRequired):
        approve(colleague, batch)
    delegation = delegate(desk, desk.cfo, colleague)
    assert batches_awaiting(colleague).get() == batch
    assert approve(colleague, batch).status == "approved"
    given = batch.all_approvals.get()
    assert (given.approver, given.on_behalf_of, given.delegation) == (
        colleague, desk.cfo, delegation,
    )  # fmt: skip
    # What the batch raised is approved by the same two, for the payments' own rules.
    carried = RequisitionApproval.objects.values_list("approver", "on_behalf_of", "role")
    assert set(carried) == {(colleague.pk, desk.cfo.pk, "cfo")}
    event = AuditEvent.objects.exclude(outcome="refused").get(action="batch.approve")
    assert (event.after or {})["on_behalf_of"] == str(desk.cfo.pk)


def test_the_two_are_never_both_approvals(desk: Desk, colleague: User) -> None:
    batch = uploaded(desk, TWO)
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.APPROVER)
    delegate(desk, desk.cfo, colleague)
    assert approve(colleague, batch).status == "submitted"
    with pytest.raises(SegregationOfDuties):
        approve(desk.cfo, batch)
    assert not batches_awaiting(desk.cfo).exists()
    assert approve(desk.approver, batch).status == "approved"


def test_an_earlier_approval_stays_good_when_its_delegation_ends(
    desk: Desk, colleague: User
) -> None:
    batch = uploaded(desk, TWO)
    delegation = delegate(desk, desk.cfo, colleague)
    assert approve(colleague, batch).status == "submitted"
    end_delegation(actor=acting(desk.cfo), delegation_id=delegation.pk)
    assert approve(desk.approver, batch).status == "approved"
    assert RequisitionApproval.objects.filter(on_behalf_of=desk.cfo).count() == 2


def test_nobody_approves_for_whoever_made_it_or_asked_for_a_part(
    desk: Desk, colleague: User
) -> None:
    Membership.objects.create(user=desk.requester, company=desk.company, role=Role.CFO)
    delegate(desk, desk.requester, colleague)
    with pytest.raises(SegregationOfDuties):
        approve(colleague, uploaded(desk))
    part = desk.approved()
    made = create_batch(actor=acting(desk.treasurer), requisitions=[part.pk]).batch
    with pytest.raises(SegregationOfDuties):
        approve(colleague, made)
    assert not batches_awaiting(colleague).exists()


def test_whoever_had_it_approved_in_his_name_does_not_execute_it(
    desk: Desk, colleague: User
) -> None:
    Membership.objects.create(user=desk.cfo, company=desk.company, role=Role.TREASURER)
    delegate(desk, desk.cfo, colleague)
    batch = approve(colleague, uploaded(desk))
    with pytest.raises(SegregationOfDuties):
        duties.may_execute_batch(acting(desk.cfo), batch)
    refused_by(
        "in the name of its executor",
        "UPDATE treasury_batch SET executor_id = %s WHERE batch_id = %s",
        desk.cfo.pk,
        batch.pk,
    )


INSERT = (
    "INSERT INTO treasury_batchapproval (id, batch_id, set_hash, maker_id, approver_id, role,"
    " comment, on_behalf_of_id, delegation_id)"
    " SELECT gen_random_uuid(), batch_id, set_hash, created_by_id, %s, 'cfo', '', %s, %s"
    " FROM treasury_batch"
)


def test_the_database_asks_for_the_delegation_and_for_two_persons(
    desk: Desk, colleague: User
) -> None:
    batch = uploaded(desk, TWO)
    delegation = delegate(desk, desk.cfo, colleague)

    def insert(*people: Any) -> tuple[Any, ...]:
        return tuple(getattr(one, "pk", one) for one in people)

    other = rival_of(desk, Role.AUDITOR)
    for words, people in (
        ("does not hold", insert(other, desk.cfo, delegation)),
        ("does not hold", insert(colleague, desk.approver, delegation)),
        ("does not hold", insert(desk.cfo, desk.cfo, delegation)),
        ("treasury_batchapproval_delegated_whole", insert(colleague, None, delegation)),
    ):
        refused_by(words, INSERT, *people)
    approve(colleague, batch)
    refused_by("are not two", INSERT, desk.cfo.pk, None, None)
    end_delegation(actor=acting(desk.cfo), delegation_id=delegation.pk)
    refused_by("does not hold", INSERT, *insert(other, desk.cfo, delegation))
