"""The addresses of periods' pages."""

from django.urls import path

from periods.pages import owner

urlpatterns = [
    path("owner/", owner.overview, name="owner"),
    path("owner/sign-in/", owner.sign_in, name="owner-sign-in"),
    path("owner/sign-out/", owner.sign_out, name="owner-sign-out"),
    path(
        "owner/<uuid:owner_id>/statements/<uuid:period_id>/",
        owner.statement,
        name="owner-statement",
    ),
]
