"""The treasury application."""

from importlib import import_module

from django.apps import AppConfig

from ledger.event_kinds import register_kinds
from treasury.events import KINDS


class TreasuryConfig(AppConfig):
    name = "treasury"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the tasks, so that every process can send them by name, and the kinds of event."""
        import_module("treasury.tasks")
        register_kinds(KINDS)
