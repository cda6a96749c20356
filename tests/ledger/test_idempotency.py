"""The same request, asked again, gets the same answer and no second effect."""

import threading
from typing import Any

import pytest

from ledger import idempotency
from ledger.actor import Actor
from ledger.commands import command
from ledger.encryption import decrypt
from ledger.idempotency import KeyInUse, KeyMismatch, Replay, Request, answering
from ledger.models import AuditEvent, Company, IdempotencyKey, User
from ledger.refusals import Conflict
from ledger.services.idempotency_keys import forget_old_keys
from tests.clock import Clock
from tests.crowd import at_once
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
JOB = Actor.system("test")


@command("company.found")
def found(*, actor: Actor, name: str, before_answer: Any = None) -> Company:
    company = CompanyFactory.create(name=name)
    if before_answer:
        before_answer()
    return company


@pytest.fixture
def person() -> User:
    return UserFactory.create()


def request(person: User, key: str = "k", body: object = None, **facts: Any) -> Request:
    facts.setdefault("scope", "POST /api/companies/")
    facts.setdefault("answer", lambda company: (201, {"name": company.name}))
    return Request(person.pk, key=key, request_hash=idempotency.hash_of(body), **facts)


def ask(wanted: Request | None, name: str = "First", **more: Any) -> Company:
    with answering(wanted):
        return found(actor=JOB, name=name, **more)


def test_the_answer_is_kept_with_its_effect(person: User) -> None:
    ask(request(person))
    kept = IdempotencyKey.objects.get()
    assert (kept.user, kept.scope, kept.key) == (person, "POST /api/companies/", "k")
    assert (kept.status_code, decrypt(kept.body)) == (201, '{"name": "First"}')


def test_the_same_request_gets_the_same_answer(person: User) -> None:
    ask(request(person))
    with pytest.raises(Replay) as caught:
        ask(request(person), name="Second")
    assert (caught.value.status_code, caught.value.body) == (201, {"name": "First"})
    assert [company.name for company in Company.objects.all()] == ["First"]


def test_the_key_with_another_body_is_refused(person: User) -> None:
    ask(request(person, body={"amount": "1.00"}))
    with pytest.raises(KeyMismatch) as caught:
        ask(request(person, body={"amount": "2.00"}))
    assert (caught.value.status, caught.value.code) == (422, "idempotency_mismatch")


def test_a_key_is_one_persons_at_one_address(person: User) -> None:
    ask(request(person), name="One")
    ask(request(UserFactory.create()), name="Two")
    ask(request(person, scope="POST /api/other/"), name="Three")
    ask(request(person, key="other"), name="Four")
    assert Company.objects.count() == 4


def test_without_a_key_nothing_is_kept() -> None:
    ask(None)
    assert not IdempotencyKey.objects.exists()


def test_the_key_is_only_for_the_command_within(person: User) -> None:
    ask(request(person))
    found(actor=JOB, name="Second")
    assert IdempotencyKey.objects.count() == 1


def test_a_refusal_is_not_kept_so_the_key_may_try_again(person: User) -> None:
    def refuse() -> None:
        raise Conflict("Not yet.")

    with pytest.raises(Conflict):
        ask(request(person), before_answer=refuse)
    assert ask(request(person)).name == "First"


def test_a_crash_before_the_answer_undoes_the_effect(person: User) -> None:
    def crash(company: Company) -> tuple[int, Any]:
        raise SystemError("no answer")

    with pytest.raises(SystemError):
        ask(request(person, answer=crash))
    assert not Company.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_replay_is_no_refusal_on_record(person: User) -> None:
    ask(request(person))
    with pytest.raises(Replay):
        ask(request(person))
    assert not AuditEvent.objects.exists()


def test_while_the_first_is_still_running_the_second_is_told_so(person: User) -> None:
    running, done = threading.Event(), threading.Event()

    def linger() -> None:
        running.set()
        done.wait(20)

    def first() -> Company:
        return ask(request(person), before_answer=linger)

    def second() -> Company:
        running.wait(20)
        try:
            return ask(request(person), name="Second")
        finally:
            done.set()

    made, refused = at_once([first, second])
    assert isinstance(made, Company)
    assert isinstance(refused, KeyInUse)
    assert (refused.status, refused.retry_after) == (409, 1)


def test_twenty_at_once_have_one_effect(person: User) -> None:
    answers = at_once([lambda: ask(request(person))] * 20)
    made = [answer for answer in answers if isinstance(answer, Company)]
    assert len(made) == Company.objects.count() == 1
    assert all(isinstance(answer, Company | KeyInUse | Replay) for answer in answers)


COLUMNS = [
    ("user_id", None),
    ("scope", "GET /"),
    ("key", "other"),
    ("request_hash", b"x"),
    ("status_code", 500),
    ("body", '"other"'),
]


@pytest.mark.parametrize(("column", "value"), COLUMNS, ids=[name for name, _ in COLUMNS])
def test_nobody_changes_an_answer(person: User, attacker: str, column: str, value: Any) -> None:
    ask(request(person))
    value = value or UserFactory.create().pk
    with raw.refused():
        raw.run(f"UPDATE ledger_idempotencykey SET {column} = %s", [value])
    with raw.refused():
        IdempotencyKey.objects.update(**{column: value})


def test_the_body_is_hashed_whatever_the_order_of_its_fields() -> None:
    assert idempotency.hash_of({"a": 1, "b": [2]}) == idempotency.hash_of({"b": [2], "a": 1})


@pytest.mark.parametrize("other", [{"a": 2}, {"a": "1"}, {"a": 1, "b": None}, [], None])
def test_another_body_has_another_hash(other: object) -> None:
    assert idempotency.hash_of({"a": 1}) != idempotency.hash_of(other)


def test_answers_are_forgotten_after_four_hundred_days(person: User, clock: Clock) -> None:
    ask(request(person, key="old"))
    clock.advance(days=2)
    ask(request(person, key="new"), name="Second")
    clock.advance(days=399)
    assert forget_old_keys() == 1
    assert IdempotencyKey.objects.get().key == "new"


@pytest.mark.parametrize("body", [None, [], "text", {"a": {"b": [1, None]}}])
def test_any_body_comes_back_as_it_was(person: User, body: object) -> None:
    ask(request(person, answer=lambda company: (204, body)))
    with pytest.raises(Replay) as caught:
        ask(request(person))
    assert (caught.value.status_code, caught.value.body) == (204, body)
