"""Files for banks: what waits is held, collected once, and stays what it was."""

import hashlib
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from ledger.models import Account
from ledger.refusals import InvalidInput, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from payments.models import BankAccount, Provider
from payments.services.banks import Terms, add_bank_provider, change_bank_provider
from payments.services.providers import ProviderExists, stop_provider
from tests.conftest import SentTasks
from tests.payments import bank as wire
from tests.treasury.bank import JOB, OURS, PAYEE, Bank, attempt_of, make_bank, state
from tests.treasury.conftest import World
from tests.treasury.factories import DAY, acting, make_company, person, today
from tests.treasury.test_laws import refused, sql
from treasury.models import BankFile, BankFileLine, Payment, PaymentAttempt
from treasury.services.bank_files import NothingWaits, download_bank_file, make_bank_file
from treasury.services.dispatching import dispatch_attempt, dispatch_waiting
from treasury.services.execution import ProviderUnavailable, execute_payment
from treasury.services.janitor import run_janitor


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


# --- Reserving ----------------------------------------------------------------------------------------


def test_executing_holds_the_money_and_waits_for_a_file(bank: Bank, sent_tasks: SentTasks) -> None:
    payment = bank.waiting(1000)
    attempt = attempt_of(payment)
    assert (attempt.state, payment.status) == ("waiting", "executing")
    assert attempt.provider == bank.provider
    assert bank.world.account().held == 1000
    assert sent_tasks.names == []


def test_what_waits_for_a_file_is_sent_and_asked_about_by_nobody(bank: Bank) -> None:
    attempt = attempt_of(bank.waiting())
    assert dispatch_attempt(actor=JOB, attempt_id=attempt.pk, today=today) is False
    assert dispatch_waiting(actor=JOB, today=today) == 0
    run_janitor(actor=JOB, today=today)
    assert state(attempt) == ("waiting", "executing")


def test_a_bank_in_another_currency_carries_nothing(world: World) -> None:
    bank = Bank(world)
    Provider.objects.filter(pk=bank.provider.pk).update(active=False)
    make_bank(world.company, currency="RWF", account="RW/040/00040123456789")
    with pytest.raises(ProviderUnavailable):
        bank.waiting()
    assert world.account().held == 0


# --- Making a file ------------------------------------------------------------------------------------


def test_a_file_holds_what_waits_and_is_valid(bank: Bank) -> None:
    file, (one, two) = bank.sent(1000, 250)
    root = wire.require_valid(bytes(file.content))
    assert wire.find(root, "GrpHdr/MsgId") == [file.message_id]
    assert wire.find(root, "CtrlSum") == ["1250.00", "1250.00"]
    assert wire.find(root, "EndToEndId") == [one.reference.hex, two.reference.hex]
    assert wire.find(root, "CdtrAcct/Id/Othr/Id") == ["0123456789", "0123456789"]
    assert wire.find(root, "ReqdExctnDt/Dt") == [DAY.isoformat()]
    assert (file.payments, file.total) == (2, 1250)
    assert file.sha256 == hashlib.sha256(bytes(file.content)).hexdigest()
    assert state(one) == state(two) == ("accepted", "executing")
    assert bank.world.account().held == 1250


def test_the_same_bytes_are_handed_out_for_ever(bank: Bank) -> None:
    file, _ = bank.sent(1000)
    change_bank_provider(actor=JOB, provider_id=bank.provider.pk, holder="Renamed Ltd")
    reader = person(bank.world.company, Role.AUDITOR)
    for _ in range(2):
        again = download_bank_file(actor=acting(reader), bank_file_id=file.pk)
        assert hashlib.sha256(bytes(again.content)).hexdigest() == file.sha256
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM treasury_bankfile")
        assert b"0123456789" not in bytes(cursor.fetchone()[0])


def test_a_requester_downloads_nothing(bank: Bank) -> None:
    file, _ = bank.sent(1000)
    with pytest.raises(RoleRequired):
        download_bank_file(actor=acting(bank.world.requester), bank_file_id=file.pk)


def test_the_next_file_holds_only_what_came_since(bank: Bank) -> None:
    first, _ = bank.sent(1000)
    with pytest.raises(NothingWaits):
        bank.file()
    second, (later,) = bank.sent(300)
    assert second.message_id != first.message_id
    assert [line.attempt_id for line in second.lines.all()] == [later.pk]


def test_an_account_with_an_iban_goes_into_the_same_file(bank: Bank) -> None:
    bank.waiting(100, destination="DE89370400440532013000", payee_name="Müller & Söhne")
    bank.waiting(200)
    root = wire.require_valid(bytes(bank.file().content))
    assert wire.find(root, "CdtrAcct/Id/IBAN") == ["DE89370400440532013000"]
    assert wire.find(root, "Cdtr/Nm") == ["Muller + Sohne", "Amina Traders"]


@pytest.mark.parametrize("days", [-1, 61])
def test_an_execution_date_out_of_reach_is_refused(bank: Bank, days: int) -> None:
    bank.waiting()
    with pytest.raises(InvalidInput) as refusal:
        bank.file(execute_on=DAY + timedelta(days=days))
    assert list(refusal.value.errors) == ["execute_on"]


def test_only_a_treasurer_of_the_whole_company_makes_a_file(bank: Bank) -> None:
    bank.waiting()
    for user in (bank.world.approver, bank.world.requester):
        with pytest.raises(RoleRequired):
            bank.file(actor=acting(user))


def test_whoever_requested_a_payment_does_not_put_it_in_a_file(bank: Bank) -> None:
    both = person(bank.world.company, Role.REQUESTER, Role.TREASURER)
    bank.world.requester = both
    bank.waiting()
    with pytest.raises(SegregationOfDuties):
        bank.file(actor=acting(both))
    assert bank.file().payments == 1


def test_a_stopped_bank_gets_no_file(bank: Bank) -> None:
    bank.waiting()
    stop_provider(actor=acting(bank.world.cfo), provider_id=bank.provider.pk, reason="Moved")
    with pytest.raises(ProviderUnavailable):
        bank.file()


def test_what_was_tampered_with_goes_before_people_and_the_rest_into_the_file(bank: Bank) -> None:
    altered, sound = attempt_of(bank.waiting(100)), attempt_of(bank.waiting(200))
    Payment.objects.filter(pk=altered.payment_id).update(destination="KE/68000/6666666666")
    unwritable = attempt_of(bank.waiting(300, payee_name="王小明"))
    file = bank.file()
    assert [line.attempt_id for line in file.lines.all()] == [sound.pk]
    assert state(altered) == state(unwritable) == ("review", "review")
    assert bank.world.account().held == 600


def test_tampered_payments_alone_go_before_people_too(bank: Bank) -> None:
    altered = attempt_of(bank.waiting(100))
    Payment.objects.filter(pk=altered.payment_id).update(destination="KE/68000/6666666666")
    with pytest.raises(NothingWaits):
        bank.file()
    assert state(altered) == ("review", "review")


def test_an_mpesa_provider_makes_no_file(bank: Bank, world: World) -> None:
    with pytest.raises(InvalidInput) as refusal:
        make_bank_file(actor=JOB, provider_id=world.company.pk, today=today)
    assert list(refusal.value.errors) == ["provider"]


# --- The bank as a provider -----------------------------------------------------------------------------


def test_a_banks_account_is_encrypted_and_masked(bank: Bank) -> None:
    assert bank.provider.short_code.endswith("000")
    assert "0112345678" not in bank.provider.short_code
    with connection.cursor() as cursor:
        cursor.execute("SELECT account FROM payments_bankaccount")
        assert "01123456789000" not in cursor.fetchone()[0]
    assert BankAccount.objects.get().account == OURS


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"account": "12345"}, "account"),
        ({"bic": "NOPE"}, "bic"),
        ({"holder": "王小明"}, "holder"),
        ({"holder": " "}, "holder"),
        ({"name": ""}, "name"),
        ({"charge_bearer": "ALL"}, "charge_bearer"),
        ({"acceptance_hours": 0}, "acceptance_hours"),
    ],
)
def test_a_bank_with_bad_terms_is_refused_on_the_field(
    world: World, terms: dict[str, object], field: str
) -> None:
    wanted = {"name": "Bank", "holder": "Acme", "account": OURS} | terms
    with pytest.raises(InvalidInput) as refusal:
        add_bank_provider(
            actor=acting(world.cfo),
            company_id=world.company.pk,
            currency="KES",
            terms=Terms(**wanted),  # type: ignore[arg-type]
        )
    assert list(refusal.value.errors) == [field]
    assert not Provider.objects.exists()


def test_an_account_belongs_to_one_provider_and_a_currency_to_one_bank(bank: Bank) -> None:
    with pytest.raises(ProviderExists):
        make_bank(make_company())
    with pytest.raises(ProviderExists):
        make_bank(bank.world.company, account="KE/01100/0999999999")
    with pytest.raises(RoleRequired):
        change_bank_provider(
            actor=acting(bank.world.treasurer), provider_id=bank.provider.pk, holder="Me"
        )


# --- The laws -----------------------------------------------------------------------------------------

COPY = (
    "INSERT INTO treasury_bankfileline (line_id, file_id, attempt_id, number, provider_id, currency)"
    " SELECT gen_random_uuid(), %s, %s, 99, provider_id, currency FROM treasury_bankfile"
    " WHERE file_id = %s"
)


def test_no_two_files_hold_one_attempt(bank: Bank) -> None:
    first, (one,) = bank.sent(100)
    second, _ = bank.sent(200)
    refused("treasury_bankfileline_waiting", lambda: sql(COPY, second.pk, one.pk, second.pk))
    line = BankFileLine.objects.get(attempt=one)
    line.pk, line.file = None, second
    refused("treasury_bankfileline", lambda: BankFileLine.objects.bulk_create([line]))
    assert first.lines.count() == 1


def test_nothing_is_added_to_a_file_that_was_made(bank: Bank) -> None:
    file, _ = bank.sent(100)
    later = attempt_of(bank.waiting(50))
    refused("treasury_bankfile_whole", lambda: sql(COPY, file.pk, later.pk, file.pk))


def test_an_empty_file_is_refused_at_commit(bank: Bank) -> None:
    file, _ = bank.sent(100)
    copy = BankFile.objects.get(pk=file.pk)
    copy.pk, copy.message_id = None, "BURSAR-FORGED"
    refused("treasury_bankfile_whole", lambda: copy.save(force_insert=True))


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE treasury_bankfile SET message_id = 'x'",
        "UPDATE treasury_bankfile SET content = ''",
        "DELETE FROM treasury_bankfileline",
        "UPDATE treasury_bankfileline SET number = 7",
        "DELETE FROM treasury_bankfile",
        "DELETE FROM payments_bankaccount",
        "TRUNCATE treasury_bankfile CASCADE",
        "UPDATE payments_provider SET currency = 'RWF'",
    ],
)
def test_files_stay_as_they_were_made(bank: Bank, attack: str) -> None:
    bank.sent(100)
    with pytest.raises(Exception, match=r"refused|permission denied"):
        sql(attack)


def test_nothing_is_accepted_outside_a_file(bank: Bank) -> None:
    attempt = attempt_of(bank.waiting())
    change = "UPDATE treasury_paymentattempt SET state = %s WHERE attempt_id = %s"
    refused("treasury_attempt_in_a_file", lambda: sql(change, "accepted", attempt.pk))
    refused("guarded_status", lambda: sql(change, "succeeded", attempt.pk))
    refused("guarded_status", lambda: sql(change, "sending", attempt.pk))


def test_what_goes_to_a_bank_waits_for_a_file(bank: Bank) -> None:
    attempt = attempt_of(bank.waiting())
    attempt.pk, attempt.state = None, "sending"
    refused("treasury_attempt_by_its_rail", lambda: attempt.save(force_insert=True))


def test_a_file_debits_an_account_of_its_own_company(bank: Bank) -> None:
    stranger = make_bank(make_company(), account="KE/01100/0999999999")
    file = BankFile(
        company=bank.world.company,
        provider=stranger,
        message_id="BURSAR-FORGED",
        currency="KES",
        payments=1,
        total=Decimal(1),
        execute_on=DAY,
        content=b"",
        sha256="",
        size=0,
        made_by=bank.world.treasurer,
    )
    refused("treasury_bankfile_same_provider", lambda: file.save(force_insert=True))


def test_a_branch_of_the_money_stays_whole(bank: Bank) -> None:
    """The executor of a bank payment is held to the same duties as any other."""
    payment = bank.world.payment(amount=Decimal(10), method="bank", destination=PAYEE)
    with pytest.raises((SegregationOfDuties, RoleRequired)):
        execute_payment(actor=acting(bank.world.requester), payment_id=payment.pk, today=today)
    assert Account.objects.get(pk=bank.world.fund.account_id).held == 0
    assert not PaymentAttempt.objects.exists()
