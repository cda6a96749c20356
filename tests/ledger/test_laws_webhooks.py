"""What PostgreSQL keeps of webhooks: messages as they were written, tries as they were made."""

from typing import Any

import pytest
from pytest_django import Settings

from ledger.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from tests.conftest import SentTasks
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory
from tests.ledger.hooks import OWN_NETWORK, fan_out, make_webhook, relay, tell

TABLES = ("ledger_webhookendpoint", "ledger_webhookdelivery", "ledger_webhooktry")
NOWHERE = "00000000-0000-0000-0000-000000000001"
FROZEN: list[tuple[str, str, Any]] = [
    ("ledger_webhookendpoint", "id", NOWHERE),
    ("ledger_webhookendpoint", "company_id", NOWHERE),
    ("ledger_webhookendpoint", "created_at", "2020-01-01T00:00:00Z"),
    ("ledger_webhookdelivery", "id", NOWHERE),
    ("ledger_webhookdelivery", "endpoint_id", NOWHERE),
    ("ledger_webhookdelivery", "event_id", None),
    ("ledger_webhookdelivery", "message_id", "another"),
    ("ledger_webhookdelivery", "kind", "payment.succeeded"),
    ("ledger_webhookdelivery", "subject", "x:2"),
    ("ledger_webhookdelivery", "sequence", 9),
    ("ledger_webhookdelivery", "body", b"{}"),
    ("ledger_webhookdelivery", "created_at", "2020-01-01T00:00:00Z"),
    ("ledger_webhooktry", "answer_status", 200),
    ("ledger_webhooktry", "at", "2020-01-01T00:00:00Z"),
]


@pytest.fixture
def sent(transactional_db: None, settings: Settings, sent_tasks: SentTasks) -> WebhookEndpoint:
    """An endpoint with a message that nobody took."""
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    webhook = make_webhook(CompanyFactory.create(), "http://127.0.0.1:1/").endpoint
    tell(webhook.company)
    fan_out()
    assert relay(webhook) == 1
    return webhook


def rows() -> list[dict[str, Any]]:
    return raw.rows_of(WebhookEndpoint, WebhookDelivery, WebhookTry)


@pytest.mark.parametrize(("table", "column", "value"), FROZEN)
def test_what_was_written_stays(
    attacker: str, sent: WebhookEndpoint, table: str, column: str, value: Any
) -> None:
    before = rows()
    with raw.refused():
        raw.run(f"UPDATE {table} SET {column} = %s", [value])
    assert rows() == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("attack", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nothing_is_deleted(attacker: str, sent: WebhookEndpoint, table: str, attack: str) -> None:
    before = rows()
    with raw.refused():
        raw.run(attack.format(table))
    assert rows() == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_webhookdelivery SET status = 'delivered'",
        "UPDATE ledger_webhookdelivery SET status = 'lost'",
        "UPDATE ledger_webhookdelivery SET tries = 9",
        "UPDATE ledger_webhookdelivery SET next_try_at = NULL",
        "UPDATE ledger_webhookdelivery SET finished_at = ledger_clock()",
        (
            "UPDATE ledger_webhookdelivery SET status = 'dead', finished_at = ledger_clock(),"
            " next_try_at = NULL, lease_until = ledger_clock()"
        ),
        "UPDATE ledger_webhookendpoint SET disabled_at = ledger_clock()",
        "UPDATE ledger_webhookendpoint SET disabled_reason = 'because'",
        "UPDATE ledger_webhookendpoint SET previous_until = ledger_clock()",
        "UPDATE ledger_webhookendpoint SET previous_secret = 'x'",
        "UPDATE ledger_webhookendpoint SET failures = 0",
        "UPDATE ledger_webhookendpoint SET failing_since = NULL",
        (
            "INSERT INTO ledger_webhookdelivery (id, endpoint_id, event_id, message_id, kind, subject,"
            " sequence, body, status, tries, replays, next_try_at, last_answer)"
            " SELECT gen_random_uuid(), endpoint_id, event_id, message_id, kind, subject, sequence, body,"
            " 'pending', 0, 0, ledger_clock(), '' FROM ledger_webhookdelivery"
        ),
        (
            "INSERT INTO ledger_webhooktry (id, delivery_id, number, replay, error, duration_ms)"
            " SELECT gen_random_uuid(), id, 2, 0, '', 1 FROM ledger_webhookdelivery"
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    attacker: str, sent: WebhookEndpoint, change: str
) -> None:
    before = rows()
    with raw.refused():
        raw.run(change)
    assert rows() == before
