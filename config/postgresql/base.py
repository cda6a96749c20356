"""Connections to PostgreSQL that are asked whether they live when there is reason to doubt it."""

import select
import time

from django.db.backends.postgresql import base

# Networks forget connections after minutes of silence. Nothing is silent for long that is asked so often.
ASKED_EVERY_S = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks a kept connection ``SELECT 1`` at most once a second, not once a request.

    In between it is enough to look at the socket, without a round trip: a server that ended, or ended this
    session, has said so there. Then the connection is asked as ever, and closed where it does not answer.
    """

    health_check_done: bool
    _asked_at = float("-inf")

    def close_if_health_check_failed(self) -> None:
        """Close the connection, for another to be opened, if it does not work any more."""
        if not self.health_check_done and self._is_surely_alive():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def is_usable(self) -> bool:
        """Ask the server."""
        usable: bool = super().is_usable()
        self._asked_at = time.monotonic() if usable else float("-inf")
        return usable

    def _is_surely_alive(self) -> bool:
        """Whether the server answered a moment ago and has said nothing since that nobody asked for."""
        connection = self.connection
        if connection is None or connection.closed:
            return False
        if time.monotonic() - self._asked_at > ASKED_EVERY_S:
            return False
        return not _has_something_to_read(connection.fileno())


def _has_something_to_read(descriptor: int) -> bool:
    watched = select.poll()
    watched.register(descriptor, select.POLLIN)
    return bool(watched.poll(0))
