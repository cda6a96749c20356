"""Steps: asked for by GET, done by POST, refused with a reason, one outcome for each row."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import Model
from django.test import Client

from ledger.admin.cells import page_of
from ledger.admin.steps import Step
from ledger.models import AuditEvent, Membership
from tests.admin.office import (
    Office,
    do,
    list_url,
    outcomes_of,
    seen_admins,
    signed_in,
    step_url,
    text_of,
)
from treasury.models import Payment, Requisition
from treasury.services.requisitions import approve_requisition


def steps() -> list[tuple[type[Model], Step]]:
    return [(model, step) for model, held in seen_admins().items() for step in held.steps]


def everything_as_it_is() -> Mapping[str, Any]:
    """What any step at all would change."""
    return {
        "events": AuditEvent.objects.count(),
        "payments": list(Payment.objects.order_by("pk").values()),
        "requisitions": list(Requisition.objects.order_by("pk").values()),
        "memberships": Membership.objects.count(),
    }


def test_asking_for_a_step_changes_nothing(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    client = signed_in(office.administrator)
    before = everything_as_it_is()
    for model, step in steps():
        row = everything[model]
        url, data = step_url(row, step.name), {"id": str(row.pk), "otp": "123456"}
        assert client.get(url, data).status_code == 200, (model, step.name)
        assert client.head(url, data).status_code == 200, (model, step.name)
        assert everything_as_it_is() == before, (model, step.name)


def test_a_step_is_not_done_without_the_page_s_token(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.administrator)
    before = everything_as_it_is()
    for model, step in steps():
        row = everything[model]
        answer = client.post(step_url(row, step.name), {"id": str(row.pk), "reason": "x"})
        assert answer.status_code == 403, (model, step.name)
        assert everything_as_it_is() == before, (model, step.name)


def test_choosing_an_action_in_a_list_only_asks(office: Office) -> None:
    first, second = office.request(), office.request(payee_name="Baraka")
    before = everything_as_it_is()
    answer = signed_in(office.approver).post(
        list_url(Requisition),
        {"action": "approve", "_selected_action": [str(first.pk), str(second.pk)]},
        follow=True,
    )
    assert answer.request["QUERY_STRING"].count("id=") == 2
    assert "Approve 2" in text_of(answer)
    assert everything_as_it_is() == before


def test_an_action_in_a_list_s_address_does_nothing(office: Office) -> None:
    row = office.request()
    client = signed_in(office.approver)
    before = everything_as_it_is()
    client.get(list_url(Requisition), {"action": "approve", "_selected_action": str(row.pk)})
    assert everything_as_it_is() == before


def test_a_step_without_rows_is_not_found(office: Office) -> None:
    row = office.request()
    client = signed_in(office.approver)
    for data in ({}, {"id": "nonsense"}, {"id": "00000000-0000-0000-0000-000000000000"}):
        assert client.post(step_url(row, "approve"), data).status_code == 404


def test_an_unknown_step_is_not_found(office: Office) -> None:
    row = office.request()
    url = step_url(row, "abolish")
    assert signed_in(office.administrator).post(url, {"id": str(row.pk)}).status_code == 404


def test_one_unknown_row_stops_a_step_before_it_begins(
    office: Office, other_office: Office
) -> None:
    mine, theirs = office.request(), other_office.request()
    assert do(office.approver, "approve", mine, theirs).status_code == 404
    mine.refresh_from_db()
    assert mine.status == "submitted"


def test_each_row_has_its_own_outcome(office: Office) -> None:
    good, decided, large = office.request(), office.approved(), office.request(amount="60000.00")
    page = outcomes_of(office.approver, "approve", good, decided, large, comment="Fine.")
    assert "2 of 3 done" in page
    assert "A requisition that is approved cannot become approved." in page
    statuses = [Requisition.objects.get(pk=row.pk).status for row in (good, decided, large)]
    assert statuses == ["approved", "approved", "submitted"]


def test_the_outcomes_of_many_can_be_looked_at_again(office: Office) -> None:
    rows = [office.request(), office.request()]
    client = signed_in(office.approver)
    url = step_url(rows[0], "approve")
    page = client.post(url, {"id": [str(row.pk) for row in rows]}).headers["Location"]
    before = everything_as_it_is()
    assert [text_of(client.get(page)).count("b-good") for _ in range(2)] == [2, 2]
    assert client.post(page).status_code == 200
    assert everything_as_it_is() == before
    others = step_url(rows[0], "reject") + page.removeprefix(url)
    for browser, asked in ((client, others), (signed_in(office.approver), page)):
        answer = browser.get(asked, follow=True)
        assert answer.redirect_chain[-1][0] == list_url(Requisition)
        assert "not shown any more" in text_of(answer)


def test_a_refusal_is_shown_where_it_was_asked_for(office: Office) -> None:
    row = office.approved()
    answer = do(office.approver, "reject", row, reason="Too late")
    assert answer.status_code == 409
    assert "A requisition that is approved cannot become rejected." in text_of(answer)
    assert "This was not done." in text_of(answer)


def test_a_refusal_of_a_field_stands_beside_the_field(office: Office) -> None:
    row = office.paid()
    answer = do(
        office.treasurer,
        "record-variance",
        row,
        original_amount="1000.00",
        adjusted_amount="9e9",
        reason="Typing",
    )
    assert answer.status_code == 400
    assert "An amount is written with digits" in text_of(answer)


def test_what_is_missing_is_said_before_anything_is_tried(office: Office) -> None:
    row = office.request()
    events = AuditEvent.objects.count()
    answer = do(office.approver, "reject", row, reason="")
    assert answer.status_code == 400
    assert "This field is required." in text_of(answer)
    assert AuditEvent.objects.count() == events


def test_a_refused_attempt_is_audited_with_who_and_from_where(office: Office) -> None:
    row = office.request()
    do(office.requester, "approve", row)
    event = AuditEvent.objects.get(subject=f"treasury.requisition:{row.pk}", outcome="refused")
    assert (event.actor, event.action) == (office.requester, "requisition.approve")
    assert (event.ip_address, event.user_agent) == ("192.0.2.44", "a browser")
    assert event.company_id == office.company.pk


def test_a_row_s_page_offers_what_its_state_and_the_person_s_role_allow(office: Office) -> None:
    row = office.request()
    pages = {
        name: text_of(signed_in(office.person(name)).get(page_of(row)))
        for name in ("approver", "requester", "treasurer", "auditor")
    }
    for name, offered in {
        "approver": {"approve", "reject"},
        "requester": {"edit", "cancel", "attach"},
        "treasurer": set(),
        "auditor": set(),
    }.items():
        for step in ("approve", "reject", "edit", "cancel", "attach", "pay"):
            assert (f"{step_url(row, step)}?id=" in pages[name]) == (step in offered), (name, step)


def test_whoever_must_not_decide_sees_why(office: Office) -> None:
    Membership.objects.create(user=office.requester, company=office.company, role="approver")
    row = office.request()
    page = text_of(signed_in(office.requester).get(page_of(row)))
    assert "Whoever requested this may not approve it." in page
    assert f"{step_url(row, 'approve')}?id=" not in page


def test_too_many_rows_at_once_are_declined(office: Office) -> None:
    row = office.request()
    ids = [str(row.pk), *(f"00000000-0000-0000-0000-{n:012}" for n in range(100))]
    assert signed_in(office.approver).post(step_url(row, "approve"), {"id": ids}).status_code == 404


def test_a_failure_of_one_row_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = office.request(), office.request()

    def broken(**given: Any) -> Requisition:
        if given["requisition_id"] == first.pk:
            raise DatabaseError("connection lost")
        return approve_requisition(**given)

    monkeypatch.setattr("treasury.admin.requisition_steps.approve_requisition", broken)
    page = outcomes_of(office.approver, "approve", first, second)
    assert "1 of 2 done" in page
    assert "nothing was changed" in page
    assert Requisition.objects.get(pk=second.pk).status == "approved"
