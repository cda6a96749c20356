"""Who answers at the web's port during the very first start: "not yet", to people and to programs.

He needs nothing but Python. People get a page that reloads itself once Bursar is ready, clients of the API
a problem document. The gateway's callbacks, which the demo's history causes, are handed on to its post-box.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import socket
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RETRY_AFTER_S = 5
PATIENCE_S = 10.0
LARGEST_BODY = 1_000_000
CALLBACKS = "/api/callbacks/"
OF_THE_API = ("/api/", "/core/")
STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: 4rem 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
"""
# While nobody answers, between him and the web process, it asks again.
SCRIPT = """
setInterval(async () => {
  try {
    const answer = await fetch("/health/", {cache: "no-store"});
    if (answer.ok) window.location.reload();
  } catch { /* not even the door is open: ask again */ }
}, 2000);
"""
PAGE = f"""<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Bursar is starting</title>
        <style>{STYLE}</style>
        <script>{SCRIPT}</script>
        <noscript><meta http-equiv="refresh" content="{RETRY_AFTER_S}"></noscript>
    </head>
    <body>
        <main>
            <h1>Bursar is starting</h1>
            <p>The first start prepares the database, which takes about a minute.
            This page opens by itself as soon as everything is ready.</p>
        </main>
    </body>
</html>
"""
PROBLEM = {
    "type": "/problems/unavailable/",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "Bursar is starting for the first time. Ask again in a moment.",
    "code": "unavailable",
}


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(STYLE)}'; script-src 'sha256-{_hash(SCRIPT)}'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Handler(BaseHTTPRequestHandler):
    """Says that it is too early, whatever is asked."""

    timeout = PATIENCE_S  # of a caller who does not finish his request
    server: Doorman

    def do_GET(self) -> None:
        if self.path.startswith("/health"):
            self._say(json.dumps({"status": "starting"}), "application/json")
        elif self.path.startswith(OF_THE_API) or not self._reads_pages():
            self._say(json.dumps(PROBLEM), "application/problem+json")
        else:
            self._say(PAGE, "text/html; charset=utf-8")

    do_HEAD = do_DELETE = do_OPTIONS = do_GET

    def do_POST(self) -> None:
        body = self._body()
        is_callback = self.command == "POST" and self.path.startswith(CALLBACKS)
        status = self.server.hand_on(self.path, body) if is_callback else None
        if status is None:
            self.do_GET()
        else:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_PUT = do_PATCH = do_POST

    def _reads_pages(self) -> bool:
        accepted = self.headers.get("Accept", "")
        return "json" not in accepted or "text/html" in accepted

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        many = int(length) if length.isascii() and length.isdigit() else 0
        return self.rfile.read(min(many, LARGEST_BODY))

    def _say(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(503)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Retry-After", str(RETRY_AFTER_S))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self) -> str:
        return "Bursar"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: nothing happens here."""


class Doorman(ThreadingHTTPServer):
    """Listens beside the web process that comes up at the same port; ``postbox`` is a port, 0 without one."""

    daemon_threads = True

    def __init__(self, host: str, port: int, postbox: int) -> None:
        self.postbox = postbox
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def hand_on(self, path: str, body: bytes) -> int | None:
        """Hand a callback to the post-box; returns its answer's status, None when nobody takes it."""
        if not self.postbox:
            return None
        there = http.client.HTTPConnection("127.0.0.1", self.postbox, timeout=PATIENCE_S)
        try:
            there.request("POST", path, body)
            return there.getresponse().status
        except OSError:
            return None
        finally:
            there.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--postbox", type=int, default=0)
    given = parser.parse_args(arguments)
    Doorman(given.host, given.port, given.postbox).serve_forever()


if __name__ == "__main__":
    main()
