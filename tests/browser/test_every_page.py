"""Every page in a real browser: WCAG 2.2 AA by axe, nothing fetched from elsewhere, nothing wider than the
screen, and a picture of each in `.screenshots/`.

One browser, one server and one set of rows serve all of them; no page changes any.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib import admin
from django.test import override_settings
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from config.embedded.home import ROOT
from ledger.admin.cells import page_of
from ledger.models import Membership
from ledger.roles import Role
from periods.models import Owner
from tests.admin.office import Office, list_url, make_office, one_of_everything
from tests.browser.conftest import PASSWORD, Watch
from tests.conftest import FULL
from tests.treasury.factories import acting
from treasury.models import Payment, Requisition, TreasuryFund
from treasury.services.questions import ask

PICTURES = ROOT / ".screenshots"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OURS = {
    "home": "/",
    "approvals": "/approvals/",
    "approvals-detail": "/approvals/?item=requisition:{requisition}",
    "approvals-empty": "/approvals/?kind=review",
    "approvals-many": "/approvals/many/?items=requisition:{requisition}",
    "approvals-nothing": "/approvals/?item=variance:{requisition}",
    "delegations": "/approvals/delegations/",
    "questions": "/approvals/questions/",
    "treasury": "/treasury/",
    "treasury-narrowed": "/treasury/?currency=KES&fund={fund}",
    "nothing": "/nowhere/",
    "inbox": "/demo/inbox/",
    "api-docs": "/api/docs/",
    "admin": "/admin/",
    "ask-for-money": "/admin/treasury/requisition/add/",
    "delegate": "/admin/treasury/delegation/add/",
    "step": "/admin/treasury/requisition/steps/approve/?id={requisition}",
    "owner": "/owner/",
    "association": "{page_association}",
    "period-open": "/admin/periods/serviceperiod/{open_period}/change/",
    "period-close": "/admin/periods/serviceperiod/steps/close/?id={open_period}",
}
LISTS = {
    f"list-{model._meta.model_name}": list_url(model)
    for model in admin.site._registry
    if model._meta.app_label in {"ledger", "payments", "treasury", "periods"}
}
USUAL = {f"list-{model._meta.model_name}" for model in (Payment, Requisition, TreasuryFund, Owner)}
PERIODS = (
    *("serviceperiod", "balancesheet", "statement", "owner", "property", "budgetitem", "expense"),
    *("meter", "reading", "instalmentplan"),
)
ROWS = ("payment", "requisition", "treasuryfund", "delegation", *PERIODS)
WIDE, PHONE = 1400, 390


class Looking:
    """A browser window, and what it complained of."""

    def __init__(self, browser: Browser, names: dict[str, str], url: str) -> None:
        self.names, self.url = names, url
        self.watch = Watch(url)
        self.page = self.watch.open(browser)

    def sign_in(self, username: str) -> None:
        self.page.goto("/admin/login/")
        self.page.fill("[name=username]", username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url("**/admin/")

    def at(self, address: str, *, width: int = WIDE) -> Page:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto(address.format(**self.names))
        return self.page

    def require_quiet(self) -> None:
        assert (self.watch.outside, self.watch.complaints) == ([], [])


@pytest.fixture(scope="module")
def rows(django_db_setup: Any, django_db_blocker: DjangoDbBlocker) -> Iterator[Office]:
    """One of everything, for a person who is in every part of it; gone when the last page was seen."""
    with django_db_blocker.unblock():
        office = make_office()
        office.cfo.is_superuser = True
        office.cfo.set_password(PASSWORD)
        office.cfo.save()
        everything = one_of_everything(office)
        for role in (Role.APPROVER, Role.REQUESTER):
            Membership.objects.create(user=office.cfo, company=office.company, role=role)
        row = everything[Requisition]
        ask(actor=acting(office.approver), kind="requisition", subject_id=row.pk, text="Why now?")
        office.request(payee_name="The Very Long Name of a Payee " * 4, purpose="Long " * 60)
        Owner.objects.filter(pk=everything[Owner].pk).update(user=office.cfo)
        names = {model._meta.model_name: row for model, row in everything.items()}
        office.rows = names  # type: ignore[attr-defined]
        yield office
        django_db_setup.clean()


@pytest.fixture(scope="module")
def looking(
    rows: Office, browser: Browser, django_db_blocker: DjangoDbBlocker, tmp_path_factory: Any
) -> Iterator[Looking]:
    named: dict[str, Any] = rows.rows  # type: ignore[attr-defined]
    names = {
        "requisition": str(named["requisition"].pk),
        "fund": str(rows.fund.pk),
        "open_period": str(named["budgetitem"].period_id),
        **{f"page_{name}": page_of(named[name]) for name in ("association", *ROWS)},
    }
    mail = str(tmp_path_factory.mktemp("mail"))
    with django_db_blocker.unblock(), override_settings(BURSAR_DEMO=True, EMAIL_FILE_PATH=mail):
        server = LiveServer("localhost")
        window = Looking(browser, names, server.url)
        window.sign_in(rows.cfo.username)
        yield window
        window.page.context.close()
        server.stop()


def require_accessible(page: Page, name: str) -> None:
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    said = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
    assert said == [], name


def keep_picture(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{re.sub(r'[^a-z0-9-]', '-', name)}.png", full_page=True)


PAGES = OURS | {name: url for name, url in LISTS.items() if FULL or name in USUAL}
PAGES |= {f"row-{name}": f"{{page_{name}}}" for name in ROWS}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_can_be_used_by_everybody_and_fetches_nothing(looking: Looking, name: str) -> None:
    page = looking.at(PAGES[name])
    if name == "api-docs":
        page.locator(".opblock-tag").first.wait_for()
    require_accessible(page, name)
    keep_picture(page, name)
    looking.require_quiet()


@pytest.mark.parametrize("name", [name for name in sorted(OURS) if name != "api-docs"])
def test_a_page_fits_a_phone(looking: Looking, name: str) -> None:
    page = looking.at(OURS[name], width=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    if OURS[name].startswith(("/approvals", "/treasury", "/owner")):
        require_accessible(page, name)
        keep_picture(page, f"{name}-phone")


@pytest.mark.parametrize("name", ["approvals", "approvals-detail", "treasury", "delegations"])
def test_a_page_can_be_read_in_the_dark(looking: Looking, name: str) -> None:
    looking.page.emulate_media(color_scheme="dark")
    page = looking.at(OURS[name])
    require_accessible(page, name)
    keep_picture(page, f"{name}-dark")
    looking.page.emulate_media(color_scheme="light")


def test_owners_can_sign_in_on_any_screen(looking: Looking, browser: Browser) -> None:
    stranger = Looking(browser, looking.names, looking.url)
    for width in (WIDE, PHONE):
        page = stranger.at("/owner/", width=width)
        assert page.url.endswith("/owner/sign-in/?next=/owner/")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        require_accessible(page, "owner-sign-in")
        keep_picture(page, f"owner-sign-in-{width}")
    stranger.page.context.close()
    stranger.require_quiet()


def test_touch_targets_are_large_enough(looking: Looking) -> None:
    """Whatever is pressed on the approvals page on a phone has 24 px, what decides 44."""
    page = looking.at(OURS["approvals-detail"], width=PHONE)
    heights = page.eval_on_selector_all(
        ".w-decide button", "found => found.map(one => one.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= 44


def test_the_queue_is_worked_by_keyboard(looking: Looking) -> None:
    page = looking.at("/approvals/?kind=requisition")
    first = page.locator(".w-link[aria-current]").get_attribute("data-item")
    with page.expect_response(re.compile("part=detail")):
        page.keyboard.press("j")
    second = page.locator(".w-link[aria-current]").get_attribute("data-item")
    page.locator(f'.w-card[data-key="{second}"]').wait_for()
    assert first != second
    page.keyboard.press("x")
    assert page.locator("input[name=items]:checked").count() == 1
    assert "1 ticked: KES" in page.locator("[data-sums]").inner_text()
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.value") == "approve"
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.name") == "text"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    with page.expect_response(re.compile("part=detail")):
        page.keyboard.press("k")
    assert page.locator(".w-link[aria-current]").get_attribute("data-item") == first
    looking.require_quiet()


def test_the_sum_of_what_is_ticked_is_exact(looking: Looking) -> None:
    page = looking.at("/approvals/")
    for box in page.locator("input[name=items]").all():
        box.check()
    page.click("text=Approve the ticked")
    shown = page.locator(".w-sums").inner_text()
    page.go_back()
    for box in page.locator("input[name=items]").all():
        box.check()
    assert shown.removesuffix(".00") in page.locator("[data-sums]").inner_text()


def test_pictures_are_not_part_of_the_project() -> None:
    assert f"{PICTURES.name}/" in (ROOT / ".gitignore").read_text()
    assert Path(PICTURES).name.startswith(".")
