"""Bank providers: the accounts that files debit. Account numbers are written, and shown masked."""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from ledger import audit
from ledger.access import require_role
from ledger.actor import Actor
from ledger.commands import command
from ledger.encryption import blind_index, mask
from ledger.models import Company
from ledger.money import minor_unit
from ledger.refusals import InvalidInput, NotFound
from ledger.roles import Role
from payments.gateways import iso20022
from payments.models import BankAccount, Provider
from payments.services.providers import ProviderExists

LONGEST_NAME = 80
SHORTEST_WINDOW_H = 1
LONGEST_WINDOW_H = 24 * 30
USUAL_WINDOW_H = 72


@dataclass(frozen=True, slots=True, repr=False)
class Terms:
    """What a bank provider is made of; the account as one text, the window in hours.

    It has no representation of its own, so that no traceback shows the account.
    """

    name: str
    holder: str
    account: str
    bic: str = ""
    charge_bearer: str = BankAccount.ChargeBearer.SHAR
    acceptance_hours: int = USUAL_WINDOW_H


@command("provider.add_bank")
def add_bank_provider(*, actor: Actor, company_id: UUID, currency: str, terms: Terms) -> Provider:
    """Configure an account at a bank that files debit, in one currency, and return its provider; by a CFO.

    One is active for a company and currency. Raises ``NotFound`` for the company, ``RoleRequired``,
    ``InvalidInput`` on the field (``account_invalid``, ``bic_invalid``, ``unknown_currency``,
    ``characters_not_carried``), ``ProviderExists``.
    """
    if not Company.objects.filter(pk=company_id).exists():
        raise NotFound("There is no such company.")
    provider = Provider(company_id=company_id, kind=Provider.Kind.BANK, currency=currency)
    require_role(actor, Role.CFO, place=provider)
    minor_unit(currency)
    bank = BankAccount(provider=provider)
    _write(provider, bank, terms)
    _save(provider, bank, new=True)
    _record(actor, "provider.add_bank", provider, bank, before=None)
    return provider


@command("provider.change_bank")
def change_bank_provider(*, actor: Actor, provider_id: UUID, **changes: Any) -> Provider:
    """Change the named terms of a bank provider and return it; files that were made stay as they are.

    ``changes`` are fields of ``Terms``. By a CFO. Raises as ``add_bank_provider``.
    """
    rows = Provider.objects.select_related("bank").filter(pk=provider_id, kind=Provider.Kind.BANK)
    provider = rows.first()
    if provider is None:
        raise NotFound("There is no such provider.")
    require_role(actor, Role.CFO, place=provider)
    bank = provider.bank
    before = bank_facts(provider, bank)
    present = Terms(
        name=provider.name,
        holder=bank.holder,
        account=bank.account,
        bic=bank.bic,
        charge_bearer=bank.charge_bearer,
        acceptance_hours=bank.acceptance_hours,
    )
    _write(provider, bank, replace(present, **changes))
    _save(provider, bank, new=False)
    _record(actor, "provider.change_bank", provider, bank, before=before)
    return provider


def debtor_of(provider: Provider) -> iso20022.Debtor:
    """Return the account that the provider's files debit, as a file names it."""
    bank = provider.bank
    account = iso20022.parse_account(bank.account)
    return iso20022.Debtor(
        name=bank.holder,
        account=replace(account, bic=account.bic or bank.bic),
        currency=provider.currency,
        charge_bearer=bank.charge_bearer,
    )


def bank_facts(provider: Provider, bank: BankAccount) -> dict[str, Any]:
    """Return what the audit trail may keep of a bank provider, its account masked."""
    return {
        "name": provider.name,
        "currency": provider.currency,
        "holder": bank.holder,
        "account": mask(bank.account),
        "bic": bank.bic,
        "charge_bearer": str(bank.charge_bearer),
        "acceptance_hours": bank.acceptance_hours,
    }


def _write(provider: Provider, bank: BankAccount, terms: Terms) -> None:
    """Check the terms and write them on the objects."""
    given = asdict(terms)
    if not terms.name.strip() or len(terms.name) > LONGEST_NAME:
        raise InvalidInput.on("name", f"A name has 1 to {LONGEST_NAME} characters.")
    if terms.charge_bearer not in BankAccount.ChargeBearer.values:
        raise InvalidInput.on("charge_bearer", "This is none of SHAR, DEBT, CRED and SLEV.")
    hours = terms.acceptance_hours
    if not SHORTEST_WINDOW_H <= hours <= LONGEST_WINDOW_H:
        message = f"This is {SHORTEST_WINDOW_H} to {LONGEST_WINDOW_H} hours."
        raise InvalidInput.on("acceptance_hours", message)
    bank.holder = _holder(terms.holder)
    bank.account = _account(terms.account)
    bank.account_index = blind_index(bank.account)
    bank.bic = _bic(given["bic"])
    bank.charge_bearer = terms.charge_bearer
    bank.acceptance_window = timedelta(hours=hours)
    provider.name = terms.name.strip()
    number = bank.account.rpartition("/")[2]
    provider.short_code = mask(number)[-20:]


def _holder(name: str) -> str:
    try:
        latin = iso20022.to_latin(name)
    except iso20022.NotWritable as refused:
        raise InvalidInput.on("holder", str(refused), code="characters_not_carried") from None
    if not 1 <= len(latin) <= iso20022.LONGEST_NAME:
        message = f"A name has 1 to {iso20022.LONGEST_NAME} characters."
        raise InvalidInput.on("holder", message)
    return latin


def _account(text: str) -> str:
    try:
        return str(iso20022.parse_account(text))
    except iso20022.UnreadableAccount as refused:
        raise InvalidInput.on("account", str(refused), code="account_invalid") from None


def _bic(text: str) -> str:
    try:
        return iso20022.parse_bic(text) if text.strip() else ""
    except iso20022.UnreadableAccount as refused:
        raise InvalidInput.on("bic", str(refused), code="bic_invalid") from None


def _save(provider: Provider, bank: BankAccount, *, new: bool) -> None:
    try:
        with transaction.atomic():
            provider.save(force_insert=new)
            bank.save(force_insert=new)
    except IntegrityError as error:
        message = "The company has a bank in this currency already, or the account is another's."
        raise ProviderExists(message) from error


def _record(
    actor: Actor,
    action: str,
    provider: Provider,
    bank: BankAccount,
    *,
    before: dict[str, Any] | None,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=provider.subject,
        company_id=provider.company_id,
        before=before,
        after=bank_facts(provider, bank),
    )
