"""The addresses of the ledger's pages."""

from django.urls import path

from ledger.pages import second_factor

urlpatterns = [
    # Before the admin's own: it asks for the second factor as well.
    path("admin/login/", second_factor.login, name="login"),
    path("account/", second_factor.security, name="security"),
    path("account/second-factor/", second_factor.give, name="second-factor"),
    path("account/step-up/", second_factor.confirm, name="step-up"),
    path("account/enrol/", second_factor.set_up, name="second-factor-set-up"),
    path("account/recovery-codes/<slug:key>/", second_factor.recovery_codes, name="recovery-codes"),
    path("account/remove/", second_factor.take_away, name="second-factor-remove"),
]
