"""The one way a message with a code leaves: handed to the mail server, kept and logged nowhere."""

from dataclasses import dataclass, field

from django.core.mail import EmailMessage

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
