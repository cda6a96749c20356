"""Signing in with a second factor, and setting one up, as a browser does it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from ledger.models import StepUp, User
from tests.ledger.factories import MembershipFactory, UserFactory
from tests.ledger.test_second_factor import WRONG, Phone, enrolled

PASSWORD = "correct horse battery"


@pytest.fixture
def person(db: None) -> User:
    user: User = UserFactory.create(is_staff=True)
    user.set_password(PASSWORD)
    user.save()
    MembershipFactory.create(user=user)
    return user


SignIn = Callable[..., Any]


@pytest.fixture
def sign_in(client: Client, person: User) -> SignIn:
    """Give name and password at the admin's own page."""

    def post(next_page: str = "/admin/") -> Any:
        given = {"username": person.username, "password": PASSWORD, "next": next_page}
        return client.post("/admin/login/", given)

    return post


def test_without_a_second_factor_nothing_is_different(client: Client, sign_in: SignIn) -> None:
    assert sign_in().headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_with_one_the_password_alone_opens_nothing(
    client: Client, sign_in: SignIn, person: User
) -> None:
    enrolled(person)
    answer = sign_in("/admin/treasury/payment/")
    page = "/account/second-factor/?next=%2Fadmin%2Ftreasury%2Fpayment%2F"
    assert answer.headers["Location"] == page
    for closed in ("/admin/", "/admin/treasury/payment/", "/account/", "/approvals/", "/"):
        assert client.get(closed).headers["Location"] == "/account/second-factor/", closed
    for closed in ("/api/me/", "/api/payments/"):
        assert client.get(closed).status_code == 401, closed
    assert client.post("/account/remove/", {"code": "1"}).status_code == 302
    assert client.get(page).status_code == 200


def test_the_code_opens_what_was_asked_for(client: Client, sign_in: SignIn, person: User) -> None:
    _, phone, _ = enrolled(person)
    page = sign_in("/admin/ledger/account/").headers["Location"]
    refused = client.post(page, {"code": WRONG})
    assert (refused.status_code, "This code is not valid." in refused.content.decode()) == (
        400,
        True,
    )
    answer = client.post(page, {"code": phone.code()})
    assert answer.headers["Location"] == "/admin/ledger/account/"
    assert client.get("/admin/").status_code == 200
    assert client.get("/api/me/").status_code == 200
    assert StepUp.objects.count() == 1


def test_a_recovery_code_opens_too(client: Client, sign_in: SignIn, person: User) -> None:
    *_, codes = enrolled(person)
    assert client.post(sign_in().headers["Location"], {"code": codes[0]}).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_nobody_is_led_off_the_site(client: Client, person: User) -> None:
    _, phone, _ = enrolled(person)
    client.force_login(person)
    for place in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        page = client.get("/account/step-up/", {"next": place}).content.decode()
        assert "evil.example" not in page
        assert "javascript:" not in page
    answer = client.post("/account/step-up/", {"code": phone.code(), "next": "//evil.example/"})
    assert answer.headers["Location"] == "/admin/"


def test_it_is_set_up_with_a_picture_and_a_code(client: Client, person: User) -> None:
    client.force_login(person)
    assert "Set one up" in client.get("/account/").content.decode()
    shown = client.get("/account/enrol/")
    assert "data:image/svg+xml;base64," in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    typed = re.search(r"<kbd>([A-Z2-7 ]+)</kbd>", shown.content.decode())
    assert typed
    phone = Phone()
    phone.secret = typed[1].replace(" ", "")
    assert phone.secret not in str(dict(client.session))
    assert client.post("/account/enrol/", {"code": WRONG}).status_code == 400
    page = client.post("/account/enrol/", {"code": phone.code()}).headers["Location"]
    codes = re.findall(r"<kbd>(\d{8})</kbd>", client.get(page).content.decode())
    assert (len(codes), codes[0] in str(dict(client.session))) == (10, False)
    assert codes[9] in client.get(page).content.decode()
    assert "10 recovery codes left" in client.get("/account/").content.decode()
    assert client.get(page).headers["Location"] == "/account/"
    assert client.get("/account/enrol/").headers["Location"] == "/account/"


def test_it_is_removed_with_a_last_code(client: Client, person: User) -> None:
    _, phone, _ = enrolled(person)
    client.force_login(person)
    assert client.post("/account/remove/", {"code": WRONG}).status_code == 400
    assert client.post("/account/remove/", {"code": phone.code()}).status_code == 302
    assert "Set one up" in client.get("/account/").content.decode()


@pytest.mark.parametrize("path", ["", "second-factor/", "step-up/", "enrol/", "remove/"])
def test_the_pages_are_for_who_is_signed_in(client: Client, db: None, path: str) -> None:
    answer = client.get(f"/account/{path}")
    assert answer.headers["Location"].startswith("/admin/login/")
