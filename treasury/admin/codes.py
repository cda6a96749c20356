"""Giving back a code that was sent."""

from typing import Any

from ledger.admin.steps import StepForm, line

SIX_DIGITS = {
    "inputmode": "numeric",
    "autocomplete": "one-time-code",
    "placeholder": "six digits",
    "autofocus": True,
}


def code_field(**options: Any) -> Any:
    """The field for a code, whichever way it was sent."""
    return line("Code from your message", attrs=SIX_DIGITS, max_length=12, **options)


class Code(StepForm):
    otp = code_field()
