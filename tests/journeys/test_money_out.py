"""The story of one payment, end to end: over HTTP, with a worker, a beat, a gateway and a mailbox."""

import re
from decimal import Decimal
from functools import partial
from io import StringIO

from django.core.management import call_command

from ledger.models import AuditEvent
from payments.models import GatewayRequest, GatewayResponse
from periods.sheets import balance_sheet_of
from tests.journeys.canaries import dumped, found_in, texts_of
from tests.journeys.office import Json, Office, Person, code_in, person
from tests.periods.estate import build_estate
from tests.scene import PASSWORD, Scene
from tests.simulator import Simulator

PHONE = "0712345678"
SHOWN = "+254712345678"
UTILITY = Decimal("50000000.00")


def asked_for(scene: Scene, amount: str) -> Json:
    return {
        "fund": str(scene.fund.pk),
        "amount": amount,
        "purpose": "Diesel for the generator",
        "payee_name": "Wanjiku Supplies",
        "method": "mpesa",
        "destination": PHONE,
    }


def approved_payment(office: Office, scene: Scene, amount: str) -> Json:
    """Asked for, agreed to by an approver and a CFO, and made."""
    as_ = partial(person, office, scene)
    asked = as_("requester").post("requisitions/", asked_for(scene, amount), expect=201)
    path = f"requisitions/{asked['requisition_id']}/approve/"
    first = as_("approver").post(path, {"comment": "Needed."})
    if first["status"] == "submitted":
        assert as_("cfo").post(path, {"comment": "Agreed."})["status"] == "approved"
    body = {"requisition": asked["requisition_id"]}
    return as_("treasurer").post("payments/", body, expect=201)


def execute_with_code(treasurer: Person, payment: Json) -> str:
    """Send the code, read it in the mail, give it back, execute; returns the code."""
    path = f"payments/{payment['payment_id']}"
    treasurer.post(f"{path}/send_otp/")
    otp = code_in(treasurer.office.mail[-1])
    assert treasurer.post(f"{path}/verify_otp/", {"otp": otp})["otp_verified"]
    assert treasurer.post(f"{path}/execute/", expect=202)["status"] == "executing"
    return otp


def is_final(payment: Json) -> bool:
    return payment["status"] not in {"executing", "unknown"}


def test_money_goes_out_and_the_fund_is_filled_again(
    office: Office, scene: Scene, simulator: Simulator
) -> None:
    as_ = partial(person, office, scene)
    payment = approved_payment(office, scene, "60000.00")
    path = f"payments/{payment['payment_id']}"
    treasurer = as_("treasurer")
    otp = execute_with_code(treasurer, payment)

    paid = treasurer.poll(f"{path}/", is_final)
    assert (paid["status"], paid["destination"]) == ("success", SHOWN)
    assert paid["execution"]["executor"] == str(scene.people["treasurer"].pk)
    assert UTILITY - simulator.balance() == 60_000
    assert treasurer.get(f"funds/{scene.fund.pk}/balance/")["current_balance"] == "40000.00"

    replenish(office, scene)
    assert treasurer.get(f"funds/{scene.fund.pk}/balance/")["current_balance"] == "100000.00"

    correct(office, scene, path)
    reconciled = as_("reconciler").post(f"{path}/reconcile/", {"note": "As on the statement."})
    assert reconciled["status"] == "reconciled"

    auditor = as_("auditor")
    lines = auditor.results(f"ledger/by_fund/?fund_id={scene.fund.pk}")
    assert {line["entry_type"] for line in lines} == {"debit", "credit", "adjustment"}
    out = [line["amount"] for line in lines if line["entry_type"] == "debit"]
    assert out == ["60000.00"]
    assert [call["operation"] for call in calls_of(auditor, path)].count("b2c") == 1
    call_command("verify_ledger", stdout=StringIO())
    assert_nothing_secret_was_kept(office, scene, simulator, otp, as_("requester").token)


def replenish(office: Office, scene: Scene) -> None:
    """The fund asked by itself; a CFO agrees, another person fills it."""
    as_ = partial(person, office, scene)
    (request,) = as_("cfo").results("replenishments/?status=pending")
    assert (request["auto_triggered"], request["requested_amount"]) == (True, "60000.00")
    path = f"replenishments/{request['request_id']}"
    assert as_("cfo").post(f"{path}/approve/")["status"] == "approved"
    assert as_("treasurer").post(f"{path}/fund/")["status"] == "funded"


def correct(office: Office, scene: Scene, path: str) -> None:
    """The payee got 500 less than the books say; a CFO lets the books follow."""
    as_ = partial(person, office, scene)
    found = {
        "original_amount": "60000.00",
        "adjusted_amount": "59500.00",
        "reason": "Wanjiku gave 500 back in cash.",
    }
    variance = as_("reconciler").post(f"{path}/record_variance/", found, expect=201)
    assert variance["variance_amount"] == "-500.00"
    approved = as_("cfo").post(f"variances/{variance['variance_id']}/approve/")
    assert approved["status"] == "approved"
    balance = as_("cfo").get(f"funds/{scene.fund.pk}/balance/")
    assert balance["current_balance"] == "100500.00"


def calls_of(auditor: Person, path: str) -> list[Json]:
    """What was sent to the gateway for the payment, as the API shows it."""
    attempts: list[Json] = auditor.get(f"{path}/attempts/")["results"]
    return [call for attempt in attempts for call in attempt["exchanges"]]


def test_with_redis_killed_it_is_still_taken_and_settles_later(
    office: Office, scene: Scene, simulator: Simulator
) -> None:
    payment = approved_payment(office, scene, "12000.00")
    treasurer = person(office, scene, "treasurer")
    office.redis.kill()
    execute_with_code(treasurer, payment)
    path = f"payments/{payment['payment_id']}/"
    assert treasurer.get(path)["status"] == "executing"
    assert simulator.log()["accepted"] == {}
    office.redis.start()
    paid = treasurer.poll(path, is_final)
    assert paid["status"] == "success"
    assert list(simulator.log()["accepted"].values()) == [1]
    assert UTILITY - simulator.balance() == 12_000
    call_command("verify_ledger", stdout=StringIO())


def test_an_expense_of_an_association_is_paid_and_booked_once(office: Office, scene: Scene) -> None:
    estate = build_estate(scene=scene, with_fund=True)
    period = estate.period()
    clearing = f"ledger/accounts/{estate.association.clearing_account_id}/balance/"
    as_ = partial(person, office, scene)
    treasurer = as_("treasurer")
    cost = {"payment_type": "Roof", "amount": "400.00", "date": "2026-01-01"}
    cost["budget_item"] = str(estate.item(period, "Roof").pk)
    expense = as_("reconciler").post(f"periods/{period.pk}/expenses/", cost, expect=201)
    path = f"expenses/{expense['id']}"
    assert (expense["paid"], expense["requisition"]) == (False, None)
    assert treasurer.get(clearing)["balance"] == "400.00"

    body = {"payee_name": "Amina Roofs", "method": "cash", "destination": "Front desk"}
    asked = as_("reconciler").post(f"{path}/pay/", body, expect=201)["requisition"]
    as_("approver").post(f"requisitions/{asked}/approve/")
    made = treasurer.post("payments/", {"requisition": asked}, expect=201)
    paid = treasurer.post(f"payments/{made['payment_id']}/execute/")
    assert paid["status"] == "success"

    assert treasurer.get(clearing)["balance"] == "0.00"
    shown = treasurer.get(f"{path}/")
    assert (shown["paid"], shown["requisition"]) == (True, asked)
    assert treasurer.get(f"requisitions/{asked}/")["source"] == f"periods.expense:{expense['id']}"
    fund = treasurer.get(f"funds/{scene.fund.pk}/balance/")
    assert fund["current_balance"] == "99600.00"
    ties = balance_sheet_of(period).ties
    assert ties
    assert all(tie.holds for tie in ties)
    call_command("verify_ledger", stdout=StringIO())


def assert_nothing_secret_was_kept(
    office: Office, scene: Scene, simulator: Simulator, otp: str, token: str
) -> None:
    """Neither code, password, token nor credential is anywhere, nor a phone number in full."""
    identity = simulator.identity
    secrets = [PASSWORD, token, identity["consumer_key"], identity["consumer_secret"]]
    secrets += [identity["initiator_password"], SHOWN[1:], PHONE, PHONE[1:]]
    places = {
        "log": office.instance.log,
        "requests": texts_of(GatewayRequest),
        "responses": texts_of(GatewayResponse),
        "audit trail": texts_of(AuditEvent),
        "dump": dumped(),
    }
    for place, text in places.items():
        assert found_in(text, secrets) == [], place
        assert not re.search(rf"(?<![\w.-]){otp}(?![\w.-])", text), place
