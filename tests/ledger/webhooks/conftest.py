"""A company, a client of it that receives webhooks, and the webhook that tells it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from ledger.models import Company, WebhookEndpoint
from tests.conftest import SentTasks
from tests.ledger.factories import CompanyFactory
from tests.ledger.hooks import OWN_NETWORK, Client, make_webhook, receiving


@pytest.fixture
def company(db: None, settings: Settings, sent_tasks: SentTasks) -> Company:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    return CompanyFactory.create()


@pytest.fixture
def client() -> Iterator[Client]:
    with receiving() as client:
        yield client


@pytest.fixture
def webhook(company: Company, client: Client) -> WebhookEndpoint:
    return make_webhook(company, client.url).endpoint
