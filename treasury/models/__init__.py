"""What treasury keeps; one file per noun."""

from treasury.models.attachment import Attachment
from treasury.models.attempt import Callback, Enquiry, Incident, PaymentAttempt
from treasury.models.bank_file import BankFile, BankFileLine
from treasury.models.bank_report import BankReport, BankReportRow
from treasury.models.batch import Batch, BatchApproval, BatchCode, BatchRow
from treasury.models.code import FailedTries, OneTimeCode
from treasury.models.decision_code import DecisionCode
from treasury.models.delegation import Delegation
from treasury.models.finding import LateSuccess, Reversal
from treasury.models.fund import TreasuryFund
from treasury.models.fund_line import FundLine
from treasury.models.limit import (
    DailySpending,
    LimitScope,
    PayeeDestination,
    PaymentRules,
    SpendingLimit,
)
from treasury.models.payment import Payment, PaymentExecution, Reconciliation
from treasury.models.policy import ApprovalTier, PaymentPolicy
from treasury.models.question import Question
from treasury.models.replenishment import ReplenishmentRequest
from treasury.models.requisition import Requisition, RequisitionApproval
from treasury.models.resolution import Resolution
from treasury.models.schedule import Holiday
from treasury.models.variance import VarianceAdjustment

__all__ = [
    "ApprovalTier",
    "Attachment",
    "BankFile",
    "BankFileLine",
    "BankReport",
    "BankReportRow",
    "Batch",
    "BatchApproval",
    "BatchCode",
    "BatchRow",
    "Callback",
    "DailySpending",
    "DecisionCode",
    "Delegation",
    "Enquiry",
    "FailedTries",
    "FundLine",
    "Holiday",
    "Incident",
    "LateSuccess",
    "LimitScope",
    "OneTimeCode",
    "PayeeDestination",
    "Payment",
    "PaymentAttempt",
    "PaymentExecution",
    "PaymentPolicy",
    "PaymentRules",
    "Question",
    "Reconciliation",
    "ReplenishmentRequest",
    "Requisition",
    "RequisitionApproval",
    "Resolution",
    "Reversal",
    "SpendingLimit",
    "TreasuryFund",
    "VarianceAdjustment",
]
