"""Sharing out: an allocation is written, and posted to the owners' accounts; reopening reverses it.

Plain functions inside a command, on a locked period.
"""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.money import minor_unit
from ledger.services import posting
from periods import duties
from periods.copying import copy_rows, written_amount, written_amounts
from periods.models import AllocationBasis, AllocationRun, Owner, ServicePeriod
from periods.services.booking import post_debits
from periods.sharing import Allocation, ItemBasis, SharedExpense
from periods.units import from_units

COLUMNS = ("run_id", "expense_id", "basis_id", "amount", "shares")


def share_out(actor: Actor, period: ServicePeriod, allocation: Allocation) -> AllocationRun:
    """Write what each owner bears of each expense and post it; return the run."""
    run = AllocationRun(
        association=period.association,
        period=period,
        number=AllocationRun.objects.filter(period=period).count() + 1,
        rule=allocation.rule,
        run_by=duties.person(actor),
    )
    run.journal_entry_id = _post(actor, run, allocation)
    run.save(force_insert=True)
    bases = _write_bases(run, allocation)
    _write_expenses(run, allocation, bases)
    return run


def take_back(actor: Actor, period: ServicePeriod) -> None:
    """Reverse the period's allocation, in the books and as a run."""
    run = AllocationRun.objects.get(period=period, reversed_at=None)
    if run.journal_entry_id:
        posting.reverse(
            journal_entry_id=run.journal_entry_id,
            reference=f"{run.posting_reference}:reversed",
            description=f"Reopened: {period.name}"[: posting.LONGEST_DESCRIPTION],
            effective_on=period.end_date,
            posted_by_id=actor.user_id,
        )
    run.reversed_at, run.reversed_by = database_now(), duties.person(actor)
    run.save(update_fields=["reversed_at", "reversed_by"])


def _post(actor: Actor, run: AllocationRun, allocation: Allocation) -> UUID | None:
    """Move the costs to the owners, and what nobody shares to what belongs to all of them."""
    association = run.association
    accounts = dict(
        Owner.objects.filter(association=association).values_list("number", "account_id")
    )
    units = {accounts[owner]: amount for owner, amount in allocation.by_owner().items()}
    units[association.equity_account_id] = allocation.unallocated
    units[association.costs_account_id] = -sum(line.amount for line in allocation.expenses)
    return post_debits(
        actor,
        association,
        {account: from_units(amount, association.currency) for account, amount in units.items()},
        reference=run.posting_reference,
        description=f"Costs of {run.period.name}",
        on=run.period.end_date,
    )


def _write_bases(run: AllocationRun, allocation: Allocation) -> dict[int, UUID]:
    """Write each basis once and return their ids by the identity of the basis."""
    association = run.association
    owners = dict(association.owners.values_list("number", "pk"))
    properties = dict(association.properties.values_list("number", "pk"))
    used = {id(line.basis): line.basis for line in allocation.expenses if line.basis}
    rows = {key: _basis_row(run, basis, owners, properties) for key, basis in used.items()}
    AllocationBasis.objects.bulk_create(rows.values())
    return {key: row.pk for key, row in rows.items()}


def _basis_row(
    run: AllocationRun, basis: ItemBasis, owners: dict[int, UUID], properties: dict[int, UUID]
) -> AllocationBasis:
    units = basis.weights.units
    held = [
        (place, owners[owner], days)
        for place, (part, _) in enumerate(basis.weights.parts)
        for owner, days in zip(part.keys, part.weights, strict=True)
    ]
    base: list[Decimal] | None = None
    if basis.base is not None:
        by_property = dict(zip(basis.base.units.keys, basis.base.units.weights, strict=True))
        base = [Decimal(by_property[number]) for number in units.keys]
    return AllocationBasis(
        run=run,
        item=basis.item,
        properties=[properties[number] for number in units.keys],
        weights=[Decimal(weight) for weight in units.weights],
        base_percent=basis.base_percent if basis.base is not None else None,
        base_weights=base,
        held_places=[place for place, _, _ in held],
        held_by=[owner for _, owner, _ in held],
        held_days=[days for _, _, days in held],
        owners=[owners[number] for number in basis.owners],
    )


def _write_expenses(run: AllocationRun, allocation: Allocation, bases: dict[int, UUID]) -> None:
    decimals = minor_unit(run.association.currency)

    def rows() -> Iterator[tuple[UUID, UUID, UUID | None, str, str]]:
        for line in allocation.expenses:
            basis = bases[id(line.basis)] if line.basis else None
            yield run.pk, line.expense.pk, basis, *_amounts(line, decimals)

    copy_rows("periods_allocatedexpense", COLUMNS, rows())


def _amounts(line: SharedExpense, decimals: int) -> tuple[str, str]:
    return written_amount(line.amount, decimals), written_amounts(line.shares, decimals)
