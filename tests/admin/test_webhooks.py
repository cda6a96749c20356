"""Webhooks in the admin: set up by a CFO, the secret shown once, messages sent again."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from ledger.admin.cells import add_page, page_of
from ledger.clock import database_now
from ledger.models import AuditEvent, WebhookDelivery, WebhookEndpoint
from tests.admin.office import Office, list_url, signed_in
from tests.conftest import SentTasks
from tests.ledger.hooks import OWN_NETWORK, receiving, relay

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
URL = "https://93.184.215.14/hooks"


@pytest.fixture
def cfo(office: Office, sent_tasks: SentTasks) -> Client:
    return signed_in(office.cfo)


def add(client: Client, office: Office, **more: Any) -> Any:
    given = {"company": office.company.pk, "url": URL, "description": "", "kinds": []}
    return client.post(add_page(WebhookEndpoint), given | more)


def step(client: Client, row: Any, name: str, **given: Any) -> Any:
    url = f"{list_url(type(row))}steps/{name}/"
    return client.post(url, {"id": row.pk, **given})


def test_a_cfo_adds_a_webhook_and_sees_its_secret_once(cfo: Client, office: Office) -> None:
    page = add(cfo, office, kinds=["payment.failed"]).headers["Location"]
    answer = cfo.get(page)
    [secret] = SECRET.findall(answer.content.decode())
    assert secret in cfo.get(page).content.decode(), "reloading adds no second one"
    webhook = WebhookEndpoint.objects.get()
    assert (webhook.secret, webhook.kinds) == (secret, ["payment.failed"])
    assert "messages" not in cfo.cookies
    assert secret not in str(dict(cfo.session))
    for url in (page_of(webhook), list_url(WebhookEndpoint)):
        assert "whsec_" not in cfo.get(url).content.decode()


def test_a_secret_is_shown_for_ten_minutes_to_who_made_it(
    cfo: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = add(cfo, office).headers["Location"]
    others = add(cfo, office, url=URL + "/2").headers["Location"]
    mixed = page.rpartition("secret/")[0] + others[others.index("secret/") :]
    later = database_now() + timedelta(minutes=10)
    answers = [signed_in(office.cfo).get(page), cfo.get(mixed)]
    monkeypatch.setattr("ledger.results.database_now", lambda: later)
    for answer in (*answers, cfo.get(page)):
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith("/change/")


def test_an_address_of_ours_is_refused_beside_its_field(cfo: Client, office: Office) -> None:
    answer = add(cfo, office, url="https://127.0.0.1/")
    assert answer.status_code == 400
    assert "This address is not public." in answer.content.decode()
    assert WebhookEndpoint.objects.count() == 0


def test_nobody_else_adds_one(office: Office, sent_tasks: SentTasks) -> None:
    for name in ("treasurer", "auditor", "requester", "approver", "reconciler"):
        assert add(signed_in(office.person(name)), office).status_code == 403
    assert WebhookEndpoint.objects.count() == 0


def test_the_secret_is_replaced_and_shown_once(cfo: Client, office: Office) -> None:
    add(cfo, office)
    webhook = WebhookEndpoint.objects.get()
    answer = cfo.get(step(cfo, webhook, "rotate", overlap_hours="24").headers["Location"])
    [secret] = SECRET.findall(answer.content.decode())
    assert secret != webhook.secret
    assert WebhookEndpoint.objects.get().secret == secret
    assert secret not in str(list(AuditEvent.objects.values_list("after", flat=True)))


def test_it_is_edited_disabled_and_enabled(cfo: Client, office: Office) -> None:
    add(cfo, office)
    webhook = WebhookEndpoint.objects.get()
    step(cfo, webhook, "edit", url=URL + "/2", description="Books", kinds=["payment.failed"])
    step(cfo, webhook, "disable", reason="Moving")
    webhook.refresh_from_db()
    assert (webhook.url, webhook.description, webhook.status) == (URL + "/2", "Books", "disabled")
    assert "Moving" in cfo.get(page_of(webhook)).content.decode()
    step(cfo, webhook, "enable")
    webhook.refresh_from_db()
    assert webhook.status == "active"


def test_a_message_is_shown_with_its_tries_and_sent_again(
    cfo: Client, office: Office, settings: Settings
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    with receiving() as client:
        add(cfo, office, url=client.url)
        webhook = WebhookEndpoint.objects.get()
        step(cfo, webhook, "test")
        relay(webhook)
        delivery = WebhookDelivery.objects.get()
        assert "HTTP 200" in cfo.get(page_of(delivery)).content.decode()
        step(cfo, delivery, "replay")
        relay(webhook)
    assert len(client.messages) == 2
    assert signed_in(office.auditor).get(page_of(delivery)).status_code == 200
