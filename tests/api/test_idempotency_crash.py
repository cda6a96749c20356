"""``Idempotency-Key`` when processes die and requests meet."""

import signal
import subprocess
import sys
import threading
from typing import Any

import psycopg
import pytest
from django.db import connection

from ledger.models import IdempotencyKey
from tests.api.caller import Caller
from tests.treasury.desk import Desk, make_desk
from treasury.models import ReplenishmentRequest

KEY = "the-last-of-april"
BODY = {"amount": "5000", "reason": "Running low"}
# A process that asks once, and is killed where the place named here is reached.
ASK_AND_DIE = f"""
import os, signal, sys
import django
django.setup()
from importlib import import_module
from ledger.models import User
from tests.api.caller import Caller

user_id, path, module, name = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(import_module(module), name, die)
user = User.objects.get(pk=user_id)
Caller(user).post(path, {BODY!r}, 201, {{"Idempotency-Key": {KEY!r}}})
"""


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


def path_of(desk: Desk) -> str:
    return f"/api/funds/{desk.fund.pk}/replenish/"


def ask(desk: Desk) -> Any:
    client = Caller(desk.treasurer).client
    return client.post(path_of(desk), BODY, headers={"Idempotency-Key": KEY})


def ask_and_die(desk: Desk, environment: dict[str, str], module: str, name: str) -> None:
    command = [sys.executable, "-c", ASK_AND_DIE]
    command += [str(desk.treasurer.pk), path_of(desk), module, name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_between_effect_and_answer_the_answer_is_found_again(
    desk: Desk, child_environment: dict[str, str]
) -> None:
    ask_and_die(desk, child_environment, "ledger.api.idempotent", "Response")
    made = ReplenishmentRequest.objects.get()
    answer = ask(desk)
    assert (answer.status_code, answer["Idempotent-Replayed"]) == (201, "true")
    assert answer.json()["request_id"] == str(made.pk)
    assert ReplenishmentRequest.objects.count() == 1


def test_killed_before_the_answer_is_stored_there_is_no_effect_either(
    desk: Desk, child_environment: dict[str, str]
) -> None:
    ask_and_die(desk, child_environment, "ledger.idempotency", "complete")
    assert not ReplenishmentRequest.objects.exists()
    answer = ask(desk)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer


def test_while_the_first_is_running_the_second_is_told_to_wait(
    desk: Desk, owner_connection: psycopg.Connection
) -> None:
    answers: list[Any] = []

    def first() -> None:
        answers.append(ask(desk))
        connection.close()

    with owner_connection.transaction():
        lock = "SELECT FROM treasury_treasuryfund WHERE fund_id = %s FOR UPDATE"
        owner_connection.execute(lock, [desk.fund.pk])
        running = threading.Thread(target=first)
        running.start()
        _wait_until_it_has_the_key(owner_connection)
        second = ask(desk)
    running.join(10)
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_progress")
    assert int(second["Retry-After"]) > 0
    assert [answer.status_code for answer in answers] == [201]
    assert ask(desk)["Idempotent-Replayed"] == "true"
    assert ReplenishmentRequest.objects.count() == 1


def _wait_until_it_has_the_key(observer: psycopg.Connection) -> None:
    held = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    for _ in range(6000):
        row = observer.execute(held).fetchone()
        if row and row[0]:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the first request never began")


def test_many_at_once_have_one_effect(desk: Desk) -> None:
    statuses: list[int] = []

    def one() -> None:
        statuses.append(ask(desk).status_code)
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert 201 in statuses
    assert set(statuses) <= {201, 409}
    assert ReplenishmentRequest.objects.count() == IdempotencyKey.objects.count() == 1
