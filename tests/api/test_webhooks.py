"""Webhooks and events as a client meets them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from ledger.models import AuditEvent, IdempotencyKey, OutboxEvent, WebhookEndpoint
from ledger.roles import Role
from ledger.services.relaying import event_body
from ledger.signatures import signed_headers
from tests.api.conftest import Calling, Organisation
from tests.conftest import SentTasks
from tests.ledger.factories import CompanyFactory, MembershipFactory
from tests.ledger.hooks import OWN_NETWORK, fan_out, receiving, relay, tell

URL = "https://93.184.215.14/bursar"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture
def cfo(organisation: Organisation, calling: Calling, sent_tasks: SentTasks) -> APIClient:
    return calling(organisation.person(Role.CFO))


@pytest.fixture
def auditor(organisation: Organisation, calling: Calling) -> APIClient:
    return calling(organisation.person(Role.AUDITOR))


def made(cfo: APIClient, **details: Any) -> dict[str, Any]:
    answer = cfo.post("/api/webhooks/", {"url": URL} | details)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_secret_is_shown_once(cfo: APIClient, auditor: APIClient) -> None:
    webhook = made(cfo, kinds=["payment.succeeded"], description="Books")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", webhook["secret"])
    path = f"/api/webhooks/{webhook['id']}/"
    for reader in (cfo, auditor):
        for address in ("/api/webhooks/", path, path + "history/"):
            answer = reader.get(address)
            assert answer.status_code == 200
            assert "secret" not in answer.content.decode().replace("webhook.rotate_secret", "")
            assert "whsec_" not in answer.content.decode()
    shown = cfo.get(path).json()
    assert (shown["url"], shown["kinds"], shown["description"], shown["status"]) == (
        URL,
        ["payment.succeeded"],
        "Books",
        "active",
    )


def test_no_secret_is_kept_in_the_audit_trail_or_for_a_repetition(cfo: APIClient) -> None:
    answer = cfo.post("/api/webhooks/", {"url": URL}, headers={"Idempotency-Key": "k1"})
    secret = answer.json()["secret"]
    cfo.post(f"/api/webhooks/{answer.json()['id']}/rotate/", headers={"Idempotency-Key": "k2"})
    kept = json.dumps(list(AuditEvent.objects.values("before", "after")))
    assert secret not in kept
    assert IdempotencyKey.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://93.184.215.14/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": 7}, "url"),
        ({"url": URL, "kinds": ["payment.lost"]}, "kinds.0"),
        ({"url": URL, "kinds": "payment.failed"}, "kinds"),
        ({"url": URL, "description": "x" * 161}, "description"),
        ({"url": URL, "description": "two\nlines"}, "description"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
        ({"url": URL, "company": "00000000-0000-0000-0000-000000000001"}, "company"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    cfo: APIClient, body: dict[str, Any], field: str
) -> None:
    answer = cfo.post("/api/webhooks/", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field]), answer.content
    assert WebhookEndpoint.objects.count() == 0


def test_with_several_companies_one_is_named(
    organisation: Organisation, calling: Calling, sent_tasks: SentTasks
) -> None:
    user = organisation.person(Role.CFO)
    MembershipFactory.create(user=user, company=organisation.other, role=Role.CFO)
    client = calling(user)
    assert list(client.post("/api/webhooks/", {"url": URL}).json()["errors"]) == ["company"]
    webhook = made(client, company=str(organisation.other.pk))
    assert webhook["company"] == str(organisation.other.pk)


def test_a_cfo_elsewhere_is_refused(
    organisation: Organisation, calling: Calling, sent_tasks: SentTasks
) -> None:
    user = organisation.person(Role.AUDITOR)
    MembershipFactory.create(user=user, company=organisation.other, role=Role.CFO)
    body = {"url": URL, "company": str(organisation.company.pk)}
    answer = calling(user).post("/api/webhooks/", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")


def test_a_company_has_at_most_twenty(cfo: APIClient) -> None:
    for _ in range(20):
        made(cfo)
    answer = cfo.post("/api/webhooks/", {"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_a_webhook_is_edited_disabled_enabled_and_rotated(cfo: APIClient) -> None:
    webhook = made(cfo)
    path = f"/api/webhooks/{webhook['id']}/"
    assert cfo.patch(path, {}).status_code == 400
    assert cfo.patch(path, {"kinds": ["payment.failed"]}).json()["kinds"] == ["payment.failed"]
    assert cfo.patch(path, {"url": "https://[::1]/"}).json()["code"] == "destination_refused"
    assert cfo.post(path + "disable/", {"reason": "Moving"}).json()["status"] == "disabled"
    assert cfo.post(path + "disable/", {"reason": "Again"}).json()["code"] == "illegal_transition"
    assert cfo.post(path + "enable/").json()["status"] == "active"
    assert cfo.post(path + "enable/").status_code == 409
    rotated = cfo.post(path + "rotate/", {"overlap_hours": 2}).json()
    assert rotated["secret"] != webhook["secret"]
    assert rotated["previous_until"] is not None
    assert cfo.post(path + "rotate/", {"overlap_hours": 25}).status_code == 400
    actions = [event["action"] for event in cfo.get(path + "history/").json()["results"]]
    assert {"webhook.edit", "webhook.disable", "webhook.enable", "webhook.rotate"} <= set(actions)


def test_deliveries_are_listed_shown_and_replayed(
    cfo: APIClient, organisation: Organisation, settings: Settings
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    with receiving() as client:
        client.answers = [500]
        webhook = made(cfo, url=client.url)
        endpoint = WebhookEndpoint.objects.get()
        path = f"/api/webhooks/{webhook['id']}/"
        test = cfo.post(path + "test/")
        assert (test.status_code, test.json()["type"]) == (202, "webhook.test")
        relay(endpoint)
        waiting = cfo.get(path + "deliveries/?status=pending").json()["results"]
        assert [row["last_answer"] for row in waiting] == ["HTTP 500"]
        one = f"{path}deliveries/{waiting[0]['id']}/"
        assert cfo.post(one + "replay/").status_code == 202
        WebhookEndpoint.objects.update(rest_until=None)
        relay(endpoint)
        shown = cfo.get(one).json()
    assert (shown["status"], shown["replays"]) == ("delivered", 1)
    assert [row["answer_status"] for row in shown["log"]] == [500, 200]
    assert shown["body"].encode() == client.messages[0].body == client.messages[1].body
    other = made(cfo)
    strange = f"/api/webhooks/{other['id']}/deliveries/{waiting[0]['id']}/"
    assert (cfo.get(strange).status_code, cfo.post(strange + "replay/").status_code) == (404, 404)


def test_events_can_be_polled(auditor: APIClient, organisation: Organisation) -> None:
    tell(CompanyFactory.create(), "x:9")
    for subject, kind in (("x:1", "payment.failed"), ("x:2", "payment.succeeded")):
        tell(organisation.company, subject, kind)
    newest, oldest = auditor.get("/api/events/").json()["results"]
    assert [newest["subject"], oldest["subject"]] == ["x:2", "x:1"]
    for query, found in (
        ("?type=payment.failed", ["x:1"]),
        ("?subject=x:2", ["x:2"]),
        (f"?since={newest['timestamp']}&subject=x:2", ["x:2"]),
        ("?ordering=timestamp", ["x:1", "x:2"]),
        ("?until=2020-01-01", []),
    ):
        rows = auditor.get("/api/events/" + query).json()["results"]
        assert [row["subject"] for row in rows] == found, query
    assert auditor.get("/api/events/?type=payment.lost").status_code == 400
    assert auditor.get(f"/api/events/{oldest['id']}/").json() == oldest


def test_an_event_reads_the_same_here_and_there(
    auditor: APIClient, organisation: Organisation
) -> None:
    tell(organisation.company)
    event = OutboxEvent.objects.get()
    assert auditor.get(f"/api/events/{event.pk}/").json() == event_body(event)


def test_lists_cost_the_same_however_long_they_are(
    cfo: APIClient, organisation: Organisation, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        made(cfo)
        tell(organisation.company)
    fan_out()
    webhook = WebhookEndpoint.objects.earliest("created_at")
    for path in ("/api/webhooks/", "/api/events/", f"/api/webhooks/{webhook.pk}/deliveries/"):
        with django_assert_max_num_queries(4):
            assert cfo.get(path).json()["results"], path


def example() -> dict[str, Any]:
    """The receiver's code from the documentation, as somebody would copy it."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the documentation shows how to receive a webhook"
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 -- our own documentation
    return names


def test_the_documented_receiver_takes_what_we_send_and_nothing_else(
    cfo: APIClient, organisation: Organisation, settings: Settings
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    receive = example()["receive"]
    with receiving() as client:
        secret = made(cfo, url=client.url)["secret"]
        tell(organisation.company)
        fan_out()
        relay(WebhookEndpoint.objects.get())
        [message] = client.messages
    assert receive(secret, message.headers, message.body)["type"] == "payment.failed"
    stale = signed_headers(signing=[secret], message_id="m", timestamp=1, body=message.body)
    for headers, body in (
        (message.headers, message.body + b" "),
        (message.headers | {"webhook-id": "another"}, message.body),
        (message.headers | {"webhook-signature": "v1,AAAA"}, message.body),
        (stale, message.body),
    ):
        with pytest.raises(ValueError, match="not from Bursar"):
            receive(secret, headers, body)
