"""Building a pain.001.001.09: one file, one debtor account, one block of transfers on one date. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from lxml import etree

from ledger.money import format_amount
from payments.gateways.iso20022.accounts import BankAccount
from payments.gateways.iso20022.characters import to_latin

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
LONGEST_ID = 35
LONGEST_NAME = 140
LONGEST_REMITTANCE = 140
CHARGE_BEARERS = ("SLEV", "SHAR", "DEBT", "CRED")


@dataclass(frozen=True, slots=True)
class Debtor:
    """Whose account is debited; ``charge_bearer`` is one of ``CHARGE_BEARERS``."""

    name: str
    account: BankAccount
    currency: str
    charge_bearer: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment in a file; the name and the remittance text in any characters that ``to_latin`` takes."""

    end_to_end_id: str
    uetr: UUID
    amount: Decimal
    payee_name: str
    account: BankAccount
    remittance: str


def end_to_end_id(reference: UUID) -> str:
    """Return the id that a reference has on this rail: its 32 hexadecimal digits."""
    return reference.hex


def uetr_of(reference: UUID) -> UUID:
    """Return the UETR of a reference: the same bits in the form of a version 4, which banks insist on."""
    return UUID(bytes=reference.bytes, version=4)


def build_initiation(
    *,
    message_id: str,
    created_at: datetime,
    execute_on: date,
    debtor: Debtor,
    transfers: Sequence[Transfer],
) -> bytes:
    """Return the file as UTF-8 bytes; the same arguments always give the same bytes.

    Amounts are in the debtor's currency. Raises ``NotWritable`` for a name that the rail does not carry and
    ``InvalidInput`` for an amount finer than the currency.
    """
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})
    initiation = _add(root, "CstmrCdtTrfInitn")
    total = sum((transfer.amount for transfer in transfers), start=Decimal(0))
    header = _add(initiation, "GrpHdr")
    _add(header, "MsgId", message_id)
    _add(header, "CreDtTm", created_at.astimezone(UTC).isoformat(timespec="seconds"))
    _count(header, transfers, total, debtor)
    _add(_add(header, "InitgPty"), "Nm", _name(debtor.name))
    block = _add(initiation, "PmtInf")
    _add(block, "PmtInfId", block_id(message_id))
    _add(block, "PmtMtd", "TRF")
    _add(block, "BtchBookg", "false")
    _count(block, transfers, total, debtor)
    _add(_add(block, "ReqdExctnDt"), "Dt", execute_on.isoformat())
    _add(_add(block, "Dbtr"), "Nm", _name(debtor.name))
    _account(block, "DbtrAcct", debtor.account, debtor.currency)
    if not _bank(block, "DbtrAgt", debtor.account):
        unknown = _add(_add(block, "DbtrAgt"), "FinInstnId")
        _add(_add(unknown, "Othr"), "Id", "NOTPROVIDED")
    _add(block, "ChrgBr", debtor.charge_bearer)
    for transfer in transfers:
        _transfer(block, transfer, debtor.currency)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def block_id(message_id: str) -> str:
    """Return the id (PmtInfId) of a file's only block."""
    return f"{message_id}-1"


def _transfer(block: etree._Element, transfer: Transfer, currency: str) -> None:
    line = _add(block, "CdtTrfTxInf")
    ids = _add(line, "PmtId")
    _add(ids, "InstrId", transfer.end_to_end_id)
    _add(ids, "EndToEndId", transfer.end_to_end_id)
    _add(ids, "UETR", str(transfer.uetr))
    amount = _add(_add(line, "Amt"), "InstdAmt", format_amount(transfer.amount, currency))
    amount.set("Ccy", currency)
    _bank(line, "CdtrAgt", transfer.account)
    _add(_add(line, "Cdtr"), "Nm", _name(transfer.payee_name))
    _account(line, "CdtrAcct", transfer.account)
    _add(_add(line, "RmtInf"), "Ustrd", to_latin(transfer.remittance)[:LONGEST_REMITTANCE])


def _count(
    parent: etree._Element, transfers: Sequence[Transfer], total: Decimal, debtor: Debtor
) -> None:
    _add(parent, "NbOfTxs", str(len(transfers)))
    _add(parent, "CtrlSum", format_amount(total, debtor.currency))


def _account(parent: etree._Element, tag: str, account: BankAccount, currency: str = "") -> None:
    whole = _add(parent, tag)
    number = _add(whole, "Id")
    if account.iban:
        _add(number, "IBAN", account.iban)
    else:
        other = _add(number, "Othr")
        _add(other, "Id", account.number)
        _add(_add(other, "SchmeNm"), "Cd", "BBAN")
    if currency:
        _add(whole, "Ccy", currency)


def _bank(parent: etree._Element, tag: str, account: BankAccount) -> bool:
    """Name the account's bank, if it is known; returns whether it is."""
    if not account.bic and not account.clearing:
        return False
    bank = _add(_add(parent, tag), "FinInstnId")
    if account.bic:
        _add(bank, "BICFI", account.bic)
    if account.clearing:
        _add(_add(bank, "ClrSysMmbId"), "MmbId", account.clearing)
    return True


def _name(name: str) -> str:
    """Return a name as the file carries it; whoever made the requisition was told if it is too long."""
    return to_latin(name)[:LONGEST_NAME]


def _add(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    child.text = text
    return child
