"""The same two-line posting by django-hordak, in a process with its own small Django and its own database."""

import os
import subprocess
import sys

from config.embedded.home import ROOT
from tests import database

PROGRAM = """
import statistics, sys, time
import django
from django.conf import settings
host, name, transfers = sys.argv[1], sys.argv[2], int(sys.argv[3])
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": host, "NAME": name,
                           "USER": "postgres"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, SECRET_KEY="benchmark",
    DEFAULT_CURRENCY="KES", CURRENCIES=["KES"],
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.db import connection
from hordak.models import Account, AccountType
from moneyed import Money
accounts = [
    Account.objects.create(name=f"Account {n}", code=f"{n}", type=AccountType.asset, currencies=["KES"])
    for n in range(2)
]
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
taken = []
for n in range(transfers):
    began = time.perf_counter()
    accounts[n % 2].transfer_to(accounts[1 - n % 2], Money(10, "KES"))
    taken.append(time.perf_counter() - began)
print(statistics.median(taken[transfers // 3:]))
"""


def seconds_of_a_transfer(name: str, *, transfers: int) -> float:
    """Return the median time of one transfer; the first third is for the caches."""
    own = f"{name}_hordak"
    database.CLUSTER.make_database(own)
    try:
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            str(database.CLUSTER.sockets),
            own,
            str(transfers),
        ]
        environment = {key: value for key, value in os.environ.items() if "DJANGO" not in key}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"django-hordak was not measured:\n{done.stderr[-2000:]}")
        return float(done.stdout.split()[-1])
    finally:
        database.drop(own)
