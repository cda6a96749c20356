"""Reading a pain.002, whatever its version: every status of every transaction of every block. Pure.

The file comes from outside: its size is capped before it is read, a document type is refused, and nothing
is ever loaded from anywhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

LARGEST = 5 * 1024 * 1024
MOST_TRANSACTIONS = 50_000
LONGEST_TEXT = 500
# All of these write "<!DOCTYPE" in the same bytes; UTF-7 and UTF-16 do not.
ENCODINGS = frozenset(
    {"", "utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252"}
)
DECLARED = re.compile(
    rb"""^(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']"""
)
AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,5})?", re.ASCII)


class UnreadableReport(ValueError):
    """The file is no payment status report; the message says to people why."""


@dataclass(frozen=True, slots=True)
class Said:
    """A status at any level, with its reasons' codes and the texts beside them."""

    status: str
    reasons: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is said of one transaction; any id may be empty. ``amount`` is the original, if repeated."""

    said: Said
    end_to_end_id: str
    instruction_id: str
    uetr: str
    amount: Decimal | None
    currency: str
    bank_reference: str


@dataclass(frozen=True, slots=True)
class Block:
    """What is said of one block of the original file, and of transactions in it."""

    payment_information_id: str
    said: Said
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One report about one original file (``original_message_id``)."""

    message_id: str
    original_message_id: str
    said: Said
    blocks: tuple[Block, ...]


def parse_report(data: bytes) -> Report:
    """Read a pain.002 of any version; raise ``UnreadableReport``."""
    body = _body(_parsed(data))
    header, group = _child(body, "GrpHdr"), _child(body, "OrgnlGrpInfAndSts")
    message_id = _text(header, "MsgId")
    if not message_id:
        raise UnreadableReport("The report has no message id.")
    report = Report(
        message_id=message_id,
        original_message_id=_text(group, "OrgnlMsgId"),
        said=_said(group, "GrpSts"),
        blocks=tuple(_block(one) for one in _children(body, "OrgnlPmtInfAndSts")),
    )
    if not report.original_message_id:
        raise UnreadableReport("The report does not say which file it is about.")
    if sum(len(block.transactions) for block in report.blocks) > MOST_TRANSACTIONS:
        raise UnreadableReport("The report has more transactions than a file can have.")
    return report


def _parsed(data: bytes) -> etree._Element:
    if len(data) > LARGEST:
        raise UnreadableReport(f"A report has at most {LARGEST // 1024 // 1024} MB.")
    declared = DECLARED.match(data)
    encoding = declared[1].decode().lower() if declared else ""
    if encoding not in ENCODINGS or b"\x00" in data[:512]:
        raise UnreadableReport("A report is written in UTF-8.")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UnreadableReport("A report has no document type.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise UnreadableReport("This is not an XML file.") from None


def _body(root: etree._Element) -> etree._Element:
    for found in (root, *_children(root, "CstmrPmtStsRpt")):
        if _name(found) == "CstmrPmtStsRpt":
            return found
    raise UnreadableReport("This is not a payment status report (pain.002).")


def _block(element: etree._Element) -> Block:
    return Block(
        payment_information_id=_text(element, "OrgnlPmtInfId"),
        said=_said(element, "PmtInfSts"),
        transactions=tuple(_transaction(one) for one in _children(element, "TxInfAndSts")),
    )


def _transaction(element: etree._Element) -> Transaction:
    amount, currency = _amount(element)
    return Transaction(
        said=_said(element, "TxSts"),
        end_to_end_id=_text(element, "OrgnlEndToEndId"),
        instruction_id=_text(element, "OrgnlInstrId"),
        uetr=_text(element, "OrgnlUETR").lower(),
        amount=amount,
        currency=currency,
        bank_reference=_text(element, "AcctSvcrRef"),
    )


def _amount(element: etree._Element) -> tuple[Decimal | None, str]:
    """The original amount, if the bank repeats it."""
    original = _child(_child(element, "OrgnlTxRef"), "Amt")
    amount = _child(original, "InstdAmt")
    if amount is None or not AMOUNT.fullmatch(written := (amount.text or "").strip()):
        return None, ""
    return Decimal(written), (amount.get("Ccy") or "")[:3]


def _said(element: etree._Element | None, tag: str) -> Said:
    reasons, texts = [], []
    for information in _children(element, "StsRsnInf"):
        reason = _child(information, "Rsn")
        reasons.append(_text(reason, "Cd") or _text(reason, "Prtry"))
        texts += [(one.text or "").strip() for one in _children(information, "AddtlInf")]
    text = " ".join(" ".join(texts).split())
    return Said(_text(element, tag), tuple(filter(None, reasons)), text[:LONGEST_TEXT])


def _name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    if element is not None:
        yield from (child for child in element if _name(child) == name)


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    return next(_children(element, name), None)


def _text(element: etree._Element | None, name: str) -> str:
    """The text of a child, at most as long as ISO 20022 allows an id to be; empty where there is none."""
    child = _child(element, name)
    return "" if child is None else " ".join((child.text or "").split())[:140]
