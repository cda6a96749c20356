"""Limits of a day and cooling-off: counted by what really happens, refused by the database."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from ledger.clock import today
from ledger.refusals import InvalidInput, RoleRequired
from ledger.roles import Role
from tests.clock import Clock, clock
from tests.treasury import factories
from tests.treasury.desk import Desk, make_desk, refused_by
from tests.treasury.factories import acting
from tests.treasury.gateway import SYSTEM, Gateway, outcome
from treasury.limits import CoolingOff, VelocityLimit, barriers
from treasury.models import DailySpending, PayeeDestination, Payment, PaymentAttempt
from treasury.services.dispatching import dispatch_attempt
from treasury.services.execution import can_execute_payment, execute_payment
from treasury.services.funds import open_fund
from treasury.services.limits import rules_of, set_payment_rules, set_spending_limit
from treasury.services.payments import retry_payment
from treasury.services.requisitions import approve_requisition, create_requisition

__all__ = ["clock"]

PHONE, OTHER_PHONE = "+254712345678", "+254722000111"


@pytest.fixture
def desk(db: None) -> Desk:
    desk = make_desk()
    factories.make_provider(desk.company)
    return desk


def limit(desk: Desk, scope: str, **most: Any) -> None:
    set_spending_limit(
        actor=acting(desk.cfo), company_id=desk.company.pk, currency="KES", scope=scope, **most
    )


def execute(desk: Desk, payment: Payment) -> Payment:
    return execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)


def mpesa(desk: Desk, phone: str = PHONE, **details: Any) -> Payment:
    return desk.pending(method="mpesa", destination=phone, **details)


def counted(desk: Desk, scope: str) -> list[tuple[int, Decimal]]:
    rows = DailySpending.objects.filter(company=desk.company, scope=scope)
    return list(rows.values_list("payments", "amount"))


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("payee", "At most 2 payments go to one payee in a day; 2 went today."),
        ("destination", "At most 2 payments go to one destination in a day; 2 went today."),
        ("fund", "At most 2 payments go out of this fund in a day; 2 went today."),
    ],
)
def test_the_payment_beyond_a_number_is_refused_and_says_which_limit(
    desk: Desk, scope: str, said: str
) -> None:
    limit(desk, scope, most_payments=2)
    for _ in range(2):
        execute(desk, desk.pending(amount="10"))
    third = desk.pending(amount="10")
    before = desk.account().available
    with pytest.raises(VelocityLimit, match=said):
        execute(desk, third)
    third.refresh_from_db()
    assert (third.status, third.spent_on, desk.account().available) == ("pending", None, before)
    assert counted(desk, scope) == [(2, Decimal(20))]


def test_the_payment_beyond_an_amount_is_refused(desk: Desk) -> None:
    limit(desk, "destination", most_amount="1000")
    execute(desk, desk.pending(amount="600"))
    with pytest.raises(VelocityLimit, match=r"At most KES 1,000.00 .* KES 600.00 went today"):
        execute(desk, desk.pending(amount="400.01"))
    execute(desk, desk.pending(amount="400"))


def test_another_destination_payee_fund_or_day_has_its_own_count(desk: Desk) -> None:
    for scope in ("payee", "destination"):
        limit(desk, scope, most_payments=1)
    execute(desk, desk.pending(amount="10"))
    execute(desk, desk.pending(amount="10", payee_name="Baraka", destination="Back door"))
    again = desk.pending(amount="10")
    with pytest.raises(VelocityLimit):
        execute(desk, again)
    tomorrow = today(desk.company) + timedelta(days=1)
    assert barriers([again], on=tomorrow) == {}
    execute_payment(
        actor=acting(desk.treasurer), payment_id=again.pk, today=lambda _company: tomorrow
    )


def test_a_payee_is_one_however_he_is_spelt(desk: Desk) -> None:
    limit(desk, "payee", most_payments=1)
    execute(desk, desk.pending(amount="10", payee_name="Amina  Traders"))
    with pytest.raises(VelocityLimit):
        execute(desk, desk.pending(amount="10", payee_name="AMINA TRADERS", destination="Desk 2"))


def test_two_funds_that_pay_one_destination_meet_at_one_counter(desk: Desk) -> None:
    limit(desk, "destination", most_payments=1)
    execute(desk, desk.pending(amount="10"))
    second = open_fund(
        actor=acting(desk.cfo), company_id=desk.company.pk, name="Second", currency="KES"
    )
    factories.fill(second, Decimal(100))
    desk.fund = second
    with pytest.raises(VelocityLimit):
        execute(desk, desk.pending(amount="10"))


def test_a_fund_s_own_limit_stands_in_for_that_of_all_funds(desk: Desk) -> None:
    limit(desk, "fund", most_payments=1)
    limit(desk, "fund", most_payments=2, fund_id=desk.fund.pk)
    for _ in range(2):
        execute(desk, desk.pending(amount="10"))
    with pytest.raises(VelocityLimit, match="At most 2"):
        execute(desk, desk.pending(amount="10"))
    limit(desk, "fund", fund_id=desk.fund.pk)  # exempt
    execute(desk, desk.pending(amount="10"))


def test_a_limit_counts_what_left_before_it_was_set_and_can_be_switched_off(desk: Desk) -> None:
    execute(desk, desk.pending(amount="10"))
    assert counted(desk, "payee") == []
    limit(desk, "payee", most_payments=1)
    assert counted(desk, "payee") == [(1, Decimal(10))]
    late = desk.pending(amount="10")
    with pytest.raises(VelocityLimit):
        execute(desk, late)
    limit(desk, "payee")
    execute(desk, late)
    limit(desk, "payee", most_payments=3)
    assert counted(desk, "payee") == [(2, Decimal(20))]


def test_a_definite_failure_gives_the_count_back_and_doubt_keeps_it(
    desk: Desk, gateway: Gateway
) -> None:
    limit(desk, "destination", most_payments=1)
    failed = execute(desk, mpesa(desk, amount="10"))
    assert counted(desk, "destination") == [(1, Decimal(10))]
    gateway.replies.append(outcome("failed_final"))
    send(failed)
    failed.refresh_from_db()
    assert (failed.status, failed.spent_on) == ("failed", None)
    assert counted(desk, "destination") == [(0, Decimal(0))]
    doubtful = execute(desk, mpesa(desk, amount="20"))
    gateway.replies.append(outcome("unknown"))
    send(doubtful)
    retry_payment(actor=acting(desk.treasurer), payment_id=failed.pk)
    with pytest.raises(VelocityLimit):
        execute(desk, failed)
    assert counted(desk, "destination") == [(1, Decimal(20))]


def send(payment: Payment) -> None:
    attempt = PaymentAttempt.objects.filter(payment=payment).latest("number")
    dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)


def test_barriers_say_beforehand_what_would_be_refused_in_that_order(desk: Desk) -> None:
    limit(desk, "destination", most_payments=5, most_amount="100")
    execute(desk, desk.pending(amount="30"))
    wanted = [desk.pending(amount=amount) for amount in ("50", "30", "20")]
    found = barriers(wanted, on=today(desk.company))
    assert [type(found.get(payment.pk)) for payment in wanted] == [
        type(None),
        VelocityLimit,
        type(None),
    ]


def test_a_person_is_told_of_a_limit_before_he_executes(desk: Desk) -> None:
    limit(desk, "fund", most_payments=1)
    first, second = desk.pending(amount="10"), desk.pending(amount="10")
    assert can_execute_payment(second, desk.treasurer) == (True, "")
    execute(desk, first)
    assert can_execute_payment(Payment.objects.get(pk=second.pk), desk.treasurer) == (
        False,
        "At most 1 payments go out of this fund in a day; 1 went today.",
    )


def test_only_a_cfo_of_the_company_sets_limits_and_only_real_ones(desk: Desk) -> None:
    place: dict[str, Any] = {"company_id": desk.company.pk, "currency": "KES", "scope": "payee"}
    for person in (desk.treasurer, desk.auditor, factories.person(make_desk().company, Role.CFO)):
        with pytest.raises(RoleRequired):
            set_spending_limit(actor=acting(person), **place)
        with pytest.raises(RoleRequired):
            set_payment_rules(actor=acting(person), company_id=desk.company.pk, cooling_off_hours=1)
    wrong: list[dict[str, Any]] = [
        {"scope": "person"},
        {"most_payments": 0},
        {"most_amount": "0"},
        {"most_amount": "1.001"},
        {"currency": "XXX"},
        {"fund_id": desk.fund.pk},
        {"scope": "fund", "currency": "UGX", "fund_id": desk.fund.pk},
    ]
    for details in wrong:
        with pytest.raises(InvalidInput):
            set_spending_limit(actor=acting(desk.cfo), **(place | details))
    with pytest.raises(InvalidInput):
        set_payment_rules(actor=acting(desk.cfo), company_id=desk.company.pk, cooling_off_hours=-1)


# --- Cooling-off ------------------------------------------------------------------------------------------


def cool(desk: Desk, hours: int) -> None:
    set_payment_rules(actor=acting(desk.cfo), company_id=desk.company.pk, cooling_off_hours=hours)


def test_a_new_destination_of_a_known_payee_waits_and_the_old_one_does_not(
    desk: Desk, gateway: Gateway
) -> None:
    cool(desk, 24)
    known = mpesa(desk, amount="10")
    execute(desk, known)  # a new payee: nothing was changed
    changed = mpesa(desk, OTHER_PHONE, amount="10")
    since = PayeeDestination.objects.latest("since").since
    ends = (since + timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%S")
    with pytest.raises(CoolingOff, match=ends):
        execute(desk, changed)
    assert isinstance(barriers([changed], on=today(desk.company))[changed.pk], CoolingOff)
    execute(desk, mpesa(desk, amount="10"))
    cool(desk, 0)
    execute(desk, changed)


@pytest.mark.django_db(transaction=True)
def test_a_new_destination_is_paid_to_once_its_time_has_come(clock: Clock) -> None:
    desk = make_desk()
    factories.make_provider(desk.company)
    cool(desk, 2)
    mpesa(desk, amount="10")
    changed = mpesa(desk, OTHER_PHONE, amount="10")
    clock.advance(hours=1.9)
    with pytest.raises(CoolingOff):
        execute(desk, changed)
    # asking again does not begin it anew
    mpesa(desk, OTHER_PHONE, amount="20")
    clock.advance(hours=0.2)
    assert execute(desk, changed).status == "executing"


def test_a_destination_is_known_from_its_approval_and_not_from_its_request(desk: Desk) -> None:
    cool(desk, 24)
    requisition = create_requisition(
        actor=acting(desk.requester),
        fund_id=desk.fund.pk,
        amount="10",
        purpose="Diesel",
        payee_name="Amina Traders",
        method="mpesa",
        destination=OTHER_PHONE,
    )
    assert not PayeeDestination.objects.exists()
    approve_requisition(actor=acting(desk.approver), requisition_id=requisition.pk)
    assert PayeeDestination.objects.count() == 1


def test_cash_has_no_destination_to_wait_for(desk: Desk) -> None:
    cool(desk, 24)
    execute(desk, desk.pending(amount="10"))
    execute(desk, desk.pending(amount="10", destination="Back door"))
    assert rules_of(desk.company).cooling_off == timedelta(hours=24)


# --- Laws, attacked as the application's role ---------------------------------------------------------------


def test_the_database_counts_whoever_moves_the_payment(desk: Desk) -> None:
    limit(desk, "payee", most_payments=1)
    execute(desk, desk.pending(amount="10"))
    second = desk.pending(amount="10")
    refused_by(
        "beyond the limit",
        "UPDATE treasury_payment SET status = 'success', executor_id = %s WHERE payment_id = %s",
        desk.treasurer.pk,
        second.pk,
    )


def test_a_payment_cannot_be_moved_to_another_day_or_left_uncounted(desk: Desk) -> None:
    limit(desk, "payee", most_payments=5)
    payment = execute(desk, desk.pending(amount="10"))
    refused_by(
        "is refused",
        "UPDATE treasury_payment SET spent_on = '2001-01-01' WHERE payment_id = %s",
        payment.pk,
    )
    with connection.cursor() as cursor:  # the day comes back by itself
        cursor.execute("UPDATE treasury_payment SET spent_on = NULL")
    payment.refresh_from_db()
    assert payment.spent_on == today(desk.company)
    assert counted(desk, "payee") == [(1, Decimal(10))]


def test_counters_and_known_destinations_cannot_be_written_by_hand(
    desk: Desk, gateway: Gateway
) -> None:
    limit(desk, "payee", most_payments=5)
    execute(desk, mpesa(desk, amount="10"))
    for statement in (
        "UPDATE treasury_dailyspending SET payments = 0",
        "DELETE FROM treasury_dailyspending",
        "UPDATE treasury_payeedestination SET since = '2001-01-01'",
        "DELETE FROM treasury_payeedestination",
        "INSERT INTO treasury_payeedestination SELECT * FROM treasury_payeedestination",
        "DELETE FROM treasury_spendinglimit",
    ):
        refused_by("permission denied", statement)
    refused_by("is refused", "UPDATE treasury_spendinglimit SET scope = 'fund'")


def test_nothing_of_a_payee_or_destination_can_be_read_from_the_counters(
    desk: Desk, gateway: Gateway
) -> None:
    for scope in ("payee", "destination"):
        limit(desk, scope, most_payments=5)
    execute(desk, mpesa(desk, amount="10"))
    kept = " ".join(map(str, DailySpending.objects.values_list("key", flat=True)))
    kept += " ".join(map(str, PayeeDestination.objects.values_list()))
    assert PHONE.removeprefix("+254") not in kept
    assert "amina" not in kept.lower()
