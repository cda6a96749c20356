"""What a requisition says: read, checked and written on the object. Plain, inside a command."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from ledger.encryption import blind_index
from ledger.money import parse_amount
from ledger.refusals import InvalidInput
from treasury import methods, payees, risk, tiers
from treasury.models import ApprovalTier, Requisition
from treasury.texts import optional_text, require_text

Amount = str | int | Decimal
LONGEST_PURPOSE = 500
LONGEST_NAME = 160
CONTENT = (
    "amount",
    "purpose",
    "payee_name",
    "payee_index",
    "payee_note",
    "method",
    "destination",
    "destination_index",
    "risk",
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a requisition says, as it was sent; None leaves a field as it is."""

    amount: Amount | None
    currency: str | None
    purpose: str | None
    payee_name: str | None
    method: str | None
    destination: str | None


def write_requisition(requisition: Requisition, wanted: Content) -> None:
    """Check what was sent and write it on the object, with the note on what is new about the payee."""
    write_content(requisition, wanted)
    requisition.payee_note = payees.payee_note(
        company_id=requisition.company_id,
        payee_index=requisition.payee_index,
        destination_index=requisition.destination_index,
        besides=requisition.pk,
    )
    requisition.risk = risk_of(
        requisition,
        looks_paid_twice=payees.look_alikes(requisition).exists(),
        table=tiers_of(requisition.company_id, requisition.currency),
    )


def write_content(requisition: Requisition, wanted: Content) -> None:
    """Check what was sent and write it on the object; asks no table. Raises ``InvalidInput``."""
    if wanted.currency is not None and wanted.currency != requisition.currency:
        message = f"This fund pays in {requisition.currency} only."
        raise InvalidInput.on("currency", message, code="currency_mismatch")
    if wanted.amount is not None:
        requisition.amount = parse_amount(wanted.amount, requisition.currency)
    if wanted.purpose is not None:
        requisition.purpose = require_text(wanted.purpose, field="purpose", longest=LONGEST_PURPOSE)
    if wanted.payee_name is not None:
        requisition.payee_name = require_text(
            wanted.payee_name, field="payee_name", longest=LONGEST_NAME
        )
    if wanted.method is not None:
        requisition.method = methods.require_available(wanted.method)
    methods.require_payable(
        method=requisition.method, amount=requisition.amount, currency=requisition.currency
    )
    methods.require_payee(method=requisition.method, payee_name=requisition.payee_name)
    _write_destination(requisition, wanted.destination)
    requisition.payee_index = payees.payee_index(requisition.payee_name)


def risk_of(
    requisition: Requisition, *, looks_paid_twice: bool, table: list[tiers.Tier]
) -> risk.Risk:
    """Return how closely the requisition, as it is to be written, wants to be looked at."""
    return risk.of_request(
        new_payee=requisition.payee_note == payees.NEW_PAYEE,
        new_destination=requisition.payee_note == payees.NEW_DESTINATION,
        looks_paid_twice=looks_paid_twice,
        above_tier=tiers.needed_for(requisition.amount, table) != tiers.ONE,
    )


def _write_destination(requisition: Requisition, wanted: str | None) -> None:
    """Write the destination as the method needs it; the present one is checked anew under a new method."""
    text = requisition.destination if wanted is None else wanted
    text = optional_text(text, field="destination")
    destination = methods.normalise_destination(method=requisition.method, destination=text)
    requisition.destination = destination
    requisition.destination_index = blind_index(destination)


def tiers_of(company_id: UUID, currency: str) -> list[tiers.Tier]:
    """Return up to which amounts of the currency which approvals are needed in the company."""
    rows = ApprovalTier.objects.filter(company=company_id, currency=currency)
    return [tiers.Tier(up_to, needs) for up_to, needs in rows.values_list("up_to", "needs")]
