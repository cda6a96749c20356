"""A real browser on a real server: Debian's Chromium, driven by Playwright, with no way out.

Where there is no Chromium these tests are skipped, and pytest's summary names them; in CI they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
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
    # No name and no number of another machine leads anywhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


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


class Watch:
    """What browser windows asked for elsewhere, and what their consoles complained of.

    It listens, and stops nothing: a browser whose requests go through its driver keeps no page's files for
    the next. What would leave the machine finds no address (``FLAGS``).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.outside: list[str] = []
        self.complaints: list[str] = []

    def open(self, browser: Browser, **context: Any) -> Page:
        """A new window, with cookies of its own."""
        made = browser.new_context(base_url=self.url, **context)
        made.set_default_timeout(PATIENCE_MS)
        made.on("request", self._note)
        page = made.new_page()
        page.on("console", self._hear)
        return page

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.outside.append(request.url)

    def _hear(self, message: ConsoleMessage) -> None:
        # What the browser says of an answer that refuses is expected where a test is refused.
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            self.complaints.append(message.text)


def session_of(user: User) -> str:
    """Sign the person in, and give what his browser would keep of it."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Give a signed-in person's page, of a given width; it must fetch nothing from elsewhere,
    and its console must stay quiet."""
    watch = Watch(live_server.url)

    def signed_in(user: User, *, width: int = 1400, dark: bool = False) -> Page:
        user.set_password(PASSWORD)
        user.save()
        scheme = "dark" if dark else "light"
        size = {"width": width, "height": 900}
        page = watch.open(browser, viewport=size, color_scheme=scheme)
        session = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user)}
        page.context.add_cookies([{**session, "url": live_server.url}])  # type: ignore[typeddict-item]
        return page

    yield signed_in
    for context in browser.contexts:
        context.close()
    assert (watch.outside, watch.complaints) == ([], [])
