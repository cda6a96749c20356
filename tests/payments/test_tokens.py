"""One access token for all workers: a new one would kill the one that another is using."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from ledger.clock import database_now
from payments.gateways.daraja import send_b2c
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.gateways.tokens import Fetched, Token, access_token
from payments.models import GatewayRequest, Provider
from tests.simulator import Simulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def send(provider: Provider) -> Callable[[], Outcome]:
    def call() -> Outcome:
        try:
            return send_b2c(
                provider=provider,
                reference=str(uuid.uuid4()),
                amount=Decimal(100),
                msisdn="+254712345678",
                remarks="Petty cash",
                result_url="http://127.0.0.1:9/r/",
                timeout_url="http://127.0.0.1:9/t/",
                subject="treasury.attempt:1",
            )
        finally:
            connection.close()

    return call


def in_threads(call: Callable[[], Outcome], count: int) -> list[Outcome]:
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(count)]]


def test_many_workers_that_start_at_once_share_one_token(
    send: Callable[[], Outcome], simulator: Simulator
) -> None:
    outcomes = in_threads(send, 16)
    assert {outcome.outcome_class for outcome in outcomes} == {OutcomeClass.ACCEPTED}
    assert simulator.log()["tokens_issued"] == 1
    assert simulator.balance("Wallet 254712345678") == 1600


def test_a_token_that_dies_is_refreshed_once_for_everybody(
    send: Callable[[], Outcome], simulator: Simulator
) -> None:
    send()
    simulator.fault("b2c", "before_accept", "token_revoked")
    outcomes = in_threads(send, 12)
    assert {outcome.outcome_class for outcome in outcomes} == {OutcomeClass.ACCEPTED}
    assert simulator.log()["tokens_issued"] == 2


def test_a_refused_token_sends_the_same_reference_again(
    send: Callable[[], Outcome], simulator: Simulator
) -> None:
    send()
    simulator.fault("b2c", "before_accept", "token_revoked")
    assert send().outcome_class is OutcomeClass.ACCEPTED
    bodies = GatewayRequest.objects.filter(operation="b2c").order_by("at")
    references = [json.loads(r.body)["OriginatorConversationID"] for r in bodies]
    assert references[1] == references[2]
    assert simulator.log()["received"][references[1]] == 2


def test_a_token_that_is_refused_twice_is_tried_later(
    send: Callable[[], Outcome], simulator: Simulator
) -> None:
    simulator.fault("b2c", "before_accept", "token_revoked", n=2)
    assert send().outcome_class is OutcomeClass.RETRYABLE
    assert simulator.book()["payments"] == []


@pytest.mark.parametrize("simulated_s", [3550, 4000])
def test_a_token_is_replaced_when_its_time_is_up(
    send: Callable[[], Outcome], simulator: Simulator, provider: Provider, simulated_s: int
) -> None:
    send()
    expires_at = database_now() + timedelta(seconds=3599 - simulated_s)
    Provider.objects.filter(pk=provider.pk).update(token_expires_at=expires_at)
    assert send().outcome_class is OutcomeClass.ACCEPTED
    assert simulator.log()["tokens_issued"] == 2


@pytest.mark.parametrize("kind", ["500", "503", "close", "garbage"])
def test_a_token_call_that_fails_leaves_nothing_behind(
    send: Callable[[], Outcome], simulator: Simulator, provider: Provider, kind: str
) -> None:
    simulator.fault("oauth", "before_accept", kind)
    assert send().outcome_class is OutcomeClass.RETRYABLE
    provider.refresh_from_db()
    assert (provider.token, provider.token_lease_owner) == (None, None)
    assert send().outcome_class is OutcomeClass.ACCEPTED


def test_a_lease_whose_owner_died_is_taken_over(provider: Provider) -> None:
    lease = {"token_lease_owner": uuid.uuid4()}
    Provider.objects.filter(pk=provider.pk).update(
        **lease, token_lease_until=database_now() - timedelta(seconds=1)
    )
    token = access_token(provider.pk, lambda: Fetched("fresh", 3599), wait_s=1)
    assert token == Token("fresh", 1)


def test_who_waits_too_long_for_another_worker_tries_later(provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(
        token_lease_owner=uuid.uuid4(), token_lease_until=database_now() + timedelta(seconds=60)
    )
    fetched = Fetched("a second token", 3599)
    outcome = access_token(provider.pk, lambda: fetched, wait_s=0.1)
    assert isinstance(outcome, Outcome)
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.RETRYABLE, "token_busy")


def test_a_token_that_comes_after_its_lease_is_not_stored(provider: Provider) -> None:
    def slow() -> Fetched:
        Provider.objects.filter(pk=provider.pk).update(token_lease_owner=uuid.uuid4())
        return Fetched("late", 3599)

    outcome = access_token(provider.pk, slow, wait_s=1)
    assert isinstance(outcome, Outcome)
    assert outcome.code == "token_late"
    provider.refresh_from_db()
    assert provider.token is None


def test_a_refused_version_is_never_handed_out_again(provider: Provider) -> None:
    def token(value: str, rejected: int | None) -> Token | Outcome:
        return access_token(provider.pk, lambda: Fetched(value, 3599), wait_s=1, rejected=rejected)

    assert token("one", None) == Token("one", 1)
    assert token("two", 1) == Token("two", 2)
    assert token("three", 1) == Token("two", 2)


def test_the_token_is_encrypted_at_rest(provider: Provider) -> None:
    access_token(provider.pk, lambda: Fetched("canary-token", 3599), wait_s=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT token, credentials FROM payments_provider")
        stored = cursor.fetchone()
    assert "canary" not in stored[0]
    assert "consumer_key" not in stored[1]
