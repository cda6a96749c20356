"""What a person meets whose form was refused, came too late, or is looked at again."""

import re

import pytest
from django.test import Client

from tests.admin.office import Office, signed_in
from tests.ledger.test_second_factor import enrolled
from tests.pages.conftest import SendCode, decide, shown
from tests.treasury.factories import acting
from treasury.services.batches import create_batch
from treasury.services.policies import set_step_up_threshold

FORMS = {
    "/approvals/decide/": "/approvals/",
    "/approvals/many/code/": "/approvals/",
    "/approvals/many/approve/": "/approvals/",
    "/approvals/questions/6f1c1e3a-0000-4000-8000-000000000000/answer/": "/approvals/questions/",
    "/approvals/delegations/6f1c1e3a-0000-4000-8000-000000000000/end/": "/approvals/delegations/",
}


def typed_in(page: str) -> str:
    found = re.search(r"<textarea id=.text.[^>]*>(.*?)</textarea>", page, re.DOTALL)
    return found[1] if found else "no field"


@pytest.mark.parametrize("address", FORMS)
def test_who_signs_in_again_after_sending_a_form_is_told_that_nothing_was_done(
    office: Office, address: str
) -> None:
    stopped = Client().post(address, {"act": "approve"})
    assert stopped.headers["Location"] == f"/admin/login/?next={address}"
    answer = signed_in(office.cfo).get(address, follow=True)
    assert answer.redirect_chain == [(FORMS[address], 302)]
    assert "Nothing was done by this" in answer.content.decode()
    assert signed_in(office.cfo).put(address).status_code == 405


def test_what_was_typed_stands_there_again_after_a_refusal(office: Office) -> None:
    first, second = office.request(amount="100.00"), office.request(amount="200.00")
    client = signed_in(office.cfo)
    body = {"item": f"requisition:{first.pk}", "act": "approve", "version": "7"}
    answer = client.post("/approvals/decide/", {**body, "text": "As <agreed>."}, follow=True)
    page = answer.content.decode()
    assert "This was not done." in page
    assert typed_in(page) == "As &lt;agreed&gt;."
    # once, and beside no other request
    assert typed_in(shown(client, f"/approvals/?item=requisition:{first.pk}")) == ""
    client.post("/approvals/decide/", {**body, "text": "Again."})
    assert typed_in(shown(client, f"/approvals/?item=requisition:{second.pk}")) == ""


def limit(office: Office) -> None:
    set_step_up_threshold(
        actor=acting(office.cfo), company_id=office.company.pk, currency="KES", step_up_above="50"
    )


def test_a_decision_above_the_threshold_leads_to_the_second_factor_and_back(
    office: Office,
) -> None:
    row = office.request(amount="100.00")
    limit(office)
    _, phone, _ = enrolled(office.cfo)
    client = signed_in(office.cfo)
    body = {"item": f"requisition:{row.pk}", "act": "approve", "text": "Fine."}
    asked = client.post("/approvals/decide/", body, follow=True)
    assert "Confirm that it is you" in asked.content.decode()
    back = f"/approvals/?item=requisition:{row.pk}"
    answer = client.post("/account/step-up/", {"code": phone.code(), "next": back}, follow=True)
    assert answer.redirect_chain == [(back, 302)]
    assert typed_in(answer.content.decode()) == "Fine."
    client.post("/approvals/decide/", body)
    row.refresh_from_db()
    assert row.status == "approved"


def test_who_has_no_second_factor_is_told_that_he_needs_one(office: Office) -> None:
    row = office.request(amount="100.00")
    limit(office)
    page = decide(office.cfo, "requisition", row, "approve").content.decode()
    assert "needs a second factor. Nothing was done" in page
    assert "Set one up" in page


def test_a_set_with_an_amount_above_the_threshold_says_where_to_confirm(
    office: Office, code_for: SendCode
) -> None:
    row = office.request(amount="100.00")
    limit(office)
    wanted = [f"requisition:{row.pk}"]
    body = {"items": wanted, "otp": code_for(office.cfo, wanted)}
    answer = signed_in(office.cfo).post("/approvals/many/approve/", body, follow=True)
    page = answer.content.decode()
    assert "0 of 1 approved" in page
    assert (
        f"/account/step-up/?next=%2Fapprovals%2Fmany%2F%3Fitems%3Drequisition%253A{row.pk}" in page
    )


def test_what_was_ticked_can_be_looked_at_again_by_its_address(office: Office) -> None:
    rows = [office.request(payee_name=f"Payee {n}") for n in range(2)]
    items = "&".join(f"items=requisition:{row.pk}" for row in rows)
    page = shown(signed_in(office.cfo), f"/approvals/many/?{items}")
    assert "Approve 2 requests" in page
    assert "Send me a code" in page
    answer = signed_in(office.cfo).get("/approvals/many/", follow=True)
    assert answer.redirect_chain == [("/approvals/", 302)]


def test_the_rows_of_a_batch_stand_beside_the_decision(office: Office) -> None:
    rows = [office.approved(payee_name=f"Payee {n}").pk for n in range(2)]
    batch = create_batch(actor=acting(office.treasurer), name="M", requisitions=rows).batch
    assert batch is not None
    page = shown(signed_in(office.cfo), f"/approvals/?item=batch:{batch.pk}")
    assert "Payee 0" in page
    assert "Payee 1" in page
    assert f'href="/api/batches/{batch.pk}/rows/?format=csv">All rows as CSV' in page


def test_a_fund_of_billions_is_shown_in_its_currency_once(office: Office) -> None:
    row = office.request()
    page = shown(signed_in(office.cfo), f"/approvals/?item=requisition:{row.pk}")
    figures = page.split('class="w-figures"')[1].split("</table>")[0]
    assert figures.count("KES") == 1


def test_where_nothing_waits_there_is_nothing_to_choose(office: Office) -> None:
    page = shown(signed_in(office.auditor), "/approvals/")
    assert "Nothing waits for you" in page
    assert "Choose a request" not in page
    gone = shown(signed_in(office.cfo), "/approvals/?part=detail&item=variance:x")
    assert "This does not wait for you" in gone
