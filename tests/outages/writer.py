"""A process that pays without a pause, whatever becomes of its database: `python -m tests.outages.writer <file>`.

What was acknowledged to it is written to the file, a payment a line, before it goes on.
"""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import django

django.setup()

from django.db import InterfaceError, OperationalError, connection, connections  # noqa: E402

from ledger.clock import today  # noqa: E402
from ledger.refusals import IllegalTransition  # noqa: E402
from tests.scene import Scene, assert_books_hold, build_scene  # noqa: E402
from treasury.models import PaymentExecution  # noqa: E402
from treasury.services.execution import execute_payment  # noqa: E402

PAYMENTS = 1000
THREADS = 8
AMOUNT = 10


class Ledger:
    """The payments still to be made, and the file of those that were acknowledged."""

    def __init__(self, ids: list[UUID], file: Path) -> None:
        self._ids: Iterator[UUID] = iter(ids)
        self._file = file.open("a")
        self._lock = threading.Lock()
        self.retried = 0

    def take(self) -> UUID | None:
        with self._lock:
            return next(self._ids, None)

    def acknowledge(self, payment_id: UUID) -> None:
        with self._lock:
            self._file.write(f"{payment_id}\n")
            self._file.flush()

    def count_retry(self) -> None:
        with self._lock:
            self.retried += 1


def pay_all(scene: Scene, ledger: Ledger) -> None:
    while payment_id := ledger.take():
        while not paid(scene, payment_id, ledger):
            ledger.count_retry()
            time.sleep(0.02)
        ledger.acknowledge(payment_id)
    connections.close_all()


def paid(scene: Scene, payment_id: UUID, ledger: Ledger) -> bool:
    """Ask once; what was committed although nobody said so is known when it is asked again."""
    try:
        execute_payment(actor=scene.actor("treasurer"), payment_id=payment_id, today=today)
    except IllegalTransition:
        return True
    except (OperationalError, InterfaceError):
        connection.close()
        return False
    return True


def main(file: Path) -> None:
    scene = build_scene(opening=1_000_000)
    payments = scene.many_payments(PAYMENTS, AMOUNT)
    ledger = Ledger([payment.pk for payment in payments], file)
    threads = [threading.Thread(target=pay_all, args=(scene, ledger)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.close()  # it is of before the first death
    assert PaymentExecution.objects.count() == PAYMENTS
    assert scene.balances().balance == scene.opening - PAYMENTS * AMOUNT
    assert_books_hold()
    sys.stdout.write(f"{ledger.retried} retried\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
