"""A real web process on the test's database, as an instance runs it, and a client that calls it.

A folder that wants it says so in its conftest:

    from tests.web import web, web_process  # noqa: F401
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from pytest_django import DjangoDbBlocker

from config.embedded import processes
from config.embedded.home import ROOT
from config.embedded.instance import WEB_THREADS, free_port
from tests.conftest import environment_of_children
from tests.scene import PASSWORD

CROWD = 250


class Web:
    """The process's address, and who is signed in there."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Each request has a connection of its own: two hundred threads do not share one well.
        limits = httpx.Limits(max_connections=CROWD, max_keepalive_connections=0)
        self._client = httpx.Client(base_url=url, timeout=60.0, limits=limits, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def is_up(self) -> bool:
        try:
            return self._client.get("/health/").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_up(self) -> None:
        assert processes.wait_until(self.is_up, seconds=120, every=0.1), "the web does not answer"

    def token(self, username: str, password: str = PASSWORD) -> str:
        answer = self.post("/api/auth/token/", {"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def post(
        self, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> httpx.Response:
        return self._client.post(path, json=body or {}, headers=_with(token, headers))

    def get(self, path: str, *, token: str = "") -> httpx.Response:
        return self._client.get(path, headers=_with(token, {}))


def _with(token: str, headers: dict[str, str]) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return named | ({"Authorization": f"Token {token}"} if token else {})


@contextmanager
def serving(
    environment: dict[str, str],
    *,
    application: str = "config.wsgi:application",
    workers: int = 1,
) -> Iterator[Web]:
    """Run a web process for as long as the block lasts; a worker is started again if it dies."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(workers)]
    command += ["--blocking-threads", str(WEB_THREADS), "--no-ws"]
    command += ["--respawn-failed-workers", "--log-level", "warning", application]
    told = {**environment, "PORT": str(port), "BURSAR_PUBLIC_URL": url}
    process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=subprocess.DEVNULL)
    web = Web(url)
    try:
        web.wait_until_up()
        yield web
    finally:
        web.close()
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def web_process(
    django_db_setup: Any, django_db_blocker: DjangoDbBlocker, database_name: str
) -> Iterator[Web]:
    with serving(environment_of_children(database_name)) as web:
        yield web


@pytest.fixture
def web(web_process: Web, transactional_db: None) -> Web:
    """The running web process; it sees what the test commits."""
    return web_process
