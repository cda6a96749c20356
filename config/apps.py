"""The config application: it has the `run` command, and makes Celery known to every process."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db.backends.signals import connection_created

from config.databases import check_runtime_role, refuse_excess_rights


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        import_module("config.tracing")  # signals of Celery find their receivers there
        import_module("config.celery")  # shared tasks bind to the app defined there
        keys = import_module("config.keys")  # models are there now
        checks.register(check_runtime_role, checks.Tags.database)
        checks.register(keys.check_keys, checks.Tags.database)
        if settings.BURSAR_PRODUCTION and settings.DATABASE_ROLE != "owner":
            connection_created.connect(refuse_excess_rights)
        if settings.DATABASE_ROLE != "owner":
            connection_created.connect(keys.refuse_wrong_keys)
