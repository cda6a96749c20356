"""What the payment tests share."""

from collections.abc import Iterator

import pytest

from ledger.actor import Actor
from ledger.models import Company
from payments.credentials import Credentials
from payments.models import Provider
from payments.services import add_provider
from tests.payments.receiver import Receiver, receiving
from tests.simulator import Simulator, simulator, simulator_process

__all__ = ["simulator", "simulator_process"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def company() -> Company:
    return Company.objects.create(
        name="Savanna Traders", code="savanna", currency="KES", time_zone="Africa/Nairobi"
    )


@pytest.fixture
def provider(company: Company, simulator: Simulator) -> Provider:
    """The company's M-Pesa account, at the running simulator."""
    known = simulator.identity
    return add_provider(
        actor=Actor.system("test"),
        company_id=company.pk,
        kind=Provider.Kind.MPESA,
        name="M-Pesa",
        base_url=simulator.url,
        short_code=known["short_code"],
        initiator_name=known["initiator_name"],
        credentials=Credentials(
            consumer_key=known["consumer_key"],
            consumer_secret=known["consumer_secret"],
            initiator_password=known["initiator_password"],
        ),
        certificate=known["certificate"],
    )
