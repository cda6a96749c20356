"""A client that receives webhooks: keeps what came, and answers what a test says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import transaction

from ledger.actor import Actor
from ledger.models import Company, OutboxEvent, WebhookDelivery, WebhookEndpoint
from ledger.outbox import publish
from ledger.services import relaying
from ledger.services.webhooks import WithSecret, add_webhook

SYSTEM = Actor.system("tests")
OWN_NETWORK = ["127.0.0.0/8"]


@dataclass(frozen=True)
class Message:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Client:
    """``answers`` are given in turn, 200 after the last; ``drip`` never ends an answer."""

    url: str
    answers: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    drip: bool = False
    location: str = ""
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving() -> Iterator[Client]:
    """Listen on a free port for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            client.messages.append(Message(self.path, headers, body))
            if client.drip:
                self._drip()
                return
            self.send_response(client.answers.pop(0) if client.answers else 200)
            if client.location:
                self.send_header("Location", client.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _drip(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not client.over.wait(0.05):
                try:
                    self.wfile.write(b"X-More: drip\r\n")
                except OSError:
                    return

        def do_GET(self) -> None:
            client.messages.append(Message(self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    client = Client(f"http://127.0.0.1:{server.server_address[1]}/hooks?a=1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield client
    finally:
        client.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def make_webhook(company: Company, url: str, **details: Any) -> WithSecret:
    return add_webhook(actor=SYSTEM, company_id=company.pk, url=url, **details)


def tell(
    company: Company, subject: str = "treasury.payment:1", kind: str = "payment.failed"
) -> None:
    """Write an event of the subject."""
    with transaction.atomic():
        publish(kind=kind, subject=subject, company_id=company.pk, payload={"amount": "5.00"})


def fan_out() -> int:
    return relaying.fan_out(actor=SYSTEM)


def relay(endpoint: WebhookEndpoint) -> int:
    return relaying.relay(actor=SYSTEM, endpoint_id=endpoint.pk)


def make_due() -> None:
    """Let everything that waits be due now, and every endpoint rested."""
    now = OutboxEvent.objects.values_list("occurred_at", flat=True).earliest("occurred_at")
    WebhookDelivery.objects.filter(status="pending").update(next_try_at=now)
    WebhookEndpoint.objects.update(rest_until=None)
