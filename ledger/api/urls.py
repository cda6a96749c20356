"""The ledger's addresses, and those that all floors share."""

from django.urls import path

from ledger.api import accounts, audit, journal, organisation, reports, signing_in

urlpatterns = [
    path("api/auth/token/", signing_in.TokenIssue.as_view()),
    path("api/auth/logout/", signing_in.TokenRevoke.as_view()),
    path("api/me/", signing_in.Me.as_view()),
    path("api/companies/", organisation.CompanyList.as_view()),
    path("api/companies/<uuid:company_id>/", organisation.CompanyDetail.as_view()),
    path("api/regions/", organisation.RegionList.as_view()),
    path("api/regions/<uuid:region_id>/", organisation.RegionDetail.as_view()),
    path("api/branches/", organisation.BranchList.as_view()),
    path("api/branches/<uuid:branch_id>/", organisation.BranchDetail.as_view()),
    path("api/ledger/accounts/", accounts.AccountList.as_view()),
    path("api/ledger/accounts/<uuid:account_id>/", accounts.AccountDetail.as_view()),
    path("api/ledger/accounts/<uuid:account_id>/balance/", accounts.AccountBalance.as_view()),
    path("api/ledger/accounts/<uuid:account_id>/statement/", accounts.AccountStatement.as_view()),
    path("api/ledger/journal/", journal.JournalList.as_view()),
    path("api/ledger/journal/<uuid:entry_id>/", journal.JournalDetail.as_view()),
    path("api/ledger/trial_balance/", reports.TrialBalance.as_view()),
    path("api/audit/", audit.AuditList.as_view()),
    path("api/audit/<uuid:event_id>/", audit.AuditDetail.as_view()),
]
