"""How the installation is doing: signs of life, the regular proof, and who may see it."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from config.signs import Sign, signs
from ledger import outbox, tasks
from ledger.actor import Actor
from ledger.models import AuditEvent, LastDone, LedgerProof
from ledger.services.operation import note_done, prove_when_due
from tests.clock import Clock, clock
from tests.ledger.factories import UserFactory, move, open_account
from tests.ledger.raw import refused, run
from tests.treasury.factories import make_company

__all__ = ["clock"]
pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a-monitors-token-of-some-length"
JOB = Actor.system("proof")


@pytest.fixture(autouse=True)
def _apart(settings: Settings, tmp_path: Path) -> None:
    settings.BURSAR_ANCHOR = tmp_path / "anchor.jsonl"
    settings.BURSAR_ALERT_MAIL = ["controller@example.com"]
    settings.BURSAR_MONITORING_TOKEN = TOKEN
    settings.BURSAR_MONITORING_ADDRESSES = []


@pytest.fixture
def tampered(superuser_connection: psycopg.Connection) -> None:
    """Books in which a superuser has changed one amount."""
    cash = open_account(balance="100.00")
    move(cash, open_account(cash.company, code="bank"), "10.00")
    superuser_connection.execute("SET session_replication_role = replica")
    superuser_connection.execute("UPDATE ledger_ledgerentry SET amount = 11 WHERE amount = 10")


def sign(name: str) -> Sign:
    return next(found for found in signs() if found.name == name)


def ask(client: Client, **headers: str) -> dict[str, Any]:
    answer = client.get("/health/", headers=headers)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


# --- Who may see it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "another", TOKEN + "x", TOKEN[:-1]])
def test_the_public_learns_only_that_it_is_up(client: Client, token: str) -> None:
    told = ask(client, authorization=f"Bearer {token}")
    assert told == {"status": "up", "database": "up", "migrations": "up", "redis": "up"}


def test_a_monitor_with_the_token_sees_every_sign(client: Client) -> None:
    told = ask(client, authorization=f"Bearer {TOKEN}")
    assert told["attention"] is True
    assert set(told["signs"]) >= {"beat", "worker", "ledger_proof", "outbox", "backup", "disk"}
    assert told["signs"]["backup"] == {"state": "attention", "note": "never"}


@pytest.mark.parametrize(("is_staff", "sees"), [(True, True), (False, False)])
def test_staff_who_are_signed_in_see_it_too(client: Client, is_staff: bool, sees: bool) -> None:
    client.force_login(UserFactory.create(is_staff=is_staff))
    assert ("signs" in ask(client)) is sees


def test_an_allowed_address_is_believed_only_when_it_is_the_callers_own(
    client: Client, settings: Settings
) -> None:
    settings.BURSAR_MONITORING_ADDRESSES = ["127.0.0.0/8"]
    assert "signs" in ask(client)
    assert "signs" not in ask(client, x_forwarded_for="127.0.0.1")
    settings.BURSAR_TRUSTED_PROXIES = 1
    assert "signs" in ask(client, x_forwarded_for="127.0.0.1")
    assert "signs" not in ask(client, x_forwarded_for="198.51.100.7")


# --- Signs ------------------------------------------------------------------------------------------------


def test_a_worker_shows_itself_and_is_missed_after_minutes(clock: Clock) -> None:
    assert sign("worker").note == "never"
    tasks.show_worker()
    assert sign("worker").well
    clock.advance(minutes=4)
    assert not sign("worker").well
    tasks.show_worker()
    assert sign("worker").well
    assert LastDone.objects.count() == 1


def test_an_event_that_waits_too_long_is_noticed(clock: Clock) -> None:
    company = make_company()
    with transaction.atomic():
        outbox.publish(
            kind="payment.created", subject="treasury.payment:1", company_id=company.pk, payload={}
        )
    assert (sign("outbox").count, sign("outbox").well) == (1, True)
    clock.advance(minutes=11)
    assert not sign("outbox").well


def test_a_sign_that_cannot_be_asked_for_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Sign:
        raise OSError("no such disk")

    monkeypatch.setattr("config.signs.ASKED", {"disk": fail})
    assert list(signs()) == [Sign("disk", well=False, note="cannot be asked: OSError")]


def test_a_backup_ages(clock: Clock) -> None:
    note_done("backup", size=1)
    assert sign("backup").well
    clock.advance(hours=27)
    assert not sign("backup").well


# --- The proof --------------------------------------------------------------------------------------------


def test_the_books_are_proved_when_the_last_proof_is_an_hour_old(clock: Clock) -> None:
    open_account(balance="100.00")
    first = prove_when_due(actor=JOB)
    assert first is not None
    assert (first.faults, first.entries) == (0, 2)
    assert prove_when_due(actor=JOB) is None
    clock.advance(minutes=61)
    assert prove_when_due(actor=JOB) is not None
    assert sign("ledger_proof").well
    clock.advance(hours=4)
    assert not sign("ledger_proof").well


def test_a_proof_that_fails_is_kept_audited_and_mailed_at_once(tampered: None) -> None:
    proof = prove_when_due(actor=JOB)
    assert proof is not None
    assert proof.faults > 0
    assert "seal" in proof.first_fault or "balance" in proof.first_fault
    assert not sign("ledger_proof").well
    event = AuditEvent.objects.get(action="ledger.prove")
    assert event.after is not None
    assert event.after["first_fault"] == proof.first_fault
    (letter,) = mail.outbox
    assert letter.to == ["controller@example.com"]
    assert proof.first_fault in letter.body


@pytest.mark.parametrize(
    "attack", ["UPDATE ledger_ledgerproof SET faults = 0", "DELETE FROM ledger_ledgerproof"]
)
def test_a_proof_is_never_changed(attack: str) -> None:
    prove_when_due(actor=JOB)
    with refused():
        run(attack)
    assert LedgerProof.objects.count() == 1
