"""Adjusting: corrections that skip closed periods are held back in the books and charged in an open one."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger import audit, outbox
from ledger.actor import Actor
from ledger.models import Side
from ledger.services import posting
from ledger.services.posting import OPPOSITE, Line, Posting
from periods import duties
from periods.facts import facts_of
from periods.models import Owner, ServiceCharge, ServicePeriod
from periods.services.booking import post_debits
from periods.states import ChargeKind

Differences = Mapping[UUID, Decimal]


def hold_back(
    actor: Actor, reference: str, corrected: ServicePeriod, on: date, differences: Differences
) -> UUID | None:
    """Take the differences out of the owners' accounts from a day on; return the entry, None for nothing.

    The closed sheets after the corrected period do not show them: so their accounts do not either.
    """
    association = corrected.association
    accounts = dict(
        Owner.objects.filter(pk__in=differences).order_by("number").values_list("pk", "account_id")
    )
    amounts = {accounts[owner]: differences[owner] for owner in accounts}
    amounts[association.equity_account_id] = -sum(differences.values(), Decimal(0))
    return post_debits(
        actor,
        association,
        amounts,
        reference=f"{reference}:held_back",
        description=f"Held back: correction of {corrected.name}",
        on=on,
    )


def charge(
    actor: Actor, corrected: ServicePeriod, period: ServicePeriod, differences: Differences
) -> None:
    """Charge each owner his difference in an open period: who is owed more gets a negative charge."""
    association = period.association
    owners = Owner.objects.filter(pk__in=differences).select_related("account").order_by("number")
    charges = [
        ServiceCharge(
            association=association,
            period=period,
            owner=owner,
            kind=ChargeKind.ADJUSTMENT,
            amount=-differences[owner.pk],
            date=period.start_date,
            description=f"Correction of {corrected.name}",
            recorded_by=duties.person(actor),
        )
        for owner in owners
    ]
    if not charges:
        return
    entries = posting.post_many([_posting(actor, one) for one in charges])
    for one, entry in zip(charges, entries, strict=True):
        one.journal_entry_id = entry
    ServiceCharge.objects.bulk_create(charges)
    _tell(actor, period, charges)


def _posting(actor: Actor, one: ServiceCharge) -> Posting:
    association, owner = one.association, one.owner
    side = Side.DEBIT if one.amount > 0 else Side.CREDIT
    amount = abs(one.amount)
    return Posting(
        company_id=association.company_id,
        reference=one.posting_reference,
        description=f"{owner.name}: {one.description}"[: posting.LONGEST_DESCRIPTION],
        effective_on=one.date,
        lines=(
            Line(owner.account_id, side, amount, association.currency),
            Line(association.equity_account_id, OPPOSITE[side], amount, association.currency),
        ),
        posted_by_id=actor.user_id,
    )


def _tell(actor: Actor, period: ServicePeriod, charges: list[ServiceCharge]) -> None:
    association = period.association
    facts: list[tuple[str, dict[str, Any]]] = [
        (one.reference, facts_of(one, currency=association.currency)) for one in charges
    ]
    audit.record_many(
        actor=actor,
        action="charge.record",
        company_id=association.company_id,
        changes=[audit.Change(subject, after=after) for subject, after in facts],
    )
    outbox.publish_many(
        kind="charge.recorded",
        company_id=association.company_id,
        events=[
            (
                one.reference,
                {
                    "id": str(one.pk),
                    "period": str(period.pk),
                    "association": str(association.pk),
                    "currency": association.currency,
                    **after,
                },
            )
            for one, (_, after) in zip(charges, facts, strict=True)
        ],
    )
