"""What hasty hands do on the approvals page: click twice, tick far down a list, look at large figures."""

from pathlib import Path

from playwright.sync_api import Page, expect
from pytest_django import Settings

from tests.admin.office import Office
from tests.browser.conftest import Visit
from tests.browser.test_journey import code_in

# Two clicks as a hand makes them: the second before the answer to the first is there.
TWICE = """
async ([button, pause]) => {
  button.click();
  await new Promise((done) => setTimeout(done, pause));
  button.click();
}
"""
INSIDE = "(one) => one.scrollWidth <= one.clientWidth"


def above_the_bar(page: Page) -> bool:
    link = page.locator(".w-link[aria-current]").bounding_box()
    bar = page.locator("[data-selected]").bounding_box()
    assert link
    assert bar
    return link["y"] + link["height"] <= bar["y"]


def test_a_double_click_approves_one_request_and_says_so(office: Office, visit: Visit) -> None:
    rows = [office.request(payee_name=f"Payee {n}", amount="100.00") for n in range(2)]
    page = visit(office.cfo)
    page.goto("/approvals/")
    page.evaluate(TWICE, [page.locator("[data-approve]").element_handle(), 20])
    expect(page.locator(".w-message")).to_have_text("KES 100.00 to Payee 0: approved.")
    # and the second click of a slow one, which meets the next request
    page.evaluate("sessionStorage.setItem('bursar-sent-at', String(Date.now()))")
    page.locator("[data-approve]").click()
    for row in rows:
        row.refresh_from_db()
    assert [row.status for row in rows] == ["approved", "submitted"]
    page.wait_for_timeout(600)
    page.locator("[data-approve]").click()
    expect(page.locator(".w-message")).to_have_text("KES 100.00 to Payee 1: approved.")


def test_going_back_and_reloading_send_nothing_again(
    office: Office, visit: Visit, settings: Settings
) -> None:
    for n in range(2):
        office.request(payee_name=f"Payee {n}", amount="100.00")
    page = visit(office.cfo)
    page.goto("/approvals/")
    for box in page.locator("input[name=items]").all():
        box.check()
    page.get_by_role("button", name="Approve the ticked").click()
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code from your message").fill("000000x")
    page.get_by_role("button", name="Approve 2").click()
    page.get_by_label("Code from your message").fill(code_in(Path(settings.EMAIL_FILE_PATH)))
    page.get_by_role("button", name="Approve 2").click()
    done = page.get_by_role("heading", name="2 of 2 approved")
    expect(done).to_be_visible()
    page.reload()
    expect(done).to_be_visible()
    for _ in range(3):
        page.go_back()
        expect(page.get_by_role("heading", name="None of these waits for you")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()


def test_nothing_hides_what_is_looked_at(office: Office, visit: Visit) -> None:
    for n in range(14):
        office.request(payee_name=f"Payee {n}", amount="9999999999.99")
    page = visit(office.cfo, width=1280)
    page.goto("/approvals/")
    page.keyboard.press("x")
    for _ in range(9):
        page.keyboard.press("j")
        assert above_the_bar(page)
    expect(page.locator(".w-card h2").first).to_contain_text("Payee 9")
    assert page.locator(".b-panel:has(.w-figures)").evaluate(INSIDE)
    page.goto("/admin/treasury/requisition/")
    payee = page.locator("#result_list .field-payee_name").first.bounding_box()
    assert payee
    assert payee["width"] >= 140


def test_a_person_signs_out_of_the_admin_by_keyboard(office: Office, visit: Visit) -> None:
    page = visit(office.auditor, width=1280)
    page.goto("/admin/")
    page.get_by_role("button", name="Menu").first.press(
        "Enter"
    )  # hides the sidebar, and shows it again
    page.get_by_role("button", name="Menu").first.press("Enter")
    page.get_by_role("button", name=office.auditor.email).press(" ")
    out = page.get_by_role("button", name="Log out")
    expect(out).to_be_visible()
    page.wait_for_function("document.activeElement.closest('nav')")
    out.focus()
    expect(out).to_be_focused()
    out.press("Enter")
    expect(page.get_by_role("heading", name="Logged out")).to_be_visible()


def test_the_filters_of_a_list_are_reached_by_keyboard(office: Office, visit: Visit) -> None:
    page = visit(office.auditor, width=1280)
    page.goto("/admin/treasury/payment/")
    opener = page.get_by_role("button", name="Filters", exact=False).first
    opener.focus()
    page.keyboard.press("Enter")
    apply = page.get_by_role("button", name="Apply Filters")
    expect(apply).to_be_visible()
    page.wait_for_function("document.activeElement.closest('#filter-form')")
    page.keyboard.press("Escape")
    expect(apply).to_be_hidden()
