"""What can be done to a requisition, each by the command that the API uses too."""

from django import forms
from django.core.files.uploadedfile import UploadedFile

from ledger.access import require_role, visible
from ledger.actor import Actor
from ledger.admin.steps import (
    Commented,
    Given,
    Reasoned,
    Step,
    StepForm,
    choice,
    line,
    money,
    paragraph,
    row_choice,
    upload,
)
from ledger.money import Money, format_amount
from ledger.roles import Role
from treasury import duties, methods
from treasury.models import Payment, Requisition, TreasuryFund
from treasury.services.attachments import add_attachment
from treasury.services.payments import create_payment
from treasury.services.requisitions import (
    approve_requisition,
    cancel_requisition,
    create_requisition,
    edit_requisition,
    reject_requisition,
)

APPROVERS = frozenset({Role.APPROVER, Role.CFO})
REQUESTER = frozenset({Role.REQUESTER})
# ``may_change_requisition`` tells whose it is.
CHANGERS = REQUESTER.union(duties.RECORDERS)
SUBMITTED = frozenset({"submitted"})


# --- What is asked ----------------------------------------------------------------------------------


class Content(StepForm):
    """What a requisition says."""

    amount = money("Amount", help_text="In the fund's currency.")
    payee_name = line("Payee", max_length=160)
    method = choice("Paid by", methods.Method.choices)
    destination = line(
        "Destination",
        max_length=160,
        help_text="M-Pesa: a phone number such as 0712 345678. Bank: an IBAN, or country, bank and branch"
        " code and account number, such as KE/68000/0123456789. Cash: who hands it over, and where.",
    )
    purpose = paragraph("Purpose", help_text="What the money is for; approvers decide by this.")


class New(Content):
    fund = row_choice("Fund")
    field_order = ("fund", "amount", "payee_name", "method", "destination", "purpose")

    def prepare(self) -> None:
        field = self.fields["fund"]
        assert isinstance(field, forms.ModelChoiceField)
        rows = TreasuryFund.objects.select_related("company").order_by("company__name", "name")
        field.queryset = visible(rows, self.user, roles=REQUESTER)


class Edit(Content):
    def prepare(self) -> None:
        row: Requisition = self.rows[0]
        self.initial = {
            "amount": format_amount(row.amount, row.currency),
            "payee_name": row.payee_name,
            "method": row.method,
            "destination": row.destination,
            "purpose": row.purpose,
        }
        self.fields["amount"].help_text = row.currency


class Evidence(StepForm):
    file = upload("File", help_text="A PDF or a picture, up to 5 MB.")


class Part(StepForm):
    """How much of what is left is to be paid."""

    amount = money("Amount", required=False, help_text="Empty: all that is left.")

    def prepare(self) -> None:
        if len(self.rows) == 1:
            row: Requisition = self.rows[0]
            left = Money(row.amount_left, row.currency)
            self.fields["amount"].help_text = f"Empty: all that is left, {left}."
        else:
            del self.fields["amount"]


# --- What is done -----------------------------------------------------------------------------------


def _create(actor: Actor, _row: None, given: Given) -> Requisition:
    return create_requisition(
        actor=actor,
        fund_id=given["fund"].pk,
        amount=given["amount"],
        purpose=given["purpose"],
        payee_name=given["payee_name"],
        method=given["method"],
        destination=given["destination"],
    )


def _edit(actor: Actor, row: Requisition, given: Given) -> object:
    return edit_requisition(
        actor=actor,
        requisition_id=row.pk,
        amount=given["amount"],
        purpose=given["purpose"],
        payee_name=given["payee_name"],
        method=given["method"],
        destination=given["destination"],
    )


def _approve(actor: Actor, row: Requisition, given: Given) -> object:
    return approve_requisition(actor=actor, requisition_id=row.pk, comment=given["comment"])


def _reject(actor: Actor, row: Requisition, given: Given) -> object:
    return reject_requisition(actor=actor, requisition_id=row.pk, reason=given["reason"])


def _cancel(actor: Actor, row: Requisition, _given: Given) -> object:
    return cancel_requisition(actor=actor, requisition_id=row.pk)


def _attach(actor: Actor, row: Requisition, given: Given) -> object:
    file: UploadedFile = given["file"]
    return add_attachment(
        actor=actor, requisition_id=row.pk, name=file.name or "file", data=file.read()
    )


def _pay(actor: Actor, row: Requisition, given: Given) -> Payment:
    return create_payment(actor=actor, requisition_id=row.pk, amount=given.get("amount") or None)


def _may_pay(actor: Actor, row: Requisition) -> None:
    require_role(actor, Role.TREASURER, place=row.fund)


def _has_money_left(row: Requisition) -> bool:
    return row.amount_left > 0


CREATE = Step(
    name="create",
    label="Ask for money",
    done="submitted; it waits for approval",
    run=_create,
    roles=REQUESTER,
    form=New,
    tone="main",
)
STEPS = (
    Step(
        name="approve",
        label="Approve",
        done="your approval is given",
        run=_approve,
        roles=APPROVERS,
        states=SUBMITTED,
        may=duties.may_approve_requisition,
        form=Commented,
        tone="main",
        hint="Above the company's limit an approver and a CFO must both agree.",
    ),
    Step(
        name="pay",
        label="Make a payment",
        done="a payment is pending",
        run=_pay,
        roles=frozenset({Role.TREASURER}),
        states=frozenset({"approved"}),
        fits=_has_money_left,
        may=_may_pay,
        form=Part,
        tone="main",
        opens_result=True,
        hint="Nothing moves yet: the payment is then executed, with a code where one is needed.",
    ),
    Step(
        name="attach",
        label="Attach evidence",
        done="the file is attached",
        run=_attach,
        roles=CHANGERS,
        states=SUBMITTED,
        may=duties.may_change_requisition,
        form=Evidence,
        bulk=False,
    ),
    Step(
        name="edit",
        label="Change",
        done="changed; it waits for approval again",
        run=_edit,
        roles=CHANGERS,
        states=frozenset({"submitted", "approved"}),
        may=duties.may_change_requisition,
        form=Edit,
        bulk=False,
        hint="Approvals that were given are void, pending payments are cancelled.",
    ),
    Step(
        name="reject",
        label="Reject",
        done="rejected",
        run=_reject,
        roles=APPROVERS,
        states=SUBMITTED,
        may=duties.may_reject_requisition,
        form=Reasoned,
        tone="danger",
    ),
    Step(
        name="cancel",
        label="Cancel",
        done="cancelled",
        run=_cancel,
        roles=REQUESTER,
        states=frozenset({"submitted", "approved"}),
        may=duties.may_change_requisition,
        tone="danger",
        hint="It is withdrawn for good, its pending payments with it.",
    ),
)
