"""A whole Bursar in a folder of its own, started as a newcomer starts it, for tests that hurt it."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.embedded import instance, processes
from config.embedded.home import ROOT, Home

# Generous: other work may keep the machine busy. Nobody waits this long when all is well.
PATIENCE = 240
FOREIGN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BURSAR_TEST_FILES")


@dataclass
class Instance:
    """One instance: its folder, its port, and the process that `make run` ends up being."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=instance.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        own = {"BURSAR_HOME": str(self.home.path), "PORT": str(self.port), "BURSAR_DEMO": "0"}
        return {**inherited, **own, "DJANGO_SETTINGS_MODULE": "config.settings", **self.extra}

    def begin(self) -> None:
        """Start in a process group of its own, as a shell does."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--web-workers", "1"],
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/health/", timeout=5
            ) as answer:
                told: dict[str, Any] = json.load(answer)
        except (urllib.error.URLError, OSError):
            return False
        return bool(told["status"] == "up")

    def wait_until_up(self) -> None:
        """Wait for the instance to be healthy and complete."""

        def up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log
            return self.home.instance_file.exists() and self.is_healthy()

        assert processes.wait_until(up, seconds=PATIENCE, every=0.2), self.log

    def worker_answers(self) -> bool:
        """Whether the worker answers a ping that goes through Redis."""
        done = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "config.celery", "inspect", "ping", "-t", "3"],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def find(self, words: str) -> list[int]:
        """The instance's processes whose command line has these words, parents first."""
        return sorted(pid for pid in self.living() if words in processes.command_line(pid))

    def living(self) -> set[int]:
        """Every process of this instance: marked, or at work on its data."""
        mark = f"{instance.MARK}={self.home.path}"
        servers = {
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit()
            and str(self.home.path) in processes.command_line(int(entry.name))
            and processes.is_alive(int(entry.name))
        }
        return servers | set(processes.marked(mark))

    def signal_group(self, number: signal.Signals) -> None:
        """What Ctrl-C (SIGINT) or `kill -9 -- -<group>` does."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Leave nothing, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.signal_group(signal.SIGKILL)
                self.process.wait(10)

    def manage(self, *arguments: str) -> str:
        """Run a command and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
