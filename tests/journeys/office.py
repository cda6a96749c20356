"""A running Bursar and the people who use it: web, worker and beat under one supervisor, a Redis to kill."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.embedded import processes
from config.embedded.redis import Redis
from tests.config.instances import Instance
from tests.conftest import environment_of_children
from tests.scene import PASSWORD, Scene
from tests.web import Web

PATIENCE_S = 120.0
Json = dict[str, Any]


@dataclass
class RedisServer:
    """The instance's broker and cache, which a test may take away."""

    redis: Redis
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = self.redis.start(output=subprocess.DEVNULL)
        assert processes.wait_until(self.redis.is_ready, seconds=60), "Redis does not answer"

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(10)
        self.process = None


@dataclass
class Office:
    """The running instance; ``home`` is its folder, with its mail and its log."""

    instance: Instance
    redis: RedisServer
    web: Web

    @property
    def home(self) -> Path:
        return self.instance.home.path

    @property
    def mail(self) -> list[str]:
        """Every message so far as it stands in its file, oldest first."""
        files = sorted((self.home / "mail").glob("*.eml"))
        return [file.read_text(encoding="utf-8") for file in files]


@contextmanager
def running(folder: Path, database_name: str) -> Iterator[Office]:
    """Start the office on the test's database, in a home of its own, and end it after the block."""
    redis = RedisServer(Redis(folder / "redis", folder / "redis.sock", careless=True))
    instance = Instance(folder)
    url = f"http://127.0.0.1:{instance.port}"
    instance.extra = environment_of_children(database_name) | {
        "BURSAR_HOME": str(instance.home.path),
        "BURSAR_TEST_FILES": str(instance.home.path),
        "BURSAR_DEMO": "0",
        "BURSAR_PUBLIC_URL": url,
        "PORT": str(instance.port),
        "REDIS_URL": redis.redis.url(),
    }
    redis.start()
    web = Web(url)
    try:
        instance.begin()
        instance.wait_until_up()
        yield Office(instance, redis, web)
    finally:
        web.close()
        instance.end()
        redis.kill()


@dataclass
class Person:
    """Somebody at the API."""

    office: Office
    username: str
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.token = self.office.web.token(self.username, PASSWORD)

    def post(self, path: str, body: Json | None = None, *, expect: int = 200) -> Json:
        answer = self.office.web.post(f"/api/{path}", body, token=self.token)
        assert answer.status_code == expect, answer.text
        found: Json = answer.json()
        return found

    def get(self, path: str) -> Json:
        answer = self.office.web.get(f"/api/{path}", token=self.token)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def results(self, path: str) -> list[Json]:
        found: list[Json] = self.get(path)["results"]
        return found

    def poll(self, path: str, until: Callable[[Json], bool]) -> Json:
        """Ask again and again, as a client does, until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not until(found := self.get(path)):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found


def person(office: Office, scene: Scene, name: str) -> Person:
    return Person(office, scene.people[name].username)


def code_in(message: str) -> str:
    """The six digits that stand alone on a line."""
    found = re.search(r"^(\d{6})\r?$", message, re.MULTILINE)
    assert found, message
    return found[1]
