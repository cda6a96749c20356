"""The one way a message leaves: by mail, or as a text to the phone where its reader wants codes there.

One with a code is kept and logged nowhere.
"""

from dataclasses import dataclass, field
from typing import Self

from django.conf import settings
from django.core.mail import EmailMessage

from ledger.models import User
from ledger.money import Money
from ledger.refusals import Conflict
from treasury.models import Payment, Question
from treasury.sms import send_sms

TEXT = """\
You are about to pay {money} to {payee} ({destination}, {method}).

Your code for this payment:

{otp}

It is good for five minutes and for this payment alone. If you did not ask for it, somebody may be
using your account: tell your CFO.
"""


SHORT_TEXT = """\
{otp}
is your Bursar code for {subject}. Good for five minutes. Not you? Tell your CFO.
"""
SHORT_REMINDER = "Bursar: {about} and waits for your code. Please sign in."
LONGEST_SUBJECT = 70


class NoAddress(Conflict):
    """There is nowhere to send a code to."""

    code = "no_email_address"
    title = "No address"


DUE = """\
The payment of {money} to {payee} that you scheduled is due on {day} and needs a code.

Please sign in, ask for the code and execute it. It stays pending until then.
"""


REFUSED = """\
The payment of {money} to {payee} that you executed was refused: {said}.

The cause may be over by now. It is pending again and needs a code: please sign in, ask for the code and
execute it, or cancel it.
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Where codes reach a person: an e-mail address, or a phone where that is what he chose."""

    email: str
    phone: str = ""

    @classmethod
    def of(cls, user: User) -> Self:
        """Return where the user's codes go; raise ``NoAddress`` when that is nowhere."""
        phone = user.phone if user.code_channel == User.Channel.SMS else None
        if not phone and not user.email:
            raise NoAddress("You have no e-mail address to send a code to.")
        return cls(user.email, phone or "")


def hand_over(to: Reader, *, subject: str, text: str, about: str, otp: str) -> None:
    """Send a code where its reader wants it: ``text`` by mail, or a few words ``about`` it to a phone.

    Raises what the mail server or ``send_sms`` raises; the reader then asks for another code.
    """
    if to.phone:
        send_sms(to=to.phone, text=SHORT_TEXT.format(otp=otp, subject=about[:LONGEST_SUBJECT]))
    else:
        EmailMessage(subject=subject, body=text, to=[to.email]).send()


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """A code and what its reader must see to know what he confirms; ``destination`` is masked."""

    to: Reader
    money: str
    payee: str
    destination: str
    method: str
    otp: str = field(repr=False)


def send_code(message: CodeMessage) -> None:
    """Hand the message over; raises what ``hand_over`` raises."""
    text = TEXT.format(
        money=message.money,
        payee=message.payee,
        destination=message.destination,
        method=message.method,
        otp=message.otp,
    )
    about = f"{message.money} to {message.payee}"
    subject = f"Code for {message.money}"
    hand_over(message.to, subject=subject, text=text, about=about, otp=message.otp)


# How many requests of a set its mail names: enough to see that the set is the one that was meant.
MOST_NAMED = 20
SET_TEXT = """\
You are about to approve {count} requests at once: {totals}.
{named}

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

    to: Reader
    count: int
    totals: str
    named: list[str]
    otp: str = field(repr=False)


def send_set_code(message: SetCodeMessage) -> None:
    """Hand the message over, which names the first of the set; raises what ``hand_over`` raises."""
    lines = [f"- {one}" for one in message.named[:MOST_NAMED]]
    if (more := message.count - len(lines)) > 0:
        lines.append(f"and {more} more.")
    named = "\n".join(lines)
    text = SET_TEXT.format(count=message.count, totals=message.totals, named=named, otp=message.otp)
    about = f"{message.count} requests, {message.totals}"
    hand_over(message.to, subject=f"Code for {about}", text=text, about=about, otp=message.otp)


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


BATCH_TEXT = """\
You are about to pay {count} payees {total} in all: {name}.
The largest of them:
{largest}

Your code for exactly this batch:

{otp}

It is good for five minutes and for this batch as it is now. If you did not ask for it, somebody may be
using your account: tell your CFO.
"""


@dataclass(frozen=True, slots=True)
class BatchCodeMessage:
    """A code for a batch, and what its reader must see; destinations in ``largest`` are masked."""

    to: Reader
    name: str
    count: int
    total: str
    largest: list[str]
    otp: str = field(repr=False)


def send_batch_code(message: BatchCodeMessage) -> None:
    """Hand the message over; raises what ``hand_over`` raises."""
    text = BATCH_TEXT.format(
        count=message.count,
        total=message.total,
        name=message.name,
        largest="\n".join(f"- {line}" for line in message.largest),
        otp=message.otp,
    )
    about = f"{message.count} payments, {message.total}"
    hand_over(message.to, subject=f"Code for {about}", text=text, about=about, otp=message.otp)


def remind_of_due_payment(payment: Payment, *, to: User) -> None:
    """Tell whoever scheduled a payment that it is due and needs his code; names no destination."""
    money = Money(payment.amount, payment.currency)
    payee = payment.requisition.payee_name
    text = DUE.format(money=money, payee=payee, day=payment.due_on)
    remind(to, subject=f"Due: {money}", text=text, about=f"{money} to {payee} is due")


def remind(to: User, *, subject: str, text: str, about: str) -> None:
    """Tell a person that something waits for his code, where he wants codes: by mail, or a few words as a text.

    Nothing is sent where he has no address. Raises what the mail server or ``send_sms`` raises.
    """
    try:
        reader = Reader.of(to)
    except NoAddress:
        return
    if reader.phone:
        send_sms(to=reader.phone, text=SHORT_REMINDER.format(about=about[:LONGEST_SUBJECT]))
    else:
        EmailMessage(subject=subject, body=text, to=[reader.email]).send()


def remind_of_refused_payment(payment: Payment, *, to: User) -> None:
    """Tell whoever executed a payment that was refused that it may be tried again, with his code."""
    money = Money(payment.amount, payment.currency)
    payee = payment.requisition.payee_name
    text = REFUSED.format(money=money, payee=payee, said=payment.last_error.rstrip("."))
    remind(to, subject=f"Refused: {money}", text=text, about=f"{money} to {payee} was refused")
