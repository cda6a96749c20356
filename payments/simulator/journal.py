"""The simulator's durable memory: one JSON event per line, replayed at the next start.

A line is written with one system call, so kill -9 of the process loses nothing that was written;
`sync` waits for the disk before an acceptance is answered, so neither does a power cut. Requests
that arrive together share one fsync.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class Journal:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._written = 0
        self._synced = 0
        self._lock = asyncio.Lock()

    def events(self) -> Iterator[Event]:
        """Every whole line; a line cut short by a crash was never answered and is dropped."""
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._fd, whole)
        for line in data[:whole].splitlines():
            yield json.loads(line)

    def append(self, event: Event) -> None:
        line = json.dumps(event, separators=(",", ":"), default=str).encode() + b"\n"
        if os.write(self._fd, line) != len(line):
            raise OSError("the journal took only part of an event")
        self._written += 1

    async def sync(self) -> None:
        """Return when everything appended so far is on disk."""
        wanted = self._written
        async with self._lock:
            if self._synced >= wanted:
                return
            reached = self._written
            await asyncio.to_thread(os.fsync, self._fd)
            self._synced = reached

    def clear(self) -> None:
        os.ftruncate(self._fd, 0)

    def close(self) -> None:
        os.close(self._fd)
