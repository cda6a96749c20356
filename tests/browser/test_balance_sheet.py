"""A period is closed in a real browser: its totals are read, its tie-outs hold, its sheet has a hash."""

from decimal import Decimal

from playwright.sync_api import Locator, Page, expect

from ledger.admin.cells import page_of
from periods.models import ServicePeriod
from tests.admin.office import STAFF_ROLES, Office
from tests.browser.conftest import Visit
from tests.periods.estate import Estate, build_estate
from tests.scene import Scene

HEADS = ["Owner", "Opening", "Contributions", "Own payments", "Share", "Charges", "Closing"]
# Ann, Bob and Cy weigh 450, 300 and 250 of 1000; Bob paid for the lamps himself, Cy lost a key.
PREVIEWED = {
    "Ann": ["0.00", "300.00", "0.00", "67.55", "0.00", "232.45"],
    "Bob": ["0.00", "0.00", "50.10", "45.03", "0.00", "5.07"],
    "Cy": ["0.00", "0.00", "0.00", "37.52", "15.00", "-52.52"],
    "Together": ["0.00", "300.00", "50.10", "150.10", "15.00", "185.00"],
}
TOTALS = {
    "Expenses": "150.10",
    "Of these, paid by owners": "50.10",
    "Of these, paid by the association": "100.00",
    "Shared": "150.10",
    "Stays with the association": "0.00",
    "Cash at the start": "0.00",
    "Cash at the end": "200.00",
    "Own means at the start": "0.00",
    "Own means at the end": "15.00",
}


def lived(office: Office) -> tuple[Estate, ServicePeriod]:
    """An association whose quarter is over: paid in, spent, charged, not closed."""
    people = {name: office.person(name) for name in STAFF_ROLES}
    estate = build_estate(scene=Scene(office.company, office.fund, people, Decimal(0)))
    period = estate.period()
    security = estate.item(period)
    estate.contribution(period, "Ann", "300.00")
    estate.expense(period, "100.00", item=security)
    estate.expense(period, "50.10", item=security, paid_by="Bob")
    estate.charge(period, "Cy", "15.00")
    return estate, period


def panel(page: Page, title: str) -> Locator:
    """The part of the page under this heading."""
    return page.locator(".b-panel").filter(has=page.get_by_role("heading", name=title, exact=True))


def rows_of(part: Locator) -> dict[str, list[str]]:
    """The table of a part as it is read: the first cell of each row, and what stands beside it."""
    read = [
        [cell.removeprefix("KES ").strip() for cell in row.locator("td").all_inner_texts()]
        for row in part.locator("tbody tr").all()
    ]
    return {first: rest for first, *rest in read}


def facts_of(part: Locator) -> dict[str, str]:
    """The amounts of a part by what stands above them."""
    read = {
        fact.locator("dt").inner_text(): fact.locator("dd")
        for fact in part.locator(".b-fact").all()
    }
    return {name: amount.inner_text().removeprefix("KES ").strip() for name, amount in read.items()}


def ties_of(page: Page) -> dict[str, str]:
    """What the page says of each tie-out, by its name."""
    rows = panel(page, "Tie-outs").locator("tbody tr").all()
    return {
        row.locator("td").nth(1).inner_text(): row.locator("td").first.inner_text() for row in rows
    }


def test_a_cfo_reads_what_closing_would_share_and_closes(office: Office, visit: Visit) -> None:
    _, period = lived(office)
    page = visit(office.cfo)
    page.goto("/admin/periods/serviceperiod/")
    page.get_by_role("link", name=period.name).first.click()
    before = panel(page, "Balance sheet, as it would be")
    expect(before.locator("thead th")).to_have_text(HEADS)
    assert rows_of(before) == PREVIEWED
    assert facts_of(panel(page, "Totals")) == TOTALS
    assert ties_of(page) == {f"T{number}": "Holds" for number in range(1, 9)}
    expect(panel(page, "Versions")).to_contain_text("It was not closed yet.")

    page.get_by_role("link", name="Close", exact=True).click()
    expect(page.get_by_label("What this is about")).to_contain_text(
        "KES 150.10 shared among 3 owners"
    )
    page.get_by_role("button", name="Close", exact=True).click()
    page.wait_for_url(f"**{page_of(period)}")
    expect(page.locator(".b-title .b-badge")).to_have_text("Closed")
    assert rows_of(panel(page, "Balance sheet")) == PREVIEWED
    assert ties_of(page) == {f"T{number}": "Holds" for number in range(1, 9)}

    sheet = period.sheets.get()
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator(".b-title h1")).to_have_text(f"Acacia Court: {period.name}, version 1")
    expect(panel(page, "Sheet")).to_contain_text(sheet.hash)
    assert rows_of(panel(page, "Balance sheet")) == PREVIEWED
