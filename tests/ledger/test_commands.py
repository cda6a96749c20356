"""The shape of every domain call that changes something: durable, tried again, refused on the record."""

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import OperationalError, connection, connections, transaction

from ledger import audit
from ledger.actor import Actor
from ledger.commands import Busy, after_commit, command
from ledger.locks import lock_accounts
from ledger.models import Account, AuditEvent, Company
from ledger.refusals import Conflict, NotFound, Refusal
from tests.crowd import at_once
from tests.ledger.factories import CompanyFactory, UserFactory, open_account

pytestmark = pytest.mark.django_db(transaction=True)
JOB = Actor.system("test")


@command("company.rename")
def rename(*, actor: Actor, company_id: UUID, name: str) -> str:
    Company.objects.filter(pk=company_id).update(name=name)
    audit.record(
        actor=actor,
        action="company.rename",
        subject=f"tests.company:{company_id}",
        company_id=company_id,
    )
    return name


@command("company.refuse")
def refuse(*, actor: Actor, company_id: UUID | None = None, refusal: Refusal) -> None:
    Company.objects.update(name="Gone")
    raise refusal


@command("company.run")
def run(*, actor: Actor, function: Callable[[], object]) -> object:
    return function()


def database_error(sqlstate: str) -> OperationalError:
    """What Django raises for a PostgreSQL error of this kind."""
    error = OperationalError("as PostgreSQL says it")
    error.__cause__ = psycopg.errors.lookup(sqlstate)("as PostgreSQL says it")
    return error


@pytest.fixture
def company() -> Company:
    return CompanyFactory.create(name="Old")


def name_of(company: Company) -> str:
    return Company.objects.get(pk=company.pk).name


# --- Done -----------------------------------------------------------------------------------------------


def test_a_command_commits_and_returns_its_result(company: Company) -> None:
    assert rename(actor=JOB, company_id=company.pk, name="New") == "New"
    assert name_of(company) == "New"


def test_a_command_inside_a_transaction_is_a_mistake(company: Company) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        rename(actor=JOB, company_id=company.pk, name="New")


def test_a_command_inside_a_command_is_a_mistake(company: Company) -> None:
    with pytest.raises(RuntimeError, match="durable"):
        run(actor=JOB, function=lambda: rename(actor=JOB, company_id=company.pk, name="New"))


def test_nobody_waits_longer_than_three_seconds_for_a_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("3s",)


# --- Refused --------------------------------------------------------------------------------------------


def test_a_refusal_undoes_everything_and_goes_on_record(company: Company) -> None:
    person = UserFactory.create(username="wanjiru")
    actor = Actor.of(person, ip_address="10.0.0.7", user_agent="curl", request_id="r-1")
    with pytest.raises(Conflict):
        refuse(actor=actor, company_id=company.pk, refusal=Conflict("Not today.", code="not_today"))
    assert name_of(company) == "Old"
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.code) == ("company.refuse", "refused", "not_today")
    assert (event.detail, event.subject) == ("Not today.", f"tests.company:{company.pk}")
    assert (event.actor, event.actor_name) == (person, "wanjiru")
    assert (event.ip_address, event.user_agent, event.request_id) == ("10.0.0.7", "curl", "r-1")


def test_a_refusal_finds_the_company_of_what_it_was_about(company: Company) -> None:
    rename(actor=JOB, company_id=company.pk, name="New")
    with pytest.raises(Conflict):
        refuse(actor=JOB, company_id=company.pk, refusal=Conflict("No."))
    assert AuditEvent.objects.get(outcome="refused").company == company


def test_a_refusal_about_something_unknown_has_no_company() -> None:
    unknown = uuid4()
    with pytest.raises(NotFound):
        refuse(actor=JOB, company_id=unknown, refusal=NotFound("No such thing."))
    event = AuditEvent.objects.get()
    assert (event.company, event.subject) == (None, f"tests.company:{unknown}")


def test_a_refusal_about_nothing_in_particular_names_the_action() -> None:
    with pytest.raises(Conflict):
        refuse(actor=JOB, refusal=Conflict("No."))
    assert AuditEvent.objects.get().subject == "company.refuse"


def test_an_unexpected_error_is_undone_and_not_audited(company: Company) -> None:
    def fail() -> None:
        Company.objects.update(name="Gone")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(actor=JOB, function=fail)
    assert name_of(company) == "Old"
    assert not AuditEvent.objects.exists()


# --- Tried again ----------------------------------------------------------------------------------------


class Failing:
    """Fails so many times, after having written something, and then succeeds."""

    def __init__(self, times: int, sqlstate: str) -> None:
        self.times = times
        self.sqlstate = sqlstate
        self.tries = 0

    def __call__(self) -> int:
        self.tries += 1
        CompanyFactory.create(name=f"Try {self.tries}")
        if self.tries <= self.times:
            raise database_error(self.sqlstate)
        return self.tries


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03"])
def test_what_the_database_asks_for_again_is_done_again_as_a_whole(sqlstate: str) -> None:
    assert run(actor=JOB, function=Failing(4, sqlstate)) == 5
    assert [company.name for company in Company.objects.all()] == ["Try 5"]


def test_after_five_tries_it_is_busy() -> None:
    failing = Failing(99, "40P01")
    with pytest.raises(Busy) as caught:
        run(actor=JOB, function=failing)
    assert (failing.tries, caught.value.status, caught.value.retry_after) == (5, 409, 1)
    assert AuditEvent.objects.get().code == "busy"
    assert not Company.objects.exists()


def test_who_waited_in_vain_at_once_has_tried_once() -> None:
    failing = Failing(99, "55P03")

    def wait(*, actor: Actor) -> int:
        raise database_error("55P03")

    @command("try.something", at_once=wait)
    def try_something(*, actor: Actor) -> int:
        return failing()

    with pytest.raises(Busy):
        try_something(actor=JOB)
    assert failing.tries == 4


@pytest.mark.parametrize("sqlstate", ["08006", "53300", "57P01"])
def test_a_lost_connection_is_not_tried_again(sqlstate: str) -> None:
    failing = Failing(99, sqlstate)
    with pytest.raises(OperationalError):
        run(actor=JOB, function=failing)
    assert failing.tries == 1


def test_a_lock_that_is_not_given_ends_as_busy() -> None:
    account = open_account()
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_accounts([account.pk])
            locked.set()
            done.wait(20)

    def try_briefly() -> object:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '30ms'")
        return lock_accounts([account.pk])

    def ask() -> object:
        locked.wait(20)
        try:
            return run(actor=JOB, function=try_briefly)
        finally:
            done.set()

    _, answer = at_once([hold, ask])
    assert isinstance(answer, Busy)


def test_two_commands_in_a_deadlock_both_come_through() -> None:
    first, second = open_account(), open_account()
    met = threading.Barrier(2)

    def cross(one: Account, other: Account) -> Callable[[], object]:
        tries = []

        def work() -> int:
            tries.append(1)
            lock_accounts([one.pk])
            if len(tries) == 1:
                met.wait(20)
            lock_accounts([other.pk])
            return len(tries)

        return lambda: run(actor=JOB, function=work)

    answers = at_once([cross(first, second), cross(second, first)])
    assert sorted(str(answer) for answer in answers) == ["1", "2"]


# --- After the commit -----------------------------------------------------------------------------------


def test_what_follows_the_commit_may_fail_without_harm(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    def wake() -> None:
        raise ConnectionError("the broker is away")

    def work() -> None:
        Company.objects.update(name="New")
        after_commit(wake)

    run(actor=JOB, function=work)
    assert name_of(company) == "New"
    assert "the broker is away" in caplog.text


def test_what_follows_the_commit_does_not_follow_a_refusal() -> None:
    woken: list[int] = []

    def work() -> None:
        after_commit(lambda: woken.append(1))
        raise Conflict("No.")

    with pytest.raises(Conflict):
        run(actor=JOB, function=work)
    assert woken == []


def test_no_connection_is_left_in_a_transaction(company: Company) -> None:
    with pytest.raises(Conflict):
        refuse(actor=JOB, refusal=Conflict("No."))
    assert not connections["default"].in_atomic_block
