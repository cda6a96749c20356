"""Production settings: nothing open by default, and what is missing is named."""

import subprocess
import sys

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from config import production
from config.embedded.home import ROOT
from tests.servers import PATIENCE, Deployment

pytestmark = pytest.mark.xdist_group("operations")


@pytest.fixture(scope="module")
def used(deployment: Deployment) -> Deployment:
    """Its first use has marked the database with the right keys."""
    deployment.managed("check", "--database", "default")
    return deployment


def test_djangos_deployment_check_has_nothing_to_say(deployment: Deployment) -> None:
    done = deployment.manage(
        "check", "--deploy", "--fail-level", "WARNING", "--database", "default"
    )
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import config.wsgi"],
        ["-m", "celery", "-A", "config.celery", "worker"],
        ["manage.py", "check", "--deploy", "--database", "default"],
    ],
    ids=["web", "worker", "check"],
)
def test_nothing_starts_under_another_index_key(command: list[str], used: Deployment) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=used.environment() | {"BURSAR_INDEX_KEY": "x" * 40},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode != 0
    assert "BURSAR_INDEX_KEY is not the key by which this database" in done.stderr


def test_a_command_names_what_is_wrong(deployment: Deployment) -> None:
    done = deployment.manage("check", SECRET_KEY="")
    assert done.returncode != 0
    assert "Set SECRET_KEY to 32" in done.stderr


@pytest.mark.parametrize("key", ["x" * 43, "A" * 44 + "," + "B" * 10])
def test_what_is_no_encryption_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="BURSAR_ENCRYPTION_KEYS") as refused:
        production.fernet_keys(key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "BURSAR_INDEX_KEY", "BURSAR_CHAIN_KEY", "BURSAR_OTP_KEY"]
)
def test_every_secret_must_be_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "short")
    with pytest.raises(ImproperlyConfigured, match=f"Set {name} to 32"):
        production.Secrets(environ.Env(), None)(name)


@pytest.mark.parametrize("given", [[], [""], ["*"]])
def test_the_names_we_answer_to_must_be_said(given: list[str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_HOSTS"):
        production.allowed_hosts(given, public_url="", production=True)


def test_our_public_address_is_a_name_we_answer_to() -> None:
    hosts = production.allowed_hosts([], public_url="https://pay.example.org/x", production=True)
    assert hosts == ["pay.example.org", *production.LOOPBACK]


def test_outside_production_the_machine_itself_is_enough() -> None:
    assert production.allowed_hosts([], public_url="", production=False) == [*production.LOOPBACK]
    assert production.debug(True, production=False) is True


def test_nobody_debugs_in_production() -> None:
    with pytest.raises(ImproperlyConfigured, match="Unset DEBUG"):
        production.debug(True, production=True)


def test_a_command_of_the_owner_must_know_who_that_is() -> None:
    with pytest.raises(ImproperlyConfigured, match="Set DATABASE_OWNER_URL"):
        production.owner_url("", runtime_url="postgresql://bursar_app@db/bursar", needed=True)
    assert production.owner_url("", runtime_url="a", needed=False) == "a"
    assert production.owner_url("b", runtime_url="a", needed=True) == "b"
