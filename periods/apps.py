"""The periods application."""

from importlib import import_module

from django.apps import AppConfig

from ledger.event_kinds import register_kinds
from periods.events import KINDS


class PeriodsConfig(AppConfig):
    name = "periods"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the tasks, so that every process can send them by name, and the kinds of event."""
        import_module("periods.tasks")
        register_kinds(KINDS)
