"""What moved against the books: proposed by one person, confirmed on the approvals page by another."""

import pytest

from tests.admin.office import Office, attempt_of, make_office, signed_in
from tests.pages.conftest import decide, shown
from tests.treasury import factories
from tests.treasury.factories import acting, today
from treasury.models import Incident
from treasury.services.batches import create_batch
from treasury.services.reversals import reverse_payment
from treasury.worklist.queue import find, page_of_queue


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def test_a_return_waits_for_the_cfo_and_is_confirmed_there(office: Office) -> None:
    payment = office.paid()
    reverse_payment(
        actor=acting(office.reconciler),
        payment_id=payment.pk,
        evidence="Paid in again.",
        today=today,
    )
    item = page_of_queue(office.cfo).items[0]
    assert (item.key, item.locked) == (f"return:{payment.pk}", "")
    page = shown(signed_in(office.cfo), f"/approvals/?item={item.key}")
    assert "Confirm that it came back" in page
    decide(office.cfo, "return", payment, "resolve", text="Slip 17 seen.")
    payment.refresh_from_db()
    assert payment.status == "reversed"
    assert page_of_queue(office.cfo).items == []


def test_who_proposed_a_return_does_not_confirm_it(office: Office) -> None:
    payment = office.paid()
    reverse_payment(
        actor=acting(office.cfo), payment_id=payment.pk, evidence="Paid in again.", today=today
    )
    item = page_of_queue(office.cfo).items[0]
    assert "a second person confirms" in item.locked
    decide(office.cfo, "return", payment, "resolve", text="Yes.")
    payment.refresh_from_db()
    assert payment.status == "success"


def test_a_late_success_waits_until_it_is_cleared(office: Office) -> None:
    provider = factories.make_provider(office.company)
    payment = office.pending(method="mpesa", destination="0712345678")
    attempt = attempt_of(payment, provider, office.treasurer)
    Incident.objects.create(
        payment=payment, attempt=attempt, kind=Incident.Kind.LATE_SUCCESS, detail="Paid after all"
    )
    item = page_of_queue(office.cfo).items[0]
    assert item.key == f"late:{payment.pk}"
    page = shown(signed_in(office.cfo), f"/approvals/?item={item.key}")
    assert "recognised as spent" in page


def test_a_batch_waits_for_the_cfo_and_is_approved_as_it_was_looked_at(office: Office) -> None:
    rows = [office.approved(payee_name=f"Payee {n}").pk for n in range(2)]
    draft = create_batch(actor=acting(office.treasurer), name="Monday", requisitions=rows)
    batch = draft.batch
    assert batch is not None
    item = find(office.cfo, "batch", batch.pk)
    assert item is not None
    page = shown(signed_in(office.cfo), f"/approvals/?item={item.key}")
    assert batch.set_hash in page
    assert "Comment or reason" in page
    for kind, can_tick in (("batch", False), ("requisition", True)):
        office.request()
        listed = shown(signed_in(office.cfo), f"/approvals/?kind={kind}")
        assert ("Approve the ticked" in listed) is can_tick
    decide(office.cfo, "batch", batch, "approve", set_hash="0" * 64)
    batch.refresh_from_db()
    assert batch.status == "submitted"
    decide(office.cfo, "batch", batch, "approve", set_hash=batch.set_hash)
    batch.refresh_from_db()
    assert batch.status == "approved"
