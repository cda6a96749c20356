"""Nobody pays alone, by whatever way through the admin he tries (reliability.md S5)."""

import pytest
from django.db.models import Model

from ledger.admin.cells import page_of
from ledger.models import AuditEvent, Membership, User
from ledger.roles import Role
from tests.admin.office import Office, do, list_url, outcomes_of, signed_in, step_url, text_of
from treasury.models import Payment, PaymentExecution

WORDS = "Whoever requested this may not execute it."


@pytest.fixture
def greedy(office: Office) -> User:
    """The requester, who has been given every role there is."""
    for role in set(Role) - {Role.REQUESTER, Role.OWNER}:
        Membership.objects.create(user=office.requester, company=office.company, role=role)
    return office.requester


@pytest.fixture(params=["with every role", "as superuser"])
def requester(request: pytest.FixtureRequest, office: Office, greedy: User) -> User:
    if request.param == "as superuser":
        greedy.is_superuser = True
        greedy.save()
    return greedy


def nothing_was_paid(*payments: Model) -> bool:
    left = {payment.status for payment in Payment.objects.filter(pk__in=[p.pk for p in payments])}
    return left == {"pending"} and not PaymentExecution.objects.exists()


def test_a_requester_cannot_execute_his_own_payment(office: Office, requester: User) -> None:
    payment = office.pending()
    answer = do(requester, "execute", payment)
    assert answer.status_code == 403
    assert WORDS in text_of(answer)
    assert nothing_was_paid(payment)


def test_a_requester_cannot_execute_his_own_payments_in_bulk(
    office: Office, requester: User
) -> None:
    payments = [office.pending(), office.pending(payee_name="Baraka")]
    page = outcomes_of(requester, "execute", *payments)
    assert "0 of 2 done" in page
    assert page.count(WORDS) == 2
    assert nothing_was_paid(*payments)


def test_a_requester_cannot_execute_from_the_list(office: Office, requester: User) -> None:
    payment = office.pending()
    client = signed_in(requester)
    data = {"action": "execute", "_selected_action": str(payment.pk)}
    client.post(list_url(Payment), data)
    client.post(list_url(Payment), {**data, "id": str(payment.pk), "select_across": "1"})
    assert nothing_was_paid(payment)


def test_a_requester_cannot_execute_by_posting_the_change_form(
    office: Office, requester: User
) -> None:
    payment = office.pending()
    data = {"status": "success", "executor": str(office.treasurer.pk), "_save": "Save"}
    assert signed_in(requester).post(page_of(payment), data).status_code == 403
    assert nothing_was_paid(payment)


def test_a_requester_gets_no_code_for_his_own_payment(office: Office, requester: User) -> None:
    payment = office.pending()
    answer = do(requester, "send-code", payment)
    assert answer.status_code == 403
    payment.refresh_from_db()
    assert payment.executor is None


def test_a_requester_who_was_a_treasurer_only_just_now_is_refused(
    office: Office, requester: User
) -> None:
    """The role is swapped between the page that asks and the one that does."""
    payment = office.pending()
    client = signed_in(requester)
    assert client.get(step_url(payment, "execute"), {"id": str(payment.pk)}).status_code == 200
    Membership.objects.filter(user=requester, role=Role.REQUESTER).delete()
    client.post(step_url(payment, "execute"), {"id": str(payment.pk)})
    assert nothing_was_paid(payment)


def test_every_refused_try_is_in_the_audit_trail(office: Office, requester: User) -> None:
    payment = office.pending()
    do(requester, "execute", payment)
    event = AuditEvent.objects.get(subject=payment.reference, outcome="refused")
    assert (event.code, event.actor) == ("segregation_of_duties", requester)


def test_an_approver_cannot_execute_what_he_approved(office: Office) -> None:
    Membership.objects.create(user=office.approver, company=office.company, role=Role.TREASURER)
    payment = office.pending()
    answer = do(office.approver, "execute", payment)
    assert (answer.status_code, nothing_was_paid(payment)) == (403, True)


def test_an_administrator_cannot_approve_what_he_asked_for(office: Office) -> None:
    office.requester.is_superuser = True
    office.requester.save()
    row = office.request()
    answer = do(office.requester, "approve", row)
    assert "Whoever requested this may not approve it." in text_of(answer)
    row.refresh_from_db()
    assert row.status == "submitted"


def test_whoever_executed_a_payment_does_not_reconcile_it(office: Office) -> None:
    Membership.objects.create(user=office.treasurer, company=office.company, role=Role.RECONCILER)
    payment = office.paid()
    answer = do(office.treasurer, "reconcile", payment, note="Looks fine")
    assert answer.status_code == 403
    payment.refresh_from_db()
    assert payment.status == "success"


def test_whoever_recorded_a_variance_does_not_approve_it(office: Office) -> None:
    Membership.objects.create(user=office.treasurer, company=office.company, role=Role.CFO)
    variance = office.variance(office.paid(), "900.00")
    assert do(office.treasurer, "approve", variance).status_code == 403
    variance.refresh_from_db()
    assert variance.status == "pending"
