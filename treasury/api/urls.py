"""Treasury's addresses."""

from django.urls import path

from treasury.api import (
    attachments,
    bank_files,
    bank_reports,
    callbacks,
    delegations,
    fund_lines,
    funds,
    limits,
    payment_actions,
    payments,
    questions,
    replenishments,
    requisitions,
    variances,
    vouchers,
)

FUND = "api/funds/<uuid:fund_id>"
REQUISITION = "api/requisitions/<uuid:requisition_id>"
PAYMENT = "api/payments/<uuid:payment_id>"
VARIANCE = "api/variances/<uuid:variance_id>"
BANK_FILE = "api/bank-files/<uuid:file_id>"
BANK_REPORT = "api/bank-reports/<uuid:report_id>"
REPLENISHMENT = "api/replenishments/<uuid:request_id>"
DELEGATION = "api/delegations/<uuid:delegation_id>"
QUESTION = "api/questions/<uuid:question_id>"

urlpatterns = [
    path("api/funds/", funds.FundList.as_view()),
    path(f"{FUND}/", funds.FundDetail.as_view()),
    path(f"{FUND}/balance/", funds.FundBalance.as_view()),
    path(f"{FUND}/replenish/", funds.FundReplenish.as_view()),
    path("api/limits/", limits.LimitList.as_view()),
    path("api/limits/<uuid:limit_id>/", limits.LimitDetail.as_view()),
    path("api/holidays/", limits.HolidayList.as_view()),
    path("api/holidays/<uuid:holiday_id>/remove/", limits.HolidayRemove.as_view()),
    path("api/payment_rules/<uuid:company_id>/", limits.PaymentRulesDetail.as_view()),
    path("api/requisitions/", requisitions.RequisitionList.as_view()),
    path(f"{REQUISITION}/", requisitions.RequisitionDetail.as_view()),
    path(f"{REQUISITION}/approve/", requisitions.RequisitionApprove.as_view()),
    path(f"{REQUISITION}/reject/", requisitions.RequisitionReject.as_view()),
    path(f"{REQUISITION}/cancel/", requisitions.RequisitionCancel.as_view()),
    path(f"{REQUISITION}/ask/", questions.RequisitionAsk.as_view()),
    path(f"{REQUISITION}/history/", requisitions.RequisitionHistory.as_view()),
    path(f"{REQUISITION}/attachments/", attachments.AttachmentList.as_view()),
    path(f"{REQUISITION}/attachments/<uuid:attachment_id>/", attachments.AttachmentFile.as_view()),
    path("api/payments/", payments.PaymentList.as_view()),
    path(f"{PAYMENT}/", payments.PaymentDetail.as_view()),
    path(f"{PAYMENT}/attempts/", payments.PaymentAttempts.as_view()),
    path(f"{PAYMENT}/history/", payments.PaymentHistory.as_view()),
    path(f"{PAYMENT}/voucher/", vouchers.PaymentVoucher.as_view()),
    path(f"{PAYMENT}/send_otp/", payment_actions.PaymentSendOtp.as_view()),
    path(f"{PAYMENT}/verify_otp/", payment_actions.PaymentVerifyOtp.as_view()),
    path(f"{PAYMENT}/execute/", payment_actions.PaymentExecute.as_view()),
    path(f"{PAYMENT}/reconcile/", payment_actions.PaymentReconcile.as_view()),
    path(f"{PAYMENT}/record_variance/", payment_actions.PaymentRecordVariance.as_view()),
    path(f"{PAYMENT}/cancel/", payment_actions.PaymentCancel.as_view()),
    path(f"{PAYMENT}/retry/", payment_actions.PaymentRetry.as_view()),
    path(f"{PAYMENT}/resolve/", payment_actions.PaymentResolve.as_view()),
    path(f"{PAYMENT}/reverse/", payment_actions.PaymentReverse.as_view()),
    path(
        f"{PAYMENT}/clear_late_success/",
        payment_actions.PaymentClearLateSuccess.as_view(),
    ),
    path("api/variances/", variances.VarianceList.as_view()),
    path(f"{VARIANCE}/", variances.VarianceDetail.as_view()),
    path(f"{VARIANCE}/approve/", variances.VarianceApprove.as_view()),
    path(f"{VARIANCE}/reject/", variances.VarianceReject.as_view()),
    path(f"{VARIANCE}/ask/", questions.VarianceAsk.as_view()),
    path(f"{VARIANCE}/history/", variances.VarianceHistory.as_view()),
    path("api/replenishments/", replenishments.ReplenishmentList.as_view()),
    path(f"{REPLENISHMENT}/", replenishments.ReplenishmentDetail.as_view()),
    path(f"{REPLENISHMENT}/approve/", replenishments.ReplenishmentApprove.as_view()),
    path(f"{REPLENISHMENT}/fund/", replenishments.ReplenishmentFund.as_view()),
    path(f"{REPLENISHMENT}/reject/", replenishments.ReplenishmentReject.as_view()),
    path(f"{REPLENISHMENT}/ask/", questions.ReplenishmentAsk.as_view()),
    path(f"{REPLENISHMENT}/history/", replenishments.ReplenishmentHistory.as_view()),
    path("api/delegations/", delegations.DelegationList.as_view()),
    path(f"{DELEGATION}/", delegations.DelegationDetail.as_view()),
    path(f"{DELEGATION}/end/", delegations.DelegationEnd.as_view()),
    path(f"{DELEGATION}/history/", delegations.DelegationHistory.as_view()),
    path("api/questions/", questions.QuestionList.as_view()),
    path(f"{QUESTION}/", questions.QuestionDetail.as_view()),
    path(f"{QUESTION}/answer/", questions.QuestionAnswer.as_view()),
    path("api/bank-files/", bank_files.BankFileList.as_view()),
    path(f"{BANK_FILE}/", bank_files.BankFileDetail.as_view()),
    path(f"{BANK_FILE}/content/", bank_files.BankFileContent.as_view()),
    path(f"{BANK_FILE}/payments/", bank_files.BankFileLines.as_view()),
    path(f"{BANK_FILE}/history/", bank_files.BankFileHistory.as_view()),
    path("api/bank-reports/", bank_reports.BankReportList.as_view()),
    path(f"{BANK_REPORT}/", bank_reports.BankReportDetail.as_view()),
    path(f"{BANK_REPORT}/rows/", bank_reports.BankReportRows.as_view()),
    path(f"{BANK_REPORT}/history/", bank_reports.BankReportHistory.as_view()),
    path("api/ledger/", fund_lines.LineList.as_view()),
    path("api/ledger/by_fund/", fund_lines.LinesByFund.as_view()),
    path("api/ledger/<uuid:entry_id>/", fund_lines.LineDetail.as_view()),
    path(
        "api/callbacks/<slug:short>/<uuid:attempt_id>/<slug:token>/",
        callbacks.CallbackInbox.as_view(),
    ),
]
