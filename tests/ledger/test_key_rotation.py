"""Encryption keys rotate while everybody works; nothing is lost, and what still needs an old key is said."""

import threading
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection, connections
from pytest_django import Settings

from ledger.actor import Actor
from ledger.encryption import Undecryptable
from ledger.models import AuditEvent, IdempotencyKey
from ledger.services import key_rotation
from ledger.services.key_rotation import Found, count_keys, rotate_keys
from tests.conftest import SentTasks
from tests.ledger.factories import UserFactory
from tests.ledger.raw import run
from tests.scene import Scene, build_scene
from treasury.models import Payment, Requisition

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
JOB = Actor.system("rotate_keys")
PAYMENTS = 120


@pytest.fixture
def scene(settings: Settings, transactional_db: None, sent_tasks: SentTasks) -> Scene:
    """A company whose payments were written under the old key; the new one has just been put in front."""
    settings.BURSAR_ENCRYPTION_KEYS = [OLD]
    scene = build_scene()
    scene.many_payments(PAYMENTS, 10, destination="Counter 7")
    settings.BURSAR_ENCRYPTION_KEYS = [NEW, OLD]
    return scene


def of(found: list[Found], column: str) -> Found:
    return next(each for each in found if str(each.column) == column)


def stored(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT destination FROM {table}")
        return [row[0] for row in cursor.fetchall()]


def readable_under(key: str, tokens: list[str]) -> int:
    def opens(token: str) -> bool:
        return key_rotation._ciphers((key,))[0].decrypt(token.encode()) != b""

    return sum(opens(token) for token in tokens)


def test_everything_is_encrypted_anew_and_the_old_key_may_go(
    scene: Scene, settings: Settings
) -> None:
    found = rotate_keys(actor=JOB, chunk=50)
    assert of(found, "treasury_payment.destination").rewritten == PAYMENTS
    settings.BURSAR_ENCRYPTION_KEYS = [NEW]
    assert {payment.destination for payment in Payment.objects.all()} == {"Counter 7"}
    assert Requisition.objects.get().destination == "Counter 7"
    event = AuditEvent.objects.get(action="keys.rotate")
    assert event.after is not None
    assert event.after["treasury_payment.destination"] == PAYMENTS
    assert sum(each.left for each in count_keys()) == 0


def test_a_second_rotation_writes_nothing(scene: Scene) -> None:
    rotate_keys(actor=JOB)
    before = stored("treasury_payment")
    rotate_keys(actor=JOB)
    assert stored("treasury_payment") == before


def test_nothing_is_lost_while_others_write_under_the_old_key(
    scene: Scene, settings: Settings
) -> None:
    """As in a roll-out: some processes have the old key in front when the rotation begins."""
    ids = list(Payment.objects.values_list("pk", flat=True))
    stop, written = threading.Event(), dict[Any, str]()

    def write() -> None:
        number = 0
        while not stop.is_set() and number < 4 * PAYMENTS:
            pk, number = ids[number % PAYMENTS], number + 1
            token = Fernet(OLD).encrypt(f"Counter {number}".encode()).decode()
            run("UPDATE treasury_payment SET destination = %s WHERE payment_id = %s", [token, pk])
            written[pk] = f"Counter {number}"
        connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    rotate_keys(actor=JOB, chunk=20)
    stop.set()
    writer.join()
    rotate_keys(actor=JOB)
    settings.BURSAR_ENCRYPTION_KEYS = [NEW]
    now = {payment.pk: payment.destination for payment in Payment.objects.all()}
    assert now == {pk: written.get(pk, "Counter 7") for pk in ids}


def test_a_value_that_changes_after_it_was_read_is_left_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = Payment.objects.order_by("pk").values_list("pk", flat=True)[0]
    changed = Fernet(NEW).encrypt(b"Counter 8").decode()
    read = key_rotation._read

    def read_and_lose(*args: Any) -> list[tuple[Any, str]]:
        rows = read(*args)
        run("UPDATE treasury_payment SET destination = %s WHERE payment_id = %s", [changed, pk])
        return rows

    monkeypatch.setattr(key_rotation, "_read", read_and_lose)
    rotate_keys(actor=JOB)
    assert Payment.objects.get(pk=pk).destination == "Counter 8"


def test_what_is_kept_as_it_was_written_says_which_key_it_needs(
    scene: Scene, settings: Settings
) -> None:
    settings.BURSAR_ENCRYPTION_KEYS = [OLD]
    IdempotencyKey.objects.create(
        user=UserFactory.create(),
        scope="POST /x/",
        key="1",
        request_hash=b"x",
        status_code=200,
        body=Fernet(OLD).encrypt(b"{}").decode(),
    )
    settings.BURSAR_ENCRYPTION_KEYS = [NEW, OLD]
    told = StringIO()
    call_command("rotate_keys", stdout=told)
    assert f"treasury_payment.destination: {PAYMENTS} written anew" in told.getvalue()
    needed = told.getvalue().splitlines()[-1]
    assert needed == "Key 2: 1 of ledger_idempotencykey.body (kept as written)"


def test_a_check_changes_nothing_and_says_what_is_left(scene: Scene) -> None:
    before = stored("treasury_payment")
    told = StringIO()
    with pytest.raises(SystemExit):
        call_command("rotate_keys", "--check", stdout=told)
    assert f", {PAYMENTS} of treasury_payment.destination" in told.getvalue().splitlines()[-1]
    assert stored("treasury_payment") == before


def test_a_key_that_is_missing_stops_the_rotation_and_loses_nothing(
    scene: Scene, settings: Settings
) -> None:
    settings.BURSAR_ENCRYPTION_KEYS = [NEW]
    before = stored("treasury_payment")
    with pytest.raises(Undecryptable):
        rotate_keys(actor=JOB)
    with pytest.raises(CommandError, match="put the missing key back"):
        call_command("rotate_keys")
    assert stored("treasury_payment") == before
    assert readable_under(OLD, before) == PAYMENTS


def test_every_encrypted_column_is_known() -> None:
    known = {str(column): column.rewritable for column in key_rotation.encrypted_columns()}
    assert known["payments_provider.credentials"] is True
    assert known["ledger_user.phone"] is True
    assert known["treasury_callback.body"] is False
    assert known["ledger_idempotencykey.body"] is False
