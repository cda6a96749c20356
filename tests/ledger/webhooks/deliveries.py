"""What was told, and what became of it."""

import json

from ledger.models import WebhookDelivery
from tests.ledger.hooks import Client


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def told(client: Client) -> list[tuple[str, int]]:
    bodies = [json.loads(message.body) for message in client.messages]
    return [(body["subject"], body["sequence"]) for body in bodies]
