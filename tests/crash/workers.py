"""The fork server as a test sees it: one process per test session, a new worker for each step."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from config.embedded.home import ROOT

Message = tuple[str, dict[str, Any]]
END_LIMIT_S = 60


@dataclass
class End:
    """How a worker ended, the messages it had sent, and how often it had come past the place to die."""

    killed: bool
    messages: list[Message]
    passed: int


class Workers:
    """Runs steps in processes of their own, which may be killed in mid-step."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, **step: Any) -> End:
        """Fork a worker for the step and wait for its end; it may be killed, it may not fail."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(step, default=str) + "\n")
        self._process.stdin.flush()
        messages: list[Message] = []
        passed = 0
        while "ended" not in (line := self._hear()):
            assert "problem" not in line, line["trace"]
            passed += line.get("passed", 0)
            if "task" in line:
                messages.append((line["task"], line["kwargs"]))
        return End(line["ended"] == "killed", messages, passed)

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout
        text = self._process.stdout.readline()
        assert text, "the fork server has ended"
        line: dict[str, Any] = json.loads(text)
        return line


@contextmanager
def running(environment: dict[str, str]) -> Iterator[Workers]:
    """Start the fork server, wait until it is warm, and end it after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.child"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    workers = Workers(process)
    try:
        assert workers._hear() == {"ready": True}
        yield workers
    finally:
        with process:
            assert process.stdin
            process.stdin.close()
            process.wait(END_LIMIT_S)
