"""Pages fit a phone and can be read, in light and in dark."""

from decimal import Decimal

import pytest
from django.db.models import Model
from playwright.sync_api import Page

from ledger.admin.cells import page_of
from tests.admin.office import STAFF_ROLES, Office, list_url
from tests.browser.conftest import Visit
from tests.periods.estate import build_estate
from tests.scene import Scene
from treasury.models import FundLine, Payment, Requisition, TreasuryFund

LONG = (
    "The Highland Water Engineers and Borehole Drilling Company of the Lower Eastern Counties " * 2
)
NAME = LONG[:110].strip()
# The contrast of every text of ours against what it stands on, where it is less than it should be.
TOO_FAINT = """
() => {
  const ink = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    ink.clearRect(0, 0, 1, 1); ink.fillStyle = colour; ink.fillRect(0, 0, 1, 1);
    return [...ink.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = (v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
    return .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '#000' : '#fff');
  };
  const faint = [];
  for (const element of document.querySelectorAll('.b-page *, .p-main *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [one, two] = [rgba(getComputedStyle(element).color), ground(element)].map(light);
    const ratio = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
    if (ratio < 4.5) faint.push(`${element.className} "${element.textContent.trim()}" ${ratio}`);
  }
  return faint;
}
"""


def addresses(office: Office) -> list[str]:
    """A page of every sort, with names longer than is reasonable."""
    paid = office.paid(payee_name=LONG[:160], purpose=LONG * 2)
    office.variance(paid, "900.00", reason=LONG)
    office.request(payee_name="x" * 160)
    rows: list[Model] = [paid, paid.requisition, office.fund, office.fund.account]
    rows += _shared_costs(office)
    lists = [list_url(model) for model in (Requisition, Payment, TreasuryFund, FundLine)]
    ask = f"/admin/treasury/payment/steps/record-variance/?id={paid.pk}"
    return ["/", "/admin/", *lists, *map(page_of, rows), ask, "/admin/treasury/requisition/add/"]


def _shared_costs(office: Office) -> list[Model]:
    """An association and its period, with an owner whose name is as long as it may be."""
    people = {name: office.person(name) for name in STAFF_ROLES}
    estate = build_estate(
        {NAME: "450", "y" * 110: "550"},
        scene=Scene(office.company, office.fund, people, Decimal(0)),
    )
    period = estate.period(LONG[:100])
    estate.contribution(period, NAME, "123456789.50", comment=LONG)
    estate.expense(period, "987654321.10", item=estate.item(period), vendor="z" * 100)
    return [estate.association, estate.owners[NAME], period]


def widest(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def faults_of(page: Page, width: int) -> list[str]:
    """Where the page is wider than the screen, or a text of it is hard to read."""
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(TOO_FAINT)
    return found if widest(page) <= width else [f"{widest(page)} px wide", *found]


@pytest.mark.parametrize(
    ("dark", "widths"), [(False, [1400]), (True, [390, 1400])], ids=["light", "dark"]
)
def test_every_page_fits_its_screen_and_every_text_stands_out_from_its_ground(
    office: Office, visit: Visit, dark: bool, widths: list[int]
) -> None:
    page = visit(office.administrator, dark=dark, width=widths[0])
    faults = {}
    for url in addresses(office):
        page.goto(url)
        for width in widths:
            if found := faults_of(page, width):
                faults[url, width] = found
    assert faults == {}


def test_the_sidebar_opens_on_a_phone(office: Office, visit: Visit) -> None:
    page = visit(office.auditor, width=390)
    page.goto("/admin/")
    page.locator("h1").first.wait_for()
    page.get_by_text("dock_to_right").locator("visible=true").first.click()
    page.get_by_role("link", name="Payments").click()
    page.wait_for_url("**/treasury/payment/")
