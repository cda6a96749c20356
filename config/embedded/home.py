"""The folder in which an instance keeps everything: data, mail, media, secrets.

$BURSAR_HOME/   postgres/ redis/ mail/ media/ run/ secrets.json bursar.lock users.lock instance.json
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A socket's address is at most 107 bytes; "/run/postgres/.s.PGSQL.5432" and some air are taken off.
LONGEST_HOME = 72


class HomeError(Exception):
    """The instance's folder is not as it should be; the message says what to do."""


@dataclass(frozen=True)
class Home:
    """An instance's folder and the places in it."""

    path: Path

    @classmethod
    def from_environment(cls) -> Home:
        """``BURSAR_HOME``, or `.bursar` beside `manage.py`."""
        return cls(Path(os.environ.get("BURSAR_HOME") or ROOT / ".bursar").absolute())

    @property
    def postgres_data(self) -> Path:
        return self.path / "postgres"

    @property
    def redis_data(self) -> Path:
        return self.path / "redis"

    @property
    def run(self) -> Path:
        """Where sockets are: in the home, or in a short folder where the home's path is too long."""
        if len(os.fsencode(self.path)) <= LONGEST_HOME:
            return self.path / "run"
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path("/tmp") / f"bursar-{os.getuid()}-{digest}"  # noqa: S108 -- checked in make()

    @property
    def postgres_sockets(self) -> Path:
        return self.run / "postgres"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def instance_file(self) -> Path:
        """What the running instance tells about itself: process id, addresses."""
        return self.path / "instance.json"

    def make(self) -> None:
        """Create the folders, closed to other users, and the secrets before there is data to protect."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = (self.path / name for name in ("mail", "media", "static"))
        for folder in (self.run, self.redis_data, *own):
            folder.mkdir(mode=0o700, exist_ok=True)
        if self.run.is_symlink() or self.run.stat().st_uid != os.getuid():
            raise HomeError(f"{self.run} belongs to another user; remove it.")
        self.secrets()

    def secrets(self) -> dict[str, str]:
        """Read the instance's secrets; the first time, make them (readable by their owner only)."""
        file = self.path / "secrets.json"
        if not file.exists():
            self._write_secrets(file)
        stored: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return stored

    def _write_secrets(self, file: Path) -> None:
        if (self.postgres_data / "PG_VERSION").exists():
            message = f"{file} is missing, and with it the keys to the data beside it. Restore it"
            raise HomeError(f"{message}, or start with another BURSAR_HOME.")
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f"secrets.{os.getpid()}.new")
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as handle:
            json.dump(_new_secrets(), handle, indent=2)
        try:
            os.link(draft, file)  # fails where another process was faster: then its secrets count
        except FileExistsError:
            return
        finally:
            draft.unlink()


def _new_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "BURSAR_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "BURSAR_INDEX_KEY": secrets.token_urlsafe(48),
        "BURSAR_CHAIN_KEY": secrets.token_urlsafe(48),
        "BURSAR_OTP_KEY": secrets.token_urlsafe(48),
    }
