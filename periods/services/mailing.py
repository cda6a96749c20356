"""Mailing owners what waits for it: statements and reminders, outside of any transaction.

A mail is claimed before it is handed over and marked after: one that was claimed and not marked goes out once
more ten minutes later, so that it comes twice rather than never.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F

from ledger.clock import DatabaseClock, database_now
from ledger.money import Money
from periods import locks
from periods.models import Reminder, Statement
from periods.models.statement import Mailed
from periods.statements import typeset

logger = logging.getLogger(__name__)
Mail = TypeVar("Mail", bound=Mailed)
AT_ONCE = 500
PATIENCE = timedelta(minutes=10)

STATEMENT_TEXT = """\
{owner},

here is your statement of {period} ({number}).

{verdict}: {closing}

Every figure on it can be recomputed by hand. If something is not right, answer this mail.

{association}
"""
REMINDER_TEXT = """\
{owner},

on {on:%d %b %Y} you owe {association} {owed}.

If you have paid meanwhile, disregard this. Your statements are at {address}

{association}
"""


def mail_owners() -> int:
    """Mail what is due; return how many mails were handed over."""
    handed_over = 0
    for _ in range(AT_ONCE):
        if not (_mail_next(Statement, _statement) or _mail_next(Reminder, _reminder)):
            break
        handed_over += 1
    return handed_over


def _mail_next(model: type[Mail], write: Callable[[Mail], EmailMessage]) -> bool:
    """Claim, hand over and mark one mail; False when none is due, or mail cannot be sent now."""
    with transaction.atomic():
        row = locks.lock_due_mail(model)
        if row is None:
            return False
        row.tries = F("tries") + 1
        row.try_at = database_now() + PATIENCE
        row.save(update_fields=["tries", "try_at"])
    try:
        write(row).send()
    except OSError:
        # The server of mails does not answer: the row waits, and the next pass finds it.
        logger.exception("a mail to an owner was not handed over", extra={"code": "mail_failed"})
        return False
    model._default_manager.filter(pk=row.pk).update(sent_at=DatabaseClock())
    return True


def _statement(statement: Statement) -> EmailMessage:
    facts = statement.facts
    subject = _one_line(f"{facts['association']}: statement of {facts['period']}")
    mail = EmailMessage(subject, STATEMENT_TEXT.format(**facts), to=[statement.email])
    mail.attach(f"statement-{facts['number']}.pdf", typeset(facts), "application/pdf")
    return mail


def _reminder(reminder: Reminder) -> EmailMessage:
    association = reminder.association
    text = REMINDER_TEXT.format(
        owner=reminder.owner.name,
        association=association.name,
        on=reminder.on,
        owed=Money(reminder.owed, association.currency),
        address=f"{settings.BURSAR_PUBLIC_URL}/owner/",
    )
    subject = _one_line(f"{association.name}: what you owe")
    return EmailMessage(subject, text, to=[reminder.email])


def _one_line(text: str) -> str:
    """Return what people wrote as a header can carry it: a line's end there would begin another header."""
    return " ".join(text.split())
