"""The pages of approving many at once: each form is answered by a redirect, and nothing is done by reloading."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from ledger.clock import DatabaseClock
from ledger.models import AuditEvent
from ledger.results import MOST_KEPT, RESULTS
from tests.admin.office import Office, signed_in
from tests.pages.conftest import SendCode, shown
from tests.treasury.factories import acting
from treasury.decision_set import Member
from treasury.models import DecisionCode, Requisition
from treasury.services.decisions import Result
from treasury.services.requisitions import approve_requisition

MANY = "/approvals/many/"
AMINA = Member("requisition", uuid4(), 1, Decimal(1000), "KES", "Amina", "")


def items(*rows: Requisition) -> list[str]:
    return [f"requisition:{row.pk}" for row in rows]


def approve(client: Client, code: str, *rows: Requisition, comment: str = "") -> str:
    """Send the form with the code; returns where it leads."""
    body = {"items": items(*rows), "otp": code, "comment": comment}
    answer = client.post(f"{MANY}approve/", body)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def test_the_result_is_a_page_that_can_be_reloaded(office: Office, code_for: SendCode) -> None:
    good, decided = office.request(payee_name="Amina"), office.request(payee_name="Baraka")
    code = code_for(office.cfo, items(good, decided))
    approve_requisition(actor=acting(office.approver), requisition_id=decided.pk)
    client = signed_in(office.cfo)
    page_of_result = approve(client, code, good, decided)
    before = AuditEvent.objects.count()
    for _ in range(2):
        page = shown(client, page_of_result)
        assert "1 of 2 approved" in page
        assert "A requisition that is approved cannot become approved." in page
    assert AuditEvent.objects.count() == before


def test_a_result_is_shown_to_nobody_else(office: Office, code_for: SendCode) -> None:
    row = office.request()
    code = code_for(office.cfo, items(row))
    page_of_result = approve(signed_in(office.cfo), code, row)
    for other in (office.approver, office.cfo):  # and in no other browser
        answer = signed_in(other).get(page_of_result, follow=True)
        assert answer.redirect_chain[-1][0] == "/approvals/"
        assert "is not shown any more" in answer.content.decode()


def test_going_back_shows_how_things_stand_now(office: Office, code_for: SendCode) -> None:
    one, two = office.request(payee_name="Amina"), office.request(payee_name="Baraka")
    client = signed_in(office.cfo)
    code = code_for(office.cfo, items(one, two))
    asked = f"{MANY}?items={items(one)[0]}&items={items(two)[0]}"
    assert 'name="otp"' in shown(client, asked)
    approve_requisition(actor=acting(office.approver), requisition_id=two.pk)
    page = shown(client, asked)
    assert "Approve 1 request" in page
    assert "Decided already" in page
    assert f'value="{items(two)[0]}"' not in page
    approve(client, code, one, two)
    page = shown(client, asked)
    assert "None of these waits for you any more" in page
    assert "<button" not in page.partition("<main")[2]


def test_what_was_typed_survives_a_refusal_and_a_reload(office: Office, code_for: SendCode) -> None:
    row = office.request()
    code_for(office.cfo, items(row))
    client = signed_in(office.cfo)
    asked = approve(client, "12345", row, comment="Monday's queue.")
    assert asked.startswith(f"{MANY}?items=requisition")
    page = shown(client, asked)
    assert "Nothing was approved by this. A code has six digits." in page
    for again in (page, shown(client, asked)):
        assert "Monday&#x27;s queue." in again
        assert 'name="otp"' in again
    assert "Monday" not in shown(client, f"{MANY}?items={items(office.request())[0]}")


@pytest.mark.parametrize("change", ["used_at", "voided_at"])
def test_the_field_for_a_code_is_there_while_one_is_good(
    office: Office, code_for: SendCode, change: str
) -> None:
    row = office.request()
    code_for(office.cfo, items(row))
    client = signed_in(office.cfo)
    asked = f"{MANY}?items={items(row)[0]}"
    assert 'name="otp"' in shown(client, asked)
    DecisionCode.objects.update(**{change: DatabaseClock()})
    assert 'name="otp"' not in shown(client, asked)
    assert len(mail.outbox) == 1


def test_a_session_keeps_few_results_and_only_encrypted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(office.cfo)
    monkeypatch.setattr("treasury.pages.bulk.decide_many", lambda **_: [Result(AMINA)])
    pages = [approve(client, "123456") for _ in range(MOST_KEPT + 1)]
    kept = client.session[RESULTS]
    assert len(kept) == MOST_KEPT
    assert "Amina" not in str(kept)
    assert client.get(pages[0]).status_code == 302
    assert "Amina" in shown(client, pages[-1])
