"""A real browser on a real server: Debian's Chromium, driven by Playwright, with no way out.

Where there is no Chromium these tests are skipped, and pytest's summary names them; in CI they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from ledger.models import User
from tests.admin.office import Office, make_office

PASSWORD = "bursar-demo"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of this module's own: its event loop must have ended when other tests begin theirs."""
    path = chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail("There is no Chromium, and in CI there must be one (apt-get install chromium).")
    if path is None:
        pytest.skip("not run: there is no Chromium on this machine (apt-get install chromium)")
    with pytest.MonkeyPatch.context() as environment:
        # Playwright keeps an event loop in this thread, beside which Django would refuse to be asked.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
            yield launched
            launched.close()


@pytest.fixture
def office(transactional_db: None, settings: Settings, tmp_path: Path) -> Office:
    """An office in a demo that writes its mail into a folder."""
    settings.BURSAR_DEMO = True
    settings.EMAIL_BACKEND = "config.mail.FolderBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    return make_office()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Sign a person in and give his page, of a given width; it must fetch nothing from elsewhere,
    and its console must stay quiet."""
    outside: list[str] = []
    complaints: list[str] = []

    def guard(route: Route) -> None:
        if route.request.url.startswith((live_server.url, "data:")):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        # What the browser says of an answer that refuses is expected where a test is refused.
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            complaints.append(message.text)

    def sign_in(user: User, *, width: int = 1400, dark: bool = False) -> Page:
        user.set_password(PASSWORD)
        user.save()
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", guard)
        page = context.new_page()
        page.on("console", hear)
        page.goto("/admin/login/")
        page.fill("[name=username]", user.username)
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        return page

    yield sign_in
    for context in browser.contexts:
        context.close()
    assert outside == []
    assert complaints == []
