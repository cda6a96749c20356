"""A PostgreSQL as somebody else runs it: on TCP, with passwords, prepared by Bursar's own commands."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config.embedded import postgres, processes
from config.embedded.home import ROOT
from config.embedded.instance import free_port
from tests import database

ACCESS = """
local all         postgres                trust
host  all         all       127.0.0.1/32  scram-sha-256
host  replication all       127.0.0.1/32  scram-sha-256
"""
PATIENCE = 240


@dataclass
class Server:
    """One cluster of its own; ``passwords`` are those of its three roles."""

    folder: Path
    port: int = field(default_factory=free_port)
    passwords: dict[str, str] = field(
        default_factory=lambda: {
            role: secrets.token_urlsafe(12)
            for role in (postgres.SUPERUSER, postgres.OWNER, postgres.RUNTIME)
        }
    )
    process: subprocess.Popen[str] | None = None

    @property
    def cluster(self) -> postgres.Postgres:
        return postgres.Postgres(self.folder / "data", self.folder / "s", careless=True)

    def make(self) -> None:
        """Make the cluster; everybody who comes over TCP needs a password."""
        self.cluster.prepare()
        (self.cluster.data / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")

    def start(self) -> None:
        """Start it, listening on its port."""
        with (self.cluster.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.write(f"port = {self.port}\nhot_standby_feedback = on\n")
        listening = {"listen_addresses": "127.0.0.1", "max_connections": "60"}
        with (self.folder / "log").open("a") as log:
            self.process = self.cluster.start(output=log.fileno(), **listening)
        assert processes.wait_until(self.answers, seconds=PATIENCE), self.log

    def follow(self, primary: Server) -> None:
        """Make the cluster a streaming replica of another."""
        program = postgres.installed() / "bin" / "pg_basebackup"
        url = primary.url(postgres.SUPERUSER, "postgres")
        where = ("-D", str(self.cluster.data), "-d", url)
        subprocess.run(
            [str(program), *where, "-R", "-X", "stream", "-c", "fast", "--no-sync"],
            check=True,
            capture_output=True,
        )
        self.cluster.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            self.process.wait(PATIENCE)

    def answers(self) -> bool:
        try:
            self.superuser().close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def superuser(self, name: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.cluster.sockets),
            port=self.port,
            dbname=name,
            user=postgres.SUPERUSER,
            autocommit=True,
        )

    def set_superusers_password(self) -> None:
        with self.superuser() as connection:
            password = self.passwords[postgres.SUPERUSER]
            connection.execute(f"ALTER ROLE postgres PASSWORD '{password}'")

    def url(self, role: str, name: str = postgres.DATABASE) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{name}"


@dataclass
class Deployment:
    """Bursar in production on such a server: its environment, and its commands."""

    server: Server
    home: Path
    redis_url: str
    extra: dict[str, str] = field(default_factory=dict)
    name: str = postgres.DATABASE

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            **database.HOME.secrets(),
            "BURSAR_HOME": str(self.home),
            "DATABASE_ADMIN_URL": self.server.url(postgres.SUPERUSER, "postgres"),
            "DATABASE_OWNER_URL": self.server.url(postgres.OWNER, self.name),
            "DATABASE_URL": self.server.url(postgres.RUNTIME, self.name),
            "REDIS_URL": self.redis_url,
            "EMAIL_URL": "smtp://127.0.0.1:9",
            "BURSAR_PUBLIC_URL": "https://bursar.example.org",
            "BURSAR_TRUSTED_PROXIES": "1",
            "BURSAR_ANCHOR": str(self.home / "anchor.jsonl"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            **self.extra,
        }

    def manage(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment() | changed,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def managed(self, *arguments: str, **changed: str) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self.manage(*arguments, **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A new server for as long as the block lasts."""
    server = Server(folder)
    server.make()
    server.start()
    try:
        server.set_superusers_password()
        yield server
    finally:
        server.stop()
