"""Logs say what happened and keep secrets."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import cast

import pytest
from celery import Task
from django.db import DataError

from config import celery, tracing
from config.logs import JsonFormatter, ReadableFormatter, hide_secrets, redact
from ledger.tracing import request_id


def line(message: str, *, error: BaseException | None = None, **facts: object) -> dict[str, object]:
    """The JSON that a log line becomes."""
    about = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("tests", logging.INFO, __file__, 1, message, None, about)
    vars(record).update(facts)
    formatted: dict[str, object] = json.loads(JsonFormatter().format(record))
    return formatted


def test_a_line_is_one_json_object_with_named_facts() -> None:
    formatted = line("paid\nand done", action="payment.execute", unknown="left out")
    assert formatted["message"] == "paid\nand done"
    assert formatted["action"] == "payment.execute"
    assert "unknown" not in formatted


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("the code is 123456", "123456"),
        ("POST /api/callbacks/sf/7f0c/s3cr3t-token/ 200", "s3cr3t-token"),
        ("Authorization: Token 0123456789abcdef0123", "0123456789abcdef0123"),
        ("to +254712345678", "254712345"),
        ("cannot reach postgresql://bursar_app:hunter2@db/bursar", "hunter2"),
        ("cannot reach rediss://:hunter2@cache:6380/0", "hunter2"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, secret: str) -> None:
    assert secret not in redact(text)


def test_a_database_errors_own_words_are_left_out() -> None:
    try:
        raise DataError("Key (destination)=(+254712345678) already exists")
    except DataError:
        formatted = line("failed", error=sys.exc_info()[1])
    assert formatted["error"] == "DataError"
    assert "destination" not in json.dumps(formatted["error"]) + str(formatted.get("error_message"))


def test_a_line_names_the_request_it_belongs_to() -> None:
    named = request_id.set("batch-2025-03-01")
    formatted = line("paid")
    request_id.reset(named)
    assert formatted["request_id"] == "batch-2025-03-01"
    assert "request_id" not in line("paid")


def test_a_fact_whose_name_says_that_it_is_secret_is_hidden() -> None:
    event = hide_secrets(None, "", {"otp_code": "31", "new_password": "x", "status": 200})
    assert event == {"otp_code": "…", "new_password": "…", "status": 200}


def test_people_read_the_same_without_secrets() -> None:
    record = logging.LogRecord("tests", logging.INFO, __file__, 1, "the code is 123456", None, None)
    text = ReadableFormatter().format(record)
    assert text.endswith("info    tests: the code is ······")


def test_people_read_where_an_error_passed() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        about = (type(error), error, error.__traceback__)
    record = logging.LogRecord("tests", logging.ERROR, __file__, 1, "failed", None, about)
    first, second = ReadableFormatter().format(record).splitlines()
    assert "error=ValueError error_message=no such thing" in first
    assert "test_logs.py" in second


def test_a_task_goes_on_under_the_name_of_its_request() -> None:
    headers: dict[str, str] = {}
    named = request_id.set("the-request-behind-it")
    tracing.take_along(headers=headers)
    seen: list[str] = []

    def look() -> None:
        seen.append(request_id.get())

    task = celery.app.task(name="tests.look", lazy=False)(look)
    task.apply()
    request_id.reset(named)
    task.apply(task_id="of-its-own")
    assert headers == {tracing.HEADER: "the-request-behind-it"}
    assert seen == ["the-request-behind-it", "of-its-own"]
    assert request_id.get() == ""


def test_a_task_that_a_request_caused_is_logged_and_one_of_beat_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="bursar.tasks")

    def run(task_id: str, **headers: str) -> None:
        task = cast("Task", SimpleNamespace(name="tests.work", request=SimpleNamespace(**headers)))
        tracing.begin(task_id=task_id, task=task)
        tracing.end(task_id=task_id, task=task, state="SUCCESS")

    run("of-its-own")
    assert caplog.records == []
    run("caused", **{tracing.HEADER: "the-request-behind-it"})
    said = vars(caplog.records[0])
    assert (said["task"], said["status"]) == ("tests.work", "SUCCESS")
    assert said["duration_ms"] >= 0
