"""The gateway simulator for tests: one real process per test session, reset before each test.

A folder that wants it says so in its conftest:

    from tests.simulator import simulator, simulator_process  # noqa: F401

and a test then takes `simulator` and drives it:

    simulator.fault("b2c", "after_accept", "hang")
    simulator.clock(advance_s=900)
    assert simulator.payment(reference)["accepted"] == 1
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

PROJECT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 60.0
Json = dict[str, Any]


class Simulator:
    """A simulator process and its control plane. `home` outlives a kill and a new start."""

    def __init__(self, home: Path, *, seed: int = 1, callback_delay_s: float = 0.0) -> None:
        self.home = home
        self.url = ""
        self._seed = seed
        self._delay = callback_delay_s
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        # Nothing is kept open, so that nothing is left open when a test ends.
        none_kept = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=30.0, trust_env=False, limits=none_kept)

    def start(self) -> None:
        """Start the process, on the port it had before if it had one, and wait until it listens."""
        command = [sys.executable, "-m", "payments.simulator", "--port", str(self._port)]
        command += ["--home", str(self.home), "--seed", str(self._seed)]
        command += ["--callback-delay", str(self._delay)]
        self._process = subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the simulator did not start"
        self.url = json.loads(line)["listening"]
        self._port = int(self.url.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(START_LIMIT_S)
            if self._process.stdout:
                self._process.stdout.close()
        self._process = None

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self.stop(signal.SIGKILL)

    @property
    def identity(self) -> Json:
        """What the portal would give us: credentials and certificate."""
        identity: Json = json.loads((self.home / "provider.json").read_text())
        return identity

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        params: dict[str, str] | None = None,
    ) -> Json:
        answer = self._client.request(method, f"{self.url}/_sim/{path}", json=body, params=params)
        assert answer.status_code == 200, answer.text
        found: Json = json.loads(answer.text, parse_float=Decimal)
        return found

    def reset(self, *, seed: int = 1, utility: str | None = None) -> None:
        balances = {"Utility Account": utility} if utility else {}
        self.call("POST", "reset", {"seed": seed, "balances": balances})

    def fault(
        self, operation: str, point: str, kind: str, *, n: int | None = 1, **options: Any
    ) -> None:
        """Arm a fault for the next `n` calls (None: all of them); see payments/simulator/faults."""
        fault = {"operation": operation, "point": point, "kind": kind, "n": n, **options}
        self.call("POST", "fault", fault)

    def disarm(self) -> None:
        self.call("DELETE", "fault")

    def clock(self, *, advance_s: float) -> Json:
        """Move time forward; returns when the callbacks that fell due were delivered."""
        return self.call("POST", "clock", {"advance_s": advance_s})

    def callback_delay(self, seconds: float) -> None:
        self.call("POST", "settings", {"callback_delay_s": seconds})

    def deduplicate(self, *, references: bool) -> None:
        """Whether a reference that was seen is refused, or paid again."""
        self.call("POST", "settings", {"deduplicates": references})

    def settle(self, key: str, *, result_code: int | str = 0, callback: bool = True) -> Json:
        return self.call(
            "POST", f"settle/{key}", {"result_code": result_code, "callback": callback}
        )

    def resend(self, key: str) -> Json:
        return self.call("POST", f"callback/{key}/resend")

    def book(self) -> Json:
        return self.call("GET", "book")

    def balance(self, account: str = "Utility Account") -> Decimal:
        return Decimal(self.book()["balances"].get(account, "0.00"))

    def payment(self, reference: str) -> Json | None:
        """What the simulator accepted under this OriginatorConversationID, None if nothing."""
        rows: list[Json] = self.book()["payments"]
        return next((r for r in rows if r["originator_conversation_id"] == reference), None)

    def log(self, **where: str) -> Json:
        return self.call("GET", "log", params=where)


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulator]:
    with tempfile.TemporaryDirectory(prefix="bursar-simulator-") as home:
        process = Simulator(Path(home))
        process.start()
        yield process
        process.stop()


@pytest.fixture
def simulator(simulator_process: Simulator) -> Simulator:
    """The running simulator with a fresh book, no faults and callbacks sent at once."""
    simulator_process.reset()
    return simulator_process
