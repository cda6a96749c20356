"""The audit trail: who did what, when, from where, before and after."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from ledger import audit
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.models import AuditEvent
from ledger.refusals import Conflict
from tests.ledger.factories import CompanyFactory, UserFactory

pytestmark = pytest.mark.django_db
SUBJECT = "treasury.payment:1"


def record(action: str, **facts: object) -> None:
    audit.record(actor=Actor.system("test"), action=action, subject=SUBJECT, **facts)  # type: ignore[arg-type]


def test_an_event_keeps_what_changed() -> None:
    record("payment.edit", before={"amount": "1.00"}, after={"amount": "2.00"})
    event = AuditEvent.objects.get()
    assert (event.before, event.after) == ({"amount": "1.00"}, {"amount": "2.00"})
    assert (event.outcome, event.code) == ("done", "")


def test_an_event_keeps_who_did_it_from_where() -> None:
    person = UserFactory.create(username="akinyi")
    actor = Actor.of(person, ip_address="2001:db8::1", user_agent="Firefox", request_id="r")
    audit.record(actor=actor, action="a", subject=SUBJECT)
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name, event.ip_address) == (person, "akinyi", "2001:db8::1")
    assert (event.user_agent, event.request_id) == ("Firefox", "r")


def test_a_job_is_named_without_a_person() -> None:
    record("a")
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name) == (None, "system: test")


def test_an_event_is_stamped_by_the_databases_clock() -> None:
    before = database_now()
    record("a")
    assert before <= AuditEvent.objects.get().at <= before + timedelta(seconds=10)


def test_what_a_browser_says_about_itself_is_cut_to_fit() -> None:
    actor = Actor.of(UserFactory.create(), user_agent="x" * 999, request_id="y" * 99)
    audit.record(actor=actor, action="a", subject=SUBJECT)
    event = AuditEvent.objects.get()
    assert (len(event.user_agent), len(event.request_id)) == (255, 64)


def test_the_history_of_a_subject_is_told_in_order() -> None:
    for action in ("first", "second", "third"):
        record(action)
    audit.record(actor=Actor.system("test"), action="other", subject="treasury.payment:2")
    assert [event.action for event in audit.history_of(SUBJECT)] == ["first", "second", "third"]


def test_the_company_of_a_subject_is_known_from_its_events() -> None:
    company = CompanyFactory.create()
    record("first")
    record("second", company_id=company.pk)
    assert audit.company_of(SUBJECT) == company.pk
    assert audit.company_of(f"treasury.payment:{uuid4()}") is None


def test_a_refusal_keeps_its_reason() -> None:
    refusal = Conflict("Not in this state.", code="illegal_transition")
    audit.record_refusal(actor=Actor.system("t"), action="a", subject=SUBJECT, refusal=refusal)
    event = AuditEvent.objects.get()
    assert (event.outcome, event.code) == ("refused", "illegal_transition")
    assert event.detail == "Not in this state."


@pytest.mark.parametrize(("outcome", "code"), [("refused", ""), ("done", "conflict")])
def test_a_refusal_has_a_reason_and_nothing_else_has(outcome: str, code: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.create(
            at=database_now(), actor_name="x", action="a", subject="s", outcome=outcome, code=code
        )
