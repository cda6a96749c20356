"""Logging: one JSON object per line, with the request it belongs to, and no secrets.

What a line may carry is its message, a few named facts and, for errors, the places in the code that
the exception passed. The exception's own text is left out where it may quote input or SQL.
"""

import json
import logging
import logging.config
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError

request_id: ContextVar[str] = ContextVar("request_id", default="")

# Facts that callers pass with `extra=` and that may be shown.
FACTS = ("action", "subject", "code", "status", "method", "path", "duration_ms", "task", "attempt")
# One-use callback addresses end in a token; six digits alone may be a code.
SECRETS = (
    (re.compile(r"(/api/callbacks/[^/\s]+/[^/\s]+/)[^/\s\"']+"), r"\1…"),
    (re.compile(r"(?i)\b(token|bearer|basic)\s+[\w.~+/=-]{12,}"), r"\1 …"),
    (re.compile(r"(?<!\d)\d{6}(?!\d)"), "······"),
    (re.compile(r"\+?\b(?:254|256|250)\d{6}(\d{3})\b"), r"…\1"),
)


def redact(text: str) -> str:
    """Take out what looks like a code, a token or a phone number; callers should not have passed it."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(_message(record)),
        }
        if request := request_id.get():
            line["request_id"] = request
        for fact in FACTS:
            if (value := getattr(record, fact, None)) is not None:
                line[fact] = redact(str(value))
        if record.exc_info and record.exc_info[1] is not None:
            line |= _described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    """The message; of a failed task without the exception's words and the task's arguments."""
    data = getattr(record, "data", None)
    if isinstance(data, dict) and {"name", "id", "description"} <= data.keys():
        return f"task {data['name']} [{data['id']}] {data['description']}"
    return record.getMessage()


class NoHealthChecks(logging.Filter):
    """Drops what Django says about answers of /health/: the asker knows them, and asks often."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/health/"


def _described(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, Any] = {
        "error": type(error).__name__,
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    # A database's message can quote the row.
    if not isinstance(error, DatabaseError):
        described["error_message"] = redact(str(error))
    if error.__cause__ is not None:
        described["cause"] = type(error.__cause__).__name__
    return described


def configure() -> None:
    """Set logging up as the settings say, in processes that Django does not set up."""
    logging.config.dictConfig(settings.LOGGING)
