"""Webhooks: where a company is told what happens. Set up by a CFO; what is sent is in ``relaying.py``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from ledger import audit, locks
from ledger.access import require_role
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.destinations import RefusedDestination, look_up, read_destination
from ledger.event_kinds import is_known
from ledger.models import Company, WebhookEndpoint
from ledger.refusals import Conflict, IllegalTransition, InvalidInput, NotFound
from ledger.roles import Role
from ledger.signatures import make_secret

LONGEST_DESCRIPTION = 160
LONGEST_REASON = 255
LONGEST_OVERLAP = timedelta(hours=24)
MOST_WEBHOOKS = 20
LOOK_UP_S = 2.0


class TooManyWebhooks(Conflict):
    """The company has as many webhooks as one may have."""

    code = "too_many_webhooks"
    title = "Too many webhooks"


@dataclass(frozen=True, slots=True, repr=False)
class WithSecret:
    """An endpoint and its secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str

    @property
    def pk(self) -> UUID:
        return self.endpoint.pk


def may_change_webhook(actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Raise ``RoleRequired`` unless the actor is a CFO of the whole company."""
    require_role(actor, Role.CFO, place=endpoint)


def add_webhook(
    *,
    actor: Actor,
    company_id: UUID,
    url: str,
    kinds: Sequence[str] = (),
    description: str = "",
) -> WithSecret:
    """Have the company's events told to an address, and return it with its secret; by a CFO.

    ``kinds`` names the events wanted, none stands for all. Raises ``RoleRequired``, ``NotFound`` for the
    company, ``InvalidInput``, ``RefusedDestination`` on ``url``, ``TooManyWebhooks``.
    """
    _require_public(url)
    return _add(actor=actor, company_id=company_id, url=url, kinds=kinds, description=description)


@command("webhook.add")
def _add(
    *, actor: Actor, company_id: UUID, url: str, kinds: Sequence[str], description: str
) -> WithSecret:
    secret = make_secret()
    endpoint = WebhookEndpoint(
        company_id=company_id,
        url=url,
        kinds=_kinds(kinds),
        description=_short(description),
        secret=secret,
        created_by=actor.user,
    )
    if not Company.objects.filter(pk=company_id).exists():
        raise NotFound("There is no such company.")
    may_change_webhook(actor, endpoint)
    if WebhookEndpoint.objects.filter(company=company_id).count() >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"A company has at most {MOST_WEBHOOKS} webhooks.")
    endpoint.save(force_insert=True)
    endpoint.refresh_from_db(fields=["created_at"])
    _record(actor, "webhook.add", endpoint, before=None)
    return WithSecret(endpoint, secret)


def edit_webhook(
    *,
    actor: Actor,
    webhook_id: UUID,
    url: str | None = None,
    kinds: Sequence[str] | None = None,
    description: str | None = None,
) -> WebhookEndpoint:
    """Change what is given and return the endpoint; by a CFO.

    What waits goes to the new address. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``,
    ``RefusedDestination`` on ``url``.
    """
    if url is not None:
        _require_public(url)
    return _edit(actor=actor, webhook_id=webhook_id, url=url, kinds=kinds, description=description)


@command("webhook.edit")
def _edit(
    *,
    actor: Actor,
    webhook_id: UUID,
    url: str | None,
    kinds: Sequence[str] | None,
    description: str | None,
) -> WebhookEndpoint:
    endpoint = locks.lock_webhook(webhook_id)
    may_change_webhook(actor, endpoint)
    if url is None and kinds is None and description is None:
        raise InvalidInput.on("body", "Say what is to change.")
    before = webhook_facts(endpoint)
    endpoint.url = endpoint.url if url is None else url
    endpoint.kinds = endpoint.kinds if kinds is None else _kinds(kinds)
    endpoint.description = endpoint.description if description is None else _short(description)
    endpoint.save(update_fields=["url", "kinds", "description"])
    _record(actor, "webhook.edit", endpoint, before=before)
    return endpoint


@command("webhook.disable")
def disable_webhook(*, actor: Actor, webhook_id: UUID, reason: str) -> WebhookEndpoint:
    """Stop telling an endpoint anything; what waits stays. By a CFO.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``, ``IllegalTransition``.
    """
    endpoint = locks.lock_webhook(webhook_id)
    may_change_webhook(actor, endpoint)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidInput.on("reason", f"Say why, in at most {LONGEST_REASON} characters.")
    if endpoint.disabled_at is not None:
        raise IllegalTransition("This webhook is disabled already.")
    return set_disabled(endpoint, reason=reason.strip(), actor=actor)


def set_disabled(endpoint: WebhookEndpoint, *, reason: str, actor: Actor) -> WebhookEndpoint:
    """Disable a locked endpoint; a plain function inside a command."""
    before = webhook_facts(endpoint)
    endpoint.disabled_at = database_now()
    endpoint.disabled_reason = reason
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    _record(actor, "webhook.disable", endpoint, before=before)
    return endpoint


@command("webhook.enable")
def enable_webhook(*, actor: Actor, webhook_id: UUID) -> WebhookEndpoint:
    """Tell a disabled endpoint again, from now on and what waited; by a CFO.

    What happened meanwhile is not told later: it is listed at ``/api/events/``. Raises ``NotFound``,
    ``RoleRequired``, ``IllegalTransition``.
    """
    endpoint = locks.lock_webhook(webhook_id)
    may_change_webhook(actor, endpoint)
    if endpoint.disabled_at is None:
        raise IllegalTransition("This webhook is not disabled.")
    before = webhook_facts(endpoint)
    endpoint.disabled_at = endpoint.failing_since = endpoint.rest_until = None
    endpoint.disabled_reason = ""
    endpoint.failures = 0
    endpoint.save(
        update_fields=["disabled_at", "disabled_reason", "failures", "failing_since", "rest_until"]
    )
    _record(actor, "webhook.enable", endpoint, before=before)
    return endpoint


@command("webhook.rotate")
def rotate_secret(*, actor: Actor, webhook_id: UUID, overlap_hours: int = 24) -> WithSecret:
    """Give an endpoint a new secret and return it with it; the old one signs beside it for the overlap.

    ``overlap_hours`` is 0 to 24; a secret that leaked gets 0. By a CFO. Raises ``NotFound``,
    ``RoleRequired``, ``InvalidInput``.
    """
    endpoint = locks.lock_webhook(webhook_id)
    may_change_webhook(actor, endpoint)
    overlap = timedelta(hours=overlap_hours)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidInput.on("overlap_hours", "This is a number from 0 to 24.")
    secret = make_secret()
    keeps = bool(overlap)
    endpoint.previous_secret = endpoint.secret if keeps else None
    endpoint.previous_until = database_now() + overlap if keeps else None
    endpoint.secret = secret
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit.record(
        actor=actor,
        action="webhook.rotate",
        subject=endpoint.subject,
        company_id=endpoint.company_id,
        after={"overlap_hours": overlap_hours},
    )
    return WithSecret(endpoint, secret)


def webhook_facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return the endpoint as the audit trail keeps it, without its secret."""
    return {
        "status": endpoint.status,
        "url": endpoint.url,
        "kinds": endpoint.kinds,
        "description": endpoint.description,
        "disabled_reason": endpoint.disabled_reason,
    }


def _require_public(url: str) -> None:
    """Refuse an address that is not public, as far as can be told now; every sending looks again."""
    destination = read_destination(url)

    async def look() -> None:
        async with asyncio.timeout(LOOK_UP_S):
            await look_up(destination)

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(look())
    except RefusedDestination:
        raise
    except OSError:
        return  # not known, or not in time (a time-out is an OSError): the sending will see
    finally:
        loop.close()


def _kinds(kinds: Sequence[str]) -> list[str]:
    unknown = sorted(kind for kind in set(kinds) if not is_known(kind))
    if unknown:
        raise InvalidInput.on("kinds", f"There is no such kind of event: {unknown[0][:60]}.")
    return sorted(set(kinds))


def _short(description: str) -> str:
    if len(description) > LONGEST_DESCRIPTION or not (description.isprintable() or not description):
        message = f"This is a line of at most {LONGEST_DESCRIPTION} characters."
        raise InvalidInput.on("description", message)
    return description.strip()


def _record(
    actor: Actor, action: str, endpoint: WebhookEndpoint, *, before: dict[str, Any] | None
) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=endpoint.subject,
        company_id=endpoint.company_id,
        before=before,
        after=webhook_facts(endpoint),
    )
