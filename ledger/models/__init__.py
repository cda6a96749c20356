"""What the ledger keeps; one file per noun."""

from ledger.models.account import Account, AccountType, DailyTotal, Side
from ledger.models.audit import AuditEvent
from ledger.models.hold import Hold, HoldRelease
from ledger.models.idempotency import IdempotencyKey
from ledger.models.journal import JournalEntry, LedgerEntry
from ledger.models.key_fingerprint import KeyFingerprint, KeyVariable
from ledger.models.membership import Membership
from ledger.models.operation import LastDone, LedgerProof
from ledger.models.organisation import Branch, Company, Region
from ledger.models.outbox import OutboxEvent
from ledger.models.second_factor import SecondFactorUse, StepUp
from ledger.models.transition import StateTransition
from ledger.models.user import User
from ledger.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookTry

__all__ = [
    "Account",
    "AccountType",
    "AuditEvent",
    "Branch",
    "Company",
    "DailyTotal",
    "Hold",
    "HoldRelease",
    "IdempotencyKey",
    "JournalEntry",
    "KeyFingerprint",
    "KeyVariable",
    "LastDone",
    "LedgerEntry",
    "LedgerProof",
    "Membership",
    "OutboxEvent",
    "Region",
    "SecondFactorUse",
    "Side",
    "StateTransition",
    "StepUp",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookTry",
]
