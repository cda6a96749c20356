"""The periods application."""

from django.apps import AppConfig

from ledger.event_kinds import register_kinds
from periods.events import KINDS


class PeriodsConfig(AppConfig):
    name = "periods"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the kinds of event."""
        register_kinds(KINDS)
