"""Celery: wakes workers up, and nobody waits for it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from config import celery
from config.embedded.home import ROOT
from config.embedded.processes import wait_until
from config.embedded.redis import Redis, broker_url
from ledger.tracing import request_id
from tests.conftest import SentTasks


def test_a_broker_that_is_down_fails_at_once(tmp_path: Path) -> None:
    app = Celery("bursar", broker=f"redis+socket://{tmp_path}/none")
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = f"redis+socket://{tmp_path}/none"  # type: ignore[misc]
    started = time.monotonic()
    with pytest.raises(OperationalError):
        app.send_task("ledger.publish_heads")
    assert time.monotonic() - started < 1


def test_every_apps_schedule_is_known_to_beat() -> None:
    celery.app.finalize()
    scheduled = {entry["task"] for entry in celery.app.conf.beat_schedule.values()}
    celery.app.loader.import_default_modules()
    assert "ledger.publish_heads" in scheduled
    assert scheduled <= set(celery.app.tasks)


def test_no_task_may_run_as_long_as_its_message_stays_invisible() -> None:
    conf = celery.app.conf
    assert conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost


def test_tests_catch_tasks_and_run_them_when_they_want(sent_tasks: SentTasks) -> None:
    done: list[str] = []

    def remember(word: str) -> None:
        done.append(word)

    task = celery.app.task(name="tests.remember", lazy=False)(remember)
    task.delay("ran")
    assert (sent_tasks.names, done) == (["tests.remember"], [])
    assert sent_tasks.run() == 1
    assert done == ["ran"]


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("rediss://cache:6380/1", "rediss://cache:6380/1"),
    ],
)
def test_redis_addresses_are_translated_for_celery(url: str, broker: str) -> None:
    assert broker_url(url) == broker


def test_a_worker_never_logs_what_a_task_was_given(
    child_environment: dict[str, str], redis_server: Redis, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    command = ["-m", "celery", "-q", "-A", "config.celery", "worker", "-P", "solo"]
    with log.open("w") as output:
        worker = subprocess.Popen(
            [sys.executable, *command, "--without-mingle", "--without-gossip"],
            cwd=ROOT,
            env=child_environment | {"LOG_LEVEL": "DEBUG"},
            stdout=output,
            stderr=output,
        )
    try:
        named = request_id.set("the-request-behind-it")
        celery.app.send_task("ledger.publish_heads", args=["canary-argument"])
        request_id.reset(named)
        assert wait_until(lambda: "TypeError" in log.read_text(), seconds=240), log.read_text()
    finally:
        os.kill(worker.pid, signal.SIGTERM)
        worker.wait(60)
    assert "canary-argument" not in log.read_text()
    (line,) = (line for line in log.read_text().splitlines() if "TypeError" in line)
    assert json.loads(line)["request_id"] == "the-request-behind-it"
