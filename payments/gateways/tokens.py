"""One access token per provider, shared by all workers through the provider's row.

The gateway honours the newest token alone, so two workers that each fetch one would cut each other
off. Whoever needs a token and finds none takes a lease by a conditional UPDATE, which is committed
before the network call; the others wait for the result and use it.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q

from ledger.clock import database_now
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.models import Provider

# Longer than a call can take, so that a lease outlives its call and not much more.
LEASE_S = 45
# A token that is about to expire is not worth a request.
MARGIN_S = 60
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its version; a rejected version is never handed out again."""

    value: str = field(repr=False)
    version: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A token as the gateway gave it, good for ``lifetime_s`` seconds."""

    value: str = field(repr=False)
    lifetime_s: int


Fetch = Callable[[], Fetched | Outcome]


def access_token(
    provider_id: UUID, fetch: Fetch, *, wait_s: float, rejected: int | None = None
) -> Token | Outcome:
    """Return the shared token, fetching it if nobody else is; or the outcome of a fetch that failed.

    ``rejected`` is the version the gateway has just refused. Waits for another worker's fetch at most
    ``wait_s``, then says ``RETRYABLE``: nothing has been sent yet.
    """
    give_up_at = time.monotonic() + wait_s
    while True:
        provider = Provider.objects.get(pk=provider_id)
        token = _usable(provider, rejected)
        if token:
            return token
        lease = _take_lease(provider)
        if lease:
            return _fetch_under(lease, provider, fetch)
        if time.monotonic() >= give_up_at:
            message = "Another worker is still fetching an access token."
            return Outcome(OutcomeClass.RETRYABLE, "token_busy", message)
        time.sleep(PAUSE_S)


def _usable(provider: Provider, rejected: int | None) -> Token | None:
    if not provider.token or provider.token_expires_at is None:
        return None
    if rejected is not None and provider.token_version <= rejected:
        return None
    if provider.token_expires_at <= database_now() + timedelta(seconds=MARGIN_S):
        return None
    return Token(provider.token, provider.token_version)


def _take_lease(provider: Provider) -> UUID | None:
    """Take the lease if nobody holds it and no newer token came in the meantime."""
    owner, now = uuid.uuid4(), database_now()
    taken = Provider.objects.filter(
        Q(token_lease_until=None) | Q(token_lease_until__lte=now),
        pk=provider.pk,
        token_version=provider.token_version,
    ).update(token_lease_owner=owner, token_lease_until=now + timedelta(seconds=LEASE_S))
    return owner if taken else None


def _fetch_under(lease: UUID, provider: Provider, fetch: Fetch) -> Token | Outcome:
    try:
        fetched = fetch()
        if isinstance(fetched, Outcome):
            return fetched
        return _keep(lease, provider, fetched)
    finally:
        Provider.objects.filter(pk=provider.pk, token_lease_owner=lease).update(
            token_lease_owner=None, token_lease_until=None
        )


def _keep(lease: UUID, provider: Provider, fetched: Fetched) -> Token | Outcome:
    """Store the token and give the lease back in one statement; a lost lease stores nothing."""
    kept = Provider.objects.filter(pk=provider.pk, token_lease_owner=lease).update(
        token=fetched.value,
        token_version=F("token_version") + 1,
        token_expires_at=database_now() + timedelta(seconds=fetched.lifetime_s),
        token_lease_owner=None,
        token_lease_until=None,
    )
    if kept:
        return Token(fetched.value, provider.token_version + 1)
    message = "The access token came after the lease had ended."
    return Outcome(OutcomeClass.RETRYABLE, "token_late", message)


def forget_token(provider_id: UUID) -> None:
    """Drop the shared token, because the credentials it came from have changed."""
    Provider.objects.filter(pk=provider_id).update(
        token=None,
        token_version=F("token_version") + 1,
        token_expires_at=None,
        token_lease_owner=None,
        token_lease_until=None,
    )
