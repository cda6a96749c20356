"""The same two-line posting by django-hordak, in a process with its own small Django and its own database.

As ours it goes between two of a hundred accounts, on tables that hold some thousand postings and are analysed. The
process transfers when it is told to, so that both are measured in turns.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from config.embedded.home import ROOT
from tests import database

PROGRAM = """
import random, statistics, sys, time
import django
from django.conf import settings
host, name = sys.argv[1:3]
accounts, history = map(int, sys.argv[3:])
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
def transferred():
    began = time.perf_counter()
    source, target = random.sample(books, 2)
    source.transfer_to(target, Money(10, "KES"))
    return time.perf_counter() - began
print("ready", flush=True)
for wanted in sys.stdin:
    print(statistics.median(transferred() for _ in range(int(wanted))), flush=True)
"""


@contextmanager
def transferring(name: str, *, accounts: int, history: int) -> Iterator[Callable[[int], float]]:
    """Yield what makes that many transfers between two of the accounts and returns the median time of one.

    ``history`` transfers were made before.
    """
    own = f"{name}_hordak"
    database.CLUSTER.make_database(own)
    where = str(database.CLUSTER.sockets), own, str(accounts), str(history)
    environment = {key: value for key, value in os.environ.items() if "DJANGO" not in key}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *where],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with program:
            assert _said(program) == "ready"
            yield lambda number: float(_told(program, number))
    finally:
        database.drop(own)


def _told(program: subprocess.Popen[str], number: int) -> str:
    assert program.stdin
    program.stdin.write(f"{number}\n")
    program.stdin.flush()
    return _said(program)


def _said(program: subprocess.Popen[str]) -> str:
    assert program.stdout
    line = program.stdout.readline()
    if not line:
        raise RuntimeError("django-hordak was not measured; what it says stands above.")
    return line.strip()
