"""The demo: believable, complete, and balanced like everything that the services make."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from config.embedded import postgres
from config.embedded.instance import free_port
from ledger.access import roles_of
from ledger.clock import database_now
from ledger.models import Company, User
from ledger.roles import Role
from ledger.services.verification import verify
from payments.models import Provider
from tests import database
from tests.simulator import Simulator, simulator, simulator_process  # noqa: F401
from treasury.demo.cast import PASSWORD
from treasury.demo.loader import Surroundings, load
from treasury.models import (
    Payment,
    ReplenishmentRequest,
    Requisition,
    TreasuryFund,
    VarianceAdjustment,
)

LONGEST_S = 30.0


@pytest.fixture
def where(
    transactional_db: None,
    database_name: str,
    simulator: Simulator,  # noqa: F811
    settings: Settings,
) -> Iterator[Surroundings]:
    settings.PORT = free_port()
    settings.BURSAR_PUBLIC_URL = f"http://127.0.0.1:{settings.PORT}"
    yield Surroundings(
        owner_url=database.CLUSTER.url(role=postgres.OWNER, database=database_name),
        port=settings.PORT,
        simulator_url=simulator.url,
        simulator_home=simulator.home,
    )


def statuses(model: type) -> set[str]:
    return set(model.objects.values_list("status", flat=True))  # type: ignore[attr-defined]


def test_the_demo_shows_every_status_and_its_ledger_holds(where: Surroundings) -> None:
    began = time.monotonic()
    cpu = time.process_time()
    assert load(where)
    cpu = time.process_time() - cpu
    seconds = time.monotonic() - began
    print(seconds, cpu)
    assert statuses(Requisition) == {"submitted", "approved", "rejected", "cancelled", "paid"}
    assert statuses(Payment) == {
        *("pending", "executing", "success", "failed", "reconciled", "unknown"),
        *("review", "cancelled"),
    }
    assert statuses(VarianceAdjustment) == {"pending", "approved", "rejected"}
    assert statuses(ReplenishmentRequest) == {"pending", "approved", "funded", "rejected"}
    assert verify().faults == []
    assert seconds < LONGEST_S
    for p in Payment.objects.filter(method="mpesa"): print(p.status, p.amount, p.last_error)
    for f in TreasuryFund.objects.all(): print(f, f.available_balance)
    print(Payment.objects.count(), Requisition.objects.count())
