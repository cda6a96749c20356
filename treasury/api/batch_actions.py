"""What is done with a batch: approving, confirming, executing, stopping."""

from typing import Any, ClassVar

from ledger.api.fields import TextField
from ledger.api.resource import Doing
from ledger.api.serializers import Input
from treasury import duties
from treasury.api.batch_shapes import BatchSerializer
from treasury.api.payment_actions import OtpInput
from treasury.models import Batch
from treasury.selectors import (
    batches_seen_by,
)
from treasury.services.batch_approval import approve_batch, needed_roles
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import execute_batch, pause_batch, resume_batch
from treasury.services.batches import cancel_batch


class BatchAction(Doing):
    """Something done with a batch."""

    rows, key, noun = staticmethod(batches_seen_by), "batch_id", "treasury.batch"
    Output: ClassVar[Any] = BatchSerializer
    refusals = {403: "role_required, segregation_of_duties", 409: "illegal_transition"}


class BatchApproveInput(Input):
    comment = TextField(required=False, allow_blank=True, max_length=2000)
    set_hash = TextField(
        required=False, max_length=64, help_text="The set that you looked at; another is refused."
    )


class BatchApprove(BatchAction):
    """Agree to a batch as it is now.

    A CFO does; where a row of a file lies above the company's tier, an approver as well, two persons.
    """

    action, Input = "batch.approve", BatchApproveInput
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, already_approved, batch_changed",
    }

    def permit(self, row: Batch) -> None:
        duties.may_approve_batch(self.actor, row, roles=needed_roles(row))

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return approve_batch(
            actor=self.actor,
            batch_id=row.pk,
            comment=data.get("comment", ""),
            seen_hash=data.get("set_hash"),
        )


class BatchSendOtp(BatchAction):
    """Become the executor of an approved batch and be sent one code for all of it."""

    action = "batch.send_otp"
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, no_email_address",
        429: "too_many_requests",
    }

    def permit(self, row: Batch) -> None:
        duties.may_execute_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return send_batch_otp(actor=self.actor, batch_id=row.pk)


class BatchVerifyOtp(BatchAction):
    """Give back the code that was sent; wrong, expired, used and locked codes are answered alike."""

    action, Input = "batch.verify_otp", OtpInput
    refusals = {
        400: "otp_invalid",
        403: "role_required, not_the_executor, segregation_of_duties",
    }

    def permit(self, row: Batch) -> None:
        duties.may_verify_batch_code(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return verify_batch_otp(actor=self.actor, batch_id=row.pk, **data)


class BatchExecute(BatchAction):
    """Execute a batch that was confirmed with a code.

    Workers carry it out row by row: ask for the batch and its rows until it is `completed`.
    """

    action, status_code = "batch.execute", 202
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, otp_required, batch_changed",
    }

    def permit(self, row: Batch) -> None:
        duties.may_execute_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return execute_batch(actor=self.actor, batch_id=row.pk)


class BatchPause(BatchAction):
    """Stop a batch after the rows that are being carried out."""

    action = "batch.pause"

    def permit(self, row: Batch) -> None:
        duties.may_pause_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return pause_batch(actor=self.actor, batch_id=row.pk)


class BatchResume(BatchAction):
    """Let a paused batch go on."""

    action, status_code = "batch.resume", 202

    def permit(self, row: Batch) -> None:
        duties.may_resume_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return resume_batch(actor=self.actor, batch_id=row.pk)


class CancelInput(Input):
    reason = TextField(required=False, allow_blank=True, max_length=2000)


class BatchCancel(BatchAction):
    """Cancel what of a batch was not carried out yet; what has gone out stays."""

    action, Input = "batch.cancel", CancelInput

    def permit(self, row: Batch) -> None:
        duties.may_cancel_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return cancel_batch(actor=self.actor, batch_id=row.pk, **data)
