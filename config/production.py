"""What must be said in production and has no default there; each refusal names its variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    import environ

    from config.embedded.home import Home

SHORTEST_SECRET = 32
# The supervisor and a load balancer's probe ask the process itself.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Secrets:
    """Secrets from the environment; an embedded instance keeps its own in `secrets.json`."""

    def __init__(self, env: environ.Env, home: Home | None) -> None:
        self._env = env
        self._home = home

    def __call__(self, name: str) -> str:
        """Return the secret; raise ``ImproperlyConfigured`` when it is missing or short."""
        value: str = self._env.str(name, default="")
        if not value and self._home is not None:
            value = self._home.secrets()[name]
        if len(value) < SHORTEST_SECRET:
            raise ImproperlyConfigured(
                f"Set {name} to {SHORTEST_SECRET} or more random characters."
            )
        return value


def fernet_keys(words: str) -> list[str]:
    """Split the encryption keys at their commas; raise ``ImproperlyConfigured`` where one is no key."""
    keys = [word.strip() for word in words.split(",") if word.strip()]
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError as error:
            message = f"Key {number} of BURSAR_ENCRYPTION_KEYS is no Fernet key"
            raise ImproperlyConfigured(
                f"{message}: 32 random bytes as URL-safe base64, commas between keys."
            ) from error
    return keys


def allowed_hosts(given: Sequence[str], *, public_url: str, production: bool) -> list[str]:
    """Return the names under which we answer: those given, or that of our public address.

    Raises ``ImproperlyConfigured`` in production when neither is said, or when everything is allowed.
    """
    named = [host for host in given if host]
    if not named and public_url:
        named = [urlsplit(public_url).hostname or ""]
    if production and (not named or "*" in named):
        raise ImproperlyConfigured(
            "Set ALLOWED_HOSTS to the names under which Bursar is reached, with commas between them,"
            " or BURSAR_PUBLIC_URL to its address."
        )
    return [*named, *LOOPBACK]


def owner_url(given: str, *, runtime_url: str, needed: bool) -> str:
    """Return the owner's address; the runtime role's where there is only one role, as in development.

    Raises ``ImproperlyConfigured`` when a command needs the owner and nobody said who that is.
    """
    if needed and not given:
        raise ImproperlyConfigured(
            "Set DATABASE_OWNER_URL: this command works as the role that owns the tables."
        )
    return given or runtime_url


def debug(asked: bool, *, production: bool) -> bool:  # noqa: FBT001 -- the setting itself
    """Return whether pages show what went wrong inside; raise ``ImproperlyConfigured`` in production."""
    if asked and production:
        raise ImproperlyConfigured(
            "Unset DEBUG: it shows settings and data to whoever meets an error."
        )
    return asked
