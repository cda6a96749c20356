"""What a report says of each payment of a file: its own status, or what is said above it. Pure.

A transaction's own status counts; one that has none takes its block's, and that failing the file's. What
is said above applies to transactions that are not listed as well, unless it says "partly", or a listed one
got on otherwise: then they stay as they are.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from payments.gateways.iso20022.codes import classify
from payments.gateways.iso20022.initiation import block_id, uetr_of
from payments.gateways.iso20022.reports import Block, Report, Said, Transaction
from payments.gateways.outcome import OutcomeClass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the report says of one payment.

    ``listed`` is False where it is said of the whole file or block. ``outcome_class`` is None where nothing
    is said. ``end_to_end_id`` is as the report has it, and empty where it names none.
    """

    listed: bool
    said: Said
    outcome_class: OutcomeClass | None
    end_to_end_id: str = ""
    instruction_id: str = ""
    uetr: str = ""
    amount: Decimal | None = None
    currency: str = ""
    bank_reference: str = ""


def verdicts_of(report: Report, sent: Collection[str]) -> list[Verdict]:
    """Return a verdict for each listed transaction, then for each of ``sent`` that only a level speaks of.

    ``sent`` are the end-to-end ids of the original file, empty where it is not known; then what is said of
    a level is one verdict of its own, so that nothing is lost.
    """
    listed = [
        _listed(one, block, report.said) for block in report.blocks for one in block.transactions
    ]
    names = (name for one in listed for name in (one.end_to_end_id, one.instruction_id, one.uetr))
    named = {name.lower() for name in names}
    silent = [one for one in sent if named.isdisjoint({one, str(uetr_of(UUID(one)))})]
    found = list(listed)
    for said, ours in _levels(report):
        found += _spread(said, silent if ours else [], listed, alone=not (sent and ours))
    return found


def _levels(report: Report) -> list[tuple[Said, bool]]:
    """Return what is said above the transactions, and whether it is about our block.

    A block's word counts for its transactions before the file's, so the file's is heard only where no
    block of ours says anything.
    """
    ours = block_id(report.original_message_id)
    levels = [
        (block.said, block.payment_information_id == ours)
        for block in report.blocks
        if block.said.status
    ]
    if report.said.status and not any(mine for _, mine in levels):
        levels.append((report.said, True))
    return levels


def _listed(transaction: Transaction, block: Block, group: Said) -> Verdict:
    said = transaction.said
    if not said.status:
        above = block.said if block.said.status else group
        said = replace(
            above,
            reasons=said.reasons or above.reasons,
            text=said.text or above.text,
        )
    return Verdict(
        listed=True,
        said=said,
        outcome_class=classify(said.status, said.reasons),
        end_to_end_id=transaction.end_to_end_id,
        instruction_id=transaction.instruction_id,
        uetr=transaction.uetr,
        amount=transaction.amount,
        currency=transaction.currency,
        bank_reference=transaction.bank_reference,
    )


def _spread(
    said: Said, silent: Collection[str], listed: list[Verdict], *, alone: bool
) -> list[Verdict]:
    found = classify(said.status, said.reasons)
    if alone:
        return [Verdict(listed=False, said=said, outcome_class=found)]
    if found is None:
        return []
    if any(one.outcome_class is not found for one in listed):
        found = None
    return [
        Verdict(listed=False, said=said, outcome_class=found, end_to_end_id=one) for one in silent
    ]
