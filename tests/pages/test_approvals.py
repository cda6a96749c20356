"""The approvals page: what stands in the queue, in which order, and what is decided there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger.clock import today
from ledger.models import Membership
from ledger.roles import Role
from tests.admin.office import Office, signed_in
from tests.pages.conftest import decide, shown
from tests.treasury.desk import make_desk
from tests.treasury.factories import acting
from treasury.models import Question
from treasury.pages.chips import age_of
from treasury.risk import Risk
from treasury.services.questions import mail_questions
from treasury.services.replenishment import replenish
from treasury.services.requisitions import approve_requisition
from treasury.worklist import queue
from treasury.worklist.kinds import KINDS
from treasury.worklist.queue import page_of_queue

QUEUE = "/approvals/"


def keys(office: Office, person: str = "cfo") -> list[str]:
    return [item.key for item in page_of_queue(office.person(person)).items]


def titles(office: Office) -> list[str]:
    return [item.title for item in page_of_queue(office.cfo).items]


# --- What waits -----------------------------------------------------------------------------------------


def test_everything_that_waits_stands_in_one_queue(office: Office) -> None:
    variance = office.variance(office.paid(), "900.00")
    request = replenish(
        actor=acting(office.treasurer), fund_id=office.fund.pk, amount="10", reason="Low"
    )
    requisition = office.request()
    assert set(keys(office)) == {
        f"variance:{variance.pk}",
        f"replenishment:{request.pk}",
        f"requisition:{requisition.pk}",
    }
    assert keys(office, "approver") == [f"requisition:{requisition.pk}"]
    assert keys(office, "auditor") == keys(office, "treasurer") == []


def test_what_is_risky_comes_first_and_then_what_has_waited_longest(office: Office) -> None:
    for name in ("Known Traders", "Second Traders"):
        office.approved(payee_name=name, amount="100.00")
    older = office.request(payee_name="Known Traders", amount="300.00")
    newer = office.request(payee_name="Second Traders", amount="400.00")
    first_time = office.request(payee_name="Never Seen", amount="500.00")
    elsewhere = office.request(
        payee_name="Known Traders", amount="600.00", destination="Another counter"
    )
    expected = [elsewhere, first_time, older, newer]
    assert keys(office) == [f"requisition:{row.pk}" for row in expected]
    assert [row.risk for row in expected] == [
        Risk.HIGH,
        Risk.RAISED,
        Risk.ORDINARY,
        Risk.ORDINARY,
    ]


def test_the_same_payee_and_amount_again_is_suspicious(office: Office) -> None:
    office.approved(payee_name="Twice Ltd", amount="777.00")
    again = office.request(payee_name="Twice Ltd", amount="777.00")
    assert again.risk == Risk.HIGH
    assert "Looks like a duplicate" in shown(signed_in(office.cfo), QUEUE)


def test_nothing_of_another_company_is_in_it(office: Office) -> None:
    other = make_desk()
    row = other.request()
    assert keys(office) == []
    page = shown(signed_in(office.cfo), f"{QUEUE}?item=requisition:{row.pk}")
    assert "This does not wait for you" in page
    assert decide(office.cfo, "requisition", row, "approve").status_code == 200
    row.refresh_from_db()
    assert row.status == "submitted"


def test_one_s_own_request_is_seen_and_locked(office: Office) -> None:
    Membership.objects.create(user=office.requester, company=office.company, role=Role.CFO)
    row = office.request()
    page = shown(signed_in(office.requester), f"{QUEUE}?item=requisition:{row.pk}")
    assert "You asked for this: somebody else decides." in page
    assert 'name="act"' not in page
    assert f'value="requisition:{row.pk}"' not in page
    answer = decide(office.requester, "requisition", row, "approve")
    assert "may not approve" in answer.content.decode()
    row.refresh_from_db()
    assert row.status == "submitted"


def test_the_queue_is_paged(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PAGE_SIZE", 2)
    rows = [office.request(payee_name=f"Payee {n}") for n in range(5)]
    pages = [page_of_queue(office.cfo, number=n) for n in (1, 2, 3)]
    found = [item.row.pk for page in pages for item in page.items]
    assert found == [row.pk for row in rows]
    assert [page.more for page in pages] == [True, True, False]
    assert "Page 2" in shown(signed_in(office.cfo), f"{QUEUE}?page=2")


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=9999", "kind=no", "fund=1"])
def test_what_cannot_be_read_shows_the_queue(office: Office, query: str) -> None:
    shown(signed_in(office.cfo), f"{QUEUE}?{query}")


def test_it_is_narrowed_by_kind_and_fund(office: Office) -> None:
    row = office.request(payee_name="Only One")
    client = signed_in(office.cfo)
    assert "Only One" in shown(client, f"{QUEUE}?kind=requisition&fund={row.fund_id}")
    assert "Only One" not in shown(client, f"{QUEUE}?kind=variance")
    assert "Nothing of this kind waits for you" in shown(client, f"{QUEUE}?kind=variance")


def test_an_empty_queue_says_what_to_do(office: Office) -> None:
    for user, may_delegate in ((office.cfo, True), (office.requester, False)):
        page = shown(signed_in(user), QUEUE)
        assert "Nothing waits for you" in page
        assert ("let a colleague approve" in page) is may_delegate


def test_whoever_is_not_signed_in_signs_in_first(office: Office) -> None:
    answer = Client().get(QUEUE)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/approvals/")


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.5, "30 min"), (5, "5 h"), (30, "30 h: due"), (49, "2 days: due"), (73, "3 days: overdue")],
)
def test_the_age_is_said_in_words_and_colours(hours: float, words: str) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert age_of(now - timedelta(hours=hours), now).text == words


# --- The evidence ---------------------------------------------------------------------------------------


def test_the_effect_on_the_books_stands_beside_the_request(office: Office) -> None:
    row = office.request(amount="1500.00")
    page = shown(signed_in(office.cfo), f"{QUEUE}?item=requisition:{row.pk}")
    for words in ("100,000.00", "98,500.00", "Petty cash: spent", "Reorder level"):
        assert words in page


def test_a_fund_that_would_be_low_is_said_to_be(office: Office) -> None:
    office.fund.reorder_level = office.fund.target_level = 99_000
    office.fund.save()
    office.request(amount="1500.00", payee_name="Low Maker")
    office.request(amount="20000.00", payee_name="Other")
    assert shown(signed_in(office.cfo), QUEUE).count("Fund low after") >= 2


def test_a_destination_is_masked(office: Office) -> None:
    row = office.request(method="mpesa", destination="0712345678")
    page = shown(signed_in(office.cfo), f"{QUEUE}?item=requisition:{row.pk}")
    assert "+254712345678" not in page


def test_what_people_write_is_shown_as_text(office: Office) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x>"
    row = office.request(payee_name=hostile, purpose=hostile)
    page = shown(signed_in(office.cfo), f"{QUEUE}?item=requisition:{row.pk}")
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_part_of_the_page_is_the_detail_alone(office: Office) -> None:
    row = office.request()
    page = shown(signed_in(office.cfo), f"{QUEUE}?item=requisition:{row.pk}&part=detail")
    assert "<html" not in page
    assert "What would be posted" in page


# --- Deciding -------------------------------------------------------------------------------------------


def test_a_requisition_is_approved_with_a_comment(office: Office) -> None:
    row = office.request()
    answer = decide(office.cfo, "requisition", row, "approve", text="Fine.", version="1")
    assert "approved" in answer.content.decode()
    assert row.all_approvals.get().comment == "Fine."


def test_what_was_edited_meanwhile_is_not_approved(office: Office) -> None:
    row = office.request()
    answer = decide(office.cfo, "requisition", row, "approve", version="7")
    assert "It was edited" in answer.content.decode()
    row.refresh_from_db()
    assert row.status == "submitted"


@pytest.mark.parametrize(("text", "status"), [("Too dear.", "rejected"), ("", "submitted")])
def test_rejecting_needs_a_reason(office: Office, text: str, status: str) -> None:
    row = office.request()
    decide(office.cfo, "requisition", row, "reject", text=text)
    row.refresh_from_db()
    assert (row.status, row.rejection_reason) == (status, text)


def test_a_variance_and_a_replenishment_are_decided_there_too(office: Office) -> None:
    variance = office.variance(office.paid(), "900.00")
    request = replenish(
        actor=acting(office.treasurer), fund_id=office.fund.pk, amount="10", reason="Low"
    )
    decide(office.cfo, "variance", variance, "approve")
    decide(office.cfo, "replenishment", request, "reject", text="Not now.")
    variance.refresh_from_db()
    request.refresh_from_db()
    assert (variance.status, request.status) == ("approved", "rejected")


@pytest.mark.parametrize("body", [{}, {"item": "x"}, {"item": "requisition:1", "act": "approve"}])
def test_a_decision_on_nothing_is_not_found(office: Office, body: dict[str, str]) -> None:
    assert signed_in(office.cfo).post("/approvals/decide/", body).status_code == 404


def test_an_unknown_decision_is_not_found(office: Office) -> None:
    row = office.request()
    assert decide(office.cfo, "requisition", row, "burn").status_code == 404


def test_deciding_needs_a_token_of_the_form(office: Office) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.cfo)
    row = office.request()
    body = {"item": f"requisition:{row.pk}", "act": "approve"}
    assert client.post("/approvals/decide/", body).status_code == 403


def test_what_another_decided_meanwhile_is_said_so(office: Office) -> None:
    row = office.request()
    approve_requisition(actor=acting(office.approver), requisition_id=row.pk)
    answer = decide(office.cfo, "requisition", row, "approve")
    assert "somebody has decided it" in answer.content.decode()


# --- Asking ---------------------------------------------------------------------------------------------


def test_a_question_is_stored_mailed_shown_and_answered(office: Office) -> None:
    row = office.request()
    decide(office.cfo, "requisition", row, "ask", text="Why three of them?")
    question = Question.objects.get()
    assert (question.asked_of, question.asked_by) == (office.requester, office.cfo)
    assert mail_questions() == 1
    assert mail_questions() == 0
    assert "Why three of them?" in str(mail.outbox[-1].body)
    assert mail.outbox[-1].to == [office.requester.email]
    assert "Question open" in shown(signed_in(office.cfo), QUEUE)
    url = f"/approvals/questions/{question.pk}/answer/"
    signed_in(office.requester).post(url, {"text": "One for each depot."})
    page = shown(signed_in(office.cfo), f"{QUEUE}?item=requisition:{row.pk}")
    assert "One for each depot." in page
    assert "Question open" not in page


def test_a_question_blocks_nothing(office: Office) -> None:
    row = office.request()
    decide(office.cfo, "requisition", row, "ask", text="Why?")
    decide(office.cfo, "requisition", row, "approve")
    row.refresh_from_db()
    assert row.status == "approved"


def test_a_mail_that_cannot_leave_is_tried_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(office.cfo, "requisition", office.request(), "ask", text="Why?")

    def refuse(_question: Question) -> None:
        raise OSError("the mail server is down")

    with monkeypatch.context() as broken:
        broken.setattr("treasury.services.questions.send_question", refuse)
        with pytest.raises(OSError, match="down"):
            mail_questions()
    assert mail_questions() == 1


def test_only_the_person_asked_answers(office: Office) -> None:
    decide(office.cfo, "requisition", office.request(), "ask", text="Why?")
    question = Question.objects.get()
    url = f"/approvals/questions/{question.pk}/answer/"
    assert signed_in(office.auditor).post(url, {"text": "Because."}).status_code == 404
    signed_in(office.cfo).post(url, {"text": "Because."})
    question.refresh_from_db()
    assert question.answer == ""


def test_a_fund_that_asked_by_itself_is_not_asked(office: Office) -> None:
    office.fund.reorder_level = office.fund.target_level = 99_900
    office.fund.save()
    office.paid(amount="500.00")
    request = office.fund.replenishments.get()
    answer = decide(office.cfo, "replenishment", request, "ask", text="Why?")
    assert "nobody to answer" in answer.content.decode()


# --- Delegation -----------------------------------------------------------------------------------------


def test_a_delegation_is_made_and_ended_on_its_page(office: Office) -> None:
    day = today(office.company).isoformat()
    body = {
        "company": office.company.pk,
        "role": "cfo",
        "delegate": office.auditor.pk,
        "from_on": day,
        "until_on": day,
        "reason": "Leave",
    }
    client = signed_in(office.cfo)
    made = client.post("/approvals/delegations/", body, follow=True).content.decode()
    assert "begins and ends by itself" in made
    row = office.request(payee_name="While Away")
    assert "While Away" in shown(signed_in(office.auditor), QUEUE)
    decide(office.auditor, "requisition", row, "approve")
    assert row.all_approvals.get().on_behalf_of == office.cfo
    delegation = office.company.delegations.get()
    client.post(f"/approvals/delegations/{delegation.pk}/end/")
    delegation.refresh_from_db()
    assert delegation.ended_by == office.cfo


def test_a_delegation_that_makes_no_sense_is_refused_beside_the_field(office: Office) -> None:
    body = {
        "company": office.company.pk,
        "role": "cfo",
        "delegate": office.auditor.pk,
        "from_on": "2020-01-01",
        "until_on": "2020-01-02",
        "reason": "Leave",
    }
    answer = signed_in(office.cfo).post("/approvals/delegations/", body)
    assert answer.status_code == 400
    assert "does not begin in the past" in answer.content.decode()


def test_who_approves_nothing_delegates_nothing(office: Office) -> None:
    page = shown(signed_in(office.treasurer), "/approvals/delegations/")
    assert "Only whoever is an approver or CFO himself" in page


# --- Its cost -------------------------------------------------------------------------------------------


def cost(office: Office, path: str) -> int:
    client = signed_in(office.cfo)
    with CaptureQueriesContext(connection) as captured:
        shown(client, path)
    return len(captured)


def test_a_longer_queue_costs_no_more_queries(office: Office) -> None:
    def more() -> None:
        office.request(payee_name="Somebody New")
        office.variance(office.paid(), "900.00")

    more()
    row = office.fund.requisitions.filter(status="submitted").latest("requested_at")
    paths = (QUEUE, f"{QUEUE}?item=requisition:{row.pk}", "/treasury/")
    few = [cost(office, path) for path in paths]
    for _ in range(3):
        more()
    assert [cost(office, path) for path in paths] == few


def test_the_queue_is_read_by_its_index(office: Office) -> None:
    """However many requisitions there are, only those that wait are looked at."""
    office.request()
    waiting = KINDS["requisition"]
    rows = waiting.waiting(office.cfo).order_by(*waiting.order)[:26]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    plan: Any = rows.explain()
    assert "treasury_requisition_waiting" in plan
