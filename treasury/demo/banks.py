"""The bank: a file with two payments, of which one was paid and one came back rejected, and one that waits."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from payments.services.banks import Terms, add_bank_provider
from treasury.demo.cast import LOADER
from treasury.demo.everyday import HEAD_OFFICE, Story
from treasury.demo.stage import Stage, Wish
from treasury.models import BankFile, Payment
from treasury.services.bank_files import make_bank_file
from treasury.services.bank_reports import apply_bank_report, import_bank_report

BANK = "bank"
OURS = "KE/01100/KCBLKENX/01123456789000"
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"><CstmrPmtStsRpt>
<GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{file}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>{file}-1</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>
<TxInfAndSts><OrgnlEndToEndId>{paid}</OrgnlEndToEndId><TxSts>ACSC</TxSts>
<AcctSvcrRef>KCB{file_number}0001</AcctSvcrRef></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>{rejected}</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account closed</AddtlInf></StsRsnInf></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>
"""


def stories(stage: Stage, *, end: datetime) -> Iterator[Story]:
    """What went to the bank before ``end``."""
    yield _one_paid_one_rejected(stage, end - timedelta(days=6, hours=5))
    yield _waits_for_a_file(stage, end - timedelta(hours=5))


def _one_paid_one_rejected(stage: Stage, moment: datetime) -> Story:
    yield moment
    company = stage.cast.companies["mbuni"]
    terms = Terms(name="KCB current account", holder="Mbuni Freight Ltd", account=OURS)
    bank = add_bank_provider(actor=LOADER, company_id=company.pk, currency="KES", terms=terms)
    paid = _executed(stage, 84_500, "Retreads, six trailers", "Simba Tyres", "KE/68000/0170123456")
    yield stage.after(minutes=20)
    rejected = _executed(
        stage, 36_200, "Toner and paper", "Kirinyaga Stationers", "KE/03017/0451234567"
    )
    yield stage.after(hours=1)
    file = make_bank_file(actor=stage.acting("treasurer"), provider_id=bank.pk, today=stage.today)
    yield stage.after(hours=21)
    data = _report(file, paid, rejected, stage.journey.now)
    kept = import_bank_report(
        actor=stage.acting("reconciler"), provider_id=bank.pk, data=data.encode()
    )
    apply_bank_report(actor=LOADER, report_id=kept.report.pk, today=stage.today)


def _waits_for_a_file(stage: Stage, moment: datetime) -> Story:
    yield moment
    _executed(stage, 41_750, "Weighbridge calibration", "Mizani Metrology", "KE/11000/01109876543")


def _executed(stage: Stage, amount: int, purpose: str, payee: str, account: str) -> Payment:
    wish = Wish(HEAD_OFFICE, amount, purpose, payee, BANK, account)
    return stage.execute(stage.make_payment(stage.approve(stage.request(wish))))


def _report(file: BankFile, paid: Payment, rejected: Payment, at: datetime) -> str:
    return REPORT.format(
        message_id=f"KCBSTS-{file.message_id[7:15]}-77",
        at=at.isoformat(timespec="seconds"),
        file=file.message_id,
        file_number=file.message_id[9:15],
        paid=paid.attempts.get().reference.hex,
        rejected=rejected.attempts.get().reference.hex,
    )
