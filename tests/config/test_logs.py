"""Logs say what happened and keep secrets."""

import json
import logging
import sys

import pytest
from django.db import DataError

from config.logs import JsonFormatter, redact


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
