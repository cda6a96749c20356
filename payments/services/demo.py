"""Connecting a company to the gateway simulator, for the demo."""

import json
from pathlib import Path
from uuid import UUID

from ledger.actor import Actor
from payments.credentials import Credentials, UnreadableCredentials
from payments.models import Provider
from payments.services.providers import add_provider, change_credentials

NAME = "M-Pesa (simulator)"


def connect_simulator(*, actor: Actor, company_id: UUID, home: Path, base_url: str) -> Provider:
    """Give the company an M-Pesa provider at the simulator, or bring the one it has up to date.

    ``home`` is the simulator's folder, whose ``provider.json`` stands for what a portal would give;
    ``base_url`` where it listens this time. Safe to repeat: what is right already stays untouched.
    Not a command but one of two, each audited.
    """
    known = json.loads((home / "provider.json").read_text(encoding="utf-8"))
    credentials = Credentials(
        consumer_key=known["consumer_key"],
        consumer_secret=known["consumer_secret"],
        initiator_password=known["initiator_password"],
    )
    provider = Provider.objects.filter(
        company_id=company_id, kind=Provider.Kind.MPESA, name=NAME
    ).first()
    if provider is None:
        return add_provider(
            actor=actor,
            company_id=company_id,
            kind=Provider.Kind.MPESA,
            name=NAME,
            base_url=base_url,
            short_code=known["short_code"],
            initiator_name=known["initiator_name"],
            credentials=credentials,
            certificate=known["certificate"],
        )
    if _is_current(provider, base_url, known["certificate"], credentials):
        return provider
    return change_credentials(
        actor=actor,
        provider_id=provider.pk,
        base_url=base_url,
        credentials=credentials,
        initiator_name=known["initiator_name"],
        certificate=known["certificate"],
    )


def _is_current(
    provider: Provider, base_url: str, certificate: str, credentials: Credentials
) -> bool:
    try:
        stored = Credentials.load(provider.credentials)
    except UnreadableCredentials:
        return False
    return (provider.base_url, provider.certificate, stored) == (base_url, certificate, credentials)
