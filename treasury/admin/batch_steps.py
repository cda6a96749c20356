"""What can be done to a batch, each by the command that the API uses too."""

import hashlib
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from ledger.access import visible
from ledger.actor import Actor
from ledger.admin.steps import (
    Commented,
    Given,
    Reasoned,
    Step,
    StepForm,
    day,
    line,
    row_choice,
    upload,
)
from ledger.refusals import InvalidInput, Refusal
from ledger.roles import Role
from treasury import duties
from treasury.admin.batch_preview import Tried, preview
from treasury.admin.codes import Code
from treasury.models import Batch, TreasuryFund
from treasury.services.batch_approval import approve_batch, needed_roles
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import execute_batch, pause_batch, resume_batch
from treasury.services.batches import Upload, cancel_batch, create_batch

TREASURER = frozenset({Role.TREASURER})
MAKERS = frozenset({Role.TREASURER, Role.REQUESTER})
MANAGERS = frozenset({Role.TREASURER, Role.CFO})
COLUMNS = "CSV or XLSX with payee_name, method, destination, amount, purpose. Up to 10,000 lines."
AGAIN = "Choose the same file again to make what is shown above; another one is refused."


class New(StepForm):
    """A file, or what is due, tried first: nothing is made before the box is ticked."""

    fund = row_choice("Fund")
    file = upload("File", required=False, help_text=COLUMNS)
    due_by = day(
        "Or everything due by",
        required=False,
        help_text="The scheduled payments of the fund that go out on this day or before, without a file.",
    )
    name = line("Name", required=False, max_length=160, help_text="Empty: the file's, or the day.")
    make = forms.BooleanField(
        label="Make the batch",
        required=False,
        help_text="Leave it unticked for a dry run, which shows what would be made and keeps nothing.",
    )
    tried = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    button = "Go on"

    def prepare(self) -> None:
        field = self.fields["fund"]
        assert isinstance(field, forms.ModelChoiceField)
        rows = TreasuryFund.objects.select_related("company").order_by("company__name", "name")
        field.queryset = visible(rows, self.user, roles=MAKERS)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if bool(given.get("file")) == bool(given.get("due_by")):
            self.add_error("file", "Choose a file, or a day until which everything due is paid.")
        return given

    def refuse(self, refusal: Refusal) -> None:
        """Show a dry run beside the form, ready to make what was tried; anything else as a refusal."""
        if not isinstance(refusal, Tried):
            super().refuse(refusal)
            return
        self.panels, self.button = preview(refusal.draft), ""
        tried = refusal.draft.batch.file_hash
        self.data = {**dict(self.data.items()), "make": "on", "tried": tried}
        self["file"].help_text = AGAIN if tried else COLUMNS


class Approval(Commented):
    """Carries the hash of the set that the approver looks at."""

    set_hash = forms.CharField(widget=forms.HiddenInput, required=False)

    def prepare(self) -> None:
        if len(self.rows) == 1:
            self.fields["set_hash"].initial = self.rows[0].set_hash


def _create(actor: Actor, _row: None, given: Given) -> Batch:
    file: UploadedFile | None = given["file"]
    upload = Upload(file.name or "Upload", file.read()) if file else None
    if upload and given["make"]:
        _require_tried(upload, given["tried"])
    draft = create_batch(
        actor=actor,
        fund_id=given["fund"].pk,
        upload=upload,
        due_by=given["due_by"],
        name=given["name"],
        dry_run=not given["make"],
    )
    if draft.dry_run:
        raise Tried(draft)
    return draft.batch


def _require_tried(upload: Upload, tried: str) -> None:
    """A file that was tried is the one that is made; whoever tried none is not asked."""
    if tried and hashlib.sha256(upload.data).hexdigest() != tried:
        raise InvalidInput.on("file", "This is not the file that was tried. Try it first.")


def _approve(actor: Actor, row: Batch, given: Given) -> object:
    return approve_batch(
        actor=actor,
        batch_id=row.pk,
        comment=given["comment"],
        seen_hash=given.get("set_hash") or None,
    )


def _send_code(actor: Actor, row: Batch, _given: Given) -> object:
    return send_batch_otp(actor=actor, batch_id=row.pk)


def _execute(actor: Actor, row: Batch, given: Given) -> object:
    """Enter the code and execute: two commands, each with its own refusal."""
    verify_batch_otp(actor=actor, batch_id=row.pk, otp=given["otp"])
    return execute_batch(actor=actor, batch_id=row.pk)


def _pause(actor: Actor, row: Batch, _given: Given) -> object:
    return pause_batch(actor=actor, batch_id=row.pk)


def _resume(actor: Actor, row: Batch, _given: Given) -> object:
    return resume_batch(actor=actor, batch_id=row.pk)


def _cancel(actor: Actor, row: Batch, given: Given) -> object:
    return cancel_batch(actor=actor, batch_id=row.pk, reason=given["reason"])


def _may_approve(actor: Actor, row: Batch) -> None:
    duties.may_approve_batch(actor, row, roles=needed_roles(row))


def _was_sent_a_code(row: Batch) -> bool:
    return row.executor_id is not None


CREATE = Step(
    name="create",
    label="Make a batch",
    done="made; it waits for approval",
    run=_create,
    roles=MAKERS,
    form=New,
    tone="main",
    hint="Whoever uploads a file asks for the money: he neither approves nor executes the batch.",
)
STEPS = (
    Step(
        name="approve",
        label="Approve",
        done="your approval is given",
        run=_approve,
        roles=frozenset({Role.CFO, Role.APPROVER}),
        states=frozenset({"submitted"}),
        may=_may_approve,
        form=Approval,
        tone="main",
        bulk=False,
        hint="One decision for every row. Any change of the set makes it void.",
    ),
    Step(
        name="execute",
        label="Execute",
        done="being executed",
        run=_execute,
        roles=TREASURER,
        states=frozenset({"approved"}),
        fits=_was_sent_a_code,
        may=duties.may_execute_batch,
        form=Code,
        tone="main",
        bulk=False,
        hint="Workers pay row by row; a row that is refused holds up no other.",
    ),
    Step(
        name="send-code",
        label="Send me a code",
        done="a code for the whole set is on its way",
        run=_send_code,
        roles=TREASURER,
        states=frozenset({"approved"}),
        may=duties.may_execute_batch,
        tone="main",
        bulk=False,
        hint="Makes you the executor. Codes that were sent before are void.",
    ),
    Step(
        name="pause",
        label="Pause",
        done="paused",
        run=_pause,
        roles=MANAGERS,
        states=frozenset({"executing"}),
        may=duties.may_pause_batch,
        bulk=False,
    ),
    Step(
        name="resume",
        label="Resume",
        done="going on",
        run=_resume,
        roles=TREASURER,
        states=frozenset({"paused"}),
        may=duties.may_resume_batch,
        tone="main",
        bulk=False,
    ),
    Step(
        name="cancel",
        label="Cancel the rest",
        done="cancelled",
        run=_cancel,
        roles=MANAGERS | MAKERS,
        states=frozenset({"submitted", "approved", "executing", "paused"}),
        may=duties.may_cancel_batch,
        form=Reasoned,
        tone="danger",
        bulk=False,
        hint="What has gone out stays; the payments and requisitions it made are cancelled.",
    ),
)
