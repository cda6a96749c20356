"""Opening balances: what an association that starts in mid-life brings along."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import parse_amount
from ledger.refusals import Conflict, InvalidInput
from periods import duties, locks
from periods.models import Association, OpeningBalances, Owner, OwnerOpening, ServicePeriod
from periods.services.booking import post_debits
from periods.services.noting import note
from periods.services.recalculating import NoOpenPeriod

Amount = str | int | Decimal
ZERO = Decimal(0)


class OpeningsRecorded(Conflict):
    """What an association brings along is recorded once."""

    code = "openings_recorded"
    title = "Opening balances recorded"


class TooLateForOpenings(Conflict):
    """A period was closed: what it opened with stands on its balance sheet."""

    code = "too_late_for_openings"
    title = "Too late for opening balances"


@command("association.record_openings")
def record_opening_balances(
    *, actor: Actor, association_id: UUID, cash: Amount, balances: Mapping[UUID, Amount]
) -> OpeningBalances:
    """Record the cash an association had and what it owed each owner, the day before its first period.

    A balance above zero is owed to the owner, below zero he owes it. What is left of the cash belongs to all
    of them. With a fund, ``cash`` is what of the fund's money is the association's. Raises ``NotFound``,
    ``RoleRequired``, ``InvalidInput`` on the field, ``NoOpenPeriod`` before there is a period,
    ``OpeningsRecorded``, ``TooLateForOpenings``.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    owners = {owner.pk: owner for owner in Owner.objects.filter(association=association)}
    if not owners.keys() >= balances.keys():
        raise InvalidInput.on("balances", "There is no such owner.")
    currency = association.currency
    amounts = {
        owners[pk]: read_balance(amount, currency, field="balances")
        for pk, amount in balances.items()
    }
    first = _first_period(association)
    opening = OpeningBalances(
        association=association,
        on=first.start_date - timedelta(days=1),
        cash=read_balance(cash, currency, field="cash"),
        recorded_by=duties.person(actor),
    )
    opening.equity = opening.cash - sum(amounts.values(), ZERO)
    opening.journal_entry_id = _post(actor, opening, amounts)
    opening.save(force_insert=True)
    OwnerOpening.objects.bulk_create(
        OwnerOpening(opening=opening, association=association, owner=owner, amount=amount)
        for owner, amount in amounts.items()
    )
    note(actor, "association.record_openings", opening, association=association)
    return opening


def read_balance(value: Amount, currency: str, *, field: str) -> Decimal:
    """Read a signed amount, zero included. Raises ``InvalidAmount`` on the field."""
    text = str(value).strip()
    if text.lstrip("-").strip("0.") == "" and text.strip("-."):
        return ZERO
    if text.startswith("-"):
        return -parse_amount(text[1:], currency, field=field)
    return parse_amount(value, currency, field=field)


def _first_period(association: Association) -> ServicePeriod:
    """Return the period before which the association brings something along."""
    if OpeningBalances.objects.filter(association=association).exists():
        raise OpeningsRecorded("What this association brings along is recorded.")
    periods = ServicePeriod.objects.filter(association=association).order_by("start_date")
    first = periods.first()
    if first is None:
        raise NoOpenPeriod("Open the first period first.")
    if first.version:
        raise TooLateForOpenings(f"{first.name} was closed with what it opened with.")
    return first


def _post(actor: Actor, opening: OpeningBalances, amounts: Mapping[Owner, Decimal]) -> UUID | None:
    """Post what is brought along; a fund has the money already, so that only what stands against it moves."""
    association = opening.association
    fund = association.fund
    debits = {fund.funding_account_id if fund else association.cash_account_id: opening.cash}
    debits[association.equity_account_id] = -opening.equity
    debits |= {owner.account_id: -amount for owner, amount in amounts.items()}
    return post_debits(
        actor,
        association,
        debits,
        reference=f"{association.reference}:opening",
        description=f"Opening balances of {association.name}",
        on=opening.on,
    )
