"""The web in production: reports from a real replica, metrics of all its processes, logs without secrets."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from config.embedded import processes
from tests.operations.conftest import Site
from tests.scene import PASSWORD
from tests.servers import Deployment, Server

pytestmark = pytest.mark.xdist_group("operations")

SOURCE = "Bursar-Read-From"
CANARY = "canary-of-a-password-7351"


@pytest.fixture(scope="module")
def auditor(site: Site) -> dict[str, str]:
    """The headers of somebody who may read everything."""
    body = {"username": "savanna_auditor", "password": PASSWORD}
    answer = site.client.post("/api/auth/token/", json=body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Token {answer.json()['token']}"}


def report(site: Site, auditor: dict[str, str]) -> httpx.Response:
    answer = site.client.get("/api/ledger/trial_balance/", headers=auditor)
    assert answer.status_code == 200, answer.text
    return answer


# --- The replica ------------------------------------------------------------------------------------------


@pytest.fixture
def stalled(shop: Deployment, replica: Server, site: Site) -> Iterator[None]:
    """The replica stops following, and something is committed on the primary."""
    with replica.superuser() as follower, shop.server.superuser("bursar") as primary:
        follower.execute("SELECT pg_wal_replay_pause()")
        primary.execute("CREATE TABLE IF NOT EXISTS public.later (at timestamptz DEFAULT now())")
        primary.execute("INSERT INTO later DEFAULT VALUES")
        try:
            yield
        finally:
            primary.execute("DROP TABLE later")
            follower.execute("SELECT pg_wal_replay_resume()")


def test_a_report_is_read_from_the_replica(site: Site, auditor: dict[str, str]) -> None:
    def from_replica() -> bool:
        return report(site, auditor).headers[SOURCE].startswith("replica; ")

    assert processes.wait_until(from_replica, seconds=60, every=0.2)
    answer = report(site, auditor)
    assert answer.json()["totals"][0]["debit"] == answer.json()["totals"][0]["credit"]


@pytest.mark.parametrize("path", ["/api/payments/?format=csv", "/api/audit/?format=xlsx"])
def test_a_file_of_rows_is_read_from_the_replica(
    path: str, site: Site, auditor: dict[str, str]
) -> None:
    def from_replica() -> bool:
        answer = site.client.get(path, headers=auditor)
        return answer.status_code == 200 and answer.headers[SOURCE].startswith("replica; ")

    # It follows a few seconds behind while others keep the machine busy, and is passed over meanwhile.
    assert processes.wait_until(from_replica, seconds=60, every=0.2)


def test_a_replica_that_is_too_far_behind_is_passed_over(
    stalled: None, site: Site, auditor: dict[str, str]
) -> None:
    def from_primary() -> bool:
        return report(site, auditor).headers[SOURCE].startswith("primary; the replica is ")

    assert processes.wait_until(from_primary, seconds=60, every=0.2)
    assert "behind" in report(site, auditor).headers[SOURCE]
    assert site.log_of("a report reads the primary")


def test_what_is_no_report_has_no_source(site: Site, auditor: dict[str, str]) -> None:
    assert SOURCE not in site.client.get("/api/audit/", headers=auditor).headers


def test_a_replica_that_is_down_costs_no_report(
    site: Site, auditor: dict[str, str], replica: Server
) -> None:
    replica.stop()
    try:
        for _ in range(4):
            assert report(site, auditor).headers[SOURCE].startswith("primary; the replica")
        told = site.monitor("/health/").json()
        assert (told["status"], told["signs"]["replica"]["state"]) == ("up", "attention")
    finally:
        replica.start()


# --- Metrics ----------------------------------------------------------------------------------------------


def value_of(text: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_metrics_are_the_sum_over_all_processes(site: Site) -> None:
    line = 'bursar_request_seconds_count{method="DELETE",route="api/audit/",status="4xx"}'
    for _ in range(12):
        assert site.client.delete("/api/audit/").status_code == 401
    for _ in range(6):
        assert value_of(site.monitor("/metrics").text, line) == 12


def test_metrics_say_how_business_goes_and_name_nobody(site: Site, shop: Deployment) -> None:
    site.client.get("/api/payments/4e0b7c0e-1111-4222-8333-944455556666/")
    site.client.get("/nothing/here/254712345678/")
    text = site.monitor("/metrics").text
    assert value_of(text, 'bursar_payments{status="unknown"}') == 0
    assert value_of(text, "bursar_database_up") == 1
    assert value_of(text, 'bursar_sign_count{sign="stopped_providers"}') == 0
    assert 'route="unmatched"' in text
    for word in ("4e0b7c0e", "254712345678", "savanna", "Wanjiku"):
        assert word not in text


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Token wrong"])
def test_metrics_are_for_monitors_only(site: Site, given: str) -> None:
    answer = site.client.get("/metrics", headers={"Authorization": given})
    assert (answer.status_code, answer.text) == (403, "Not for you.\n")


# --- Logs -------------------------------------------------------------------------------------------------


def test_each_line_is_json_and_a_request_is_found_by_its_name(site: Site) -> None:
    site.client.get("/api/audit/", headers={"X-Request-Id": "looked-for-4711"})
    (line,) = site.log_of("looked-for-4711")
    told = json.loads(line)
    assert (told["route"], told["status"], told["method"]) == ("api/audit/", 401, "GET")
    assert told["duration_ms"] > 0
    for other in site.log.read_text().splitlines():
        assert other.startswith(("{", "[")), other


def test_no_secret_that_is_sent_is_logged(site: Site, auditor: dict[str, str]) -> None:
    body = {"username": CANARY, "password": CANARY}
    site.client.post("/api/auth/token/", json=body)
    site.client.post("/api/auth/token/", content=CANARY)
    site.client.get(f"/api/audit/?code={CANARY}", headers=auditor)
    site.client.post(f"/api/callbacks/sf/{uuid4()}/{CANARY}/", json=body)
    site.client.get("/api/audit/", headers={"Authorization": f"Token {CANARY}"})
    text = site.log.read_text()
    assert CANARY not in text
    assert auditor["Authorization"].split()[1] not in text


# --- Settings ---------------------------------------------------------------------------------------------


def test_the_site_speaks_https_only_and_says_so(site: Site) -> None:
    plain = site.client.get("/api/audit/", headers={"X-Forwarded-Proto": "http"})
    assert (plain.status_code, plain.headers["location"][:8]) == (301, "https://")
    answer = site.client.get("/admin/login/")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Secure" in answer.headers["set-cookie"]
    assert site.client.get("/health/", headers={"X-Forwarded-Proto": "http"}).status_code == 200


def test_a_name_that_is_not_ours_is_not_answered(site: Site) -> None:
    assert site.client.get("/admin/", headers={"Host": "evil.example.com"}).status_code == 400
