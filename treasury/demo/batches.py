"""Batches: a payday with one wrong number in it, and next month's allowances, which wait for the CFO."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ledger.actor import Actor
from treasury.demo.everyday import HEAD_OFFICE, Story
from treasury.demo.stage import CODE, Stage
from treasury.models import Batch
from treasury.services.batch_approval import approve_batch
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import execute_batch, run_batch
from treasury.services.batches import Upload, create_batch

WORKER = Actor.system("batches")
HEADER = "payee_name,method,destination,amount,purpose,reference"
LOADERS = """\
Wambui Kamau,cash,Yard office,9600,"Loading, eight shifts",L-01
Otieno Ouma,cash,Yard office,8400,"Loading, seven shifts",L-02
Halima Said,mpesa,0712 34,9600,"Loading, eight shifts",L-03
Kiptoo Bett,cash,Yard office,10800,"Loading, nine shifts",L-04
Naliaka Wafula,cash,Yard office,7200,"Loading, six shifts",L-05
"""
ALLOWANCES = """\
Musa Abdalla,cash,Front desk,4500,"Night allowance, Mombasa run",N-11
Jane Njeri,cash,Front desk,4500,"Night allowance, Mombasa run",N-12
Peter Mutua,cash,Front desk,6000,"Night allowance, Malaba run",N-13
"""


def stories(stage: Stage, *, end: datetime) -> Iterator[Story]:
    """What was paid as a set before ``end``, and what is to be."""
    yield _payday(stage, end - timedelta(days=7, hours=4))
    yield _waits_for_approval(stage, end - timedelta(hours=5, minutes=20))


def _payday(stage: Stage, moment: datetime) -> Story:
    """Four are paid with one approval and one code; the fifth's number is no phone number."""
    yield moment
    batch = _uploaded(stage, "Casual loaders of the week.csv", LOADERS)
    yield stage.after(minutes=50)
    approve_batch(actor=stage.acting("cfo"), batch_id=batch.pk, comment="As on the shift list.")
    yield stage.after(minutes=30)
    treasurer = stage.acting("treasurer")
    send_batch_otp(actor=treasurer, batch_id=batch.pk)
    found = CODE.search(str(stage.outbox.pop().body))
    if found is None:
        raise RuntimeError("The message holds no code.")
    verify_batch_otp(actor=treasurer, batch_id=batch.pk, otp=found.group())
    execute_batch(actor=treasurer, batch_id=batch.pk)
    run_batch(actor=WORKER, batch_id=batch.pk, today=stage.today)


def _waits_for_approval(stage: Stage, moment: datetime) -> Story:
    yield moment
    _uploaded(stage, "Night allowances.csv", ALLOWANCES)


def _uploaded(stage: Stage, name: str, lines: str) -> Batch:
    upload = Upload(name, f"{HEADER}\n{lines}".encode())
    fund = stage.cast.funds[HEAD_OFFICE]
    draft = create_batch(actor=stage.acting("requester"), fund_id=fund.pk, upload=upload)
    return draft.batch
