"""A payment through the admin, as people see it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect
from pytest_django import Settings

from ledger.actor import Actor
from ledger.admin.cells import page_of
from tests.admin.office import Office
from tests.browser.conftest import Visit
from treasury.models import Payment, Requisition
from treasury.services.policies import set_code_threshold


def press(page: Page, label: str) -> None:
    """Press a button of a row's page, and confirm on the page that asks."""
    page.get_by_role("link", name=label, exact=True).click()
    page.get_by_role("button", name=label).click()


def code_in(folder: Path) -> str:
    """The code in the newest mail, alone on its line."""
    newest = max(folder.glob("*.eml"))
    found = re.search(r"^(\d{6})\s*$", newest.read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_a_payment_goes_from_request_to_reconciliation(
    office: Office, visit: Visit, settings: Settings
) -> None:
    set_code_threshold(
        actor=Actor.system("tests"), company_id=office.company.pk, currency="KES", code_above="1000"
    )
    page = visit(office.requester)
    page.goto("/admin/")
    page.get_by_role("link", name="Ask for money").click()
    page.get_by_label("Fund").select_option(index=1)
    page.get_by_label("Amount").fill("1,500.00")
    page.get_by_label("Payee").fill("Amina Traders")
    page.get_by_label("Paid by").select_option("cash")
    page.get_by_label("Destination").fill("Front desk")
    page.get_by_label("Purpose").fill("Paper for the office")
    page.get_by_role("button", name="Ask for money").click()
    expect(page.locator(".b-notice")).to_contain_text("New payee")
    requisition = Requisition.objects.get()

    page = visit(office.approver)
    page.goto("/admin/")
    page.get_by_role("link", name="Amina Traders").click()
    press(page, "Approve")
    expect(page.get_by_role("heading", level=1).last).to_contain_text("Amina Traders")

    page = visit(office.treasurer)
    page.goto(page_of(requisition))
    press(page, "Make a payment")
    press(page, "Send me a code")
    expect(page.get_by_text("on its way to your mail")).to_be_visible()
    page.get_by_role("link", name="Execute", exact=True).click()
    page.get_by_label("Code from your message").fill("12345")
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("A code has six digits.")).to_be_visible()
    page.get_by_label("Code from your message").fill(code_in(Path(settings.EMAIL_FILE_PATH)))
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("Payment to Amina Traders").first).to_be_visible()

    page = visit(office.reconciler)
    page.goto("/admin/")
    page.get_by_role("link", name="Amina Traders").click()
    page.get_by_role("link", name="Reconcile", exact=True).click()
    page.get_by_label("Note").fill("Receipt 7")
    page.get_by_role("button", name="Reconcile").click()
    expect(page.get_by_text("Receipt 7").first).to_be_visible()
    payment = Payment.objects.get()
    assert (payment.status, payment.execution.executor) == ("reconciled", office.treasurer)


def test_many_requisitions_are_approved_at_once(office: Office, visit: Visit) -> None:
    for number in range(3):
        office.request(payee_name=f"Payee {number}")
    page = visit(office.approver)
    page.goto("/admin/treasury/requisition/")
    for box in page.locator("input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option("approve")
    page.locator("#changelist-actions-wrapper button:visible").first.click()
    page.get_by_role("button", name="Approve 3").click()
    expect(page.get_by_text("3 of 3 done")).to_be_visible()
    assert {row.status for row in Requisition.objects.all()} == {"approved"}


def test_the_demo_s_inbox_shows_the_code(office: Office, visit: Visit, settings: Settings) -> None:
    payment = office.pending()
    page = visit(office.treasurer)
    page.goto(f"/admin/treasury/payment/steps/send-code/?id={payment.pk}")
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_url("**/change/")
    page.goto("/demo/inbox/")
    expect(page.locator(".p-code")).to_have_text(code_in(Path(settings.EMAIL_FILE_PATH)))
