"""Beat, once: of several processes only the one that holds a lock in PostgreSQL sends anything.

So beat may run on more than one machine. The lock belongs to a connection: it is free as soon as the
process that holds it ends, or its machine has been silent for a minute, and the next one goes on. The jobs
themselves may run twice at once; this only keeps the broker from being asked twice.
"""

import logging
import os
import socket
import time
from contextlib import suppress
from typing import Any

from celery.beat import PersistentScheduler
from django.db import DEFAULT_DB_ALIAS, Error, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.services.operation import note_done

logger = logging.getLogger(__name__)
LOCK = 0x42555253_42454154  # "BURSBEAT"
ASK_AGAIN_S = 5.0
NOTE_EVERY_S = 10.0
# How long the server keeps the lock of a machine that is silent: 30 s, then three questions.
KEEPALIVE = (
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;"
    " SET idle_session_timeout = 0"
)


class BeatLock:
    """The lock that makes a process the one that beats."""

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None
        self._held = False

    def held(self) -> bool:
        """Whether this process holds the lock; takes it when it is free. Never raises for the database."""
        try:
            return self._asked()
        except Error as error:
            logger.warning("beat cannot ask for its lock: %s", type(error).__name__)
            self.release()
            return False

    def release(self) -> None:
        """Give the lock up, with its connection."""
        if self._connection is None:
            return
        if self._held:
            # Closing frees it too, but only when the server notices.
            with suppress(Error), self._connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({LOCK})")
        self._held = False
        self._connection.close()
        self._connection = None

    def _asked(self) -> bool:
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
            with self._connection.cursor() as cursor:
                cursor.execute(KEEPALIVE)
        with self._connection.cursor() as cursor:
            # While the connection lives, so does the lock: taking it again would count it twice.
            cursor.execute("SELECT 1" if self._held else f"SELECT pg_try_advisory_lock({LOCK})")
            (answer,) = cursor.fetchone()
        self._held = bool(answer)
        return self._held


class SingleScheduler(PersistentScheduler):
    """Celery's scheduler, for the process that holds the lock; the others wait for their turn."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.lock = BeatLock()
        self._noted: float | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; returns after how many seconds to come again."""
        if not self.lock.held():
            self._noted = None
            return ASK_AGAIN_S
        self._note()
        return float(min(super().tick(*args, **kwargs), ASK_AGAIN_S))

    def close(self) -> None:
        self.lock.release()
        super().close()

    def _note(self) -> None:
        """Say now and then that beat beats."""
        now = time.monotonic()
        if self._noted is not None and now - self._noted < NOTE_EVERY_S:
            return
        self._noted = now
        close_old_connections()  # nobody else does between beats
        try:
            note_done("beat", host=socket.gethostname(), pid=os.getpid())
        except Error as error:
            logger.warning("beat cannot say that it beats: %s", type(error).__name__)
