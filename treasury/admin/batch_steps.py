"""What can be done to a batch, each by the command that the API uses too."""

from django import forms
from django.core.files.uploadedfile import UploadedFile

from ledger.access import visible
from ledger.actor import Actor
from ledger.admin.steps import Commented, Given, Reasoned, Step, StepForm, line, row_choice, upload
from ledger.refusals import InvalidInput
from ledger.roles import Role
from treasury import duties
from treasury.models import Batch, TreasuryFund
from treasury.services.batch_approval import approve_batch, needed_roles
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import execute_batch, pause_batch, resume_batch
from treasury.services.batches import Upload, cancel_batch, create_batch
from treasury.states import BatchRowStatus

TREASURER = frozenset({Role.TREASURER})
MAKERS = frozenset({Role.TREASURER, Role.REQUESTER})
MANAGERS = frozenset({Role.TREASURER, Role.CFO})
SIX_DIGITS = {"inputmode": "numeric", "autocomplete": "one-time-code", "placeholder": "six digits"}
COLUMNS = "CSV or XLSX with payee_name, method, destination, amount, purpose. Up to 10,000 lines."
MOST_SHOWN = 20


class New(StepForm):
    """A file, tried first: nothing is made before the box is ticked."""

    fund = row_choice("Fund")
    file = upload("File", help_text=COLUMNS)
    name = line("Name", required=False, max_length=160, help_text="Empty: the file's.")
    make = forms.BooleanField(
        label="Make the batch",
        required=False,
        help_text="Leave this open for a dry run: it says what would be refused and keeps nothing.",
    )

    def prepare(self) -> None:
        field = self.fields["fund"]
        assert isinstance(field, forms.ModelChoiceField)
        rows = TreasuryFund.objects.select_related("company").order_by("company__name", "name")
        field.queryset = visible(rows, self.user, roles=MAKERS)


class Code(StepForm):
    otp = line("Code from your message", attrs=SIX_DIGITS, max_length=12)


class Approval(Commented):
    """Carries the hash of the set that the approver looks at."""

    set_hash = forms.CharField(widget=forms.HiddenInput, required=False)

    def prepare(self) -> None:
        if len(self.rows) == 1:
            self.fields["set_hash"].initial = self.rows[0].set_hash


def _create(actor: Actor, _row: None, given: Given) -> Batch:
    file: UploadedFile = given["file"]
    draft = create_batch(
        actor=actor,
        fund_id=given["fund"].pk,
        upload=Upload(file.name or "Upload", file.read()),
        name=given["name"],
        dry_run=not given["make"],
    )
    if not draft.dry_run:
        return draft.batch
    refused = [row for row in draft.rows if row.status == BatchRowStatus.REFUSED]
    warned = [row for row in draft.rows if row.warnings]
    counts = f"{len(refused):,} rows refused, {len(warned):,} to be looked at"
    advice = "Tick the box and choose the file again to make it."
    told = [f"Dry run: {draft.batch} would be made, {counts}. {advice}"]
    told += [f"Row {row.number}: {row.error_message}" for row in refused[:MOST_SHOWN]]
    told += [
        f"Row {row.number}, {row.payee_name}: {row.warnings[0]['message']}"
        for row in warned[:MOST_SHOWN]
    ]
    raise InvalidInput(told[0], errors={"dry run": told})


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
    label="Upload a batch",
    done="made; it waits for approval",
    run=_create,
    roles=MAKERS,
    form=New,
    tone="main",
    hint="Whoever uploads asks for the money: he neither approves nor executes the batch.",
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
