"""Setting up a second factor and signing in with it, as a person does."""

import pytest
from playwright.sync_api import Page, expect

from tests.admin.office import Office
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.test_looks import TOO_FAINT, widest
from tests.ledger.test_second_factor import Phone


def is_fit(page: Page, width: int) -> None:
    assert widest(page) <= width, page.url
    assert page.evaluate(TOO_FAINT) == [], page.url


@pytest.mark.parametrize("width", [390, 1400])
def test_a_person_sets_it_up_and_signs_in_with_it(office: Office, visit: Visit, width: int) -> None:
    page = visit(office.approver, width=width, dark=width == 390)
    page.goto("/account/")
    is_fit(page, width)
    page.get_by_role("link", name="Set one up").click()
    is_fit(page, width)
    phone = Phone()
    phone.secret = page.locator("kbd").inner_text().replace(" ", "")
    assert page.locator(".p-picture").evaluate("(picture) => picture.naturalWidth") > 0
    page.get_by_label("Code of the app").fill(phone.code(steps=-1))
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name="It is set up")).to_be_visible()
    recovery = page.locator(".p-codes kbd").first.inner_text()
    is_fit(page, width)
    page.get_by_role("link", name="I have kept them").click()
    is_fit(page, width)

    page.context.clear_cookies()
    page.goto("/admin/treasury/payment/")
    page.fill("[name=username]", office.approver.username)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    is_fit(page, width)
    page.get_by_label("Code").fill("000 00")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("This code is not valid.")
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/admin/treasury/payment/")
