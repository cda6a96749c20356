"""Treasury and the one in plain Python, driven by the same random hands through every command, agree on each
refusal, each status and each shilling."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import initialize, run_state_machine_as_test

from ledger.clock import today
from ledger.models import Membership, User
from ledger.roles import Role
from ledger.services.verification import verify
from payments.gateways import daraja
from payments.models import Provider
from tests.conftest import FULL
from tests.properties import reference_treasury as reference
from tests.properties.reference_nouns import Payment
from tests.properties.treasury_comparison import (
    HANDY,
    OPENING,
    PEOPLE,
    REORDER_LEVEL,
    SENT_CODE,
    TALLY,
)
from tests.properties.treasury_steps import FundSteps, GatewaySteps, PaymentSteps, RequisitionSteps
from tests.scene import Scene, build_scene
from tests.treasury.gateway import Gateway
from treasury.services import codes, execution


class TreasuryMachine(RequisitionSteps, PaymentSteps, GatewaySteps, FundSteps):
    """Each run is one transaction that is rolled back; each command a savepoint, as a refusal ends it."""

    @initialize()
    def open(self) -> None:
        self.atomic = transaction.atomic()
        # As Django's TestCase does: commands are durable, and this transaction is only the run's.
        self.atomic._from_testcase = True  # type: ignore[attr-defined]
        self.atomic.__enter__()
        TreasuryMachine.gateway = Gateway()
        self.numbers = count(1)
        self.ids = {}
        self.treasury = reference.Treasury(
            roles=dict(PEOPLE),
            balance=Decimal(OPENING),
            reorder_level=Decimal(REORDER_LEVEL),
            target_level=Decimal(2 * REORDER_LEVEL),
        )
        self.begin()

    def begin(self) -> None:
        """Three payments to begin with, so that a short run meets more than beginnings; one needs a code."""
        for amount, method in ((800, "cash"), (600, "mpesa"), (1200, "mpesa")):
            self.request("requester", Decimal(amount), method)
            self.agree_to_one(0)
            self.pay("treasurer", -1, None)
        self.execute_one(self.treasury.payments[1])

    def execute_one(self, payment: Payment) -> None:
        self.about("payment", payment, self.treasury.execute, execution.execute_payment)(
            "treasurer", today=today
        )

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            report = verify()
            assert not [fault for fault in report.faults if fault.check != "anchors"]
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)


@pytest.fixture
def machine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> type[TreasuryMachine]:
    """The machine, with a fund that every run finds as it was."""
    scene = build_scene(
        opening=OPENING,
        reorder_level=REORDER_LEVEL,
        one_approval_up_to=int(reference.ONE_APPROVAL_UP_TO),
    )
    scene.require_codes(above=int(reference.CODE_ABOVE))
    for name in HANDY:
        _give_every_role(scene, scene.people[name])
    Provider.objects.create(
        company=scene.company,
        kind="mpesa",
        name="M-Pesa",
        base_url="http://127.0.0.1:9",
        short_code="600000",
        initiator_name="tests",
        credentials="{}",
        certificate="none",
    )
    monkeypatch.setattr(TreasuryMachine, "scene", scene, raising=False)
    for name in ("send_b2c", "query_status"):
        monkeypatch.setattr(daraja, name, _through(name))
    monkeypatch.setattr(codes, "generate_otp", lambda: SENT_CODE)
    TALLY.clear()
    return TreasuryMachine


def _give_every_role(scene: Scene, user: User) -> None:
    for role in Role:
        Membership.objects.get_or_create(user=user, company=scene.company, role=role)


def _through(name: str) -> Callable[..., Any]:
    """Each run has a gateway of its own, so it is looked up at each call."""

    def call(**asked: Any) -> Any:
        return getattr(TreasuryMachine.gateway, name)(**asked)

    return call


def test_treasury_does_what_is_promised_and_money_is_conserved(
    machine: type[TreasuryMachine],
) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=400 if FULL else 10,
            stateful_step_count=80 if FULL else 30,
            suppress_health_check=list(HealthCheck),
            phases=[p for p in Phase if p is not Phase.shrink],
        ),
    )
    assert TALLY["done"] > 50, dict(TALLY)
