"""Who may ask what: every address and verb of the API, and the roles that it is open to.

Everybody with a reading role at the place may read; a verb that writes names its roles. Whoever may write
is let through to his input, so that a body which says nothing meaningful answers 400 and changes nothing.
"""

from dataclasses import dataclass
from enum import Enum

from ledger.roles import Role

READERS = frozenset(Role) - {Role.OWNER}
APPROVERS = frozenset({Role.APPROVER, Role.CFO})
REQUESTER = frozenset({Role.REQUESTER})
TREASURER = frozenset({Role.TREASURER})
CFO = frozenset({Role.CFO})
RECORDERS = frozenset({Role.TREASURER, Role.RECONCILER})
KEEPERS = RECORDERS | CFO


class Kind(Enum):
    """What the address names, and so what someone out of scope is answered."""

    LIST = "a list: empty to who sees nothing"
    MAKE = "a list to which is added: 403 without the role"
    OBJECT = "an object of a branch: 404 to who does not see it"
    COMPANY = "something of the company as a whole: seen by its members everywhere"
    WHOLE = "tells about all of a company: 404 to who belongs to a part of it"
    HIS_OWN = "seen by the person it belongs to alone: here the requester"
    EVERYONE = "about the caller himself"
    NOBODY = "open to everyone, signed in or not"


@dataclass(frozen=True, slots=True)
class Expected:
    """What one verb at one address is answered when the caller may: ``status``, and who may.

    ``whole_company``: a role in a branch is not enough. ``his_own``: of those who have the role, only the one person that the object belongs to.
    """

    kind: Kind
    roles: frozenset[Role] = READERS
    status: int = 200
    his_own: bool = False
    whole_company: bool = False


def reading(kind: Kind) -> dict[str, Expected]:
    return {"get": Expected(kind)}


def doing(*, by: frozenset[Role], his_own: bool = False) -> dict[str, Expected]:
    return {"post": Expected(Kind.OBJECT, by, 400, his_own)}


def listing(*, made_by: frozenset[Role] = frozenset()) -> dict[str, Expected]:
    verbs = reading(Kind.LIST)
    if made_by:
        verbs["post"] = Expected(Kind.MAKE, made_by, 400)
    return verbs


def showing(
    *, edited_by: frozenset[Role] = frozenset(), his_own: bool = False
) -> dict[str, Expected]:
    verbs = reading(Kind.OBJECT)
    if edited_by:
        verbs["patch"] = Expected(Kind.OBJECT, edited_by, 400, his_own)
    return verbs


FUND = "api/funds/<uuid:fund_id>/"
REQUISITION = "api/requisitions/<uuid:requisition_id>/"
PAYMENT = "api/payments/<uuid:payment_id>/"
BATCH = "api/batches/<uuid:batch_id>/"
VARIANCE = "api/variances/<uuid:variance_id>/"
PROVIDER = "api/providers/<uuid:provider_id>/"
BANK_FILE = "api/bank-files/<uuid:file_id>/"
BANK_REPORT = "api/bank-reports/<uuid:report_id>/"
REPLENISHMENT = "api/replenishments/<uuid:request_id>/"
DELEGATION = "api/delegations/<uuid:delegation_id>/"
QUESTION = "api/questions/<uuid:question_id>/"
ACCOUNT = "api/ledger/accounts/<uuid:account_id>/"
ASSOCIATION = "api/associations/<uuid:association_id>/"
OWNER = "api/owners/<uuid:owner_id>/"
PROPERTY = "api/properties/<uuid:property_id>/"
PERIOD = "api/periods/<uuid:period_id>/"
CONTRIBUTION = "api/contributions/<uuid:contribution_id>/"
EXPENSE = "api/expenses/<uuid:expense_id>/"
CHARGE = "api/charges/<uuid:charge_id>/"
BUDGET_ITEM = "api/budget-items/<uuid:item_id>/"
INSTALMENT_PLAN = "api/instalment-plans/<uuid:plan_id>/"
METER = "api/meters/<uuid:meter_id>/"
READING = "api/readings/<uuid:reading_id>/"

WEBHOOK = "api/webhooks/<uuid:webhook_id>/"
DELIVERY = WEBHOOK + "deliveries/<uuid:delivery_id>/"


def of_company(*, by: frozenset[Role], status: int = 400) -> dict[str, Expected]:
    return {"post": Expected(Kind.COMPANY, by, status, whole_company=True)}


ROUTES: dict[str, dict[str, Expected]] = {
    "api/schema/": {"get": Expected(Kind.NOBODY)},
    "api/docs/": {"get": Expected(Kind.NOBODY)},
    "api/auth/token/": {"post": Expected(Kind.NOBODY, status=400)},
    "api/auth/logout/": {"post": Expected(Kind.EVERYONE)},
    "api/auth/step-up/": {"post": Expected(Kind.EVERYONE, status=400)},
    "api/me/": reading(Kind.EVERYONE) | {"patch": Expected(Kind.EVERYONE, status=400)},
    "api/companies/": listing(),
    "api/companies/<uuid:company_id>/": reading(Kind.COMPANY),
    "api/regions/": listing(),
    "api/regions/<uuid:region_id>/": reading(Kind.COMPANY),
    "api/branches/": listing(),
    "api/branches/<uuid:branch_id>/": reading(Kind.COMPANY),
    "api/ledger/accounts/": listing(),
    ACCOUNT: reading(Kind.WHOLE),
    ACCOUNT + "balance/": reading(Kind.WHOLE),
    ACCOUNT + "statement/": reading(Kind.WHOLE),
    "api/ledger/journal/": listing(),
    "api/ledger/journal/<uuid:entry_id>/": reading(Kind.WHOLE),
    "api/ledger/trial_balance/": reading(Kind.WHOLE),
    "api/audit/": listing(),
    "api/audit/<uuid:event_id>/": reading(Kind.WHOLE),
    "api/funds/": listing(),
    FUND: showing(),
    FUND + "balance/": showing(),
    FUND + "replenish/": doing(by=TREASURER),
    "api/requisitions/": listing(made_by=REQUESTER),
    REQUISITION: showing(edited_by=REQUESTER, his_own=True),
    REQUISITION + "approve/": doing(by=APPROVERS),
    REQUISITION + "reject/": doing(by=APPROVERS),
    REQUISITION + "cancel/": doing(by=REQUESTER, his_own=True),
    REQUISITION + "ask/": doing(by=APPROVERS),
    REQUISITION + "history/": showing(),
    REQUISITION + "attachments/": showing() | doing(by=REQUESTER, his_own=True),
    REQUISITION + "attachments/<uuid:attachment_id>/": showing(),
    "api/payments/": listing(made_by=TREASURER),
    PAYMENT: showing(edited_by=TREASURER),
    PAYMENT + "attempts/": showing(),
    PAYMENT + "history/": showing(),
    PAYMENT + "voucher/": {"get": Expected(Kind.OBJECT, status=409)},
    PAYMENT + "send_otp/": doing(by=TREASURER),
    PAYMENT + "verify_otp/": doing(by=TREASURER, his_own=True),
    PAYMENT + "execute/": doing(by=TREASURER),
    PAYMENT + "reconcile/": doing(by=frozenset({Role.RECONCILER})),
    PAYMENT + "record_variance/": doing(by=frozenset({Role.TREASURER, Role.RECONCILER})),
    PAYMENT + "cancel/": doing(by=TREASURER),
    PAYMENT + "retry/": doing(by=TREASURER),
    PAYMENT + "resolve/": doing(by=frozenset({Role.TREASURER, Role.CFO})),
    PAYMENT + "reverse/": doing(by=frozenset({Role.TREASURER, Role.RECONCILER, Role.CFO})),
    PAYMENT + "clear_late_success/": doing(by=frozenset({Role.TREASURER, Role.CFO})),
    "api/batches/": listing(made_by=TREASURER | REQUESTER),
    BATCH: showing(),
    BATCH + "rows/": showing(),
    BATCH + "history/": showing(),
    BATCH + "approve/": doing(by=CFO),
    BATCH + "send_otp/": doing(by=TREASURER),
    BATCH + "verify_otp/": doing(by=TREASURER, his_own=True),
    BATCH + "execute/": doing(by=TREASURER),
    BATCH + "pause/": doing(by=TREASURER | CFO),
    BATCH + "resume/": doing(by=TREASURER),
    BATCH + "cancel/": doing(by=TREASURER | CFO),
    "api/variances/": listing(),
    VARIANCE: showing(),
    VARIANCE + "approve/": doing(by=CFO),
    VARIANCE + "reject/": doing(by=CFO),
    VARIANCE + "ask/": doing(by=CFO),
    VARIANCE + "history/": showing(),
    "api/replenishments/": listing(),
    REPLENISHMENT: showing(),
    REPLENISHMENT + "approve/": doing(by=CFO),
    REPLENISHMENT + "fund/": doing(by=TREASURER),
    REPLENISHMENT + "reject/": doing(by=CFO),
    REPLENISHMENT + "ask/": doing(by=CFO),
    REPLENISHMENT + "history/": showing(),
    "api/limits/": listing(made_by=CFO),
    "api/limits/<uuid:limit_id>/": reading(Kind.COMPANY)
    | {"patch": Expected(Kind.COMPANY, CFO, 400, whole_company=True)},
    "api/holidays/": listing(made_by=CFO),
    "api/holidays/<uuid:holiday_id>/remove/": {
        "post": Expected(Kind.COMPANY, CFO, 400, whole_company=True)
    },
    "api/payment_rules/<uuid:company_id>/": reading(Kind.COMPANY)
    | {"patch": Expected(Kind.COMPANY, CFO, 400, whole_company=True)},
    "api/delegations/": listing(made_by=APPROVERS),
    DELEGATION: reading(Kind.COMPANY),
    DELEGATION + "end/": {"post": Expected(Kind.COMPANY, CFO, 400)},
    DELEGATION + "history/": reading(Kind.COMPANY),
    "api/questions/": listing(),
    QUESTION: reading(Kind.HIS_OWN),
    QUESTION + "answer/": {"post": Expected(Kind.HIS_OWN, REQUESTER, 400)},
    "api/providers/": listing(made_by=CFO),
    PROVIDER: reading(Kind.COMPANY)
    | {"patch": Expected(Kind.COMPANY, CFO, 400, whole_company=True)},
    PROVIDER + "stop/": {"post": Expected(Kind.COMPANY, TREASURER | CFO, 400, whole_company=True)},
    PROVIDER + "resume/": {"post": Expected(Kind.COMPANY, CFO, 400, whole_company=True)},
    PROVIDER + "history/": reading(Kind.COMPANY),
    "api/bank-files/": listing(made_by=TREASURER),
    BANK_FILE: showing(),
    BANK_FILE + "content/": {
        "get": Expected(Kind.OBJECT, frozenset({Role.TREASURER, Role.CFO, Role.AUDITOR}))
    },
    BANK_FILE + "payments/": showing(),
    BANK_FILE + "history/": showing(),
    "api/bank-reports/": listing(made_by=frozenset({Role.TREASURER, Role.RECONCILER})),
    BANK_REPORT: showing(),
    BANK_REPORT + "rows/": showing(),
    BANK_REPORT + "history/": showing(),
    "api/ledger/": listing(),
    "api/ledger/by_fund/": showing(),
    "api/ledger/<uuid:entry_id>/": showing(),
    "api/events/": listing(),
    "api/events/<uuid:event_id>/": reading(Kind.WHOLE),
    "api/webhooks/": listing(made_by=CFO),
    WEBHOOK: reading(Kind.COMPANY)
    | {"patch": Expected(Kind.COMPANY, CFO, 400, whole_company=True)},
    WEBHOOK + "disable/": of_company(by=CFO),
    WEBHOOK + "enable/": of_company(by=CFO),
    WEBHOOK + "rotate/": of_company(by=CFO),
    WEBHOOK + "test/": of_company(by=CFO),
    WEBHOOK + "history/": reading(Kind.COMPANY),
    WEBHOOK + "deliveries/": reading(Kind.WHOLE),
    DELIVERY: reading(Kind.WHOLE),
    DELIVERY + "replay/": {"post": Expected(Kind.WHOLE, CFO, 400)},
    "api/associations/": listing(made_by=KEEPERS),
    ASSOCIATION: showing(edited_by=KEEPERS),
    ASSOCIATION + "history/": showing(),
    ASSOCIATION + "opening-balances/": {"get": Expected(Kind.OBJECT, status=404)}
    | doing(by=KEEPERS),
    ASSOCIATION + "late-fee-rule/": showing(edited_by=KEEPERS),
    "api/owners/": listing(made_by=KEEPERS),
    OWNER: showing(edited_by=KEEPERS),
    OWNER + "history/": showing(),
    "api/properties/": listing(made_by=KEEPERS),
    PROPERTY: showing(edited_by=KEEPERS),
    PROPERTY + "transfers/": doing(by=KEEPERS),
    PROPERTY + "history/": showing(),
    "api/meters/": listing(made_by=KEEPERS),
    METER: showing(edited_by=KEEPERS),
    METER + "history/": showing(),
    "api/periods/": listing(made_by=KEEPERS),
    PERIOD: showing(edited_by=CFO),
    PERIOD + "close/": doing(by=CFO),
    PERIOD + "reopen/approve/": doing(by=CFO),
    PERIOD + "reopen/reject/": doing(by=CFO),
    PERIOD + "reopen/withdraw/": doing(by=CFO),
    PERIOD + "recalculations/": showing(),
    PERIOD + "history/": showing(),
    PERIOD + "balance-sheet/": showing(),
    PERIOD + "balances/<uuid:owner_id>/": showing(),
    PERIOD + "statements/": showing() | doing(by=KEEPERS),
    PERIOD + "statements/<uuid:owner_id>/": showing(),
    PERIOD + "instalments/": showing() | doing(by=RECORDERS),
    PERIOD + "late-fees/": showing() | doing(by=RECORDERS),
    INSTALMENT_PLAN: showing(),
    INSTALMENT_PLAN + "withdraw/": doing(by=RECORDERS),
    INSTALMENT_PLAN + "history/": showing(),
    PERIOD + "contributions/": showing() | doing(by=RECORDERS),
    PERIOD + "expenses/": showing() | doing(by=RECORDERS),
    PERIOD + "charges/": showing() | doing(by=RECORDERS),
    PERIOD + "budget-items/": showing() | doing(by=RECORDERS),
    PERIOD + "budget-items/take-over/": doing(by=RECORDERS),
    PERIOD + "readings/": showing() | doing(by=RECORDERS),
    CONTRIBUTION: showing(edited_by=RECORDERS),
    CONTRIBUTION + "void/": doing(by=RECORDERS),
    CONTRIBUTION + "history/": showing(),
    EXPENSE: showing(edited_by=RECORDERS),
    EXPENSE + "void/": doing(by=RECORDERS),
    # By others than requesters only what they recorded themselves.
    EXPENSE + "pay/": doing(by=REQUESTER),
    EXPENSE + "history/": showing(),
    CHARGE: showing(edited_by=RECORDERS),
    CHARGE + "void/": doing(by=RECORDERS),
    CHARGE + "history/": showing(),
    BUDGET_ITEM: showing(edited_by=RECORDERS),
    BUDGET_ITEM + "history/": showing(),
    READING: showing(edited_by=RECORDERS),
    READING + "void/": doing(by=RECORDERS),
    READING + "history/": showing(),
    "api/callbacks/<slug:short>/<uuid:attempt_id>/<slug:token>/": {
        "post": Expected(Kind.NOBODY, status=404)
    },
}
