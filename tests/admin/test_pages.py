"""How pages read: found, escaped, dated, with a constant number of queries."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from ledger.admin.cells import NOTHING, amount, page_of
from ledger.admin.pages import changes
from ledger.clock import today
from ledger.models import AuditEvent
from ledger.roles import Role
from tests.admin.office import Office, do, list_url, signed_in, text_of
from tests.ledger.factories import CompanyFactory, MembershipFactory
from tests.treasury import factories
from tests.treasury.factories import acting
from treasury.admin.funds import level
from treasury.admin.payment_steps import STEPS
from treasury.admin.requisitions import requisition_facts
from treasury.models import FundLine, Payment, Requisition, TreasuryFund, VarianceAdjustment
from treasury.services.batch_approval import approve_batch
from treasury.services.batches import create_batch
from treasury.services.limits import set_payment_rules
from treasury.services.payments import create_payment
from treasury.services.policies import set_code_threshold
from treasury.services.questions import ask

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{7*7}}{% now 'Y' %}",
    "javascript:alert(1)",
    "</textarea><svg/onload=alert(1)>",
)


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    "asked", ["Baraka", "2,500.00", "2500", "0712345678", "+254712345678", "Petty", "nails"]
)
def test_payments_are_found_by_payee_amount_phone_fund_and_purpose(
    office: Office, asked: str
) -> None:
    details = {"amount": "2500.00", "payee_name": "Baraka Hardware", "purpose": "Nails"}
    found = office.pending(**details, method="mpesa", destination="0712345678")
    for model, row in ((Payment, found), (Requisition, found.requisition)):
        assert str(row.pk) in page(signed_in(office.auditor), f"{list_url(model)}?q={asked}")


@pytest.mark.parametrize("asked", ["Somebody else", "2500.01", "0799999999", "NaN", "1e9"])
def test_what_is_not_there_is_not_found(office: Office, asked: str) -> None:
    row = office.pending(amount="2500.00")
    assert str(row.pk) not in page(signed_in(office.auditor), f"{list_url(Payment)}?q={asked}")


def test_a_search_that_cannot_be_read_breaks_nothing(office: Office) -> None:
    page(signed_in(office.auditor), f"{list_url(Payment)}?q=%00")


def test_a_payment_is_found_by_the_start_of_its_number(office: Office) -> None:
    row = office.pending()
    other = office.pending()
    found = page(signed_in(office.auditor), f"{list_url(Payment)}?q={str(row.pk)[:13]}")
    assert page_of(row) in found
    assert page_of(other) not in found


def test_lists_are_filtered_by_status_method_and_date(office: Office) -> None:
    pending, paid = office.pending(), office.paid()
    client = signed_in(office.auditor)
    for query, there, absent in (
        ("status__exact=success", paid, pending),
        ("status__exact=pending", pending, paid),
        ("created_at_from=2000-01-01&status__exact=success", paid, pending),
    ):
        listed = page(client, f"{list_url(Payment)}?{query}")
        assert (page_of(there) in listed, page_of(absent) in listed) == (True, False)
    for query in ("method__exact=mpesa", "created_at_to=2000-01-01", "created_at_from=2999-01-01"):
        assert page_of(paid) not in page(client, f"{list_url(Payment)}?{query}")
    # A date that is none filters nothing and breaks nothing.
    assert page_of(paid) in page(client, f"{list_url(Payment)}?created_at_from=2026-13-45")


def test_the_fund_ledger_is_filtered_by_entry_type_fund_and_reconciliation(
    office: Office, other_office: Office
) -> None:
    office.paid()
    client = signed_in(office.auditor)
    assert "Payment to Amina" in page(client, f"{list_url(FundLine)}?entry_type=debit")
    assert "Payment to Amina" not in page(client, f"{list_url(FundLine)}?entry_type=credit")
    assert "Payment to Amina" in page(client, f"{list_url(FundLine)}?reconciled=no")
    assert "Payment to Amina" in page(client, f"{list_url(FundLine)}?fund={office.fund.pk}")
    assert "Payment to" not in page(client, f"{list_url(FundLine)}?fund={other_office.fund.pk}")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_whatever_people_type_is_shown_and_never_run(office: Office, payload: str) -> None:
    row = office.pending(payee_name=payload, purpose=payload, destination=payload)
    office.request(payee_name=payload)
    client = signed_in(office.administrator)
    for url in (
        list_url(Requisition),
        list_url(Payment),
        page_of(row),
        page_of(row.requisition),
        f"/admin/treasury/requisition/steps/edit/?id={row.requisition_id}",
        f"/admin/treasury/payment/steps/execute/?id={row.pk}",
        "/admin/ledger/auditevent/",
        "/admin/",
    ):
        shown = page(client, url)
        for hostile in ("<script>alert", "<img src=x", "<svg/onload"):
            assert hostile not in shown, url
        assert 'href="javascript:' not in shown


def test_the_admin_may_load_and_run_its_own_files_only(office: Office) -> None:
    policy = signed_in(office.auditor).get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "default-src 'none'" in policy


def test_pages_outside_the_admin_are_stricter_still(office: Office) -> None:
    policy = Client().get("/")["Content-Security-Policy"]
    assert "unsafe" not in policy


def test_a_page_s_scripts_are_all_files_of_our_own(office: Office) -> None:
    """An inline script would be refused by the policy, and the page would not work."""
    row = office.pending()
    client = signed_in(office.treasurer)
    for url in ("/admin/", list_url(Payment), page_of(row), "/"):
        for script in re.findall(r"<script\b[^>]*>", page(client, url)):
            assert 'src="/' in script, (url, script)


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as counted:
        assert client.get(url).status_code == 200
    return len(counted)


@pytest.mark.parametrize("model", [Requisition, Payment, TreasuryFund, FundLine])
def test_a_list_asks_the_same_number_of_questions_however_long_it_is(
    office: Office, model: type
) -> None:
    office.paid()
    client = signed_in(office.cfo)
    few = queries_of(client, list_url(model))
    for number in range(4):
        office.paid(payee_name=f"Payee {number}")
    assert queries_of(client, list_url(model)) == few


def test_a_payment_s_page_asks_the_same_number_of_questions_however_much_there_is(
    office: Office,
) -> None:
    payment = office.paid()
    office.variance(payment, "900.00")
    client = signed_in(office.auditor)
    few = queries_of(client, page_of(payment))
    do(office.cfo, "approve", VarianceAdjustment.objects.get())
    office.variance(payment, "800.00", original_amount="900.00")
    assert queries_of(client, page_of(payment)) == few


def test_the_first_page_shows_what_waits_for_whom(office: Office) -> None:
    office.request(payee_name="Waits for approval")
    office.pending(payee_name="Waits for execution")
    paid = office.paid(payee_name="Waits for reconciliation")
    office.variance(paid, "900.00", reason="Waits for decision")
    waits = {
        "approver": "Waits for approval",
        "treasurer": "Waits for execution",
        "reconciler": "Waits for reconciliation",
        "cfo": "Waits for decision",
    }
    for name, text in waits.items():
        assert text in page(signed_in(office.person(name)), "/admin/"), name
    assert "Nothing waits for you" in page(signed_in(office.auditor), "/admin/")


@pytest.mark.parametrize("in_days", [0, 5])
def test_what_is_scheduled_is_confirmed_on_its_day(office: Office, in_days: int) -> None:
    place: dict[str, Any] = {"actor": acting(office.cfo), "company_id": office.company.pk}
    set_payment_rules(**place, weekend=[])
    set_code_threshold(**place, currency="KES", code_above="1000")
    for figure in ("900.00", "1500.00"):
        row = create_payment(
            actor=acting(office.treasurer),
            requisition_id=office.approved(amount=figure).pk,
            scheduled_for=today(office.company) + timedelta(days=in_days),
        )
        assert row.otp_required is (figure == "1500.00")
        shown = page(signed_in(office.treasurer), page_of(row))
        step = "send-code" if row.otp_required else "execute"
        assert (f"steps/{step}/" in shown) is (in_days == 0)
        assert f"scheduled by {office.treasurer}" in shown
        assert "steps/schedule/" in shown


def test_batches_and_questions_wait_on_the_first_page_too(office: Office) -> None:
    asked = office.request()
    ask(actor=acting(office.cfo), kind="requisition", subject_id=asked.pk, text="Why now?")
    made = create_batch(
        actor=acting(office.treasurer), name="Monday", requisitions=[office.approved().pk]
    )
    first = page(signed_in(office.requester), "/admin/")
    assert "Why now?" in first
    assert 'href="/approvals/questions/"' in first
    assert "Batches to approve (1)" in page(signed_in(office.cfo), "/admin/")
    assert "Batches to" not in page(signed_in(office.auditor), "/admin/")
    approve_batch(actor=acting(office.cfo), batch_id=made.batch.pk)
    assert "Batches to approve" not in page(signed_in(office.cfo), "/admin/")
    assert "Batches to execute (1)" in page(signed_in(office.treasurer), "/admin/")


def test_lists_name_the_company_to_who_works_for_several(office: Office) -> None:
    people = (office.auditor, office.administrator)
    for user in people:
        assert "field-company" not in page(signed_in(user), list_url(TreasuryFund))
    other = CompanyFactory.create(name="Elsewhere")
    MembershipFactory.create(user=office.auditor, company=other, role=Role.AUDITOR)
    for user in people:
        assert "field-company" in page(signed_in(user), list_url(TreasuryFund))
    assert "field-company" not in page(signed_in(office.cfo), list_url(TreasuryFund))


def test_the_first_page_warns_of_a_low_fund(office: Office) -> None:
    office.fund.reorder_level = office.fund.target_level = 200_000
    office.fund.save()
    assert ">Low<" in page(signed_in(office.auditor), "/admin/")


def test_whoever_has_no_role_is_told_what_to_do(office: Office) -> None:
    nobody = factories.person(office.company, is_staff=True)
    assert "An administrator gives you one" in page(signed_in(nobody), "/admin/")


def test_a_page_that_is_not_there_is_said_in_words(office: Office) -> None:
    url = "/admin/treasury/payment/00000000-0000-0000-0000-000000000000/change/"
    answer = signed_in(office.auditor).get(url)
    assert (answer.status_code, "There is no such page" in text_of(answer)) == (404, True)


def test_clients_of_the_api_get_a_problem_and_no_page() -> None:
    answer = Client().get("/api/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_front_page_leads_to_the_admin(db: None) -> None:
    shown = page(Client(), "/")
    assert 'href="/admin/"' in shown
    assert "bursar-demo" not in shown


def test_a_demo_s_front_page_says_who_is_who(db: None, settings: Settings) -> None:
    settings.BURSAR_DEMO = True
    assert "bursar-demo" in page(Client(), "/")


@pytest.fixture
def letters(settings: Settings, tmp_path: Path) -> Path:
    settings.BURSAR_DEMO = True
    settings.EMAIL_FILE_PATH = str(tmp_path)
    for number, code in ((1, "111111"), (2, "222222")):
        body = f"To: t@example.org\nSubject: Code {number}\n\nYour code:\n\n{code}\n\nfor <b>KES 7</b>\n"
        (tmp_path / f"2026010{number}T000000Z-x.eml").write_text(body)
    return tmp_path


def test_the_demo_s_inbox_shows_codes_newest_first(office: Office, letters: Path) -> None:
    shown = page(signed_in(office.treasurer), "/demo/inbox/")
    assert shown.index("222222") < shown.index("111111")
    assert "&lt;b&gt;KES 7" in shown


def test_the_inbox_needs_a_login(letters: Path, db: None) -> None:
    assert Client().get("/demo/inbox/").status_code == 302


def test_there_is_no_inbox_but_in_a_demo(office: Office, letters: Path, settings: Settings) -> None:
    settings.BURSAR_DEMO = False
    assert signed_in(office.administrator).get("/demo/inbox/").status_code == 404


def test_an_empty_inbox_says_what_to_do(office: Office, settings: Settings, tmp_path: Path) -> None:
    settings.BURSAR_DEMO = True
    settings.EMAIL_FILE_PATH = str(tmp_path / "none")
    assert "Nothing was sent yet" in page(signed_in(office.treasurer), "/demo/inbox/")


def test_history_says_lists_in_words(office: Office) -> None:
    tiers = [{"needs": "one", "up_to": "50000.00"}, {"needs": "approver_and_cfo", "up_to": None}]
    event = AuditEvent(before=None, after={"KES": tiers, "tags": ["a", "b"], "none": []})
    assert changes(event) == [
        ("KES", "—", "needs one, up to 50000.00; needs approver_and_cfo, up to —"),
        ("tags", "—", "a; b"),
    ]


def test_the_files_of_a_batch_are_linked_by_what_they_are(office: Office) -> None:
    rows = [office.approved().pk]
    batch = create_batch(actor=acting(office.treasurer), name="M", requisitions=rows).batch
    assert batch is not None
    client = signed_in(office.auditor)
    links = re.findall(r'href="([^"]*)">All rows as (CSV|XLSX)', page(client, page_of(batch)))
    assert {kind for _, kind in links} == {"CSV", "XLSX"}
    for link, _ in links:
        answer: Any = client.get(link)
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content)


def test_a_fund_without_a_target_is_not_said_to_have_reached_it(office: Office) -> None:
    fund = TreasuryFund.objects.get(pk=office.fund.pk)
    fund.target_level = fund.reorder_level = Decimal(0)
    assert level(fund).text == "no target, never asks"  # type: ignore[union-attr]


def test_only_who_may_ask_is_offered_to(office: Office) -> None:
    assert "Ask for money" in page(signed_in(office.requester), "/admin/")
    assert "Ask for money" not in page(signed_in(office.reconciler), "/admin/")
    office.request()
    office.requester.memberships.update(role="auditor")
    shown = page(signed_in(office.requester), "/admin/")
    assert "My requisitions" in shown
    assert "Ask for money" not in shown


def test_nothing_is_said_to_be_left_of_what_nobody_has_approved(office: Office) -> None:
    facts = {fact.label: fact.value for fact in requisition_facts(office.request(amount="700.00"))}
    assert facts["Left to pay"] == NOTHING
    facts = {fact.label: fact.value for fact in requisition_facts(office.approved(amount="700.00"))}
    assert facts["Left to pay"] == amount(Decimal("700.00"), "KES")


def test_what_waits_for_a_gateway_is_not_said_to_be_executed(office: Office) -> None:
    says = next(step for step in STEPS if step.name == "execute").answer_to
    payment = office.pending()
    payment.status = "executing"
    assert says(payment) == "on its way, as its status tells"
    payment.status = "success"
    assert says(payment) == "executed"
