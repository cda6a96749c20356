"""A batch that goes out under its one code, beside payments that each go out under a code of their own.

That is what a batch is for: from the code on, the treasurer does once what he would do ten thousand times.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from django.core import mail
from django.test import override_settings

from ledger.clock import today
from tests.benchmarks.figures import Figure
from tests.benchmarks.office import Office, requisition_of
from treasury.models import Batch, Payment
from treasury.services.batch_approval import approve_batch
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import execute_batch, run_batch
from treasury.services.batches import create_batch
from treasury.services.codes import send_otp, verify_otp
from treasury.states import PaymentStatus

CODE = re.compile(r"^\d{6}$", re.MULTILINE)
NOT_VERIFIED = """
    UPDATE treasury_payment
    SET otp_required = true, otp_verified = false, otp_verified_timestamp = NULL, executor_id = NULL
    WHERE payment_id = ANY(%s)
"""


def measure(
    office: Office, *, number: int, singles: int, execute: Callable[[UUID], object]
) -> Iterator[Figure]:
    """Execute a batch of that many from its code to its last row, and so many payments one by one."""
    of_the_set, of_their_own = _uncoded(office, number), _uncoded(office, singles)
    office.analyse()
    batch = _approved(office, of_the_set)
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        each = _seconds(lambda: _execute_set(office, batch)) / number
        alone = _seconds(lambda: _execute_singly(office, of_their_own, execute)) / singles
    paid = Payment.objects.filter(pk__in=[*of_the_set, *of_their_own], status=PaymentStatus.SUCCESS)
    assert paid.count() == number + singles
    label = f"a batch of {number:,} from its code on, each / one by one from their codes on"
    yield Figure(label, each, alone, alone / each, 20.0)


def _uncoded(office: Office, number: int) -> list[UUID]:
    """That many approved payments of one fund for which no code was sent yet."""
    ids = office.pending(number, funds=1, coded=False)
    with office.owner() as owner:
        owner.execute(NOT_VERIFIED, [ids])
    return ids


def _approved(office: Office, payments: Sequence[UUID]) -> Batch:
    wanted = [requisition_of(pk) for pk in payments]
    draft = create_batch(actor=office.treasurer, requisitions=wanted)
    return approve_batch(actor=office.scene.actor("cfo"), batch_id=draft.pk)


def _execute_set(office: Office, batch: Batch) -> None:
    actor = office.treasurer
    send_batch_otp(actor=actor, batch_id=batch.pk)
    verify_batch_otp(actor=actor, batch_id=batch.pk, otp=_code())
    execute_batch(actor=actor, batch_id=batch.pk)
    run_batch(actor=actor, batch_id=batch.pk, today=today)


def _execute_singly(
    office: Office, payments: Sequence[UUID], execute: Callable[[UUID], object]
) -> None:
    actor = office.treasurer
    for payment_id in payments:
        send_otp(actor=actor, payment_id=payment_id)
        verify_otp(actor=actor, payment_id=payment_id, otp=_code())
        execute(payment_id)


def _code() -> str:
    found = CODE.search(str(mail.outbox[-1].body))
    assert found, "the message holds no code"
    return found[0]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
