"""The doorman of the first start: people get a page, programs a problem, callbacks are handed on."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from config.embedded.doorman import Doorman
from config.embedded.instance import free_port
from config.problem_codes import MEANINGS

TAKEN = 204


class Box(BaseHTTPRequestHandler):
    """A post-box that takes everything."""

    took: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.took.append((self.path, body))
        self.send_response(TAKEN)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: HTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def box() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Box)
    with serving(server):
        yield server


@pytest.fixture(scope="module")
def door(box: HTTPServer) -> Iterator[str]:
    with serving(Doorman("127.0.0.1", 0, int(box.server_address[1]))) as url:
        yield url


@pytest.mark.parametrize("path", ["/", "/admin/", "/approvals/?item=x", "/demo/inbox/"])
def test_people_get_a_page_that_reloads_itself(door: str, path: str) -> None:
    answer = httpx.get(door + path, headers={"Accept": "text/html,application/xhtml+xml,*/*"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>Bursar is starting</h1>" in answer.text
    assert answer.text.count("window.location.reload()") == 1
    assert not re.findall(r"(?:src|href)=", answer.text), "nothing else is there to be loaded"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_clients_get_a_problem_document(door: str, method: str) -> None:
    for path, accept in (("/api/payments/", "*/*"), ("/core/x", "*/*"), ("/", "application/json")):
        body = {} if method in {"GET", "DELETE"} else {"json": {"amount": "1"}}
        answer = httpx.request(method, door + path, headers={"Accept": accept}, **body)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Content-Type"] == "application/problem+json"
        told = answer.json()
        assert (told["status"], MEANINGS[told["code"]].status) == (503, 503)


def test_health_says_that_it_is_starting(door: str) -> None:
    answer = httpx.get(f"{door}/health/")
    assert (answer.status_code, answer.json()) == (503, {"status": "starting"})
    assert httpx.head(f"{door}/health/").content == b""


def test_callbacks_are_handed_on(door: str) -> None:
    answer = httpx.post(f"{door}/api/callbacks/sf/1/2/", content=b"{}")
    assert (answer.status_code, Box.took) == (TAKEN, [("/api/callbacks/sf/1/2/", b"{}")])
    httpx.put(f"{door}/api/callbacks/sf/1/2/", content=b"{}")
    assert len(Box.took) == 1


def test_a_callback_that_nobody_takes_is_to_come_again() -> None:
    with serving(Doorman("127.0.0.1", 0, free_port())) as url:
        assert httpx.post(f"{url}/api/callbacks/sf/1/2/", content=b"{}").status_code == 503


def test_the_web_process_comes_up_beside_it() -> None:
    first = Doorman("127.0.0.1", 0, 0)
    with serving(first), serving(Doorman("127.0.0.1", int(first.server_address[1]), 0)) as url:
        assert httpx.get(url).status_code == 503
