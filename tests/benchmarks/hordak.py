"""The same two-line posting by django-hordak, in a process with its own small Django and its own database.

As ours it goes between two of a hundred accounts, on tables that hold some thousand postings and are analysed.
"""

import os
import subprocess
import sys

from config.embedded.home import ROOT
from tests import database

PROGRAM = """
import random, statistics, sys, time
import django
from django.conf import settings
host, name = sys.argv[1:3]
transfers, accounts, history = map(int, sys.argv[3:])
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
from django.db import connection, transaction
from hordak.models import Account, AccountType, Leg, Transaction
from moneyed import Money
ten = Money(10, "KES")
books = [
    Account.objects.create(name=f"Account {n}", code=f"{n}", type=AccountType.asset, currencies=["KES"])
    for n in range(accounts)
]
with transaction.atomic():
    for posted in Transaction.objects.bulk_create(Transaction() for _ in range(history)):
        source, target = random.sample(books, 2)
        Leg.objects.bulk_create([
            Leg(transaction=posted, account=source, credit=ten),
            Leg(transaction=posted, account=target, debit=ten),
        ])
with connection.cursor() as cursor:
    cursor.execute("VACUUM ANALYZE")
taken = []
for n in range(transfers):
    began = time.perf_counter()
    source, target = random.sample(books, 2)
    source.transfer_to(target, Money(10, "KES"))
    taken.append(time.perf_counter() - began)
print(statistics.median(taken[transfers // 3:]))
"""


def seconds_of_a_transfer(name: str, *, transfers: int, accounts: int, history: int) -> float:
    """Return the median time of one transfer between two of the accounts, after ``history`` of them.

    The first third is for the caches.
    """
    own = f"{name}_hordak"
    database.CLUSTER.make_database(own)
    try:
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            str(database.CLUSTER.sockets),
            own,
            *map(str, (transfers, accounts, history)),
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
