"""What is done with a payment: code, execution, reconciliation, variance, cancellation, retry, resolution."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from ledger.api.fields import AmountField, TextField
from ledger.api.resource import Doing, DoingAtOnce
from ledger.api.serializers import Input
from ledger.clock import today
from treasury import duties
from treasury.api.payments import PaymentSerializer, paid_at_once
from treasury.api.variances import VarianceAdjustmentSerializer
from treasury.models import LateSuccess, Payment, Resolution, VarianceAdjustment
from treasury.selectors import payments_seen_by, variances_seen_by
from treasury.services.codes import send_otp, verify_otp
from treasury.services.execution import execute_payment
from treasury.services.late_successes import clear_late_success
from treasury.services.payments import cancel_payment, retry_payment
from treasury.services.reconciliations import reconcile_payment
from treasury.services.resolution import resolve_payment
from treasury.services.reversals import reverse_payment
from treasury.services.variances import record_variance
from treasury.states import OPEN_PAYMENTS, PaymentStatus


class PaymentAction(Doing):
    """Something done with a payment."""

    rows, key, noun = staticmethod(payments_seen_by), "payment_id", "treasury.payment"
    Output: ClassVar[Any] = PaymentSerializer
    refusals = {403: "role_required, segregation_of_duties", 409: "illegal_transition"}


class PaymentSendOtp(PaymentAction):
    """Become the executor of a payment and be sent a code for it by mail.

    Codes sent before are dead. Code and verification end after five minutes.
    """

    action = "payment.send_otp"
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, requisition_not_approved, no_email_address",
        429: "too_many_requests",
    }

    def permit(self, row: Payment) -> None:
        duties.may_execute(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return send_otp(actor=self.actor, payment_id=row.pk)


class OtpInput(Input):
    otp = TextField(max_length=40, help_text="Six digits.")


class PaymentVerifyOtp(PaymentAction):
    """Give back the code that was sent.

    Wrong, expired, used and locked codes are answered alike.
    """

    action, Input = "payment.verify_otp", OtpInput
    refusals = {
        400: "otp_invalid",
        403: "role_required, not_the_executor, segregation_of_duties",
    }

    def permit(self, row: Payment) -> None:
        duties.may_verify_code(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return verify_otp(actor=self.actor, payment_id=row.pk, **data)


class PaymentExecute(DoingAtOnce, PaymentAction):
    """Execute a payment.

    Consumes the verified code where one is needed. 200 when it is paid, as with cash; 202 when a worker
    calls the gateway: ask again for the payment until it is no longer `executing`.
    """

    action = "payment.execute"
    also_answers = {202: "A worker calls the gateway."}
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, requisition_not_approved, otp_required, retry_limit,"
        " insufficient_funds, provider_unavailable, late_success, velocity_limit, cooling_off,"
        " not_due, step_up_required",
    }

    def status_of(self, result: Payment) -> int:
        return 202 if result.status in OPEN_PAYMENTS else 200

    def permit(self, row: Payment) -> None:
        duties.may_execute(self.actor, row)

    def act_on(self, pk: UUID) -> Payment:
        return execute_payment(actor=self.actor, payment_id=pk, today=today)

    def result_shown(self, result: Payment) -> Any:
        """What the answer says; what is paid at once is at hand, and the fund's lock is held meanwhile."""
        if result.status == PaymentStatus.SUCCESS:
            return paid_at_once(result)
        return super().result_shown(result)


class ReconcileInput(Input):
    note = TextField(required=False, allow_blank=True, max_length=255)


class PaymentReconcile(PaymentAction):
    """Mark a payment as compared with the outside world."""

    action, Input = "payment.reconcile", ReconcileInput

    def permit(self, row: Payment) -> None:
        duties.may_reconcile(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return reconcile_payment(actor=self.actor, payment_id=row.pk, **data)


class VarianceInput(Input):
    original_amount = AmountField(help_text="What the books say now.")
    adjusted_amount = AmountField(help_text="What the payee got; may be zero.")
    reason = TextField(max_length=2000)


class PaymentRecordVariance(PaymentAction):
    """Record that the payee got another amount than the books say; nothing is posted yet."""

    action, results = "payment.record_variance", staticmethod(variances_seen_by)
    Input, Output, status_code = VarianceInput, VarianceAdjustmentSerializer, 201
    refusals = {400: "no_variance", 409: "not_paid, variance_pending, stale_amount"}

    def permit(self, row: Payment) -> None:
        duties.may_record_variance(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> VarianceAdjustment:
        return record_variance(actor=self.actor, payment_id=row.pk, **data)


class PaymentCancel(PaymentAction):
    """Cancel a pending or failed payment, or one that waits for a bank file; its hold ends then."""

    action = "payment.cancel"

    def permit(self, row: Payment) -> None:
        duties.may_change_payment(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return cancel_payment(actor=self.actor, payment_id=row.pk)


class PaymentRetry(PaymentAction):
    """Make a failed payment pending again; it needs a new code."""

    action = "payment.retry"
    refusals = {409: "illegal_transition, retry_limit, late_success"}

    def permit(self, row: Payment) -> None:
        duties.may_change_payment(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return retry_payment(actor=self.actor, payment_id=row.pk)


class ResolutionInput(Input):
    outcome = serializers.ChoiceField(Resolution.Outcome.choices)
    evidence = TextField(max_length=2000, help_text="How this is known.")


class PaymentResolve(PaymentAction):
    """Say how a payment in review ended.

    One person proposes, another confirms; then it is settled or released.
    """

    action, Input = "payment.resolve", ResolutionInput
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, resolution_differs",
    }

    def permit(self, row: Payment) -> None:
        duties.may_resolve(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return resolve_payment(actor=self.actor, payment_id=row.pk, today=today, **data)


class ReversalInput(Input):
    evidence = TextField(max_length=2000, help_text="How the return is known.")


class PaymentReverse(PaymentAction):
    """Say that a payment's money came back.

    One person proposes, a CFO confirms; then it is reversed in the books, and its amount may be paid again.
    """

    action, Input = "payment.reverse", ReversalInput
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, variance_pending",
    }

    def permit(self, row: Payment) -> None:
        duties.may_reverse(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return reverse_payment(actor=self.actor, payment_id=row.pk, today=today, **data)


class LateSuccessInput(Input):
    outcome = serializers.ChoiceField(LateSuccess.Outcome.choices)
    evidence = TextField(max_length=2000, help_text="How this is known.")


class PaymentClearLateSuccess(PaymentAction):
    """Say how a success after a failure ends: recognised as spent, or returned by the provider.

    One person proposes, a CFO confirms. Only what was returned may be paid again.
    """

    action, Input = "payment.clear_late_success", LateSuccessInput
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "no_late_success, resolution_differs, insufficient_funds, velocity_limit, cooling_off",
    }

    def permit(self, row: Payment) -> None:
        duties.may_clear_late_success(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return clear_late_success(actor=self.actor, payment_id=row.pk, today=today, **data)
