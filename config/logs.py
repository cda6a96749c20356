"""Logging: one line for each event, JSON for machines or words for people, and no secrets in either.

What a line may carry is its message, a few named facts, the request it belongs to and, for errors, the
places in the code that the exception passed. The exception's own text is left out where it may quote input
or SQL. Everything passes ``hide_secrets`` last.
"""

import logging
import logging.config
import re
import traceback
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from structlog.typing import EventDict, WrappedLogger

from ledger.tracing import request_id

# Facts that callers pass with `extra=` and that may be shown.
FACTS = (
    *("action", "subject", "code", "status", "method", "path", "route", "duration_ms", "task"),
    *("attempt", "user"),
)
# A fact of such a name is not shown whatever it says; callers should not have passed it.
SECRET_NAMES = re.compile(r"(?i)passw|secret|token|authoriz|cookie|otp|credential|api_?key")
# One-use callback addresses end in a token; six digits alone may be a code.
SECRETS = (
    (re.compile(r"(/api/callbacks/[^/\s]+/[^/\s]+/)[^/\s\"']+"), r"\1…"),
    (re.compile(r"(?i)\b(token|bearer|basic)\s+[\w.~+/=-]{12,}"), r"\1 …"),
    (re.compile(r"(?i)(postgres(?:ql)?|rediss?|smtps?)(://[^:/\s]*):[^@\s]+@"), r"\1\2:…@"),
    (re.compile(r"(?<!\d)\d{6}(?!\d)"), "······"),
    (re.compile(r"\+?\b(?:254|256|250)\d{6}(\d{3})\b"), r"…\1"),
)
HIDDEN = "…"


def redact(text: str) -> str:
    """Take out what looks like a code, a token or a phone number; callers should not have passed it."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


# --- From a record to a line: each step takes what the one before it made ---------------------------------


def take_what_may_be_shown(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Begin the line: when, how grave, who says it, what, and the facts that may be shown."""
    record: logging.LogRecord = event["_record"]
    line: EventDict = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": _message(record) or str(event["event"]),
        "_record": record,
        "_from_structlog": event.get("_from_structlog", False),
    }
    for fact in FACTS:
        value = event.get(fact, getattr(record, fact, None))
        if value is not None:
            line[fact] = value if isinstance(value, int | float) else str(value)
    if exc_info := event.get("exc_info"):
        line["exc_info"] = exc_info
    return line


def name_the_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if request := request_id.get():
        event["request_id"] = request
    return event


def describe_the_error(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, tuple) and exc_info[1] is not None:
        event.update(_described(exc_info[1]))
    return event


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take out of every value what looks like a secret, and every value whose name says that it is one."""
    for name, value in event.items():
        if SECRET_NAMES.search(name):
            event[name] = HIDDEN
        elif (
            isinstance(value, str) and not name.startswith("_") and name not in {"at", "request_id"}
        ):
            event[name] = redact(value)
    return event


STEPS = (take_what_may_be_shown, name_the_request, describe_the_error, hide_secrets)


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """Formats a record as one line of JSON."""

    def __init__(self) -> None:
        super().__init__(
            processors=[
                *STEPS,
                self.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ]
        )


class ReadableFormatter(structlog.stdlib.ProcessorFormatter):
    """Formats the same for people who develop."""

    def __init__(self) -> None:
        super().__init__(
            processors=[
                *STEPS,
                self.remove_processors_meta,
                as_words,
            ]
        )


def as_words(_: WrappedLogger, __: str, event: EventDict) -> str:
    """The line for people: when, how grave, what, the facts; and where an exception passed, below."""
    clock = event.pop("at")[11:19]
    trace = "".join(f"\n    {place}" for place in event.pop("trace", ()))
    start = f"{clock} {event.pop('level'):<7} {event.pop('logger')}: {event.pop('event')}"
    return " ".join([start, *(f"{name}={value}" for name, value in event.items())]) + trace


def _message(record: logging.LogRecord) -> str:
    """The message of a failed task, without the exception's words and the task's arguments; else ""."""
    data = getattr(record, "data", None)
    if isinstance(data, dict) and {"name", "id", "description"} <= data.keys():
        return f"task {data['name']} [{data['id']}] {data['description']}"
    return ""


class NoHealthChecks(logging.Filter):
    """Drops what Django says about answers to monitors: the asker knows them, and asks often."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") not in WATCHED


WATCHED = frozenset({"/health/", "/metrics", "/metrics/"})


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
