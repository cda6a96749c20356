"""Lists cost the same number of queries however long they are, and so does one object."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from payments.models import Provider
from tests.api.caller import Caller
from tests.conftest import catch_tasks
from tests.payments import bank as wire
from tests.treasury import factories
from tests.treasury.bank import PAYEE, make_bank, row
from tests.treasury.conftest import replace_gateway
from tests.treasury.desk import SYSTEM, Desk, make_desk
from tests.treasury.factories import acting
from tests.undone import undone
from treasury.models import BankFile
from treasury.services.attachments import add_attachment
from treasury.services.bank_files import make_bank_file
from treasury.services.bank_reports import import_bank_report
from treasury.services.calendars import add_holiday
from treasury.services.execution import execute_payment
from treasury.services.funds import open_fund
from treasury.services.limits import set_spending_limit
from treasury.services.replenishment import replenish

LISTS = [
    "api/funds",
    "api/requisitions",
    "api/requisitions/?awaiting=me",
    "api/payments",
    "api/payments/?awaiting=me",
    "api/variances",
    "api/variances/?awaiting=me",
    "api/replenishments",
    "api/replenishments/?awaiting=me",
    "api/ledger",
    "api/ledger/by_fund/?fund_id={fund}",
    "api/ledger/accounts",
    "api/ledger/accounts/{account}/statement",
    "api/ledger/journal",
    "api/ledger/trial_balance",
    "api/audit",
    "api/limits",
    "api/holidays",
    "api/companies",
    "api/providers",
    "api/bank-files",
    "api/bank-files/{file}/payments",
    "api/bank-reports",
    "api/bank-reports/{report}/rows",
    "api/payments/{payment}/history",
    "api/payments/{payment}/attempts",
    "api/requisitions/{requisition}/attachments",
]
# Two or three to know what the caller may see, and a few for what a row shows.
MOST = 9


def adding(desk: Desk) -> Callable[[], None]:
    """One more of everything, each time it is called."""
    factories.make_provider(desk.company)
    bank = make_bank(desk.company)
    many = 0

    def add() -> None:
        nonlocal many
        many += 1
        banks_say(desk, bank, many)
        requisition = desk.request(amount="20")
        for number in range(2):
            add_attachment(
                actor=acting(desk.requester),
                requisition_id=requisition.pk,
                name="a.pdf",
                data=f"%PDF-{number}".encode(),
            )
        desk.pending(amount="10")
        desk.variance(desk.paid(amount="10"), "9")
        sent = desk.pending(amount="10", method="mpesa", destination="0712345678")
        execute_payment(actor=acting(desk.treasurer), payment_id=sent.pk, today=factories.today)
        set_spending_limit(
            actor=SYSTEM,
            company_id=desk.company.pk,
            currency="KES",
            scope="fund",
            fund_id=desk.company.funds.latest("created_at").pk,
            most_payments=1000,
        )
        number = desk.company.funds.count()
        add_holiday(
            actor=SYSTEM,
            company_id=desk.company.pk,
            on=date(2030, 1, 1) + timedelta(days=number),
            name="A day off",
        )
        fund = open_fund(
            actor=SYSTEM, company_id=desk.company.pk, name=f"F{number}", currency="KES"
        )
        replenish(actor=acting(desk.treasurer), fund_id=fund.pk, amount="10", reason="Low")

    return add


def banks_say(desk: Desk, bank: Provider, many: int) -> None:
    """A file with this many payments, a report about each of them, and another bank."""
    for _ in range(many):
        sent = desk.pending(amount="10", method="bank", destination=PAYEE)
        execute_payment(actor=acting(desk.treasurer), payment_id=sent.pk, today=factories.today)
    file = make_bank_file(actor=acting(desk.treasurer), provider_id=bank.pk, today=factories.today)
    rows = [row(line.attempt, "ACCP") for line in file.lines.select_related("attempt")]
    data = wire.report(file.message_id, wire.block(file.message_id, *rows), message_id=f"B{many}")
    import_bank_report(actor=acting(desk.treasurer), provider_id=bank.pk, data=data)
    currency = ("EUR", "USD", "RWF")[many - 1]
    make_bank(desk.company, currency=currency, account=f"KE/01100/01234567{many:02}")


def queries(desk: Desk, path: str) -> tuple[int, int]:
    """How many queries the address costs, and how many characters it answers."""
    user = desk.auditor
    if "awaiting" in path:
        user = desk.treasurer if "payments" in path else desk.cfo
    file = BankFile.objects.latest("made_at")
    path = path.format(file=file.pk, report=file.reports.get().pk)
    client = Caller(user).client
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return len(captured), len(answer.content)


Costs = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def measured(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[tuple[Costs, Costs]]:
    """What each list costs when there is one of everything, and when there are three."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), undone():
        replace_gateway(patch)
        catch_tasks(patch)
        desk = make_desk()
        more = adding(desk)
        more()
        paths = addresses(desk)
        few = {route: queries(desk, path) for route, path in paths.items()}
        for _ in range(2):
            more()
        yield few, {route: queries(desk, path) for route, path in paths.items()}


def addresses(desk: Desk) -> dict[str, str]:
    payment = desk.company.funds.get(pk=desk.fund.pk).payments.latest("created_at")
    with_files = desk.fund.requisitions.filter(attachments__isnull=False).latest("requested_at")
    return {
        route: "/"
        + route.format(
            fund=desk.fund.pk,
            account=desk.fund.account_id,
            payment=payment.pk,
            requisition=with_files.pk,
            file="{file}",
            report="{report}",
        )
        for route in LISTS
    }


@pytest.mark.parametrize("route", LISTS)
def test_a_longer_list_costs_no_more_queries(measured: tuple[Costs, Costs], route: str) -> None:
    (few, short), (many, long) = (costs[route] for costs in measured)
    assert many == few <= MOST
    whole = any(word in route for word in ("companies", "history", "attempts", "attachments"))
    assert whole or long > short, "the list grew"
