"""The one way a message leaves: handed to the mail server; one with a code is kept and logged nowhere."""

from dataclasses import dataclass, field

from django.conf import settings
from django.core.mail import EmailMessage

from treasury.models import Question

TEXT = """\
You are about to pay {money} to {payee} ({destination}, {method}).

Your code for this payment:

{otp}

It is good for five minutes and for this payment alone. If you did not ask for it, somebody may be
using your account: tell your CFO.
"""


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """A code and what its reader must see to know what he confirms; ``destination`` is masked."""

    to: str
    money: str
    payee: str
    destination: str
    method: str
    otp: str = field(repr=False)


def send_code(message: CodeMessage) -> None:
    """Hand the message to the mail server; raises what the mail server raises."""
    text = TEXT.format(
        money=message.money,
        payee=message.payee,
        destination=message.destination,
        method=message.method,
        otp=message.otp,
    )
    EmailMessage(subject=f"Code for {message.money}", body=text, to=[message.to]).send()


SET_TEXT = """\
You are about to approve {count} requests at once: {totals}.

Your code for exactly this set:

{otp}

It is good for five minutes and for these requests as they are now. If you did not ask for it, somebody may
be using your account: tell your administrator.
"""

QUESTION_TEXT = """\
{asked_by} asks about a request of yours before deciding on it:

{text}

Answer it here: {address}
"""


@dataclass(frozen=True, slots=True)
class SetCodeMessage:
    """A code for many requests, and what its reader must see to know what he confirms."""

    to: str
    count: int
    totals: str
    otp: str = field(repr=False)


def send_set_code(message: SetCodeMessage) -> None:
    """Hand the message to the mail server; raises what the mail server raises."""
    text = SET_TEXT.format(count=message.count, totals=message.totals, otp=message.otp)
    subject = f"Code for {message.count} requests, {message.totals}"
    EmailMessage(subject=subject, body=text, to=[message.to]).send()


def send_question(question: Question) -> None:
    """Mail a question to whoever is to answer it; without an address it waits on his page alone."""
    if not question.asked_of.email:
        return
    text = QUESTION_TEXT.format(
        asked_by=question.asked_by,
        text=question.text,
        address=f"{settings.BURSAR_PUBLIC_URL}/approvals/questions/",
    )
    EmailMessage(
        subject="A question about your request", body=text, to=[question.asked_of.email]
    ).send()
