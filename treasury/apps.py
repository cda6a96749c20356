"""The treasury application."""

from importlib import import_module

from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "treasury"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the tasks, so that every process can send them by name."""
        import_module("treasury.tasks")
