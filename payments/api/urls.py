"""Payments' addresses."""

from django.urls import path

from payments.api import providers

urlpatterns = [
    path("api/providers/", providers.ProviderList.as_view()),
    path("api/providers/<uuid:provider_id>/", providers.ProviderDetail.as_view()),
    path("api/providers/<uuid:provider_id>/stop/", providers.ProviderStop.as_view()),
    path("api/providers/<uuid:provider_id>/resume/", providers.ProviderResume.as_view()),
    path("api/providers/<uuid:provider_id>/history/", providers.ProviderHistory.as_view()),
]
