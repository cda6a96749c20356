"""Batches that are being executed: paused, waiting for a provider, due on a day."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from ledger.clock import DatabaseClock, today
from ledger.models import Membership, User
from ledger.roles import Role
from payments.models import Provider
from tests.admin.office import signed_in
from tests.api.caller import Caller
from tests.api.test_batches import GOOD, HEADER, OTHER, confirm, rows_of, sent
from tests.conftest import SentTasks
from tests.treasury.desk import SYSTEM, Desk
from tests.treasury.factories import acting, make_provider
from treasury.models import Batch, BatchRow, Payment, Requisition
from treasury.services.batch_execution import carry_out_chunk, continue_batches
from treasury.services.batch_rows import plan_rows
from treasury.services.limits import set_payment_rules
from treasury.services.payments import create_payment
from treasury.services.scheduling import execute_due

__all__ = ["confirm"]


def test_pause_resume_and_cancel_the_rest(
    desk: Desk, confirm: Any, sent_tasks: SentTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treasury.services.batch_execution.CHUNK", 1)
    batch = sent(desk.requester, HEADER + GOOD + OTHER)
    path = confirm(batch)
    Caller(desk.treasurer).post(path + "execute/", expect=202)
    assert Caller(desk.cfo).post(path + "pause/")["status"] == "paused"
    sent_tasks.run()
    assert Caller(desk.treasurer).get(path)["progress"]["waiting"] == 2
    assert Caller(desk.treasurer).post(path + "resume/", expect=202)["status"] == "executing"
    Caller(desk.treasurer).post(path + "pause/")
    done = Caller(desk.treasurer).post(path + "cancel/", {"reason": "Wrong month"})
    assert (done["status"], done["progress"]["cancelled"]) == ("cancelled", 2)
    assert set(Payment.objects.values_list("status", flat=True)) == {"cancelled"}
    assert set(Requisition.objects.values_list("status", flat=True)) == {"cancelled"}
    assert BatchRow.objects.filter(status="done").count() == 0


def test_a_long_file_may_take_longer_than_another_request_holds_locks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    def watching(*args: Any, **named: Any) -> Any:
        with connection.cursor() as cursor:
            for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(f"SHOW {name}")
                found.extend(cursor.fetchone() or ())
        return plan_rows(*args, **named)

    monkeypatch.setattr("treasury.services.batches.plan_rows", watching)
    sent(desk.requester, HEADER + GOOD, 200, dry_run="true")
    assert found == ["2min", "2min"]


def test_a_batch_by_gateway_lets_a_pause_in_between_two_rows(
    desk: Desk, confirm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treasury.services.batch_execution.LONGEST_CHUNK", timedelta(0))
    make_provider(desk.company)
    phones = "".join(f"Payee {n},mpesa,071234567{n},50,Fare,\n" for n in range(3))
    path = confirm(sent(desk.requester, HEADER + phones))
    batch_id = Caller(desk.treasurer).post(path + "execute/", expect=202)["batch_id"]
    more = carry_out_chunk(actor=SYSTEM, batch_id=UUID(batch_id), today=today)
    assert more
    assert Caller(desk.treasurer).post(path + "pause/")["progress"]["waiting"] == 2
    assert BatchRow.objects.filter(status="waiting", processed_at=None).count() == 2
    assert set(Payment.objects.values_list("status", flat=True)) == {"executing", "pending"}


def test_how_far_a_batch_is_follows_it_on_open_pages(
    desk: Desk, confirm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treasury.services.batch_execution.CHUNK", 1)
    User.objects.filter(pk=desk.treasurer.pk).update(is_staff=True)
    path = confirm(sent(desk.requester, HEADER + GOOD + OTHER))
    pk = Caller(desk.treasurer).post(path + "execute/", expect=202)["batch_id"]
    browser, asked = signed_in(desk.treasurer), f"/admin/treasury/batch/live/?id={pk}"
    before = browser.get(asked)
    assert before.json()[pk]["text"] == "Executing: 0 of 2"
    assert browser.get(asked, headers={"If-None-Match": before["ETag"]}).status_code == 304
    carry_out_chunk(actor=SYSTEM, batch_id=UUID(pk), today=today)
    after = browser.get(asked, headers={"If-None-Match": before["ETag"]})
    assert after.json()[pk]["text"] == "Executing: 1 of 2"
    for page in ("", f"{pk}/change/"):
        shown = browser.get(f"/admin/treasury/batch/{page}").content.decode()
        assert "Executing: 1 of 2" in shown
        assert f'data-live="{pk}"' in shown


@pytest.mark.parametrize(
    ("halt", "told"),
    [
        ({"stopped_at": DatabaseClock(), "stopped_reason": "Wrong key."}, "is stopped"),
        ({"rests_until": DatabaseClock() + timedelta(hours=1)}, "does not answer just now"),
    ],
)
def test_rows_wait_for_a_provider_that_takes_nothing_while_the_others_go_out(
    desk: Desk, confirm: Any, halt: dict[str, Any], told: str
) -> None:
    provider = make_provider(desk.company)
    lines = "Amina,mpesa,0712345678,50,Fare,\nJuma,cash,Gate,60,Fare,\n"
    path = confirm(sent(desk.requester, HEADER + lines))
    Caller(desk.treasurer).post(path + "execute/", expect=202)
    Provider.objects.filter(pk=provider.pk).update(**halt)
    continue_batches(actor=SYSTEM, today=today)
    waits = Caller(desk.auditor).get(path)
    assert (waits["status"], waits["progress"]["waiting"]) == ("executing", 1)
    assert Payment.objects.get(method="cash").status == "success"
    User.objects.filter(pk=desk.treasurer.pk).update(is_staff=True)
    page = signed_in(desk.treasurer).get(f"/admin/treasury/batch/{waits['batch_id']}/change/")
    assert told in page.content.decode()
    Provider.objects.filter(pk=provider.pk).update(
        stopped_at=None, stopped_reason="", rests_until=None
    )
    continue_batches(actor=SYSTEM, today=today)
    assert Caller(desk.auditor).get(path)["status"] == "completed"
    assert Payment.objects.get(method="mpesa").status == "executing"


def scheduled(desk: Desk, in_days: int) -> Payment:
    """A payment of 100 that goes out in so many days; the company pays on every day of the week."""
    set_payment_rules(actor=SYSTEM, company_id=desk.company.pk, weekend=[])
    requisition = desk.approved(amount="100", payee_name=f"In {in_days} days")
    return create_payment(
        actor=acting(desk.treasurer),
        requisition_id=requisition.pk,
        scheduled_for=today(desk.company) + timedelta(days=in_days),
    )


def test_what_is_due_by_a_day_is_one_set_and_each_row_waits_for_its_day(
    desk: Desk, confirm: Any
) -> None:
    now, later, _ = (scheduled(desk, in_days) for in_days in (0, 2, 5))
    body = {"due_by": str(today(desk.company) + timedelta(days=2))}
    dry = Caller(desk.treasurer).post("/api/batches/", body | {"dry_run": True}, 200)
    assert (dry["count"], dry["source"], dry["name"][:6]) == (2, "due", "Due by")
    batch = Caller(desk.treasurer).post("/api/batches/", body, 201)
    rows = rows_of(desk.auditor, batch)
    assert [row["payment"] for row in rows] == [str(now.pk), str(later.pk)]
    assert execute_due(actor=SYSTEM, today=today) == 0  # they go out with the batch
    path = confirm(batch)
    Caller(desk.treasurer).post(path + "execute/", expect=202)
    assert continue_batches(actor=SYSTEM, today=today) == 1
    shown = Caller(desk.auditor).get(path)
    assert (shown["status"], shown["progress"]["waiting"]) == ("executing", 1)
    assert continue_batches(actor=SYSTEM, today=today) == 0
    day = later.due_on or date.max
    continue_batches(actor=SYSTEM, today=lambda _: day)
    assert Batch.objects.get().status == "completed"
    assert desk.account().balance == 100_000 - 200


def test_with_nothing_due_no_batch_is_made(desk: Desk) -> None:
    scheduled(desk, 3)
    body = {"due_by": str(today(desk.company))}
    assert list(Caller(desk.treasurer).post("/api/batches/", body, 400)["errors"]) == ["due_by"]
    both = body | {"requisitions": [str(desk.approved().pk)]}
    Caller(desk.treasurer).post("/api/batches/", both, 400)


def test_what_one_asked_for_oneself_is_not_among_what_is_due(desk: Desk) -> None:
    payment = scheduled(desk, 0)
    Membership.objects.create(user=desk.requester, company=desk.company, role=Role.TREASURER.value)
    body = {"due_by": str(today(desk.company))}
    assert list(Caller(desk.requester).post("/api/batches/", body, 400)["errors"]) == ["due_by"]
    batch = Caller(desk.treasurer).post("/api/batches/", body, 201)
    assert [row["payment"] for row in rows_of(desk.auditor, batch)] == [str(payment.pk)]
