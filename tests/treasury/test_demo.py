"""The demo: believable, complete, and balanced like everything that the services make."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import Max, Min, Model
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from config.embedded import postgres, processes
from config.embedded.instance import free_port
from ledger.access import roles_of
from ledger.clock import database_now
from ledger.models import AuditEvent, Branch, Company, JournalEntry, User
from ledger.roles import Role
from ledger.services.verification import verify
from payments.models import Provider
from tests import database
from tests.payments import bank as wire
from tests.simulator import Simulator, simulator, simulator_process  # noqa: F401
from treasury.demo import everyday, remarkable
from treasury.demo.cast import PASSWORD
from treasury.demo.loader import Surroundings, load
from treasury.demo.travel import Journey
from treasury.models import (
    ApprovalTier,
    Attachment,
    BankFile,
    BankReportRow,
    Batch,
    BatchRow,
    Holiday,
    Payment,
    PaymentAttempt,
    PaymentExecution,
    PaymentPolicy,
    ReplenishmentRequest,
    Requisition,
    SpendingLimit,
    TreasuryFund,
    VarianceAdjustment,
)

# It is loaded once for the tests that only look at it.
pytestmark = pytest.mark.xdist_group("demo")
ROLES = {
    "requester": Role.REQUESTER,
    "approver": Role.APPROVER,
    "treasurer": Role.TREASURER,
    "reconciler": Role.RECONCILER,
    "cfo": Role.CFO,
    "auditor": Role.AUDITOR,
    "owner": Role.OWNER,
}


def surroundings(database_name: str, simulator_url: str = "") -> Surroundings:
    return Surroundings(
        owner_url=database.CLUSTER.url(role=postgres.OWNER, database=database_name),
        port=free_port(),
        simulator_url=simulator_url,
        simulator_home=database.HOME.path,
    )


@pytest.fixture(scope="module")
def demo(
    django_db_setup: database.Cleaner,
    django_db_blocker: DjangoDbBlocker,
    database_name: str,
    simulator_process: Simulator,  # noqa: F811
) -> Iterator[Surroundings]:
    """The loaded demo; these tests leave it as it is."""
    simulator_process.reset()
    where = surroundings(database_name, simulator_process.url)
    where = replace(where, simulator_home=simulator_process.home)
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr(settings, "BURSAR_PUBLIC_URL", f"http://127.0.0.1:{where.port}")
        assert load(where)
        yield where
        django_db_setup.clean()


def statuses(model: type[Model]) -> set[str]:
    return set(model._default_manager.values_list("status", flat=True))


def test_the_second_company_alone_has_a_limit_of_a_day_and_holidays(demo: Surroundings) -> None:
    assert list(SpendingLimit.objects.values_list("company__code", "scope")) == [
        ("gishwati", "payee")
    ]
    assert set(Holiday.objects.values_list("company__code", "name")) == {
        ("gishwati", "Liberation Day"),
        ("gishwati", "Christmas Day"),
    }


def test_every_status_is_in_it(demo: Surroundings) -> None:
    assert statuses(Requisition) == {"submitted", "approved", "rejected", "cancelled", "paid"}
    assert statuses(Payment) == {
        *("pending", "executing", "success", "failed"),
        *("reconciled", "unknown", "review", "cancelled", "reversed"),
    }
    assert statuses(VarianceAdjustment) == {"pending", "approved", "rejected"}
    assert statuses(ReplenishmentRequest) == {"pending", "approved", "funded", "rejected"}


def test_a_bank_file_has_one_payment_paid_and_one_rejected(demo: Surroundings) -> None:
    file = BankFile.objects.get()
    wire.require_valid(bytes(file.content))
    rows = BankReportRow.objects.filter(report__file=file).order_by("number")
    assert [row.effect for row in rows] == ["settled", "failed"]
    assert PaymentAttempt.objects.filter(state="waiting").count() == 1


def test_a_batch_was_paid_but_for_a_row_and_another_waits_for_its_approval(
    demo: Surroundings,
) -> None:
    assert statuses(Batch) == {"completed", "submitted"}
    rows = BatchRow.objects.filter(batch__status="completed").order_by("number")
    assert [(row.status, row.error_code) for row in rows] == [
        ("done", ""), ("done", ""), ("refused", "phone_invalid"), ("done", ""), ("done", ""),
    ]  # fmt: skip


def test_its_ledger_holds(demo: Surroundings) -> None:
    assert verify().faults == []


def test_what_the_ledger_paid_by_mpesa_is_what_the_simulator_paid(
    demo: Surroundings,
    simulator_process: Simulator,  # noqa: F811
) -> None:
    paid = PaymentExecution.objects.filter(payment__method="mpesa")
    ours = {
        str(attempt.reference): int(attempt.amount)
        for execution in paid
        for attempt in execution.payment.attempts.filter(state="succeeded")
    }
    book = simulator_process.book()["payments"]
    assert len(ours) > 5
    assert ours == {
        row["originator_conversation_id"]: int(float(row["amount"]))
        for row in book
        if row["status"] == "Completed"
    }


@pytest.mark.parametrize("company", ["mbuni", "gishwati"])
def test_people_have_the_roles_of_their_names_in_their_company_alone(
    demo: Surroundings, company: str
) -> None:
    prefix = "" if company == "mbuni" else "other_"
    here = Company.objects.get(code=company)
    there = Company.objects.exclude(code=company).get()
    people = User.objects.filter(is_superuser=False, memberships__company=here)
    assert people.count() == (7 if not prefix else 5)
    for user in people:
        role = ROLES[user.username.removeprefix(prefix)]
        assert roles_of(user, company_id=here.pk) == {role}
        assert roles_of(user, company_id=there.pk) == set()
        assert user.is_staff == (role is not Role.OWNER)
        assert user.email


def test_admin_is_a_superuser_and_everybody_signs_in_with_the_password(
    demo: Surroundings,
) -> None:
    assert list(User.objects.filter(is_superuser=True).values_list("username")) == [("admin",)]
    assert authenticate(username="admin", password=PASSWORD) is not None
    assert len(set(User.objects.values_list("password", flat=True))) == 1


def test_funds_lie_in_companies_regions_and_branches_in_three_currencies(
    demo: Surroundings,
) -> None:
    funds = TreasuryFund.objects.all()
    assert funds.count() >= 8
    assert set(funds.values_list("currency", flat=True)) == {"KES", "UGX", "RWF"}
    assert Branch.objects.filter(pk__in=funds.values("branch")).exists()
    mine = funds.filter(company__code="mbuni", currency="KES")
    assert max(fund.available_balance for fund in mine) >= 500_000


def test_tiers_and_thresholds_are_those_of_the_contract(demo: Surroundings) -> None:
    for company in Company.objects.all():
        tiers = ApprovalTier.objects.filter(company=company, needs="one")
        assert dict(tiers.values_list("currency", "up_to")) == {
            "KES": 50_000,
            "UGX": 1_500_000,
            "RWF": 500_000,
        }
        codes = PaymentPolicy.objects.filter(company=company)
        assert dict(codes.values_list("currency", "code_above")) == {
            "KES": 1_000,
            "UGX": 30_000,
            "RWF": 10_000,
        }


def test_the_history_covers_six_weeks_up_to_now_and_the_clock_is_right_again(
    demo: Surroundings,
) -> None:
    spans = JournalEntry.objects.aggregate(first=Min("posted_at"), last=Max("posted_at"))
    now = database_now()
    assert timedelta(weeks=6) < now - spans["first"] < timedelta(weeks=7)
    assert now - spans["last"] < timedelta(days=1)
    assert now - AuditEvent.objects.latest("at").at < timedelta(minutes=10)


def test_every_requisition_is_older_than_its_payments_and_dated_as_it_was(
    demo: Surroundings,
) -> None:
    for execution in PaymentExecution.objects.select_related("payment__requisition"):
        requested_at = execution.payment.requisition.requested_at
        assert requested_at < execution.payment.created_at <= execution.created_at
        days = execution.journal_entry.effective_on - execution.created_at.date()
        assert abs(days) <= timedelta(days=1)


def test_there_is_evidence_and_some_payments_were_confirmed_by_a_code(
    demo: Surroundings,
) -> None:
    assert Attachment.objects.count() >= 3
    assert PaymentExecution.objects.filter(otp_verified_at__isnull=False).count() > 10


def test_a_second_load_only_finds_the_simulator_again(demo: Surroundings) -> None:
    before = (Requisition.objects.count(), AuditEvent.objects.filter(action="demo.load").count())
    elsewhere = replace(demo, simulator_url=demo.simulator_url.replace("127.0.0.1", "localhost"))
    assert not load(elsewhere)
    assert Provider.objects.get(kind="mpesa").base_url == elsewhere.simulator_url
    assert not load(demo)
    assert (Requisition.objects.count(), 1) == before


# --- Loads that do not go smoothly ----------------------------------------------------------------------


def test_without_a_simulator_everything_is_paid_in_cash(
    transactional_db: None, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everyday, "_errands_in", lambda *_: 0)
    assert load(surroundings(database_name))
    assert not Payment.objects.filter(method="mpesa").exists()
    assert Requisition.objects.exists()


def test_a_load_that_is_cut_off_leaves_the_clock_right_and_is_completed(
    transactional_db: None, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def nothing(*_: object, **__: object) -> Iterator[everyday.Story]:
        return iter(())

    where = surroundings(database_name)
    monkeypatch.setattr(everyday, "stories", fail)
    with pytest.raises(KeyboardInterrupt):
        load(where)
    assert Company.objects.exists()
    right = database_now()
    monkeypatch.setattr(everyday, "stories", nothing)
    monkeypatch.setattr(remarkable, "stories", nothing)
    assert load(where)
    assert not load(where)
    assert abs(right - database_now()) < timedelta(minutes=5)
    assert User.objects.filter(username="other_owner").exists()


def test_the_clock_is_right_again_when_the_traveller_dies(
    transactional_db: None, database_name: str
) -> None:
    journey = Journey(surroundings(database_name).owner_url)
    before = database_now()
    journey.__enter__()
    journey.travel(before - timedelta(weeks=3))
    assert before - database_now() > timedelta(weeks=2)
    journey._owner.close()  # as kill -9 would; the server notices a moment later
    assert processes.wait_until(lambda: database_now() > before, seconds=60)
    assert database_now() - before < timedelta(minutes=1)
    with Journey(surroundings(database_name).owner_url):
        assert timedelta(0) < database_now() - before < timedelta(minutes=1)


def test_the_demo_is_not_loaded_beside_anything_else(
    transactional_db: None, database_name: str
) -> None:
    Company.objects.create(name="Ours", code="ours", currency="KES")
    assert not load(surroundings(database_name))
    assert Company.objects.count() == 1


def test_the_command_says_what_it_did(
    transactional_db: None, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Company.objects.create(name="Ours", code="ours", currency="KES")
    settings.BURSAR_SIMULATOR_URL = ""
    call_command("load_demo")
    assert capsys.readouterr().out == "The demo was there already.\n"
