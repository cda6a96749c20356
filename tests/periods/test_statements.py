"""Statements: what each owner is told of a closed period, and the mail that brings it."""

from datetime import date
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from ledger.clock import DatabaseClock
from ledger.refusals import RoleRequired
from periods.models import Association, Owner, Reminder, ServicePeriod, Statement
from periods.services.closing import close_period
from periods.services.mailing import mail_owners
from periods.services.statements import PeriodNotClosed, remind_owners, send_statements
from periods.statements.printing import statement_pdf
from tests.pdf import text_of
from tests.periods.estate import Estate, build_estate, today
from tests.periods.test_readings import meter_of, read


@pytest.fixture
def estate(db: None) -> Estate:
    estate = build_estate()
    for name, owner in estate.owners.items():
        Owner.objects.filter(pk=owner.pk).update(email=f"{name.lower()}@example.com")
    return estate


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    """A closed quarter: Ann paid in, Bob laid out a bill, Cy was charged for a key."""
    period = estate.period()
    estate.contribution(period, "Ann", "300.00", comment="January")
    estate.expense(period, "100.01", item=estate.item(period), paid_by="Bob", vendor="Askari Ltd")
    estate.charge(period, "Cy", "15.00")
    return close(estate, period)


def close(estate: Estate, period: ServicePeriod) -> ServicePeriod:
    return close_period(actor=estate.actor("cfo"), period_id=period.pk)


def send(estate: Estate, period: ServicePeriod) -> list[Statement]:
    return send_statements(actor=estate.actor("treasurer"), period_id=period.pk)


def printed(estate: Estate, period: ServicePeriod, owner: str) -> str:
    period = ServicePeriod.objects.select_related("association").get(pk=period.pk)
    return " ".join(text_of(statement_pdf(period, estate.owners[owner])).split())


def test_a_statement_can_be_recomputed_by_hand(estate: Estate, period: ServicePeriod) -> None:
    send(estate, period)
    text = printed(estate, period, "Ann")
    for told in (
        "Statement of First quarter",
        "01 Jan 2026 to 31 Mar 2026",
        "Flat Ann",
        "The association owes you KES 254.99",
        "January 300.00",
        "Security: Askari Ltd 100.01 9 of 20 45.01",
        "less your share of the costs -45.01",
        "254.99 Contributions",
    ):
        assert told in text, text


def test_a_mixed_cost_names_the_base_and_what_was_consumed(estate: Estate) -> None:
    period = estate.period()
    water = estate.item(
        period, "Water", allocation_strategy="USAGE_BASED", base_percent="30", budgeted_cost="0"
    )
    estate.expense(period, "12000.00", item=water)
    for name, count in {"Ann": "10", "Bob": "30", "Cy": "10"}.items():
        read(estate, period, meter_of(estate, water, name), "0", count)
    close(estate, period)
    # Of 3,600 nine parts of twenty, of 8,400 one part of five.
    told = "12,000.00 30 % by 9 of 20, rest by 1 of 5 3,300.00"
    assert told in printed(estate, period, "Ann")


def test_who_owes_is_told_so(estate: Estate, period: ServicePeriod) -> None:
    text = printed(estate, period, "Cy")
    assert "You owe the association KES 40.00" in text
    assert "Second key 15.00" in text


def test_statements_are_numbered_and_name_the_one_before(
    estate: Estate, period: ServicePeriod
) -> None:
    assert [str(row) for row in send(estate, period)] == ["000001", "000002", "000003"]
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    send(estate, close(estate, second))
    text = printed(estate, second, "Bob")
    assert "000005" in text
    assert "Follows 000002" in text


def test_sent_again_nothing_is_issued_twice(estate: Estate, period: ServicePeriod) -> None:
    first = send(estate, period)
    assert [row.pk for row in send(estate, period)] == [row.pk for row in first]
    assert Statement.objects.count() == 3


def test_an_open_period_has_previews_alone(estate: Estate) -> None:
    period = estate.period()
    with pytest.raises(PeriodNotClosed):
        send(estate, period)
    assert "PREVIEW" in printed(estate, period, "Ann")


def test_an_approver_sends_none(estate: Estate, period: ServicePeriod) -> None:
    with pytest.raises(RoleRequired):
        send_statements(actor=estate.actor("approver"), period_id=period.pk)


def test_each_owner_with_an_address_is_mailed_his_own_once(
    estate: Estate, period: ServicePeriod
) -> None:
    Owner.objects.filter(pk=estate.owners["Bob"].pk).update(email="")
    send(estate, period)
    assert mail_owners() == 2
    assert mail_owners() == 0
    assert sorted(message.to[0] for message in mail.outbox) == ["ann@example.com", "cy@example.com"]
    name, content, kind = mail.outbox[0].attachments[0]
    assert (name, kind) == ("statement-000001.pdf", "application/pdf")
    assert "Flat Ann" in text_of(content)


def test_a_name_of_two_lines_adds_no_header_to_a_mail(
    estate: Estate, period: ServicePeriod
) -> None:
    Association.objects.update(name="Acacia\nBcc: eve@example.com")
    send(estate, period)
    assert mail_owners() == 3
    subject = "Acacia Bcc: eve@example.com: statement of First quarter"
    assert {(message.subject, len(message.recipients())) for message in mail.outbox} == {
        (subject, 1)
    }


def test_a_mail_that_was_not_handed_over_goes_out_later(
    estate: Estate, period: ServicePeriod, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(estate, period)
    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", _unreachable)
        assert mail_owners() == 0
    Statement.objects.update(try_at=DatabaseClock())
    assert mail_owners() == 3


def _unreachable(backend: EmailBackend, messages: Any) -> int:
    raise ConnectionRefusedError("no mail server")


def test_owners_in_debt_are_reminded_once_a_day(estate: Estate, period: ServicePeriod) -> None:
    def remind() -> list[Reminder]:
        return remind_owners(
            actor=estate.actor("treasurer"),
            association_id=estate.association.pk,
            owner_ids=None,
            today=today,
        )

    assert [(row.owner.name, row.owed) for row in remind()] == [("Cy", 40)]
    assert remind() == []
    assert mail_owners() == 1
    assert "you owe Acacia Court KES 40.00" in mail.outbox[0].body
