"""An HTTP server inside the test that receives the simulator's callbacks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_S = 60.0


class Receiver:
    """Keeps what was POSTed: ``(path, body)`` in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self._arrived = threading.Condition()

    def keep(self, path: str, body: bytes) -> None:
        with self._arrived:
            self.bodies.append(body)
            self.posts.append((path, json.loads(body, parse_float=Decimal)))
            self._arrived.notify_all()

    def wait_for(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """The first ``count`` callbacks, or an assertion after a minute."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.posts) >= count, WAIT_S), self.posts
            return self.posts[:count]

    def result(self) -> dict[str, Any]:
        """The ``Result`` of the first callback."""
        found: dict[str, Any] = self.wait_for(1)[0][1]["Result"]
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.keep(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
