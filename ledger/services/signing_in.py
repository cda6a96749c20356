"""Signing in with a password for a token, and signing out."""

import hashlib
import logging
from uuid import UUID

from django.contrib.auth import authenticate
from django.core.cache import cache
from knox.models import AuthToken
from redis.exceptions import RedisError

from ledger import audit
from ledger.actor import Actor, Origin
from ledger.commands import command
from ledger.models import User
from ledger.refusals import Refusal, TooManyRequests
from ledger.services.second_factor import require_at_sign_in

logger = logging.getLogger(__name__)

COUNTED_FOR = 300  # seconds
MOST_FAILURES = 10  # for one name from one address
MOST_FAILURES_FROM_AN_ADDRESS = 100


class WrongCredentials(Refusal):
    """No active person has this name and password; which of them is wrong is not said."""

    status = 401
    code = "wrong_credentials"
    title = "Wrong credentials"


def token_for(*, username: str, password: str, origin: Origin, code: str = "") -> str:
    """Return a new token for the person with this name and password; only its hash is kept.

    ``code`` is one of his second factor, if he has one. Raises ``SecondFactorRequired`` and
    ``InvalidSecondFactor`` once the password is right, ``WrongCredentials``, and ``TooManyRequests`` after ten failures in
    five minutes for one name from one address, or a hundred from one address.
    """
    require_patience(username, origin["ip_address"])
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        count_failure(username, origin["ip_address"])
        logger.warning("sign-in failed", extra={"ip_address": origin["ip_address"]})
        raise WrongCredentials("There is nobody with this name and password.")
    actor = Actor.of(user, **origin)
    require_at_sign_in(actor=actor, code=code)
    return issue_token(actor=actor, user_id=user.pk)


def require_patience(username: str, address: str | None) -> None:
    """Raise ``TooManyRequests`` while this name, or this address, has failed too often."""
    if _too_many(_counters(username, address)):
        raise TooManyRequests("Too many failed attempts; wait.", retry_after=COUNTED_FOR)


def count_failure(username: str, address: str | None) -> None:
    """Remember that somebody failed to sign in with this name from this address."""
    _count(_counters(username, address))


@command("token.issue")
def issue_token(*, actor: Actor, user_id: UUID) -> str:
    """Issue a token to a person whose identity is established; return it, the only time it is seen."""
    _, token = AuthToken.objects.create(user=User.objects.get(pk=user_id))
    audit.record(actor=actor, action="token.issue", subject=f"ledger.user:{user_id}")
    return str(token)


@command("token.revoke")
def revoke_token(*, actor: Actor, user_id: UUID, digest: str) -> None:
    """Revoke the token with this hash; it is good for nothing from then on."""
    AuthToken.objects.filter(user=user_id, digest=digest).delete()
    audit.record(actor=actor, action="token.revoke", subject=f"ledger.user:{user_id}")


def _counters(username: str, address: str | None) -> dict[str, int]:
    """Return the names under which failures are counted, and how many each allows."""
    who = hashlib.sha256(username.encode()).hexdigest()
    return {
        f"sign-in:{address}:{who}": MOST_FAILURES,
        f"sign-in:{address}": MOST_FAILURES_FROM_AN_ADDRESS,
    }


def _too_many(counters: dict[str, int]) -> bool:
    try:
        counted = cache.get_many(counters)
    except (RedisError, OSError):
        logger.warning("failed sign-ins cannot be counted: the cache is away")
        return False
    return any(counted.get(name, 0) >= most for name, most in counters.items())


def _count(counters: dict[str, int]) -> None:
    try:
        for name in counters:
            cache.add(name, 0, COUNTED_FOR)
            cache.incr(name)
    except (RedisError, OSError, ValueError):
        # ValueError: the counter expired between the two calls
        logger.warning("a failed sign-in was not counted")
