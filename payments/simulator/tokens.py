"""Access tokens. A new one kills the one before it, as Daraja's do."""

from __future__ import annotations

import secrets

from payments.simulator.clock import Clock

LIFETIME_S = 3599


class Tokens:
    """Only the newest token counts, and only for an hour of simulated time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._current = ""
        self._expires_at = 0.0
        self.issued = 0

    def issue(self) -> str:
        self._current = secrets.token_urlsafe(21)
        self._expires_at = self._clock.now() + LIFETIME_S
        self.issued += 1
        return self._current

    def revoke(self) -> None:
        self._current = ""

    def refusal_of(self, authorization: str) -> str:
        """The error code for this Authorization header, empty when it is good."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            return "401.002.01"
        if not self._current or not secrets.compare_digest(token.encode(), self._current.encode()):
            return "404.001.03"
        if self._clock.now() >= self._expires_at:
            return "400.003.01"
        return ""

    def forget(self) -> None:
        """As if none had ever been issued."""
        self.revoke()
        self.issued = 0
