"""The dashboard shows what is scheduled, by day and currency, beside what waits for people now."""

import html
import re
from datetime import timedelta
from unittest.mock import Mock

import pytest
from redis.exceptions import RedisError

from ledger.clock import database_now, today
from ledger.models import Membership
from tests.admin.office import Office, signed_in
from tests.treasury.factories import acting
from treasury import counting
from treasury.counting import count_payments
from treasury.models import Payment
from treasury.overview import Narrowed, scheduled_by_day, what_is_due
from treasury.services.limits import set_payment_rules
from treasury.services.payments import create_payment


def schedule(office: Office, amount: str, *, in_days: int) -> Payment:
    return create_payment(
        actor=acting(office.treasurer),
        requisition_id=office.approved(amount=amount).pk,
        scheduled_for=today(office.company) + timedelta(days=in_days),
    )


def test_what_is_scheduled_is_shown_by_day_and_waits_for_nobody_before(office: Office) -> None:
    set_payment_rules(actor=acting(office.cfo), company_id=office.company.pk, weekend=[])
    day = today(office.company)
    schedule(office, "100", in_days=0)
    for _ in range(2):
        schedule(office, "250", in_days=3)
    Payment.objects.filter(amount=250).update(otp_required=True)
    days = scheduled_by_day(office.cfo, Narrowed())
    assert [(one.day, one.many, one.amount, one.with_code, one.is_late) for one in days] == [
        (day, 1, 100, 0, True),
        (day + timedelta(days=3), 2, 500, 2, False),
    ]
    due = what_is_due(office.cfo, Narrowed())
    assert (due["to_execute"], due["to_code"], due["scheduled"]) == (1, 0, 2)
    shown = signed_in(office.cfo).get("/treasury/").content.decode()
    assert "Scheduled payments, KES" in shown
    assert "3 payments wait for their day, 1 is due." in shown
    assert re.search(r"As of [^<]* EAT\.", shown), "in the company's time"
    found = re.search(r'href="([^"]*)"><strong>2</strong> scheduled for a later day', shown)
    assert found
    listed = signed_in(office.cfo).get(html.unescape(found[1])).content.decode()
    assert listed.count('class="field-amount_figure') == 2


def test_very_many_payments_are_counted_once_a_minute_and_say_when(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "KEPT_FROM", 1)
    office.paid()
    now = database_now()
    first = count_payments(office.cfo, Narrowed(), now)
    office.paid()
    later = now + timedelta(seconds=30)
    assert count_payments(office.cfo, Narrowed(), later) == first
    assert "were counted at" in signed_in(office.cfo).get("/treasury/").content.decode()
    for user, narrowed in (
        (office.auditor, Narrowed()),
        (office.cfo, Narrowed(fund_id=office.fund.pk)),
    ):
        assert count_payments(user, narrowed, later).statuses[0].many == 2
    Membership.objects.filter(user=office.cfo).delete()
    assert count_payments(office.cfo, Narrowed(), later).statuses == []


def test_few_payments_are_counted_each_time_and_so_are_many_without_a_cache(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> int:
        return count_payments(office.cfo, Narrowed(), database_now()).statuses[0].many

    office.paid()
    assert counted() == 1
    office.paid()
    assert counted() == 2
    monkeypatch.setattr(counting, "KEPT_FROM", 1)
    away = Mock(get=Mock(side_effect=RedisError), set=Mock(side_effect=RedisError))
    monkeypatch.setattr(counting, "cache", away)
    for expected in (2, 3):
        assert counted() == expected
        office.paid()
    assert away.set.called
