"""Rates of sign-ins, codes and writes: 429 with Retry-After, and nothing at all without Redis."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from config import throttling
from config.embedded.redis import Redis
from config.problem_codes import MEANINGS
from config.throttling import Portions, Throttle
from ledger.models import User

NOTHING = {"login": 10**6, "codes": 10**6, "writes": 10**6, "address": 10**6}


@pytest.fixture
def client(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create(username="busy"))
    return client


@pytest.fixture(autouse=True)
def _awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause of an earlier test, nothing that it left over, and a minute that does not end within one."""
    monkeypatch.setattr(Throttle, "_silent_until", 0.0)
    monkeypatch.setattr(throttling, "_portions", Portions())
    monkeypatch.setattr(throttling, "WINDOW_S", 86_400)


def write(client: APIClient) -> Any:
    return client.post("/api/requisitions/", {})


@pytest.mark.parametrize("kind", ["writes", "address"])
def test_the_write_beyond_the_rate_is_429_and_reading_goes_on(
    client: APIClient, settings: Settings, kind: str
) -> None:
    settings.BURSAR_RATES = NOTHING | {kind: 2}
    assert [write(client).status_code for _ in range(3)] == [403, 403, 429]
    refused = write(client)
    assert refused.json()["code"] == "too_many_requests"
    assert int(refused["Retry-After"]) >= 1
    assert client.get("/api/me/").status_code == 200


def test_another_person_at_another_address_is_not_held_up(
    client: APIClient, settings: Settings
) -> None:
    settings.BURSAR_RATES = NOTHING | {"writes": 1, "address": 1}
    assert [write(client).status_code for _ in range(2)] == [403, 429]
    other = APIClient(REMOTE_ADDR="192.0.2.9")
    other.force_authenticate(User.objects.create(username="other"))
    assert write(other).status_code == 403


@pytest.mark.django_db
def test_signing_in_is_limited_by_address(settings: Settings) -> None:
    settings.BURSAR_RATES = NOTHING | {"login": 2}
    given = {"username": "nobody", "password": "wrong"}
    answers = [APIClient().post("/api/auth/token/", given).status_code for _ in range(3)]
    assert answers == [401, 401, 429]
    elsewhere = APIClient(REMOTE_ADDR="192.0.2.9").post("/api/auth/token/", given)
    assert elsewhere.status_code == 401


def test_codes_have_a_rate_of_their_own(client: APIClient, settings: Settings) -> None:
    settings.BURSAR_RATES = NOTHING | {"codes": 1}
    address = "/api/payments/00000000-0000-0000-0000-000000000000/verify_otp/"
    assert [client.post(address, {}).status_code for _ in range(2)] == [404, 429]
    assert write(client).status_code == 403


def test_without_redis_nothing_is_limited_and_it_is_not_asked_again_at_once(
    client: APIClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BURSAR_RATES = NOTHING | {"writes": 0}
    asked: list[object] = []

    def gone(window: int, counters: list[Any]) -> list[int]:
        asked.append(counters)
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(throttling, "_count", gone)
    assert [write(client).status_code for _ in range(3)] == [403] * 3
    assert len(asked) == 1


def test_large_rates_are_counted_in_portions_and_nobody_gets_more_than_his_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(throttling, "PORTIONS", 2)
    counters = [("writes", "user somebody", 6), ("writes", "address somewhere", 60)]
    asked: list[int] = []
    count = throttling._count

    def counting(window: int, short: list[Any]) -> list[int]:
        asked.append(len(short))
        return count(window, short)

    monkeypatch.setattr(throttling, "_count", counting)
    one, other = Portions(), Portions()
    assert one.take(counters)  # and holds two more of the six
    assert [other.take(counters) for _ in range(4)] == [True, True, True, False]
    assert [one.take(counters) for _ in range(3)] == [True, True, False]
    # whoever holds some of both does not ask
    assert asked == [2, 2, 1, 1]


def test_threads_of_a_process_share_its_portions_and_lose_none() -> None:
    counters = [("writes", "user of many", 8_000)]
    portions = Portions()
    with ThreadPoolExecutor(4) as pool:
        allowed = sum(pool.map(lambda _: portions.take(counters), range(9_000)))
    assert allowed == 8_000


@pytest.mark.parametrize("lost", [("CLIENT", "KILL", "TYPE", "normal"), ("SCRIPT", "FLUSH")])
def test_counting_goes_on_after_redis_was_started_anew(
    client: APIClient, settings: Settings, redis_server: Redis, lost: tuple[str, ...]
) -> None:
    """A new Redis knows neither our connection nor our script; each must be enough to find out."""
    settings.BURSAR_RATES = NOTHING | {"writes": 2}
    assert [write(client).status_code for _ in range(2)] == [403, 403]
    with redis.Redis.from_url(redis_server.url()) as other:
        other.execute_command(*lost)
    assert write(client).status_code == 429
    assert Throttle._silent_until == 0.0


@pytest.mark.django_db
def test_the_type_of_a_problem_leads_to_a_page_for_everyone() -> None:
    answer = APIClient().get("/api/me/")
    kind = answer.json()["type"]
    page = Client().get(kind)
    assert page.status_code == 200
    assert answer.json()["code"] in page.content.decode()
    assert "<script" not in page.content.decode()
    assert Client().get("/problems/no_such_code/").status_code == 404
    listed = Client().get("/problems/").content.decode()
    assert all(f"/problems/{code}/" in listed for code in MEANINGS)
