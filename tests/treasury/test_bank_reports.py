"""What a bank reports: no row is lost, each is acted on once, nothing final is ever turned round."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ledger.models import Account
from ledger.refusals import InvalidInput, RoleRequired
from ledger.roles import Role
from payments.gateways.iso20022 import uetr_of
from payments.models import Provider
from tests.conftest import SentTasks
from tests.payments import bank as wire
from tests.scene import assert_books_hold
from tests.treasury.bank import JOB, Bank, age, attempt_of, effects, make_bank, row, state
from tests.treasury.conftest import World
from tests.treasury.factories import acting, make_company, person, today
from tests.treasury.test_laws import refused, sql
from treasury.models import BankReport, BankReportRow, Incident, Payment
from treasury.services import outcomes
from treasury.services.bank_reports import (
    ReportDiffers,
    apply_bank_report,
    apply_waiting_rows,
    import_bank_report,
)
from treasury.services.janitor import run_janitor
from treasury.services.payments import retry_payment
from treasury.services.resolution import resolve_payment


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


def test_one_is_settled_and_one_released(bank: Bank) -> None:
    file, (paid, rejected) = bank.sent(1000, 250)
    report = bank.says(
        file,
        row(paid, "ACSC", bank_reference="KCB0001", amount="1000.00"),
        row(rejected, "RJCT", "AC04", text="Account closed"),
    )
    assert effects(report) == ["settled", "failed"]
    assert state(paid) == ("succeeded", "success")
    assert state(rejected) == ("failed", "failed")
    account = bank.world.account()
    assert (account.balance, account.held) == (99_000, 0)
    execution = paid.payment.execution
    assert execution.gateway_reference == "KCB0001"
    payment = Payment.objects.get(pk=rejected.payment_id)
    assert payment.retry_count == 1
    assert "Account closed" in payment.last_error
    assert_books_hold()


def test_a_rejection_of_the_whole_file_reaches_every_payment(bank: Bank) -> None:
    file, attempts = bank.sent(100, 200, 300)
    report = bank.says(file, status="RJCT", code="MS03")
    assert effects(report) == ["failed"] * 3
    assert [state(attempt)[0] for attempt in attempts] == ["failed"] * 3
    assert bank.world.account().held == 0


def test_what_a_partial_report_does_not_list_stays_as_it_is(bank: Bank) -> None:
    file, (one, two) = bank.sent(100, 200)
    assert effects(bank.says(file, row(one, "ACCC"))) == ["settled"]
    assert state(two) == ("accepted", "executing")
    assert bank.world.account().held == 200


@pytest.mark.parametrize("status", ["RCVD", "PDNG", "ACTC", "ACCP", "ACSP", "ACWC"])
def test_accepted_is_not_paid(bank: Bank, status: str) -> None:
    file, (attempt,) = bank.sent(100)
    age(attempt, hours=70)
    assert effects(bank.says(file, row(attempt, status))) == ["accepted"]
    assert state(attempt) == ("accepted", "executing")
    age(attempt, hours=70)
    run_janitor(actor=JOB, today=today)
    assert state(attempt) == ("accepted", "executing")


@pytest.mark.parametrize(("code", "burns"), [("AC01", 1), ("TM01", 0), ("FF01", 0)])
def test_only_a_refusal_of_the_payment_itself_counts_as_a_failure(
    bank: Bank, code: str, burns: int
) -> None:
    file, (attempt,) = bank.sent(100)
    bank.says(file, row(attempt, "RJCT", code))
    assert state(attempt) == ("failed", "failed")
    assert Payment.objects.get(pk=attempt.payment_id).retry_count == burns
    stopped = Provider.objects.get(pk=bank.provider.pk).stopped_reason
    assert ("FF01" in stopped) == (code == "FF01")


def test_a_rejected_payment_goes_out_again_under_another_reference(bank: Bank) -> None:
    file, (first,) = bank.sent(100)
    bank.says(file, row(first, "RJCT", "TM01"))
    treasurer = acting(bank.world.treasurer)
    payment = retry_payment(actor=treasurer, payment_id=first.payment_id)
    second = attempt_of(bank.again(payment))
    assert second.reference != first.reference
    later = bank.file()
    bank.says(later, row(second, "ACSC"))
    assert state(second) == ("succeeded", "success")


@pytest.mark.parametrize("status", [("RJCT", "AM05"), ("RJCT", "DU01"), ("ZZZZ", "")])
def test_a_duplicate_or_a_status_nobody_knows_is_in_doubt(
    bank: Bank, status: tuple[str, str]
) -> None:
    file, (attempt,) = bank.sent(100)
    assert effects(bank.says(file, row(attempt, *status))) == ["doubted"]
    assert state(attempt) == ("unknown", "unknown")
    assert bank.world.account().held == 100


def test_unknown_references_are_shown_and_not_dropped(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    report = bank.says(
        file,
        wire.transaction("NOTPROVIDED", "RJCT", "AC01"),
        wire.transaction("OTHER-1", "ACSC"),
        row(attempt, "ACSC"),
    )
    assert effects(report) == ["unmatched", "unmatched", "settled"]
    rows = BankReportRow.objects.filter(report=report).order_by("number")
    assert [one.end_to_end_id for one in rows][:2] == ["NOTPROVIDED", "OTHER-1"]


def test_a_report_about_a_file_of_nobody_is_kept(bank: Bank) -> None:
    _, (attempt,) = bank.sent(100)
    report = bank.bring(wire.report("SOMEBODY-ELSES", status="RJCT"))
    assert (report.file, effects(report)) == (None, ["unmatched"])
    assert state(attempt) == ("accepted", "executing")


def test_a_payment_is_found_by_its_uetr_alone(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    uetr = str(uetr_of(attempt.reference))
    report = bank.says(file, wire.transaction("NOTPROVIDED", "ACSC", uetr=uetr.upper()))
    assert effects(report) == ["settled"]


# --- Once ---------------------------------------------------------------------------------------------


def test_the_same_report_again_changes_nothing(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    data = wire.report(file.message_id, wire.block(file.message_id, row(attempt, "ACSC")))
    first = bank.bring(data)
    again = import_bank_report(
        actor=acting(bank.world.treasurer), provider_id=bank.provider.pk, data=data
    )
    assert (again.report.pk, again.is_new) == (first.pk, False)
    assert BankReport.objects.count() == 1
    assert bank.world.account().balance == 99_900


def test_the_same_message_id_with_other_content_is_refused(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    bank.says(file, row(attempt, "ACCP"), message_id="BANKSTS-9")
    with pytest.raises(ReportDiffers):
        bank.says(file, row(attempt, "RJCT"), message_id="BANKSTS-9")
    assert state(attempt) == ("accepted", "executing")


def test_another_companys_bank_may_use_the_same_message_id(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    bank.says(file, row(attempt, "ACCP"), message_id="BANKSTS-9")
    other = make_company()
    provider = make_bank(other, account="KE/01100/0999999999")
    data = wire.report(file.message_id, wire.block(file.message_id, row(attempt, "RJCT")))
    kept = import_bank_report(
        actor=acting(person(other, Role.TREASURER)), provider_id=provider.pk, data=data
    )
    apply_bank_report(actor=JOB, report_id=kept.report.pk, today=today)
    assert effects(kept.report) == ["unmatched"]
    assert state(attempt) == ("accepted", "executing")


def test_a_worker_is_woken_and_a_sweeper_finds_what_he_did_not(
    bank: Bank,
    sent_tasks: SentTasks,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    file, (attempt,) = bank.sent(100)
    data = wire.report(file.message_id, wire.block(file.message_id, row(attempt, "ACSC")))
    with django_capture_on_commit_callbacks(execute=True):
        import_bank_report(
            actor=acting(bank.world.treasurer), provider_id=bank.provider.pk, data=data
        )
    assert sent_tasks.names == ["treasury.apply_bank_report"]
    assert apply_waiting_rows(actor=JOB, today=today) == 1
    assert sent_tasks.run() == 1
    assert state(attempt) == ("succeeded", "success")


def test_one_row_that_fails_holds_up_no_other(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    file, (one, two) = bank.sent(100, 200)
    usual = outcomes.conclude_success

    def broken(attempt: Any, **details: Any) -> None:
        if attempt.pk == one.pk:
            raise RuntimeError("the disk is full")
        usual(attempt, **details)

    monkeypatch.setattr(outcomes, "conclude_success", broken)
    report = bank.says(file, row(one, "ACSC"), row(two, "ACSC"))
    assert effects(report) == ["waiting", "settled"]
    monkeypatch.undo()
    apply_waiting_rows(actor=JOB, today=today)
    assert effects(report) == ["settled", "settled"]


# --- Contradictions -----------------------------------------------------------------------------------


def test_a_rejection_after_it_was_paid_is_an_incident(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    bank.says(file, row(attempt, "ACSC"))
    assert effects(bank.says(file, row(attempt, "RJCT", "AC04"))) == ["incident"]
    assert state(attempt) == ("succeeded", "success")
    assert attempt.incidents.get().kind == Incident.Kind.CONTRADICTION
    assert bank.world.account().balance == 99_900


def test_paid_after_it_was_rejected_is_an_incident_in_suspense(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    assert effects(bank.says(file, row(attempt, "ACSC", bank_reference="KCB7"))) == ["incident"]
    assert state(attempt) == ("failed", "failed")
    assert attempt.incidents.get().kind == Incident.Kind.LATE_SUCCESS
    suspense = Account.objects.get(pk=bank.world.fund.suspense_account_id)
    assert suspense.balance == 100
    assert_books_hold()


def test_a_report_that_says_yes_and_no_goes_before_people(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    report = bank.says(file, row(attempt, "RJCT", "AC04"), row(attempt, "ACSC"))
    assert effects(report) == ["review", "review"]
    assert state(attempt) == ("review", "review")
    assert effects(bank.says(file, row(attempt, "ACSC"))) == ["unchanged"]
    assert bank.world.account().held == 100


@pytest.mark.parametrize("amount", ["100.01", "99.99999", "0", "1000"])
def test_another_amount_goes_before_people(bank: Bank, amount: str) -> None:
    file, (attempt,) = bank.sent(100)
    assert effects(bank.says(file, row(attempt, "ACSC", amount=amount))) == ["review"]
    assert attempt.incidents.get().kind == Incident.Kind.MISMATCH


def test_another_currency_or_file_or_id_goes_before_people(bank: Bank) -> None:
    _, (elsewhere,) = bank.sent(100)
    file, (currency, ids, foreign) = bank.sent(200, 300, 400)
    report = bank.says(
        file,
        row(currency, "ACSC", amount="200.00", currency="EUR"),
        row(ids, "ACSC", uetr=str(uetr_of(elsewhere.reference))),
        row(elsewhere, "RJCT"),
        wire.transaction("SOMETHING", "RJCT", uetr=str(uetr_of(foreign.reference))),
    )
    assert set(effects(report)) == {"review"}
    assert state(currency) == state(foreign) == ("review", "review")
    assert bank.world.account().balance == 100_000


# --- Silence ------------------------------------------------------------------------------------------


def test_a_file_without_a_report_is_in_doubt_and_then_before_people(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    age(attempt, hours=71)
    run_janitor(actor=JOB, today=today)
    assert state(attempt) == ("accepted", "executing")
    age(attempt, hours=2)
    run_janitor(actor=JOB, today=today)
    assert state(attempt) == ("unknown", "unknown")
    run_janitor(actor=JOB, today=today)
    assert not attempt.enquiries.exists()
    age(attempt, hours=25)
    run_janitor(actor=JOB, today=today)
    assert state(attempt) == ("review", "review")
    assert bank.world.account().held == 100
    # Nothing was guessed, so the bank's word still counts.
    assert effects(bank.says(file, row(attempt, "ACSC"))) == ["settled"]


def test_two_people_end_what_the_bank_is_silent_about(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    for hours in (73, 25):
        age(attempt, hours=hours)
        run_janitor(actor=JOB, today=today)
    for user in (bank.world.second_treasurer, bank.world.cfo):
        resolve_payment(
            actor=acting(user),
            payment_id=attempt.payment_id,
            outcome="not_paid",
            evidence="Not on the statement.",
            today=today,
        )
    assert state(attempt) == ("failed", "failed")
    assert effects(bank.says(file, row(attempt, "ACSC"))) == ["incident"]


# --- Who, and what it refuses ---------------------------------------------------------------------------


def test_only_treasurers_and_reconcilers_bring_reports(bank: Bank) -> None:
    file, _ = bank.sent(100)
    for user in (bank.world.requester, bank.world.approver, bank.world.cfo):
        with pytest.raises(RoleRequired):
            import_bank_report(
                actor=acting(user),
                provider_id=bank.provider.pk,
                data=wire.report(file.message_id),
            )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<Document/>", "report_unreadable"),
        (b'<!DOCTYPE d [<!ENTITY x "y">]><d>&x;</d>', "report_unreadable"),
        (b" " * (5 * 1024 * 1024 + 1), "report_too_large"),
    ],
)
def test_a_hostile_file_is_refused_and_nothing_kept(bank: Bank, data: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        bank.bring(data)
    assert (list(refusal.value.errors), refusal.value.code) == (["file"], code)
    assert not BankReport.objects.exists()


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE treasury_bankreport SET message_id = 'x'",
        "DELETE FROM treasury_bankreport",
        "DELETE FROM treasury_bankreportrow",
        "UPDATE treasury_bankreportrow SET effect = 'unmatched'",
        "UPDATE treasury_bankreportrow SET effect = 'waiting', applied_at = NULL",
        "UPDATE treasury_bankreportrow SET outcome = 'succeeded'",
        "UPDATE treasury_bankreportrow SET attempt_id = NULL",
    ],
)
def test_what_a_bank_said_stays_as_it_said_it(bank: Bank, attack: str) -> None:
    file, (attempt,) = bank.sent(100)
    bank.says(file, row(attempt, "RJCT"))
    with pytest.raises(Exception, match=r"refused|permission denied"):
        sql(attack)


def test_a_report_is_brought_once_by_sql_too(bank: Bank) -> None:
    file, (attempt,) = bank.sent(100)
    report = BankReport.objects.get(pk=bank.says(file, row(attempt, "RJCT")).pk)
    report.pk, report.sha256 = None, "other"
    refused("treasury_bankreport_message", lambda: report.save(force_insert=True))
    report.message_id, report.sha256 = "other", BankReport.objects.get().sha256
    refused("treasury_bankreport_content", lambda: report.save(force_insert=True))


def test_money_is_conserved_whatever_the_bank_says(bank: Bank) -> None:
    """Every status of the table about one file: what is paid left, what failed is back, the rest is held."""
    said = ["ACSC", "RJCT", "ACCP", "ZZZZ", "PART", "CANC", "ACCC", ""]
    file, attempts = bank.sent(*range(10, 10 + len(said)))
    bank.says(file, *(row(one, status) for one, status in zip(attempts, said, strict=True)))
    by_state: dict[str, Decimal] = {}
    for attempt in attempts:
        now = state(attempt)[0]
        by_state[now] = by_state.get(now, Decimal(0)) + attempt.amount
    account = bank.world.account()
    assert account.balance == 100_000 - by_state["succeeded"]
    assert account.held == by_state["accepted"] + by_state["unknown"]
    assert by_state["failed"] == 11 + 15
    assert_books_hold()
