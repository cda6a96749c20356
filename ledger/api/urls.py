"""The ledger's addresses, and those that all floors share."""

from django.urls import path

from ledger.api import accounts, audit, events, journal, organisation, reports, signing_in, webhooks

WEBHOOK = "api/webhooks/<uuid:webhook_id>"
DELIVERY = f"{WEBHOOK}/deliveries/<uuid:delivery_id>"

urlpatterns = [
    path("api/auth/token/", signing_in.TokenIssue.as_view()),
    path("api/auth/logout/", signing_in.TokenRevoke.as_view()),
    path("api/auth/step-up/", signing_in.StepUpDo.as_view()),
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
    path("api/events/", events.EventList.as_view()),
    path("api/events/<uuid:event_id>/", events.EventDetail.as_view()),
    path("api/webhooks/", webhooks.WebhookList.as_view()),
    path(f"{WEBHOOK}/", webhooks.WebhookDetail.as_view()),
    path(f"{WEBHOOK}/disable/", webhooks.WebhookDisable.as_view()),
    path(f"{WEBHOOK}/enable/", webhooks.WebhookEnable.as_view()),
    path(f"{WEBHOOK}/rotate/", webhooks.WebhookRotate.as_view()),
    path(f"{WEBHOOK}/test/", webhooks.WebhookTest.as_view()),
    path(f"{WEBHOOK}/history/", webhooks.WebhookHistory.as_view()),
    path(f"{WEBHOOK}/deliveries/", webhooks.DeliveryList.as_view()),
    path(f"{DELIVERY}/", webhooks.DeliveryDetail.as_view()),
    path(f"{DELIVERY}/replay/", webhooks.DeliveryReplay.as_view()),
]
