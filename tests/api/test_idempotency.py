"""``Idempotency-Key``: one effect and one answer, however often it is asked."""

import hashlib
import json
from typing import Any

import pytest
from django.db import connection

from ledger.models import AuditEvent, IdempotencyKey, Membership
from ledger.roles import Role
from tests.api.caller import Caller, read
from tests.treasury.desk import Desk, rival_of
from treasury.models import Payment, ReplenishmentRequest, Requisition

KEY: dict[str, Any] = {"Idempotency-Key": "the-first-of-may"}


def ask(desk: Desk, expect: int = 201, user: Any = None, key: str = "k1", **changes: Any) -> Any:
    body = {"amount": "5000", "reason": "Running low"} | changes
    path = f"/api/funds/{desk.fund.pk}/replenish/"
    client = Caller(user or desk.treasurer).client
    answer = client.post(path, body, headers={"Idempotency-Key": key})
    return answer, read(answer, expect)


def test_the_same_request_gets_the_same_answer_and_has_one_effect(desk: Desk) -> None:
    first, body = ask(desk)
    again, replayed = ask(desk)
    assert replayed == body
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert ReplenishmentRequest.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(desk: Desk) -> None:
    ask(desk)
    _, refused = ask(desk, 422, amount="5001")
    assert refused["code"] == "idempotency_mismatch"


def test_a_replay_gives_what_was_answered_then_not_what_is_now(desk: Desk) -> None:
    _, body = ask(desk)
    Caller(desk.cfo).post(f"/api/replenishments/{body['request_id']}/approve/")
    _, replayed = ask(desk)
    assert replayed["status"] == "pending"


def test_a_refusal_is_not_kept(desk: Desk) -> None:
    _, body = ask(desk)
    _, refused = ask(desk, 409, key="k2")
    assert refused["code"] == "replenishment_pending"
    reason = {"reason": "Later"}
    Caller(desk.cfo).post(f"/api/replenishments/{body['request_id']}/reject/", reason)
    assert ask(desk, key="k2")[1]["request_id"] != body["request_id"]


def test_bad_input_is_not_kept(desk: Desk) -> None:
    ask(desk, 400, amount="junk")
    ask(desk)


def test_a_key_is_somebodys_own(desk: Desk) -> None:
    ask(desk)
    _, refused = ask(desk, 409, user=rival_of(desk, Role.TREASURER))
    assert refused["code"] == "replenishment_pending"


def test_a_key_is_one_addresss_own(desk: Desk) -> None:
    payments = [desk.pending(amount="10") for _ in range(2)]
    for payment in payments:
        answer = Caller(desk.treasurer).post(
            f"/api/payments/{payment.pk}/execute/", None, headers=KEY
        )
        assert answer["payment_id"] == str(payment.pk)


def test_who_may_no_longer_is_not_given_the_old_answer(desk: Desk) -> None:
    ask(desk)
    desk.treasurer.memberships.all().delete()
    ask(desk, 404)


def test_a_kept_answer_shows_no_destination_in_a_dump(desk: Desk) -> None:
    body = {"fund": str(desk.fund.pk), "amount": "500", "purpose": "Paper", "payee_name": "Amina"}
    body |= {"method": "mpesa", "destination": "+254712345678"}
    for _ in range(2):
        answer = Caller(desk.requester).post("/api/requisitions/", body, 201, KEY)
        assert answer["destination"] == "+254712345678"
    with connection.cursor() as cursor:
        cursor.execute("SELECT kept::text FROM ledger_idempotencykey AS kept")
        (dumped,) = cursor.fetchone()
    assert "712345678" not in dumped


def test_whoever_knows_the_rest_of_a_body_cannot_try_all_phones(desk: Desk) -> None:
    ask(desk)
    body = {"amount": "5000", "reason": "Running low"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    plain = hashlib.sha256(canonical.encode()).digest()
    assert bytes(IdempotencyKey.objects.get().request_hash) != plain


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\tb", "schlüssel", "\x00"])
def test_a_key_that_is_none_is_refused_by_name(desk: Desk, key: str) -> None:
    _, refused = ask(desk, 400, key=key)
    assert list(refused["errors"]) == ["Idempotency-Key"]
    assert not ReplenishmentRequest.objects.exists()


def test_the_longest_key_is_taken(desk: Desk) -> None:
    ask(desk, key="x" * 255)
    assert ask(desk, key="x" * 255)[0]["Idempotent-Replayed"] == "true"


def test_the_slash_makes_no_other_address(desk: Desk) -> None:
    client = Caller(desk.treasurer).client
    path, body = f"/api/funds/{desk.fund.pk}/replenish", {"amount": "1", "reason": "x"}
    first = read(client.post(path, body, headers=KEY), 201)
    assert read(client.post(f"{path}/", body, headers=KEY), 201) == first


def test_under_a_key_what_is_removed_is_told_as_without_one(desk: Desk) -> None:
    cfo = Caller(desk.cfo)
    for headers in (KEY, {}):
        made = cfo.post("/api/holidays/", {"on": "2031-05-01", "name": "Labour Day"}, 201)
        assert cfo.post(f"/api/holidays/{made['holiday_id']}/remove/", None, 200, headers) == made


def test_what_was_removed_under_a_key_is_told_again(desk: Desk) -> None:
    cfo = Caller(desk.cfo)
    made = cfo.post("/api/holidays/", {"on": "2031-05-01", "name": "Labour Day"}, 201)
    path = f"/api/holidays/{made['holiday_id']}/remove/"
    for replayed in (None, "true"):
        answer = cfo.client.post(path, headers=KEY)
        assert (read(answer, 200), answer.get("Idempotent-Replayed")) == (made, replayed)
    assert AuditEvent.objects.filter(action="holiday.remove", outcome="done").count() == 1
    cfo.post(path, {"why": "?"}, 422, KEY)
    cfo.post(path, None, 404)
    cfo.post(path, None, 404, {"Idempotency-Key": "another"})
    Caller(desk.auditor).post(path, None, 404, KEY)
    Membership.objects.filter(user=desk.cfo).delete()
    cfo.post(path, None, 403, KEY)


def test_how_a_company_pays_is_told_under_a_key_as_without_one(desk: Desk) -> None:
    client, rules = Caller(desk.cfo).client, f"/api/payment_rules/{desk.company.pk}/"
    for _ in range(2):
        answer = client.patch(rules, {"cut_off": "15:30"}, headers=KEY)
        assert read(answer, 200) == Caller(desk.cfo).get(rules)


def test_every_post_that_moves_or_records_money_honours_a_key(desk: Desk) -> None:
    def twice(user: Any, path: str, body: Any, expect: int) -> Any:
        first = Caller(user).post(path, body, expect, KEY)
        assert Caller(user).post(path, body, expect, KEY) == first
        return first

    requisition = twice(
        desk.requester,
        "/api/requisitions/",
        {
            "fund": str(desk.fund.pk),
            "amount": "1000",
            "purpose": "Paper",
            "payee_name": "Amina",
            "method": "cash",
            "destination": "Desk",
        },
        201,
    )["requisition_id"]
    twice(desk.approver, f"/api/requisitions/{requisition}/approve/", None, 200)
    body = {"requisition": requisition}
    payment = twice(desk.treasurer, "/api/payments/", body, 201)["payment_id"]
    twice(desk.treasurer, f"/api/payments/{payment}/execute/", None, 200)
    twice(desk.reconciler, f"/api/payments/{payment}/reconcile/", None, 200)
    change = {"original_amount": "1000", "adjusted_amount": "900", "reason": "Less"}
    path = f"/api/payments/{payment}/record_variance/"
    variance = twice(desk.treasurer, path, change, 201)["variance_id"]
    twice(desk.cfo, f"/api/variances/{variance}/approve/", None, 200)
    body = {"amount": "5", "reason": "Low"}
    path = f"/api/funds/{desk.fund.pk}/replenish/"
    request = twice(desk.treasurer, path, body, 201)["request_id"]
    twice(desk.cfo, f"/api/replenishments/{request}/approve/", None, 200)
    twice(desk.treasurer, f"/api/replenishments/{request}/fund/", None, 200)
    assert (Requisition.objects.count(), Payment.objects.count()) == (1, 1)
    assert desk.account().balance == 99_105
    assert IdempotencyKey.objects.count() == 10
