"""Treasury in plain Python: who may do what when, and what it does to the money. Cash and M-Pesa, one fund."""

from __future__ import annotations

from dataclasses import dataclass, field

ROLES: dict[str, set[str]] = {
    "requester": {"requester"},
    "approver": {"approver"},
    "cfo": {"cfo"},
    "treasurer": {"treasurer"},
    "second_treasurer": {"treasurer"},
    "reconciler": {"reconciler"},
    "everything": {"requester", "approver", "cfo", "treasurer", "reconciler"},
}
ONE_APPROVAL_UP_TO = 500
CODE_ABOVE = 300
MOST_RETRIES = 3
OPEN = {"executing", "unknown", "review"}
PAID = {"success", "reconciled"}
STARTED = OPEN | PAID | {"failed", "reversed"}


def is_a(who: str, *roles: str) -> bool:
    return not ROLES[who].isdisjoint(roles)


@dataclass
class Requisition:
    amount: int
    method: str
    by: str
    status: str = "submitted"
    approvals: dict[str, str] = field(default_factory=dict)


@dataclass
class Payment:
    requisition: Requisition
    amount: int
    status: str = "pending"
    executor: str = ""
    verified: bool = False
    code_for: str = ""
    failures: int = 0
    books: int = 0
    variance: tuple[str, int] | None = None
    proposal: tuple[str, str] | None = None
    reversal: str = ""

    @property
    def needs_code(self) -> bool:
        return self.amount > CODE_ABOVE


@dataclass
class Replenishment:
    amount: int
    by: str
    status: str = "pending"
    approved_by: str = ""


@dataclass
class Treasury:
    """Each method returns whether the command is allowed, and does it if so."""

    balance: int
    requisitions: list[Requisition] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    replenishments: list[Replenishment] = field(default_factory=list)

    @property
    def held(self) -> int:
        return sum(one.amount for one in self.payments if one.status in OPEN)

    def payments_of(self, requisition: Requisition) -> list[Payment]:
        return [one for one in self.payments if one.requisition is requisition]

    def committed(self, requisition: Requisition) -> int:
        live = (
            one
            for one in self.payments_of(requisition)
            if one.status not in {"cancelled", "reversed"}
        )
        return sum(one.amount for one in live)

    # --- Requisitions -----------------------------------------------------------------------------------

    def request(self, who: str, amount: int, method: str) -> bool:
        if not is_a(who, "requester"):
            return False
        self.requisitions.append(Requisition(amount, method, who))
        return True

    def _withdrawn(self, one: Requisition, who: str) -> bool:
        """Whether its requester may still take it back; what is pending goes with it."""
        mine = self.payments_of(one)
        started = any(payment.status in STARTED for payment in mine)
        if one.by != who or not is_a(who, "requester") or started:
            return False
        for payment in mine:
            payment.status = "cancelled"
        return True

    def edit(self, one: Requisition, who: str, amount: int) -> bool:
        if one.status not in {"submitted", "approved"} or not self._withdrawn(one, who):
            return False
        one.amount, one.status = amount, "submitted"
        one.approvals.clear()
        return True

    def withdraw(self, one: Requisition, who: str) -> bool:
        if one.status not in {"submitted", "approved"} or not self._withdrawn(one, who):
            return False
        one.status = "cancelled"
        return True

    def approve(self, one: Requisition, who: str) -> bool:
        if not is_a(who, "approver", "cfo") or who == one.by or one.status != "submitted":
            return False
        if who in one.approvals:
            return False
        both = one.amount > ONE_APPROVAL_UP_TO
        missing = {"approver", "cfo"} - (set(one.approvals.values()) if both else set())
        role = next((role for role in ("cfo", "approver") if role in ROLES[who] & missing), "")
        if not role:
            return False
        one.approvals[who] = role
        if not both or len(one.approvals) == 2:
            one.status = "approved"
        return True

    def reject(self, one: Requisition, who: str) -> bool:
        if not is_a(who, "approver", "cfo") or who == one.by or one.status != "submitted":
            return False
        one.status = "rejected"
        return True

    # --- Payments ---------------------------------------------------------------------------------------

    def pay(self, one: Requisition, who: str, amount: int) -> bool:
        left = one.amount - self.committed(one)
        if not is_a(who, "treasurer") or one.status != "approved" or not 0 < amount <= left:
            return False
        self.payments.append(Payment(one, amount))
        return True

    def change(self, one: Payment, who: str, amount: int) -> bool:
        left = one.requisition.amount - self.committed(one.requisition) + one.amount
        if not is_a(who, "treasurer") or one.status != "pending" or amount > left:
            return False
        one.amount = amount
        one.executor, one.code_for, one.verified = "", "", False
        return True

    def cancel(self, one: Payment, who: str) -> bool:
        if not is_a(who, "treasurer") or one.status not in {"pending", "failed"}:
            return False
        one.status = "cancelled"
        return True

    def retry(self, one: Payment, who: str) -> bool:
        if not is_a(who, "treasurer") or one.status != "failed" or one.failures >= MOST_RETRIES:
            return False
        one.status, one.executor, one.code_for, one.verified = "pending", "", "", False
        return True

    def _may_execute(self, one: Payment, who: str) -> bool:
        return (
            is_a(who, "treasurer")
            and who != one.requisition.by
            and who not in one.requisition.approvals
        )

    def send_code(self, one: Payment, who: str) -> bool:
        if not self._may_execute(one, who) or one.status != "pending":
            return False
        if one.requisition.status != "approved":
            return False
        one.executor = one.code_for = who
        one.verified = False
        return True

    def verify(self, one: Payment, who: str, *, right: bool) -> bool:
        ready = one.status == "pending" and one.code_for == who and not one.verified
        if not (ready and self._may_execute(one, who) and right):
            return False
        one.verified = True
        return True

    def execute(self, one: Payment, who: str) -> bool:
        if not self._may_execute(one, who) or one.status != "pending":
            return False
        verified = one.verified and one.executor == who
        if one.requisition.status != "approved" or (one.needs_code and not verified):
            return False
        if one.amount > self.balance - self.held:
            return False
        one.executor, one.code_for, one.verified = who, "", False
        if one.requisition.method == "mpesa":
            one.status = "executing"
        else:
            self._settle(one)
        return True

    def _settle(self, one: Payment) -> None:
        one.status, one.books, one.proposal = "success", one.amount, None
        self.balance -= one.amount
        paid = sum(p.amount for p in self.payments_of(one.requisition) if p.status in PAID)
        if paid == one.requisition.amount:
            one.requisition.status = "paid"

    def outcome(self, one: Payment, found: str) -> None:
        """What the gateway, asked, says of a payment that is out."""
        if found == "paid":
            self._settle(one)
        elif found == "not_paid":
            one.status, one.failures, one.proposal = "failed", one.failures + 1, None
        else:
            one.status = found

    def resolve(self, one: Payment, who: str, found: str) -> bool:
        if not is_a(who, "treasurer", "cfo") or who == one.requisition.by or one.status != "review":
            return False
        if one.proposal is None or one.proposal[0] == who:
            one.proposal = (who, found)
            return True
        if who == one.executor or one.proposal[1] != found:
            return False
        self.outcome(one, found)
        return True

    def reconcile(self, one: Payment, who: str) -> bool:
        if not is_a(who, "reconciler") or who == one.executor or one.status != "success":
            return False
        one.status = "reconciled"
        return True

    # --- Corrections ------------------------------------------------------------------------------------

    def record_variance(self, one: Payment, who: str, adjusted: int) -> bool:
        if not is_a(who, "treasurer", "reconciler") or one.status not in PAID:
            return False
        if one.variance or adjusted == one.books:
            return False
        one.variance = (who, adjusted)
        return True

    def decide_variance(self, one: Payment, who: str, *, agree: bool) -> bool:
        if one.variance is None or not is_a(who, "cfo") or one.variance[0] == who:
            return False
        _, adjusted = one.variance
        if agree:
            if one.status not in PAID or adjusted - one.books > self.balance - self.held:
                return False
            self.balance -= adjusted - one.books
            one.books = adjusted
        one.variance = None
        return True

    # --- Replenishments ---------------------------------------------------------------------------------

    def replenish(self, who: str, amount: int) -> bool:
        is_open = any(one.status in {"pending", "approved"} for one in self.replenishments)
        if not is_a(who, "treasurer") or is_open:
            return False
        self.replenishments.append(Replenishment(amount, who))
        return True

    def approve_replenishment(self, one: Replenishment, who: str) -> bool:
        if not is_a(who, "cfo") or who == one.by or one.status != "pending":
            return False
        one.status, one.approved_by = "approved", who
        return True

    def reject_replenishment(self, one: Replenishment, who: str) -> bool:
        if not is_a(who, "cfo") or who == one.by or one.status not in {"pending", "approved"}:
            return False
        one.status = "rejected"
        return True

    def fund(self, one: Replenishment, who: str) -> bool:
        if not is_a(who, "treasurer") or who == one.approved_by or one.status != "approved":
            return False
        one.status = "funded"
        self.balance += one.amount
        return True
