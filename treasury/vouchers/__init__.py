"""Payment vouchers: one page that says who asked, agreed and paid, and what it did to the books.

Typeset by typst from a fixed source; what people wrote is handed over as data (JSON) and is never part of
the source, so that it cannot run. The same payment gives the same bytes: no date of printing stands in it.
"""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst

from ledger.encryption import mask
from ledger.models import LedgerEntry
from ledger.money import Money
from ledger.refusals import Conflict
from ledger.words import in_words
from treasury.methods import Method
from treasury.models import Payment, PaymentExecution

SOURCE = Path(__file__).with_name("voucher.typ").read_bytes()


class NotExecuted(Conflict):
    """There is a voucher only of what was paid."""

    code = "not_executed"
    title = "Not executed"


def voucher_of(payment: Payment) -> bytes:
    """Return the voucher of an executed payment as PDF; raise ``NotExecuted`` before."""
    execution = (
        PaymentExecution.objects.filter(payment=payment)
        .select_related("executor", "requester", "journal_entry")
        .first()
    )
    if execution is None:
        raise NotExecuted(f"This payment is {payment.status}: there is no voucher yet.")
    return typeset(facts_of(payment, execution))


def typeset(facts: dict[str, Any]) -> bytes:
    """Return the page that shows the facts; the source is fixed, they come beside it as JSON."""
    data = json.dumps(facts, ensure_ascii=False)
    return typst.compile(SOURCE, sys_inputs={"data": data}, ignore_system_fonts=True)


def name_of(payment: Payment) -> str:
    """Return the name of the file."""
    return f"voucher-{payment.pk}.pdf"


def facts_of(payment: Payment, execution: PaymentExecution) -> dict[str, Any]:
    """Return all that stands on the voucher, as text; the destination masked, cash told in words."""
    company, requisition = payment.fund.company, payment.requisition
    zone = ZoneInfo(company.time_zone)

    def instant(at: Any) -> str:
        return at.astimezone(zone).strftime("%d %b %Y %H:%M %Z") if at else "not needed"

    cash = payment.method == Method.CASH
    return {
        "company": company.name,
        "number": str(payment.pk),
        "status": payment.get_status_display(),
        "amount": str(Money(payment.amount, payment.currency)),
        "words": in_words(payment.amount, payment.currency),
        "payee": requisition.payee_name,
        "purpose": requisition.purpose,
        "facts": [
            ["Fund", payment.fund.name],
            ["Paid by", payment.get_method_display()],
            ["To", payment.destination if cash else mask(payment.destination)],
            ["Paid on", instant(execution.created_at)],
            ["Gateway's reference", execution.gateway_reference or "none"],
            ["Requisition", str(requisition.pk)],
        ],
        "people": [
            ["Requested", str(execution.requester), instant(requisition.requested_at), ""],
            *_approvals(payment, instant),
            ["Code verified", *_verified(execution, instant)],
            ["Executed", str(execution.executor), instant(execution.created_at), ""],
        ],
        "lines": _lines(payment, execution),
    }


def _verified(execution: PaymentExecution, instant: Any) -> list[str]:
    who = str(execution.otp_verified_by or "—")
    return [who, instant(execution.otp_verified_at), ""]


def _approvals(payment: Payment, instant: Any) -> list[list[str]]:
    requisition = payment.requisition
    rows = requisition.all_approvals.filter(version=requisition.version)
    return [
        [
            "Approved",
            str(row.approver),
            instant(row.approved_at),
            f"{row.get_role_display()}{f', for {row.on_behalf_of}' if row.on_behalf_of else ''}",
        ]
        for row in rows.select_related("approver", "on_behalf_of")
    ]


def _lines(payment: Payment, execution: PaymentExecution) -> list[list[str]]:
    """What was posted, corrections and a reversal included: what for, account, debit, credit."""
    entries = [execution.journal_entry_id]
    corrections = payment.variances.filter(journal_entry__isnull=False)
    entries += corrections.values_list("journal_entry", flat=True)
    lines = LedgerEntry.objects.filter(journal_entry__in=entries) | LedgerEntry.objects.filter(
        journal_entry__reversal_of__in=entries
    )
    lines = lines.select_related("account", "journal_entry").order_by(
        "posted_at", "journal_entry", "-side", "account__code"
    )
    return [
        [
            line.journal_entry.description,
            f"{line.account.code} {line.account.name}",
            str(Money(line.amount, line.currency)) if line.side == "debit" else "",
            str(Money(line.amount, line.currency)) if line.side == "credit" else "",
            f"{line.effective_on:%d %b %Y}",
        ]
        for line in lines
    ]
