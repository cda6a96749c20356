"""Looking for what must not be there."""

import subprocess
from collections.abc import Collection

from django.db import connection
from django.db.models import Model

from config.embedded import postgres
from tests import database


def texts_of(model: type[Model]) -> str:
    """Every value of every row."""
    return "\n".join(str(row) for row in model._default_manager.values_list())


def dumped() -> str:
    """The database as `pg_dump` writes it."""
    program = postgres.installed() / "bin" / "pg_dump"
    url = database.CLUSTER.url(
        role=postgres.SUPERUSER, database=str(connection.settings_dict["NAME"])
    )
    done = subprocess.run([program, url], capture_output=True, text=True, check=True)
    assert "COPY public.treasury_payment " in done.stdout
    return done.stdout


def found_in(text: str, secrets: Collection[str]) -> list[str]:
    """The secrets that the text holds, as they are or as the bytes of a binary column."""
    return [word for word in secrets if word in text or word.encode().hex() in text]
