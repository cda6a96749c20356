"""Files for banks: what waits for one is collected into it, once.

The file's bytes, its lines and the attempts that are now in it are one transaction, so that a process that
dies leaves a whole file or none. It is never made again: what becomes of its payments the bank reports, or
two people find out.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from ledger import idempotency
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.encryption import blind_index
from ledger.models import Company, User
from ledger.money import format_amount
from ledger.refusals import Conflict, InvalidInput, NotFound, SegregationOfDuties
from payments.gateways import iso20022
from payments.models import Provider
from payments.services.banks import debtor_of
from treasury import duties, locks
from treasury.dates import Today
from treasury.models import BankFile, BankFileLine, BatchRow, Incident, PaymentAttempt
from treasury.services import outcomes
from treasury.services.calendars import calendar_of
from treasury.services.execution import ProviderUnavailable
from treasury.services.noting import note
from treasury.states import AttemptState

MOST_PAYMENTS = 5_000
LONGEST_AHEAD_DAYS = 60


class NothingWaits(Conflict):
    """No payment waits for a file of this bank."""

    code = "nothing_waiting"
    title = "Nothing waits"


def make_bank_file(
    *,
    actor: Actor,
    provider_id: UUID,
    today: Today,
    execute_on: date | None = None,
    batch_id: UUID | None = None,
) -> BankFile:
    """Collect what waits for a file of this bank into one, oldest first, and return it.

    With ``batch_id``, only what waits of that batch.

    ``execute_on`` is the date the bank is asked to pay on, today unless given, and never a day on which the
    company does not pay: then the next one, as after its cut-off. At most 5,000 payments; what
    is left waits for the next file. A payment that is not what was reserved goes before two people instead.
    By a treasurer who requested none of them. Raises ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``,
    ``InvalidInput``, ``ProviderUnavailable``, ``NothingWaits``.
    """
    with idempotency.answering(None):  # the file is the answer
        _set_apart(actor=actor, provider_id=provider_id, batch_id=batch_id)
    return _make(
        actor=actor,
        provider_id=provider_id,
        execute_on=execute_on,
        batch_id=batch_id,
        today=today,
    )


@command("bank_file.make")
def _make(
    *,
    actor: Actor,
    provider_id: UUID,
    execute_on: date | None,
    batch_id: UUID | None,
    today: Today,
) -> BankFile:
    provider = bank_of(provider_id)
    user = duties.may_make_bank_file(actor, provider)
    on = _execution_date(provider.company, execute_on, today(provider.company))
    if not provider.is_usable:
        raise ProviderUnavailable(f"{provider.name} is stopped: {provider.stopped_reason}")
    attempts = [attempt for attempt in _lock_waiting(provider, batch_id) if not _objection(attempt)]
    if not attempts:
        raise NothingWaits("No payment waits for a file of this bank.")
    _require_other_requesters(attempts, user)
    now = database_now()
    file = _build(provider, attempts, on=on, now=now, user=user)
    file.save(force_insert=True)
    BankFileLine.objects.bulk_create(_lines(file, attempts))
    for attempt in attempts:
        outcomes.accept_in_file(attempt, message_id=file.message_id, now=now, actor=actor)
    note(actor, "bank_file.make", file, _facts(file))
    return file


@command("bank_file.download")
def download_bank_file(*, actor: Actor, bank_file_id: UUID) -> BankFile:
    """Return the file with its bytes, the same for ever, and write down who took it."""
    file = BankFile.objects.select_related("provider").filter(pk=bank_file_id).first()
    if file is None:
        raise NotFound("There is no such file.")
    duties.may_read_bank_file(actor, file.provider)
    note(actor, "bank_file.download", file, {"sha256": file.sha256})
    return file


def bank_of(provider_id: UUID) -> Provider:
    """Return the bank with this id, its account beside it; raise ``InvalidInput`` on ``provider``."""
    rows = Provider.objects.select_related("company", "bank")
    provider = rows.filter(pk=provider_id, kind=Provider.Kind.BANK).first()
    if provider is None:
        raise InvalidInput.on("provider", "There is no such bank.")
    return provider


def _execution_date(company: Company, wanted: date | None, today: date) -> date:
    """The business day that the bank is asked to pay on."""
    calendar = calendar_of(company)
    local = database_now().astimezone(ZoneInfo(company.time_zone)).time()
    too_late = calendar.cut_off is not None and local >= calendar.cut_off
    first = calendar.open_from(today + timedelta(days=too_late))
    if wanted is None:
        return first
    if not 0 <= (wanted - today).days <= LONGEST_AHEAD_DAYS:
        message = f"This is today or within the next {LONGEST_AHEAD_DAYS} days."
        raise InvalidInput.on("execute_on", message)
    return max(first, calendar.open_from(wanted))


@command("bank_file.set_apart")
def _set_apart(*, actor: Actor, provider_id: UUID, batch_id: UUID | None) -> int:
    """Put what no file can hold before two people; a transaction of its own, whatever comes of the file."""
    provider = bank_of(provider_id)
    duties.may_make_bank_file(actor, provider)
    count = 0
    for attempt in _lock_waiting(provider, batch_id):
        if said := _objection(attempt):
            kind = Incident.Kind.MISMATCH
            outcomes.put_in_review(attempt, said=said, kind=kind, actor=actor)
            count += 1
    return count


def _lock_waiting(provider: Provider, batch_id: UUID | None) -> list[PaymentAttempt]:
    """Lock what waits for a file, of one batch where it is named, funds first."""
    waiting = PaymentAttempt.objects.filter(provider=provider, state=AttemptState.WAITING)
    if batch_id is not None:
        rows = BatchRow.objects.filter(batch=batch_id, payment__isnull=False)
        waiting = waiting.filter(payment__in=rows.values("payment"))
    chosen = list(
        waiting.order_by("created_at", "pk").values_list("pk", "payment__fund_id")[:MOST_PAYMENTS]
    )
    locks.lock_funds({fund_id for _, fund_id in chosen})
    locked = locks.lock_attempts([attempt_id for attempt_id, _ in chosen])
    # Somebody else may have made a file while this one waited for the funds.
    return [attempt for attempt in locked if attempt.state == AttemptState.WAITING]


def _objection(attempt: PaymentAttempt) -> str:
    """Why a file must not hold it, empty where it may: the row may have been tampered with."""
    payment = attempt.payment
    if not (
        blind_index(payment.destination) == attempt.destination_index
        and payment.amount == attempt.amount
        and payment.currency == attempt.currency
    ):
        return "The payment is not the one that the money was held for."
    try:
        iso20022.parse_account(payment.destination)
        iso20022.to_latin(payment.requisition.payee_name)
    except (iso20022.UnreadableAccount, iso20022.NotWritable) as problem:
        return f"No file can hold it: {problem}"
    return ""


def _require_other_requesters(attempts: Sequence[PaymentAttempt], user: User) -> None:
    if any(attempt.payment.requester_id == user.pk for attempt in attempts):
        message = (
            "Whoever requested a payment may not put it in a file; another treasurer makes it."
        )
        raise SegregationOfDuties(message)


def _build(
    provider: Provider,
    attempts: Sequence[PaymentAttempt],
    *,
    on: date,
    now: datetime,
    user: User,
) -> BankFile:
    file_id = uuid4()
    message_id = f"BURSAR-{now:%Y%m%d}-{file_id.hex[:16]}"
    content = iso20022.build_initiation(
        message_id=message_id,
        created_at=now,
        execute_on=on,
        debtor=debtor_of(provider),
        transfers=[_transfer(attempt) for attempt in attempts],
    )
    return BankFile(
        file_id=file_id,
        company_id=provider.company_id,
        provider=provider,
        message_id=message_id,
        currency=provider.currency,
        payments=len(attempts),
        total=sum((attempt.amount for attempt in attempts), start=attempts[0].amount * 0),
        execute_on=on,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        made_by=user,
        made_at=now,
    )


def _transfer(attempt: PaymentAttempt) -> iso20022.Transfer:
    payment = attempt.payment
    return iso20022.Transfer(
        end_to_end_id=iso20022.end_to_end_id(attempt.reference),
        uetr=iso20022.uetr_of(attempt.reference),
        amount=attempt.amount,
        payee_name=payment.requisition.payee_name,
        account=iso20022.parse_account(payment.destination),
        remittance=f"Payment {str(payment.pk)[:8]}",
    )


def _lines(file: BankFile, attempts: Sequence[PaymentAttempt]) -> list[BankFileLine]:
    return [
        BankFileLine(
            file=file,
            attempt=attempt,
            number=number,
            provider_id=file.provider_id,
            currency=file.currency,
        )
        for number, attempt in enumerate(attempts, start=1)
    ]


def _facts(file: BankFile) -> dict[str, object]:
    return {
        "message_id": file.message_id,
        "payments": file.payments,
        "total": format_amount(file.total, file.currency),
        "currency": file.currency,
        "execute_on": file.execute_on.isoformat(),
        "sha256": file.sha256,
    }
