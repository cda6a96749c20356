"""Configuring providers: who may, what is refused, and that credentials never come back."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.actor import Actor
from ledger.audit import history_of
from ledger.models import Company, Membership, User
from ledger.refusals import InvalidInput, NotFound, Refusal, RoleRequired
from ledger.roles import Role
from payments.credentials import Credentials, UnreadableCredentials
from payments.models import Provider
from payments.selectors import provider_for
from payments.services import (
    add_provider,
    change_credentials,
    connect_simulator,
    resume_provider,
    stop_provider,
)
from tests.simulator import Simulator

pytestmark = pytest.mark.django_db
CREDENTIALS = Credentials("canary-key", "canary-secret", "canary-password")


def person(company: Company, *roles: Role) -> Actor:
    user = User.objects.create(username=f"user-{uuid4()}")
    for role in roles:
        Membership.objects.create(user=user, company=company, role=role)
    return Actor.of(user)


def add(company: Company, simulator: Simulator, **changed: Any) -> Provider:
    known: dict[str, Any] = {
        "actor": person(company, Role.CFO),
        "company_id": company.pk,
        "kind": Provider.Kind.MPESA,
        "name": "M-Pesa",
        "base_url": "https://gateway.example",
        "short_code": "600001",
        "initiator_name": "api",
        "credentials": CREDENTIALS,
        "certificate": simulator.identity["certificate"],
    }
    return add_provider(**{**known, **changed})


def test_a_cfo_adds_a_provider_and_the_company_finds_it(
    company: Company, simulator: Simulator
) -> None:
    provider = add(company, simulator)
    assert provider_for(company.pk, Provider.Kind.MPESA) == provider
    assert provider.is_usable
    assert Credentials.load(provider.credentials) == CREDENTIALS


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CFO}))
def test_nobody_else_does(company: Company, simulator: Simulator, role: Role) -> None:
    with pytest.raises(RoleRequired):
        add(company, simulator, actor=person(company, role))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "http://gateway.example"),
        ("base_url", "gateway.example"),
        ("base_url", "http://127.0.0.1.example"),
        ("certificate", "none"),
    ],
)
def test_what_would_leak_or_fail_is_refused_by_its_field(
    company: Company, simulator: Simulator, field: str, value: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        add(company, simulator, **{field: value})
    assert list(refusal.value.errors) == [field]
    assert not Provider.objects.exists()


def test_a_company_has_one_active_provider_of_a_kind(
    company: Company, simulator: Simulator
) -> None:
    add(company, simulator)
    with pytest.raises(Refusal) as refusal:
        add(company, simulator, name="Another", short_code="600002")
    assert refusal.value.code == "provider_exists"


def test_an_account_belongs_to_one_provider(company: Company, simulator: Simulator) -> None:
    add(company, simulator)
    other = Company.objects.create(name="Other", code="other", currency="KES")
    with pytest.raises(Refusal) as refusal:
        add(other, simulator, actor=person(other, Role.CFO), company_id=other.pk)
    assert refusal.value.code == "provider_exists"


def test_an_unknown_company_has_no_provider(company: Company, simulator: Simulator) -> None:
    with pytest.raises(NotFound):
        add(company, simulator, company_id=uuid4(), actor=Actor.system("test"))


def test_stopping_keeps_the_first_reason_and_resuming_ends_it(
    company: Company, simulator: Simulator
) -> None:
    provider = add(company, simulator)
    job = Actor.system("dispatch")
    stopped = stop_provider(actor=job, provider_id=provider.pk, reason="2001 wrong password")
    again = stop_provider(actor=job, provider_id=provider.pk, reason="something else")
    assert not stopped.is_usable
    assert again.stopped_reason == "2001 wrong password"
    assert again.stopped_at == stopped.stopped_at
    resumed = resume_provider(actor=person(company, Role.CFO), provider_id=provider.pk)
    assert resumed.is_usable
    actions = [event.action for event in history_of(provider.subject)]
    assert actions == ["provider.add", "provider.stop", "provider.resume"]


def test_a_treasurer_stops_a_provider_and_cannot_resume_it(
    company: Company, simulator: Simulator
) -> None:
    provider, treasurer = add(company, simulator), person(company, Role.TREASURER)
    stop_provider(actor=treasurer, provider_id=provider.pk, reason="suspicious")
    with pytest.raises(RoleRequired):
        resume_provider(actor=treasurer, provider_id=provider.pk)


def test_a_provider_is_not_stopped_without_a_reason(company: Company, simulator: Simulator) -> None:
    provider = add(company, simulator)
    with pytest.raises(InvalidInput):
        stop_provider(actor=Actor.system("x"), provider_id=provider.pk, reason="  ")


def test_a_provider_that_is_not_there_is_not_found() -> None:
    for call in (resume_provider, change_credentials):
        with pytest.raises(NotFound):
            call(actor=Actor.system("x"), provider_id=uuid4())


def test_new_credentials_forget_the_shared_token(company: Company, simulator: Simulator) -> None:
    provider = add(company, simulator)
    changed = change_credentials(
        actor=person(company, Role.CFO),
        provider_id=provider.pk,
        credentials=Credentials("k2", "s2", "p2"),
        initiator_name="api2",
    )
    changed.refresh_from_db()
    assert Credentials.load(changed.credentials).consumer_key == "k2"
    assert (changed.initiator_name, changed.token, changed.token_version) == ("api2", None, 1)


def test_credentials_appear_in_no_audit_event_and_no_representation(
    company: Company, simulator: Simulator
) -> None:
    provider = add(company, simulator)
    change_credentials(
        actor=person(company, Role.CFO), provider_id=provider.pk, credentials=CREDENTIALS
    )
    events = history_of(provider.subject)
    shown = [*(str(e.before) + str(e.after) for e in events), repr(CREDENTIALS), repr(provider)]
    assert len(shown) == 4
    assert "canary" not in "".join(shown)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"consumer_key": ""}', "null"])
def test_incomplete_credentials_are_said_to_be_unreadable(text: str) -> None:
    with pytest.raises(UnreadableCredentials):
        Credentials.load(text)


def test_the_demo_finds_the_simulator_wherever_it_listens(
    company: Company, simulator: Simulator
) -> None:
    def connect(base_url: str) -> Provider:
        return connect_simulator(
            actor=Actor.system("demo"),
            company_id=company.pk,
            home=simulator.home,
            base_url=base_url,
        )

    first = connect(simulator.url)
    assert connect(simulator.url).token_version == first.token_version
    moved = connect("http://127.0.0.1:9")
    assert (moved.pk, moved.base_url) == (first.pk, "http://127.0.0.1:9")
    actions = [event.action for event in history_of(first.subject)]
    assert actions == ["provider.add", "provider.change_credentials"]
