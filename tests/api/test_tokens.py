"""Tokens: getting one, using it, giving it back."""

from typing import Any

import pytest
from django.core.cache import cache
from knox.models import AuthToken
from redis.exceptions import ConnectionError as RedisAway
from rest_framework.test import APIClient

from ledger.models import AuditEvent, SecondFactorUse, User
from ledger.models.second_factor import MOST_TRIES_A_DAY
from ledger.services import signing_in
from ledger.services.second_factor import enrol
from tests.ledger.factories import UserFactory
from tests.ledger.test_second_factor import Phone, acting

PASSWORD = "a long password"


@pytest.fixture
def amina(db: None) -> User:
    user = UserFactory.create(username="amina")
    user.set_password(PASSWORD)
    user.save()
    return user


def ask(username: str = "amina", password: str = PASSWORD, **more: Any) -> Any:
    body = {"username": username, "password": password, **more}
    return APIClient().post("/api/auth/token/", body)


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_name_and_a_password_give_a_token_that_says_who_asks(amina: User) -> None:
    answer = ask()
    assert answer.status_code == 200
    me = with_token(answer.json()["token"]).get("/api/me/")
    assert (me.status_code, me.json()["id"]) == (200, str(amina.pk))


@pytest.mark.parametrize("written", ["Token {}", "token {}", "TOKEN  {}", "  Token {} "])
def test_the_word_before_a_token_may_be_written_in_any_case(amina: User, written: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=written.format(ask().json()["token"]))
    assert client.get("/api/me/").status_code == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Token", "authentication_failed"),
        ("Token a b", "authentication_failed"),
        ("Token caf\xe9", "authentication_failed"),
        ("Token {}x", "authentication_failed"),
        ("Bearer {}", "not_authenticated"),
        ("Token\xa0{}", "not_authenticated"),
        ("{}", "not_authenticated"),
        ("", "not_authenticated"),
    ],
)
def test_what_is_no_token_opens_nothing(amina: User, header: str, code: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header.format(ask().json()["token"]))
    answer = client.get("/api/me/")
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_only_the_hash_of_a_token_is_kept(amina: User) -> None:
    token = ask().json()["token"]
    kept = AuthToken.objects.get(user=amina)
    assert token not in (kept.digest, kept.token_key)


def test_a_token_is_audited_but_not_written_down(amina: User) -> None:
    token = ask().json()["token"]
    event = AuditEvent.objects.get(action="token.issue")
    assert (event.actor, event.ip_address) == (amina, "127.0.0.1")
    assert token not in str(event.__dict__)


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(amina: User) -> None:
    wrong_name, wrong_password = ask(username="nobody"), ask(password="wrong")
    assert wrong_name.status_code == wrong_password.status_code == 401
    assert wrong_name.json() == wrong_password.json()
    assert wrong_name.json()["code"] == "wrong_credentials"
    assert wrong_name["Content-Type"] == "application/problem+json"
    assert wrong_name["WWW-Authenticate"] == "Token"


def test_somebody_inactive_gets_no_token_and_his_old_one_is_worth_nothing(amina: User) -> None:
    token = ask().json()["token"]
    amina.is_active = False
    amina.save()
    assert ask().status_code == 401
    assert with_token(token).get("/api/me/").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "amina"}, "password"),
        ({"password": PASSWORD}, "username"),
        ({"username": ["amina"], "password": PASSWORD}, "username"),
        ({"username": "amina", "password": 12345678}, "password"),
        ({"username": "amina", "password": PASSWORD, "otp": "1"}, "otp"),
        ({"username": "am\0ina", "password": PASSWORD}, "username"),
    ],
)
def test_a_bad_body_names_the_field(amina: User, body: dict[str, Any], field: str) -> None:
    answer = APIClient().post("/api/auth/token/", body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_ten_failures_close_the_door_for_a_while_even_to_the_right_password(amina: User) -> None:
    for _ in range(signing_in.MOST_FAILURES):
        assert ask(password="wrong").status_code == 401
    refused = ask()
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    cache.clear()
    assert ask().status_code == 200


def test_failures_of_one_name_do_not_close_the_door_to_another(amina: User) -> None:
    for _ in range(signing_in.MOST_FAILURES):
        ask(username="nobody")
    assert ask().status_code == 200


def test_without_the_cache_one_still_signs_in(amina: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise RedisAway("away")

    monkeypatch.setattr(cache, "get_many", away)
    monkeypatch.setattr(cache, "add", away)
    assert ask(password="wrong").status_code == 401
    assert ask().status_code == 200


def test_logging_out_revokes_the_token_and_no_other(amina: User) -> None:
    one, two = ask().json()["token"], ask().json()["token"]
    answer = with_token(one).post("/api/auth/logout/")
    assert (answer.status_code, answer.json()) == (200, {"revoked": True})
    assert with_token(one).get("/api/me/").status_code == 401
    assert with_token(two).get("/api/me/").status_code == 200


@pytest.mark.parametrize("header", ["Token nonsense", "Token \xff\xfe", "Token", "Token a b"])
def test_a_token_that_is_none_is_a_401_problem(db: None, header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get("/api/me/")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Token"


def test_a_call_costs_one_query_to_know_the_caller_however_many_tokens(
    amina: User, django_assert_num_queries: Any
) -> None:
    tokens = [ask().json()["token"] for _ in range(3)]
    client = with_token(tokens[0])
    # The person and his memberships; the token with its owner is a statement outside the ORM.
    with django_assert_num_queries(2):
        client.get("/api/me/")


def test_whoever_has_a_second_factor_signs_in_with_a_code_of_it(amina: User) -> None:
    phone = Phone()
    enrol(actor=acting(amina), secret=phone.secret, code=phone.code(steps=-1))
    missing = ask()
    assert (missing.status_code, missing.json()["code"]) == (401, "second_factor_required")
    assert ask(password="wrong", code=phone.code()).json()["code"] == "wrong_credentials"
    wrong = ask(code="000000x")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "second_factor_invalid")
    assert list(wrong.json()["errors"]) == ["code"]
    code = phone.code()
    assert ask(code=code).status_code == 200
    assert ask(code=code).status_code == 400  # a code is taken once
    assert AuthToken.objects.filter(user=amina).count() == 1


def test_ten_wrong_codes_end_the_day_for_right_ones_too(amina: User) -> None:
    phone = Phone()
    enrol(actor=acting(amina), secret=phone.secret, code=phone.code(steps=-1))
    SecondFactorUse.objects.filter(user=amina).update(tries=MOST_TRIES_A_DAY)
    assert ask(code=phone.code()).json()["code"] == "second_factor_invalid"


def test_without_a_second_factor_no_code_is_asked_and_none_is_looked_at(amina: User) -> None:
    assert ask(code="123456").status_code == 200
