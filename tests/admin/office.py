"""An office with people who may sign in, and one row of everything that the admin shows."""

import uuid
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from ledger.admin.base import SeenAdmin
from ledger.models import (
    AuditEvent,
    Branch,
    Hold,
    JournalEntry,
    LedgerEntry,
    Membership,
    OutboxEvent,
    Region,
    User,
)
from ledger.roles import Role
from ledger.services import posting
from ledger.services.deliveries import send_test
from ledger.services.webhooks import add_webhook
from payments.models import GatewayRequest, GatewayResponse
from periods.services.closing import close_period
from periods.services.instalments import plan_instalments
from periods.services.meters import add_meter
from periods.services.readings import record_reading
from periods.services.statements import remind_owners, send_statements
from tests.periods.estate import build_estate
from tests.scene import Scene
from tests.treasury import factories
from tests.treasury.bank import bank_report_of
from tests.treasury.desk import Desk, make_desk
from tests.treasury.factories import acting, today
from treasury.models import (
    ApprovalTier,
    Callback,
    FundLine,
    Incident,
    Payment,
    PaymentAttempt,
    PaymentPolicy,
)
from treasury.services.attachments import add_attachment
from treasury.services.batches import create_batch
from treasury.services.calendars import add_holiday
from treasury.services.delegations import create_delegation
from treasury.services.limits import set_payment_rules, set_spending_limit
from treasury.services.reconciliations import reconcile_payment
from treasury.services.replenishment import replenish

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
STAFF_ROLES = ("requester", "approver", "cfo", "treasurer", "reconciler", "auditor")


@dataclass
class Office(Desk):
    """A desk whose people may sign in to the admin, with an administrator and an owner."""

    administrator: User = field(default_factory=User)
    owner: User = field(default_factory=User)

    def person(self, name: str) -> User:
        user: User = getattr(self, name)
        return user


def make_office(**details: Any) -> Office:
    desk = make_desk(**details)
    people = [getattr(desk, name) for name in STAFF_ROLES]
    User.objects.filter(pk__in=[user.pk for user in people]).update(is_staff=True)
    for user in people:
        user.is_staff = True
    return Office(
        **vars(desk),
        administrator=factories.person(desk.company, is_staff=True, is_superuser=True),
        owner=factories.person(desk.company, Role.OWNER, is_staff=True),
    )


def signed_in(user: User) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.44", HTTP_USER_AGENT="a browser")
    client.force_login(user)
    return client


def list_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def step_url(row: Model, name: str) -> str:
    route = f"admin:{row._meta.app_label}_{row._meta.model_name}_step"
    return reverse(route, args=[name])


def do(user: User, name: str, *rows: Model, **given: Any) -> Any:
    """Confirm a step, as its page would send it."""
    data = {"id": [str(row.pk) for row in rows], **given}
    return signed_in(user).post(step_url(rows[0], name), data)


def outcomes_of(user: User, name: str, *rows: Model, **given: Any) -> str:
    """Confirm a step for many rows, and return the page that says what came of each."""
    client = signed_in(user)
    answer = client.post(
        step_url(rows[0], name), {"id": [str(row.pk) for row in rows], **given}, follow=True
    )
    assert [status for _, status in answer.redirect_chain] == [302]
    return text_of(answer)


def text_of(response: Any) -> str:
    text: str = response.content.decode()
    return text


def seen_admins() -> dict[type[Model], SeenAdmin]:
    """Every admin of rows that nobody edits by form."""
    registry = admin.site._registry
    return {model: held for model, held in registry.items() if isinstance(held, SeenAdmin)}


def one_of_everything(office: Office) -> dict[type[Model], Model]:
    """A row for every model that the admin shows, all of one company."""
    region = Region.objects.create(company=office.company, name="Coast")
    paid = office.paid()
    rows: list[Model] = [
        office.company,
        region,
        Branch.objects.create(region=region, name="Harbour"),
        office.requester,
        Membership.objects.filter(user=office.cfo).get(),
        AuthToken.objects.create(user=office.treasurer)[0],
        office.fund.account,
        JournalEntry.objects.get(payment_execution=paid.execution),
        LedgerEntry.objects.filter(account=office.fund.account_id).first() or LedgerEntry(),
        FundLine.objects.filter(account=office.fund.account_id).first() or FundLine(),
        AuditEvent.objects.filter(company=office.company).first() or AuditEvent(),
        office.fund,
        _requisition_with_evidence(office),
        paid,
        paid.execution,
        office.variance(paid, "900.00"),
        replenish(
            actor=acting(office.treasurer), fund_id=office.fund.pk, amount="500", reason="Low"
        ),
        ApprovalTier.objects.filter(company=office.company).first() or ApprovalTier(),
        PaymentPolicy.objects.get(company=office.company),
        _delegation(office),
        *_rules(office),
        _reconciliation(office),
        _hold(office),
        _batch(office),
        *_bank_rows(office),
        *_gateway_rows(office),
        *_webhook_rows(office),
        *_periods_rows(office),
    ]
    found: dict[type[Model], Model] = {type(row): row for row in rows}
    requisition = next(row for row in rows if row._meta.model_name == "requisition")
    attachment = requisition.attachments.get()  # type: ignore[attr-defined]
    found[type(attachment)] = attachment
    return found


def _requisition_with_evidence(office: Office) -> Model:
    requisition = office.request()
    add_attachment(
        actor=acting(office.requester),
        requisition_id=requisition.pk,
        name="quotation.pdf",
        data=PDF,
    )
    return requisition


def _batch(office: Office) -> Model:
    draft = create_batch(
        actor=acting(office.treasurer),
        fund_id=office.fund.pk,
        requisitions=[office.approved().pk],
    )
    return draft.batch


def _rules(office: Office) -> list[Model]:
    place: dict[str, Any] = {"actor": acting(office.cfo), "company_id": office.company.pk}
    return [
        set_spending_limit(**place, currency="KES", scope="payee", most_payments=1000),
        set_payment_rules(**place, cooling_off_hours=0),
        add_holiday(**place, on=date(2030, 12, 25), name="Christmas"),
    ]


def _delegation(office: Office) -> Model:
    day = today(office.company)
    return create_delegation(
        actor=acting(office.cfo),
        company_id=office.company.pk,
        role=Role.CFO,
        delegate_id=office.approver.pk,
        from_on=day,
        until_on=day,
        reason="Leave",
        today=today,
    )


def _reconciliation(office: Office) -> Model:
    payment = reconcile_payment(actor=acting(office.reconciler), payment_id=office.paid().pk)
    return payment.reconciliation


def _hold(office: Office) -> Hold:
    with transaction.atomic():
        posting.hold(account_id=office.fund.account_id, amount=Decimal(5), reference="tests.hold:1")
    return Hold.objects.get(reference="tests.hold:1")


def _bank_rows(office: Office) -> list[Model]:
    report = bank_report_of(office)
    assert report.file
    return [report, report.file, report.provider.bank]


def _gateway_rows(office: Office) -> list[Model]:
    provider = factories.make_provider(office.company)
    payment = office.pending(method="mpesa", destination="0712345678")
    attempt = attempt_of(payment, provider, office.treasurer)
    request = GatewayRequest.objects.create(
        provider=provider,
        subject=attempt.subject,
        operation="b2c",
        method="POST",
        url="http://127.0.0.1:9/b2c",
        body='{"Amount": 1000}',
    )
    response = GatewayResponse.objects.create(
        request=request, http_status=200, body='{"ResponseCode": "0"}', duration_ms=12
    )
    callback = Callback.objects.create(
        attempt=attempt, trusted=False, body=b"{}", body_hash="0" * 64, says="forged"
    )
    incident = Incident.objects.create(
        payment=payment, attempt=attempt, kind=Incident.Kind.MISMATCH, detail="Another amount"
    )
    return [provider, attempt, request, response, callback, incident]


def _webhook_rows(office: Office) -> list[Model]:
    by = acting(office.cfo)
    url = "https://93.184.215.14/hooks"
    webhook = add_webhook(actor=by, company_id=office.company.pk, url=url).endpoint
    event = OutboxEvent.objects.filter(company=office.company).latest("occurred_at")
    return [webhook, send_test(actor=by, webhook_id=webhook.pk), event]


def _periods_rows(office: Office) -> list[Model]:
    """An association with a closed period and an open one, and one of all that is recorded in them."""
    people = {name: office.person(name) for name in STAFF_ROLES}
    estate = build_estate(scene=Scene(office.company, office.fund, people, Decimal(0)))
    closed = estate.period()
    rows: list[Model] = [
        estate.contribution(closed, "Ann", "300.00"),
        estate.expense(closed, "100.00", item=estate.item(closed)),
        estate.charge(closed, "Cy", "15.00"),
        close_period(actor=acting(office.cfo), period_id=closed.pk),
    ]
    sent = send_statements(actor=acting(office.treasurer), period_id=closed.pk)
    opened = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    water = estate.item(opened, "Water", allocation_strategy="USAGE_BASED")
    asked: dict[str, Any] = {"actor": acting(office.treasurer), "period_id": opened.pk}
    meter = add_meter(
        actor=acting(office.treasurer),
        association_id=estate.association.pk,
        budget_item_id=water.pk,
        property_id=estate.units["Ann"].pk,
    )
    reading = record_reading(
        **asked, meter_id=meter.pk, meter_start_reading="0", meter_end_reading="12.5"
    )
    plan = plan_instalments(
        **asked,
        amount="1000",
        instalments=2,
        first_due_on=date(2026, 5, 10),
        description="Roof",
    )
    reminders = remind_owners(
        actor=acting(office.treasurer),
        association_id=estate.association.pk,
        owner_ids=None,
        today=today,
    )
    return [
        estate.association,
        estate.owners["Ann"],
        estate.units["Ann"],
        *rows,
        closed.sheets.get(),
        sent[0],
        water,
        meter,
        reading,
        plan,
        *reminders,
    ]


def attempt_of(payment: Payment, provider: Any, executor: User) -> PaymentAttempt:
    return PaymentAttempt.objects.create(
        payment=payment,
        number=payment.attempts.count() + 1,
        reference=uuid.uuid4(),
        provider=provider,
        amount=payment.amount,
        currency=payment.currency,
        destination_index=payment.destination_index,
        executor=executor,
    )
