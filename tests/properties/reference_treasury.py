"""Treasury in plain Python: what each command does, or the code with which it is refused.

Written from the promises (docs/api.md, docs/architecture.md), with no database, no locks and no gateway.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from tests.properties.reference_nouns import (
    ZERO,
    Attempt,
    Code,
    Payment,
    Replenishment,
    Requisition,
    Variance,
)

CODE_ABOVE = Decimal(1000)
ONE_APPROVAL_UP_TO = Decimal(5000)
MOST_TRIES = 5
MOST_FAILED_TRIES_A_DAY = 20
MOST_CODES_AN_HOUR = 3
MOST_CALLS = 8
PAID = frozenset({"success", "reconciled"})
OPEN = frozenset({"executing", "unknown", "review"})


class Refused(Exception):
    """The command does nothing, for this reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def refuse_if(so: bool, code: str) -> None:
    if so:
        raise Refused(code)


@dataclass
class Treasury:
    """One fund and everything that concerns it; ``roles`` says what each person may do."""

    roles: dict[str, Collection[str]]
    balance: Decimal
    reorder_level: Decimal
    target_level: Decimal
    requisitions: list[Requisition] = field(default_factory=list)
    replenishments: list[Replenishment] = field(default_factory=list)
    failed_tries: dict[str, int] = field(default_factory=dict)
    suspense: Decimal = ZERO

    @property
    def payments(self) -> list[Payment]:
        return [payment for one in self.requisitions for payment in one.payments]

    @property
    def held(self) -> Decimal:
        return sum((p.amount for p in self.payments if p.status in OPEN), ZERO)

    @property
    def available(self) -> Decimal:
        return self.balance - self.held

    def need(self, person: str, *roles: str) -> None:
        refuse_if(not set(roles) & set(self.roles[person]), "role_required")

    # --- Requisitions -------------------------------------------------------------------------------------

    def request(self, person: str, amount: Decimal, method: str) -> Requisition:
        self.need(person, "requester")
        self.requisitions.append(Requisition(amount, method, person))
        return self.requisitions[-1]

    def edit(self, person: str, wanted: Requisition, amount: Decimal) -> None:
        self._need_own(person, wanted)
        refuse_if(wanted.status not in {"submitted", "approved"}, "illegal_transition")
        self._withdraw_payments(wanted)
        wanted.amount, wanted.status, wanted.approvals = amount, "submitted", {}

    def withdraw(self, person: str, wanted: Requisition) -> None:
        self._need_own(person, wanted)
        refuse_if(wanted.status not in {"submitted", "approved"}, "illegal_transition")
        self._withdraw_payments(wanted)
        wanted.status = "cancelled"

    def approve(self, person: str, wanted: Requisition) -> None:
        self.need(person, "approver", "cfo")
        refuse_if(person == wanted.requester, "segregation_of_duties")
        refuse_if(wanted.status != "submitted", "illegal_transition")
        refuse_if(person in wanted.approvals, "already_approved")
        needed = {"approver", "cfo"} - set(wanted.approvals.values())
        fit = [role for role in ("cfo", "approver") if role in set(self.roles[person]) & needed]
        refuse_if(not fit, "already_approved")
        wanted.approvals[person] = fit[0]
        if wanted.amount <= ONE_APPROVAL_UP_TO or len(wanted.approvals) == 2:
            wanted.status = "approved"

    def reject(self, person: str, wanted: Requisition) -> None:
        self.need(person, "approver", "cfo")
        refuse_if(person == wanted.requester, "segregation_of_duties")
        refuse_if(wanted.status != "submitted", "illegal_transition")
        wanted.status = "rejected"

    def _need_own(self, person: str, wanted: Requisition) -> None:
        self.need(person, "requester")
        refuse_if(person != wanted.requester, "role_required")

    def _withdraw_payments(self, wanted: Requisition) -> None:
        standing = {"pending", "cancelled"}
        refuse_if(any(p.status not in standing for p in wanted.payments), "payment_started")
        pending = [p for p in wanted.payments if p.status == "pending"]
        refuse_if(any(p.is_late for p in pending), "late_success")
        for payment in pending:
            payment.status, payment.code = "cancelled", None

    # --- Payments -----------------------------------------------------------------------------------------

    def pay(self, person: str, wanted: Requisition, amount: Decimal | None) -> Payment:
        self.need(person, "treasurer")
        refuse_if(wanted.status != "approved", "requisition_not_approved")
        left = wanted.amount - wanted.committed
        refuse_if(left <= 0 or (amount or left) > left, "exceeds_approved_amount")
        payment = Payment(wanted, amount or left)
        payment.code_required = payment.amount > CODE_ABOVE
        wanted.payments.append(payment)
        return payment

    def change(self, person: str, payment: Payment, amount: Decimal) -> None:
        self.need(person, "treasurer")
        refuse_if(payment.status != "pending", "illegal_transition")
        committed = payment.requisition.committed - payment.amount + amount
        refuse_if(committed > payment.requisition.amount, "exceeds_approved_amount")
        payment.amount, payment.code_required = amount, amount > CODE_ABOVE
        payment.executor, payment.code = "", None

    def cancel(self, person: str, payment: Payment) -> None:
        self.need(person, "treasurer")
        refuse_if(payment.status not in {"pending", "failed"}, "illegal_transition")
        refuse_if(payment.is_late, "late_success")
        payment.status, payment.code = "cancelled", None

    def retry(self, person: str, payment: Payment) -> None:
        self.need(person, "treasurer")
        refuse_if(payment.status != "failed", "illegal_transition")
        refuse_if(payment.retries >= 3, "retry_limit")
        refuse_if(payment.is_late, "late_success")
        payment.status, payment.executor, payment.code = "pending", "", None

    def send_code(self, person: str, payment: Payment) -> None:
        self._need_executor(person, payment)
        refuse_if(payment.status != "pending", "illegal_transition")
        code = payment.code
        refuse_if(code is not None and code.executor == person, "too_many_requests")
        refuse_if(payment.codes_sent >= MOST_CODES_AN_HOUR, "too_many_requests")
        payment.executor, payment.code = person, Code(person)
        payment.codes_sent += 1

    def verify_code(self, person: str, payment: Payment, right: bool) -> None:
        """Spends a try before anything else, whatever follows."""
        code = payment.code
        spent = self._spend_try(person, code)
        self.need(person, "treasurer")
        refuse_if(person != payment.executor, "not_the_executor")
        self._need_executor(person, payment)
        is_open = payment.status == "pending"  # a code for what is paid or cancelled opens nothing
        refuse_if(not spent or not right or code is None or not is_open, "otp_invalid")
        assert code is not None
        self.failed_tries[person] -= 1
        code.verified = True

    def execute(self, person: str, payment: Payment) -> None:
        self._need_executor(person, payment)
        refuse_if(payment.status != "pending", "illegal_transition")
        refuse_if(payment.retries >= 3, "retry_limit")
        wanted = payment.requisition
        late = [p.amount for p in wanted.payments if p.status == "cancelled" and p.is_late]
        refuse_if(sum(late, wanted.committed) > wanted.amount, "late_success")
        code = payment.code
        proved = code is not None and code.verified and payment.executor == person
        refuse_if(payment.code_required and not proved, "otp_required")
        refuse_if(wanted.method == "mpesa" and payment.is_late, "late_success")
        refuse_if(payment.amount > self.available, "insufficient_funds")
        payment.executor = person
        if proved:
            payment.code = None
        if wanted.method == "cash":
            self._settle(payment)
        else:
            payment.status = "executing"
            payment.attempts.append(Attempt(person))

    def reconcile(self, person: str, payment: Payment) -> None:
        self.need(person, "reconciler")
        refuse_if(person == payment.executor, "segregation_of_duties")
        refuse_if(payment.status != "success", "illegal_transition")
        payment.status = "reconciled"

    def resolve(self, person: str, payment: Payment, outcome: str) -> None:
        self.need(person, "treasurer", "cfo")
        refuse_if(person == payment.requisition.requester, "segregation_of_duties")
        proposer, proposed = payment.proposal or ("", "")
        confirms = bool(proposer) and proposer != person
        refuse_if(confirms and person == payment.executor, "segregation_of_duties")
        refuse_if(payment.status != "review", "illegal_transition")
        if not confirms:
            refuse_if(bool(proposer) and proposed == outcome, "segregation_of_duties")
            payment.proposal = (person, outcome)
            return
        refuse_if(proposed != outcome, "resolution_differs")
        self._conclude(payment, paid=outcome == "paid")

    def _need_executor(self, person: str, payment: Payment) -> None:
        self.need(person, "treasurer")
        apart = {payment.requisition.requester, *payment.requisition.approvals}
        refuse_if(person in apart, "segregation_of_duties")

    def _spend_try(self, person: str, code: Code | None) -> bool:
        tries = self.failed_tries.setdefault(person, 0)
        usable = code is not None and code.executor == person and not code.verified
        if code is None or not usable or code.tries >= MOST_TRIES:
            return False
        if tries >= MOST_FAILED_TRIES_A_DAY:
            return False
        code.tries += 1
        self.failed_tries[person] += 1
        return True

    # --- The gateway --------------------------------------------------------------------------------------

    def send(self, payment: Payment, reply: str) -> bool:
        """The worker makes the call that waits, and hears this; False where none waits."""
        attempt = payment.attempts[-1]
        if attempt.state != "sending" or attempt.sent:
            return False
        attempt.sent = True
        attempt.calls += 1
        if reply == "accepted":
            attempt.state, attempt.accepted = "accepted", True
        elif reply == "failed_final" and not attempt.doubted:
            self._conclude(payment, paid=False)
        else:
            attempt.state, attempt.doubted = "unknown", True
            payment.status = "unknown"
        return True

    def hear(self, payment: Payment, answer: str) -> bool:
        """The gateway, asked about the last attempt, answers; False where nothing is to be asked."""
        attempt = payment.attempts[-1]
        if attempt.state == "sending":
            return False
        live = attempt.state in {"accepted", "unknown", "review"}
        if answer == "completed" and live:
            self._conclude(payment, paid=True)
        elif answer == "completed" and attempt.state == "failed" and not attempt.late:
            attempt.late = True
            self.suspense += payment.amount
        elif answer == "failed" and live:
            self._conclude(payment, paid=False)
        elif answer == "another amount" and live:
            attempt.state, payment.status = "review", "review"
        elif answer == "not found" and self._may_go_out_again(attempt):
            attempt.state, attempt.sent, payment.status = "sending", False, "executing"
        return True

    @staticmethod
    def _may_go_out_again(attempt: Attempt) -> bool:
        """Only what was never accepted does, with its own reference."""
        return attempt.state == "unknown" and not attempt.accepted and attempt.calls < MOST_CALLS

    def _conclude(self, payment: Payment, *, paid: bool) -> None:
        attempt = payment.attempts[-1]
        attempt.state = "succeeded" if paid else "failed"
        payment.proposal = None
        if paid:
            self._settle(payment)
        else:
            payment.status = "failed"
            payment.retries += 1

    def _settle(self, payment: Payment) -> None:
        payment.status, payment.booked = "success", payment.amount
        self.balance -= payment.amount
        wanted = payment.requisition
        if sum((p.amount for p in wanted.payments if p.status in PAID), ZERO) == wanted.amount:
            wanted.status = "paid"
        self.ask_if_low()

    # --- Variances and replenishments ---------------------------------------------------------------------

    def record_variance(
        self, person: str, payment: Payment, original: Decimal, adjusted: Decimal
    ) -> Variance:
        self.need(person, "treasurer", "reconciler")
        refuse_if(payment.status not in PAID, "not_paid")
        refuse_if(any(v.status == "pending" for v in payment.variances), "variance_pending")
        refuse_if(original != payment.booked, "stale_amount")
        payment.variances.append(Variance(payment, original, adjusted, person))
        return payment.variances[-1]

    def approve_variance(self, person: str, variance: Variance) -> None:
        self._need_other_cfo(person, variance.recorder)
        refuse_if(variance.status != "pending", "illegal_transition")
        difference = variance.adjusted - variance.original
        refuse_if(difference > max(self.available, ZERO), "insufficient_funds")
        variance.status, variance.payment.booked = "approved", variance.adjusted
        self.balance -= difference
        self.ask_if_low()

    def reject_variance(self, person: str, variance: Variance) -> None:
        self._need_other_cfo(person, variance.recorder)
        refuse_if(variance.status != "pending", "illegal_transition")
        variance.status = "rejected"

    def replenish(self, person: str, amount: Decimal) -> Replenishment:
        self.need(person, "treasurer")
        refuse_if(self._asks(), "replenishment_pending")
        self.replenishments.append(Replenishment(amount, person))
        return self.replenishments[-1]

    def approve_replenishment(self, person: str, wanted: Replenishment) -> None:
        self._need_other_cfo(person, wanted.requester)
        refuse_if(wanted.status != "pending", "illegal_transition")
        wanted.status, wanted.approver = "approved", person

    def reject_replenishment(self, person: str, wanted: Replenishment) -> None:
        self._need_other_cfo(person, wanted.requester)
        refuse_if(wanted.status not in {"pending", "approved"}, "illegal_transition")
        wanted.status = "rejected"

    def fund(self, person: str, wanted: Replenishment) -> None:
        self.need(person, "treasurer")
        refuse_if(person == wanted.approver, "segregation_of_duties")
        refuse_if(wanted.status != "approved", "illegal_transition")
        wanted.status = "funded"
        self.balance += wanted.amount
        self.ask_if_low()

    def ask_if_low(self) -> None:
        """The fund asks to be filled up to its target once less than its reorder level is available."""
        if self.available < self.reorder_level and not self._asks():
            self.replenishments.append(Replenishment(self.target_level - self.available))

    def _asks(self) -> bool:
        return any(one.status in {"pending", "approved"} for one in self.replenishments)

    def _need_other_cfo(self, person: str, recorder: str) -> None:
        self.need(person, "cfo")
        refuse_if(person == recorder, "segregation_of_duties")
