"""A page that stays open follows what happens, without being loaded again."""

from playwright.sync_api import Page, expect

from ledger.admin.cells import page_of
from tests.admin.office import Office, list_url
from tests.browser.conftest import Visit
from tests.treasury.factories import acting, today
from treasury.models import Payment
from treasury.services.execution import execute_payment


def mark(page: Page) -> None:
    """Leave a trace that a page loaded anew would not have."""
    page.evaluate("window.notLoadedAgain = true")


def still_marked(page: Page) -> bool:
    return bool(page.evaluate("window.notLoadedAgain === true"))


def test_the_status_of_a_payment_changes_while_its_page_and_the_list_are_open(
    office: Office, visit: Visit
) -> None:
    payment = office.pending()
    page = visit(office.auditor)
    page.goto(page_of(payment))
    listed = page.context.new_page()
    listed.goto(list_url(Payment))
    for one in (page, listed):
        expect(one.locator(f"[data-live='{payment.pk}']").first).to_have_text("Pending")
        mark(one)
    execute_payment(actor=acting(office.treasurer), payment_id=payment.pk, today=today)
    for one in (page, listed):
        one.bring_to_front()
        expect(one.locator(f"[data-live='{payment.pk}']").first).to_have_text("Success")
        assert still_marked(one)
    page.bring_to_front()
    expect(page.get_by_text("Payment to Amina Traders").first).to_be_visible()
    assert still_marked(page)
