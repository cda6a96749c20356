"""The addresses of treasury's pages."""

from django.urls import path

from treasury.pages import approvals, bulk, dashboard, delegations

urlpatterns = [
    path("treasury/", dashboard.dashboard, name="treasury"),
    path("approvals/", approvals.queue, name="approvals"),
    path("approvals/decide/", approvals.decide, name="approvals-decide"),
    path("approvals/many/", bulk.choose, name="approvals-many"),
    path("approvals/many/code/", bulk.send_code, name="approvals-code"),
    path("approvals/many/approve/", bulk.approve, name="approvals-approve"),
    path("approvals/many/<slug:key>/", bulk.results, name="approvals-results"),
    path("approvals/delegations/", delegations.delegations, name="approvals-delegations"),
    path("approvals/delegations/<uuid:delegation_id>/end/", delegations.end, name="approvals-end"),
    path("approvals/questions/", delegations.questions, name="approvals-questions"),
    path(
        "approvals/questions/<uuid:question_id>/answer/",
        delegations.answer,
        name="approvals-answer",
    ),
]
