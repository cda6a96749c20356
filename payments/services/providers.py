"""Configuring providers, and stopping one that refuses us.

A stopped provider is called by nobody: more tries with wrong credentials would lock them. It starts
again when a person says so.
"""

import ipaddress
from urllib.parse import urlsplit
from uuid import UUID

from django.db import IntegrityError, transaction

from ledger import audit
from ledger.access import require_role
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command, require_transaction
from ledger.models import Company
from ledger.refusals import Conflict, InvalidInput, NotFound
from ledger.roles import Role
from payments.credentials import Credentials
from payments.gateways.daraja.security import UnusableCertificate, public_key
from payments.gateways.tokens import forget_token
from payments.models import Provider

LONGEST_REASON = 255


class ProviderExists(Conflict):
    """The company has an active provider of this kind, or the account is configured already."""

    code = "provider_exists"
    title = "Provider exists"


@command("provider.add")
def add_provider(
    *,
    actor: Actor,
    company_id: UUID,
    kind: Provider.Kind,
    name: str,
    base_url: str,
    short_code: str,
    initiator_name: str,
    credentials: Credentials,
    certificate: str,
) -> Provider:
    """Configure an account with a gateway and return it; by a CFO of the company.

    Raises ``InvalidInput`` on ``base_url`` (https, or http on this machine) and ``certificate``,
    ``ProviderExists``, ``NotFound`` for the company, ``RoleRequired``.
    """
    provider = Provider(
        company_id=company_id,
        kind=kind,
        name=name,
        base_url=base_url,
        short_code=short_code,
        initiator_name=initiator_name,
        credentials=credentials.dump(),
        certificate=certificate,
    )
    if not Company.objects.filter(pk=company_id).exists():
        raise NotFound("There is no such company.")
    require_role(actor, Role.CFO, place=provider)
    _require_safe_url(base_url)
    _require_certificate(certificate)
    try:
        with transaction.atomic():
            provider.save(force_insert=True)
    except IntegrityError as error:
        message = "The company has such a provider already, or the account is another provider's."
        raise ProviderExists(message) from error
    audit.record(
        actor=actor,
        action="provider.add",
        subject=provider.subject,
        company_id=company_id,
        after=_facts(provider),
    )
    return provider


@command("provider.change_credentials")
def change_credentials(
    *,
    actor: Actor,
    provider_id: UUID,
    credentials: Credentials | None = None,
    initiator_name: str | None = None,
    certificate: str | None = None,
    base_url: str | None = None,
) -> Provider:
    """Replace what is given, forget the shared token, and return the provider; by a CFO.

    A stopped provider stays stopped. Raises ``InvalidInput``, ``NotFound``, ``RoleRequired``.
    """
    provider = _find(provider_id)
    require_role(actor, Role.CFO, place=provider)
    before = _facts(provider)
    if base_url is not None:
        _require_safe_url(base_url)
        provider.base_url = base_url
    if certificate is not None:
        _require_certificate(certificate)
        provider.certificate = certificate
    if initiator_name is not None:
        provider.initiator_name = initiator_name
    if credentials is not None:
        provider.credentials = credentials.dump()
    provider.save(update_fields=["base_url", "certificate", "initiator_name", "credentials"])
    forget_token(provider.pk)
    changed = {
        "credentials_changed": credentials is not None,
        "certificate_changed": bool(certificate),
    }
    audit.record(
        actor=actor,
        action="provider.change_credentials",
        subject=provider.subject,
        company_id=provider.company_id,
        before=before,
        after={**_facts(provider), **changed},
    )
    return provider


@command("provider.stop")
def stop_provider(*, actor: Actor, provider_id: UUID, reason: str) -> Provider:
    """Stop calling this provider; by a treasurer, a CFO, or the job that met a ``CONFIG`` outcome.

    Stopping a stopped one changes nothing: the first reason is the one that explains it.
    """
    provider = _find(provider_id)
    require_role(actor, Role.TREASURER, Role.CFO, place=provider)
    if not reason.strip():
        raise InvalidInput.on("reason", "Say why the provider is stopped.")
    mark_stopped(actor=actor, provider=provider, reason=reason)
    return _find(provider_id)


def mark_stopped(*, actor: Actor, provider: Provider, reason: str) -> bool:
    """Stop the provider within the caller's transaction; returns whether it was running."""
    require_transaction()
    text = reason.strip()[:LONGEST_REASON]
    stopped = Provider.objects.filter(pk=provider.pk, stopped_at=None).update(
        stopped_at=database_now(), stopped_reason=text
    )
    if stopped:
        audit.record(
            actor=actor,
            action="provider.stop",
            subject=provider.subject,
            company_id=provider.company_id,
            before={"stopped": False},
            after={"stopped": True, "reason": text},
        )
    return bool(stopped)


@command("provider.resume")
def resume_provider(*, actor: Actor, provider_id: UUID) -> Provider:
    """Let a stopped provider be called again; by a CFO. A running one stays as it is."""
    provider = _find(provider_id)
    require_role(actor, Role.CFO, place=provider)
    resumed = Provider.objects.filter(pk=provider_id, stopped_at__isnull=False).update(
        stopped_at=None, stopped_reason="", unanswered=0, rests_until=None
    )
    if resumed:
        audit.record(
            actor=actor,
            action="provider.resume",
            subject=provider.subject,
            company_id=provider.company_id,
            before={"stopped": True, "reason": provider.stopped_reason},
            after={"stopped": False},
        )
    return _find(provider_id)


def _find(provider_id: UUID) -> Provider:
    provider = Provider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise NotFound("There is no such provider.")
    return provider


def _facts(provider: Provider) -> dict[str, str]:
    """What the audit trail may keep of a provider."""
    return {
        "name": provider.name,
        "kind": provider.kind,
        "base_url": provider.base_url,
        "short_code": provider.short_code,
        "initiator_name": provider.initiator_name,
    }


def _require_safe_url(base_url: str) -> None:
    """Credentials go there: https, or plain http to this very machine (the simulator)."""
    url = urlsplit(base_url)
    if url.scheme == "https" and url.hostname:
        return
    if url.scheme == "http" and _is_loopback(url.hostname or ""):
        return
    raise InvalidInput.on("base_url", "The gateway's address must begin with https://.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_certificate(certificate: str) -> None:
    try:
        public_key(certificate)
    except UnusableCertificate as problem:
        raise InvalidInput.on("certificate", str(problem)) from problem
