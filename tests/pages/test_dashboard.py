"""The dashboard shows what is scheduled, by day and currency, beside what waits for people now."""

from datetime import timedelta

from ledger.clock import today
from tests.admin.office import Office, signed_in
from tests.treasury.factories import acting
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
    assert "3 payments wait for their day, 1 are due." in shown
