"""A post-box for the gateway's callbacks while no web process runs yet."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

from django.db import connection

from ledger.actor import Actor
from ledger.refusals import Refusal
from treasury.services.callbacks import LARGEST_BODY, record_callback

ADDRESS = re.compile(r"/api/callbacks/[a-z]+/(?P<attempt>[0-9a-f-]{36})/(?P<token>[0-9a-f]+)/?")


class _Handler(BaseHTTPRequestHandler):
    """Keeps what is posted to a callback's address, and says of all else that nobody is in."""

    def do_POST(self) -> None:
        found = ADDRESS.fullmatch(self.path)
        length = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY)
        body = self.rfile.read(length)
        self._answer(200 if found and _is_kept(found["attempt"], found["token"], body) else 404)

    def do_GET(self) -> None:
        self._answer(503)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the callback itself is kept."""


def _is_kept(attempt: str, token: str, body: bytes) -> bool:
    try:
        record_callback(
            actor=Actor.system("callback"), attempt_id=UUID(attempt), token=token, body=body
        )
    except (Refusal, ValueError):
        return False
    return True


@contextmanager
def postbox(port: int) -> Iterator[None]:
    """Take callbacks at this port of this machine; where a web process has it, it takes them itself."""
    try:
        server = HTTPServer(("127.0.0.1", port), _Handler)
    except OSError:
        yield
        return
    thread = threading.Thread(target=_serve, args=(server,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _serve(server: HTTPServer) -> None:
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        connection.close()
