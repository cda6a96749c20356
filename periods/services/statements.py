"""Statements: telling each owner what a closed period comes to for him, and reminding who owes."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import after_commit, command
from ledger.refusals import Conflict
from periods import duties, locks
from periods.facts import facts_of as audit_facts
from periods.models import BalanceSheet, Owner, Reminder, ServicePeriod, Statement
from periods.queue import wake
from periods.services.noting import note
from periods.sheets import balance_sheet_of
from periods.statements.facts import Material, facts_of
from periods.states import PeriodStatus
from treasury.dates import Today

DAY = timedelta(days=1)


class PeriodNotClosed(Conflict):
    """Statements are of closed periods: an open one, or one that waits for an earlier one, may still change."""

    code = "period_not_closed"
    title = "Period not closed"


@command("statements.send")
def send_statements(*, actor: Actor, period_id: UUID) -> list[Statement]:
    """Issue and send the statements of a closed period that were not issued for this version of its sheet.

    Each goes by mail after the commit where the owner has an address. Returns all statements of the version:
    asked again, it issues nothing twice. By a treasurer, a reconciler or a CFO. Raises ``NotFound``,
    ``RoleRequired``, ``PeriodNotClosed``.
    """
    association, chain = locks.lock_chain(period_id)
    period = chain[0]
    duties.may_keep(actor, association)
    if period.status != PeriodStatus.CLOSED:
        raise PeriodNotClosed(f"{period.name} is {period.get_status_display().lower()}.")
    sheet = BalanceSheet.objects.get(period=period, version=period.version)
    missing = Owner.objects.filter(association=association).exclude(statements__sheet=sheet)
    owners = list(missing.order_by("number"))
    if owners:
        _issue(actor, period, sheet, owners)
        after_commit(lambda: wake("mail_owners"))
    return list(Statement.objects.filter(sheet=sheet).select_related("owner"))


def _issue(
    actor: Actor, period: ServicePeriod, sheet: BalanceSheet, owners: Collection[Owner]
) -> None:
    association = period.association
    before = audit_facts(period, currency=association.currency)
    material = Material.of(period, balance_sheet_of(period))
    last = _last_statements(association.pk)
    issued = Statement.objects.filter(association=association).count()
    issued_by = duties.person(actor)
    statements = []
    for number, owner in enumerate(owners, start=issued + 1):
        previous = last.get(owner.pk)
        facts = facts_of(
            material, owner, number=f"{number:06}", previous=str(previous) if previous else ""
        )
        statements.append(
            Statement(
                association=association,
                period=period,
                sheet=sheet,
                owner=owner,
                number=number,
                previous=previous,
                closing=material.sheet.owner(owner.pk).closing,
                facts=facts,
                email=owner.email,
                issued_by=issued_by,
            )
        )
    Statement.objects.bulk_create(statements, batch_size=200)
    period.statements_sent_at = database_now()
    period.save(update_fields=["statements_sent_at"])
    note(actor, "statements.send", period, association=association, before=before)


def _last_statements(association_id: UUID) -> dict[UUID, Statement]:
    """Return each owner's newest statement."""
    rows = Statement.objects.filter(association=association_id, next=None).defer("facts")
    return {row.owner_id: row for row in rows}


@command("owners.remind")
def remind_owners(
    *, actor: Actor, association_id: UUID, owner_ids: Collection[UUID] | None, today: Today
) -> list[Reminder]:
    """Remind owners of what they owe now by mail, all who owe when None; return the reminders made.

    Whoever owes nothing, has no address or was reminded today is left out. By a treasurer, a reconciler or a
    CFO. Raises ``NotFound``, ``RoleRequired``.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    on = today(association.company)
    owing = Owner.objects.filter(association=association, account__balance__lt=0)
    owing = owing.exclude(email="").exclude(reminders__on=on).select_related("account")
    if owner_ids is not None:
        owing = owing.filter(pk__in=owner_ids)
    reminders = Reminder.objects.bulk_create(
        Reminder(
            association=association,
            owner=owner,
            on=on,
            owed=-owner.account.balance,
            email=owner.email,
            reminded_by=duties.person(actor),
        )
        for owner in owing.order_by("number")
    )
    for reminder in reminders:
        note(actor, "owner.remind", reminder, association=association)
    if reminders:
        after_commit(lambda: wake("mail_owners"))
    return reminders
