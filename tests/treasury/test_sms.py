"""Codes by SMS: to whoever wants them there, through any gateway, and nowhere else."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from ledger.models import AuditEvent, User
from ledger.refusals import InvalidInput, RoleRequired
from ledger.services.people import NoPhone, choose_channel
from tests.api.caller import Caller
from tests.ledger.hooks import Client, receiving
from tests.treasury.conftest import World
from tests.treasury.factories import acting, person
from treasury.messages import (
    NoAddress,
    Reader,
    SetCodeMessage,
    remind_of_due_payment,
    remind_of_refused_payment,
    send_set_code,
)
from treasury.models import Payment
from treasury.services.codes import send_otp, verify_otp
from treasury.sms import SmsNotSent, send_sms

PHONE = "+254722000111"
CODE = re.compile(r"^(\d{6})$", re.MULTILINE)


@pytest.fixture
def payment(world: World) -> Payment:
    User.objects.filter(pk=world.treasurer.pk).update(phone=PHONE, code_channel="sms")
    world.treasurer.refresh_from_db()
    return world.payment(amount=Decimal(5000))


@pytest.fixture
def gateway_of_sms(settings: Settings) -> Iterator[Client]:
    with receiving() as client:
        settings.SMS_URL = client.url
        yield client


def ask_for_code(world: World, payment: Payment, commits: DjangoCaptureOnCommitCallbacks) -> None:
    with commits(execute=True):
        send_otp(actor=acting(world.treasurer), payment_id=payment.pk)


def test_without_a_gateway_it_is_written_where_mail_is(
    world: World,
    payment: Payment,
    settings: Settings,
    tmp_path: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path)
    ask_for_code(world, payment, django_capture_on_commit_callbacks)
    [file] = tmp_path.glob("*.eml")
    message: Any = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (message["To"], message["Subject"]) == (PHONE, "SMS")
    found = CODE.search(message.get_content())
    assert found
    verified = verify_otp(actor=acting(world.treasurer), payment_id=payment.pk, otp=found.group(1))
    assert verified.otp_verified
    assert mail.outbox == []


def test_a_gateway_gets_json_under_its_own_names(
    world: World,
    payment: Payment,
    settings: Settings,
    gateway_of_sms: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.SMS_FIELDS = {"text": "message", "sender": "from"}
    settings.SMS_SENDER, settings.SMS_HEADERS = "BURSAR", {"apiKey": "key of the gateway"}
    ask_for_code(world, payment, django_capture_on_commit_callbacks)
    [message] = gateway_of_sms.messages
    sent = json.loads(message.body)
    assert (sent["to"], sent["from"], set(sent)) == (PHONE, "BURSAR", {"to", "message", "from"})
    assert message.headers["apikey"] == "key of the gateway"
    assert CODE.search(sent["message"])
    assert "KES 5,000.00" in sent["message"]
    assert len(sent["message"]) <= 160


def test_a_gateway_gets_a_form(settings: Settings, gateway_of_sms: Client) -> None:
    settings.SMS_FORMAT = "form"
    send_sms(to=PHONE, text="Hello")
    [message] = gateway_of_sms.messages
    assert parse_qs(message.body.decode()) == {"to": [PHONE], "text": ["Hello"]}


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
def test_what_the_gateway_does_not_take_was_not_sent(gateway_of_sms: Client, status: int) -> None:
    gateway_of_sms.answers = [status]
    with pytest.raises(SmsNotSent, match=str(status)):
        send_sms(to=PHONE, text="123456")


def test_a_gateway_that_hangs_is_left(settings: Settings, gateway_of_sms: Client) -> None:
    settings.SMS_DEADLINE_S = 0.2
    gateway_of_sms.drip = True
    with pytest.raises(SmsNotSent, match="in time"):
        send_sms(to=PHONE, text="123456")


def test_a_gateway_that_is_not_there_is_named(settings: Settings, gateway_of_sms: Client) -> None:
    settings.SMS_URL = "http://127.0.0.1:1/"
    with pytest.raises(SmsNotSent, match="ConnectError"):
        send_sms(to=PHONE, text="123456")


def test_a_code_that_could_not_be_handed_over_is_logged_nowhere_and_asked_for_again(
    world: World,
    payment: Payment,
    gateway_of_sms: Client,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    gateway_of_sms.answers = [500]
    with caplog.at_level(logging.DEBUG):
        ask_for_code(world, payment, django_capture_on_commit_callbacks)
    found = CODE.search(json.loads(gateway_of_sms.messages[0].body)["text"])
    assert found
    assert "SMS gateway answered 500" in caplog.text
    for secret in (found.group(1), PHONE):
        assert secret not in caplog.text
    payment.refresh_from_db()
    assert payment.executor == world.treasurer


def test_who_has_neither_gets_no_code(world: World) -> None:
    somebody = person(world.company, email="")
    with pytest.raises(NoAddress):
        Reader.of(somebody)


def test_everybody_chooses_for_himself_and_needs_a_phone(world: World) -> None:
    user = world.treasurer
    with pytest.raises(NoPhone):
        choose_channel(actor=acting(user), user_id=user.pk, channel="sms")
    User.objects.filter(pk=user.pk).update(phone=PHONE)
    assert choose_channel(actor=acting(user), user_id=user.pk, channel="sms").code_channel == "sms"
    with pytest.raises(RoleRequired):
        choose_channel(actor=acting(world.cfo), user_id=user.pk, channel="email")
    with pytest.raises(InvalidInput):
        choose_channel(actor=acting(user), user_id=user.pk, channel="pigeon")


def test_the_api_shows_the_phone_masked_and_takes_the_choice(world: World) -> None:
    User.objects.filter(pk=world.treasurer.pk).update(phone=PHONE)
    client: Any = Caller(world.treasurer).client
    assert client.get("/api/me/").json()["phone"] == "+254••••••111"
    assert client.patch("/api/me/", {"code_channel": "sms"}).json()["code_channel"] == "sms"
    assert client.patch("/api/me/", {"code_channel": "fax"}).status_code == 400
    assert client.patch("/api/me/", {"phone": PHONE}).status_code == 400


def test_the_database_wants_a_phone_for_sms_and_keeps_it_encrypted(world: World) -> None:
    with pytest.raises(DatabaseError, match="ledger_user_sms_needs_phone"), transaction.atomic():
        User.objects.filter(pk=world.treasurer.pk).update(code_channel="sms")
    User.objects.filter(pk=world.treasurer.pk).update(phone=PHONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM ledger_user WHERE id = %s", [world.treasurer.pk])
        stored = cursor.fetchone()[0]
    assert PHONE[-9:] not in stored


def test_an_administrator_writes_the_phone_down_and_the_trail_masks_it(world: World) -> None:
    administrator = person(world.company, is_staff=True, is_superuser=True)
    browser = Browser()
    browser.force_login(administrator)
    user = world.treasurer
    url = f"/admin/ledger/user/{user.pk}/change/"
    given = {"username": user.username, "email": user.email, "is_active": "on"}
    for phone, channel, status in (("12", "email", 200), ("", "sms", 200)):
        answer = browser.post(url, given | {"phone": phone, "code_channel": channel})
        assert answer.status_code == status
    answer = browser.post(url, given | {"phone": "0722000111", "code_channel": "sms"})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.phone, user.code_channel) == (PHONE, "sms")
    event = AuditEvent.objects.filter(action="user.change").latest("at")
    assert event.after is not None
    assert event.after["phone"] == "+254••••••111"
    assert PHONE not in str(AuditEvent.objects.values_list("before", "after"))


def test_a_set_s_code_and_a_reminder_go_where_codes_go(
    payment: Payment, world: World, gateway_of_sms: Client
) -> None:
    reader = Reader.of(world.treasurer)
    named = ["KES 5,000.00 to Amina", "KES 1,000.00 to Baraka"]
    send_set_code(
        SetCodeMessage(to=reader, count=2, totals="KES 6,000.00", named=named, otp="123456")
    )
    payment.due_on = date(2026, 3, 2)
    remind_of_due_payment(payment, to=world.treasurer)
    payment.last_error = "1 short of funds"
    remind_of_refused_payment(payment, to=world.treasurer)
    texts = [json.loads(message.body)["text"] for message in gateway_of_sms.messages]
    assert CODE.search(texts[0])
    assert texts[1:] == [
        "Bursar: KES 5,000.00 to Amina Traders is due and waits for your code. Please sign in.",
        "Bursar: KES 5,000.00 to Amina Traders was refused and waits for your code. Please sign in.",
    ]
    assert mail.outbox == []


def test_a_reminder_goes_by_mail_to_everybody_else_and_to_nobody_without_an_address(
    payment: Payment, world: World
) -> None:
    remind_of_due_payment(payment, to=world.second_treasurer)
    assert [message.to for message in mail.outbox] == [[world.second_treasurer.email]]
    world.second_treasurer.email = ""
    remind_of_due_payment(payment, to=world.second_treasurer)
    assert len(mail.outbox) == 1
