"""The config application: it has the `run` command, and makes Celery known to every process."""

from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        import_module("config.celery")  # shared tasks bind to the app defined there
