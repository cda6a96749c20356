"""The treasury application."""

from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "treasury"
    default_auto_field = "django.db.models.BigAutoField"
