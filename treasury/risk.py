"""How closely a request wants to be looked at before it is decided. Pure: no ORM.

It orders the queue of those who approve: what is unusual first, then what has waited longest. It is
decided when a request is made or changed; nothing is ever refused by it.
"""

from datetime import timedelta
from enum import IntEnum

# The same payee and amount within this time look like one invoice that was handed in twice.
LOOKS_TWICE_WITHIN = timedelta(days=90)


class Risk(IntEnum):
    """From what is done every day to what goes wrong when nobody looks."""

    ORDINARY = 1
    RAISED = 2
    HIGH = 3

    @property
    def label(self) -> str:
        return self.name.capitalize()


def of_request(
    *, new_payee: bool, new_destination: bool, looks_paid_twice: bool, above_tier: bool
) -> Risk:
    """Return the risk of paying: a changed destination and a repetition are how money is lost."""
    if new_destination or looks_paid_twice:
        return Risk.HIGH
    if new_payee or above_tier:
        return Risk.RAISED
    return Risk.ORDINARY
