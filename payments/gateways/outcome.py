"""What a call to a gateway meant for the money: exactly one class, whatever happened.

======================  =================================================================
``ACCEPTED``            taken; the result comes later
``SUCCEEDED``           the gateway says that the money moved
``FAILED_FINAL``        the gateway says that it did not move and will not
``RETRYABLE``           certainly not accepted; send the same reference again, later
``UNKNOWN``             may have been accepted; keep the hold, ask, never send a new reference
``CONFIG``              our credentials, roles or addresses are wrong; stop the provider
======================  =================================================================

A code that is in no table is ``UNKNOWN``, never ``FAILED_FINAL``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class OutcomeClass(StrEnum):
    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED_FINAL = "failed_final"
    RETRYABLE = "retryable"
    UNKNOWN = "unknown"
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One class, and what the gateway said.

    ``code`` is the gateway's own, or one of ours in lower case (``deadline``, ``not_found``);
    ``provider_reference`` the receipt; ``conversation_id`` the gateway's id of this conversation;
    ``reference`` our own id of the payment as the gateway repeats it; ``amount`` as it names it;
    ``completed_at`` when it says the money moved; ``retry_after_s`` how long it asks to be left alone;
    ``passes_after_s`` after how long the cause of a definite refusal may be over, None where it never is by
    itself.
    ``raw`` is unredacted and for comparing, not for logging.
    """

    outcome_class: OutcomeClass
    code: str
    message: str
    provider_reference: str = ""
    conversation_id: str = ""
    reference: str = ""
    amount: Decimal | None = None
    completed_at: datetime | None = None
    retry_after_s: int | None = None
    passes_after_s: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
