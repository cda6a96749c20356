"""The admin of providers and gateway calls: through the services, never by editing, never a secret."""

from uuid import uuid4

import pytest
from django.test import Client

from ledger.actor import Actor
from ledger.models import Company, Membership, User
from ledger.roles import Role
from payments.credentials import Credentials
from payments.models import GatewayRequest, GatewayResponse, Provider
from payments.services import stop_provider
from tests.simulator import Simulator

pytestmark = pytest.mark.django_db
PROVIDERS = "/admin/payments/provider/"
CALLS = "/admin/payments/gatewayrequest/"


def signed_in(company: Company, role: Role | None = None) -> Client:
    """A browser of a person with this role in the company; a superuser without one."""
    user = User.objects.create(username=f"user-{uuid4()}", is_staff=True, is_superuser=role is None)
    if role:
        Membership.objects.create(user=user, company=company, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def call(provider: Provider) -> GatewayRequest:
    request = GatewayRequest.objects.create(
        provider=provider,
        subject="treasury.attempt:1",
        operation="b2c",
        method="POST",
        url="http://x/",
        body='{"Amount": 100}',
    )
    GatewayResponse.objects.create(request=request, http_status=200, body="{}", duration_ms=7)
    return request


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()


@pytest.mark.parametrize("role", [None, Role.CFO, Role.AUDITOR])
def test_a_provider_is_shown_with_its_state_and_without_its_secrets(
    company: Company, provider: Provider, call: GatewayRequest, role: Role | None
) -> None:
    client = signed_in(company, role)
    assert "Running" in page(client, PROVIDERS)
    stop_provider(actor=Actor.system("x"), provider_id=provider.pk, reason="2001 wrong password")
    shown = page(client, f"{PROVIDERS}{provider.pk}/change/")
    assert "Stopped" in shown
    assert "2001 wrong password" in shown
    for secret in Credentials.load(provider.credentials).secrets:
        assert secret not in shown


def test_a_provider_is_stopped_by_post_after_a_question(
    company: Company, provider: Provider
) -> None:
    client = signed_in(company, Role.TREASURER)
    step = f"{PROVIDERS}steps/stop/"
    page(client, f"{step}?id={provider.pk}")
    provider.refresh_from_db()
    assert provider.is_usable
    client.post(step, {"id": provider.pk, "reason": "It looks wrong."})
    provider.refresh_from_db()
    assert provider.stopped_reason == "It looks wrong."


def test_a_refusal_says_why(company: Company, provider: Provider) -> None:
    stop_provider(actor=Actor.system("x"), provider_id=provider.pk, reason="2001")
    answer = signed_in(company, Role.TREASURER).post(
        f"{PROVIDERS}steps/resume/", {"id": provider.pk}
    )
    assert answer.status_code == 403
    assert "This needs the role CFO here." in answer.content.decode()


def test_a_cfo_resumes_a_stopped_provider(company: Company, provider: Provider) -> None:
    stop_provider(actor=Actor.system("x"), provider_id=provider.pk, reason="2001")
    signed_in(company, Role.CFO).post(f"{PROVIDERS}steps/resume/", {"id": provider.pk})
    provider.refresh_from_db()
    assert provider.is_usable


def test_new_credentials_go_in_and_never_come_back(
    company: Company, provider: Provider, simulator: Simulator
) -> None:
    client = signed_in(company, Role.CFO)
    given = {
        "id": provider.pk,
        "consumer_key": "canary-key",
        "consumer_secret": "canary-secret",
        "initiator_name": "api2",
        "initiator_password": "canary-password",
        "certificate": "not a certificate",
    }
    step = f"{PROVIDERS}steps/credentials/"
    refused = client.post(step, given)
    assert refused.status_code == 400
    assert "canary" not in refused.content.decode()
    client.post(step, {**given, "certificate": simulator.identity["certificate"]})
    provider.refresh_from_db()
    assert Credentials.load(provider.credentials).initiator_password == "canary-password"
    assert "canary" not in page(client, f"{PROVIDERS}{provider.pk}/change/")


def test_a_cfo_adds_a_provider(company: Company, simulator: Simulator) -> None:
    client = signed_in(company, Role.CFO)
    assert "canary" not in page(client, f"{PROVIDERS}add/")
    client.post(
        f"{PROVIDERS}add/",
        {
            "company": company.pk,
            "kind": "mpesa",
            "name": "M-Pesa",
            "base_url": "https://gateway.example",
            "short_code": "600001",
            "initiator_name": "api",
            "consumer_key": "k",
            "consumer_secret": "s",
            "initiator_password": "p",
            "certificate": simulator.identity["certificate"],
        },
    )
    assert Provider.objects.get().short_code == "600001"


def test_a_call_is_shown_as_one_thing(company: Company, call: GatewayRequest) -> None:
    client = signed_in(company, Role.AUDITOR)
    assert "treasury.attempt:1" in page(client, CALLS)
    shown = page(client, f"{CALLS}{call.pk}/change/")
    assert "HTTP 200" in shown
    assert "7 ms" in shown


@pytest.mark.parametrize("verb", ["change", "delete"])
@pytest.mark.parametrize("list_url", [PROVIDERS, CALLS])
def test_nobody_edits_or_deletes_superusers_included(
    company: Company, call: GatewayRequest, list_url: str, verb: str
) -> None:
    key = call.pk if list_url == CALLS else call.provider_id
    answer = signed_in(company).post(f"{list_url}{key}/{verb}/", {"post": "yes", "name": "x"})
    assert answer.status_code == 403


def test_another_companys_provider_and_calls_are_not_found(call: GatewayRequest) -> None:
    other = Company.objects.create(name="Other", code="other", currency="KES")
    client = signed_in(other, Role.CFO)
    for url in (
        f"{PROVIDERS}{call.provider_id}/change/",
        f"{PROVIDERS}steps/stop/?id={call.provider_id}",
        f"{CALLS}{call.pk}/change/",
    ):
        assert client.get(url).status_code == 404
    assert f"{call.provider_id}" not in page(client, PROVIDERS)
    assert "treasury.attempt:1" not in page(client, CALLS)
