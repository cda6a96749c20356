"""A company with people, a fund and a payment in it."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger.models import User
from ledger.roles import Role
from payments.gateways import daraja
from tests.simulator import simulator, simulator_process
from tests.treasury import factories
from tests.treasury.gateway import Gateway
from tests.treasury.raising import clearing, raised, recorder
from tests.treasury.sending import payment, provider, send
from tests.treasury.world import World
from treasury.models import Payment
from treasury.services.codes import send_otp, verify_otp


@pytest.fixture
def world(db: None) -> World:
    company = factories.make_company()
    factories.set_code_limit(company, Decimal(1000))
    return World(
        company=company,
        fund=factories.make_fund(company, balance=Decimal(100_000)),
        requester=factories.person(company, Role.REQUESTER),
        approver=factories.person(company, Role.APPROVER),
        treasurer=factories.person(company, Role.TREASURER),
        second_treasurer=factories.person(company, Role.TREASURER),
        cfo=factories.person(company, Role.CFO),
    )


def replace_gateway(patch: pytest.MonkeyPatch) -> Gateway:
    """Put a gateway that answers what the test says in place of the real one; nothing is called."""
    fake = Gateway()
    patch.setattr(daraja, "send_b2c", fake.send_b2c)
    patch.setattr(daraja, "query_status", fake.query_status)
    return fake


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    return replace_gateway(monkeypatch)


SendCode = Callable[[Payment, User], str]


@pytest.fixture
def send_code(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> SendCode:
    """Send a code and return it, as its reader finds it."""

    def send(payment: Payment, user: User) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            send_otp(actor=factories.acting(user), payment_id=payment.pk)
        found = re.search(r"^(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
        assert found, "the code stands alone on a line"
        return found.group(1)

    return send


@pytest.fixture
def verify(send_code: SendCode) -> Callable[[Payment, User], None]:
    """Send a code and give it back."""

    def send_and_verify(payment: Payment, user: User) -> None:
        code = send_code(payment, user)
        verify_otp(actor=factories.acting(user), payment_id=payment.pk, otp=code)

    return send_and_verify


__all__ = [
    "World",
    "clearing",
    "payment",
    "provider",
    "raised",
    "recorder",
    "send",
    "simulator",
    "simulator_process",
]
