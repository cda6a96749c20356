"""Steps: what a person may do to rows in the admin, each through one command.

A step is asked for by GET, which shows what is about to happen and changes nothing, and done by POST
from that page alone. The same page serves one row and many; each row has its own outcome, so that one
refused row never stops the others. Who may do what is decided by the command, at the row's place; a
step only says to whom it is offered.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django import forms
from django.db import DatabaseError
from django.db.models import Model
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.actor import Actor
from ledger.models import User
from ledger.refusals import Refusal
from ledger.roles import Role

logger = logging.getLogger(__name__)

Given = Mapping[str, Any]
# Why this person may not, in words for him; empty when nothing is known against it.
Objection = Callable[[Any, User], str]
MOST_ROWS = 100


class StepForm(forms.Form):
    """What a step needs to be told; made for the rows it is about and the person who asks."""

    def __init__(self, *args: Any, rows: Sequence[Any] = (), user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        self.user = user
        self.prepare()

    def prepare(self) -> None:
        """Fit choices, labels and first values to ``rows`` and ``user``."""

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal where it belongs: beside the fields it names, else above all."""
        for name, messages in refusal.errors.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)
        if not refusal.errors:
            self.add_error(None, refusal.detail)


def no_objection(_row: Any, _user: User) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    ``run(actor, row, given)`` calls the command; ``states`` are the statuses in which it makes sense
    (none: always), ``roles`` those to whom it is offered, ``objection`` what else speaks against it.
    ``label`` is on the button, ``done`` in the answer ("approved"), ``hint`` above the form.
    """

    name: str
    label: str
    done: str
    run: Callable[[Actor, Any, Given], object]
    roles: frozenset[Role]
    states: frozenset[str] = frozenset()
    form: type[StepForm] = StepForm
    objection: Objection = no_objection
    hint: str = ""
    tone: Literal["main", "plain", "danger"] = "plain"
    bulk: bool = True

    def against(self, row: Any, user: User, held: frozenset[Role]) -> str | None:
        """Why it is not offered on this row; empty when it is, None when it is not even to be seen."""
        if self.roles.isdisjoint(held) or (self.states and row.status not in self.states):
            return None
        return self.objection(row, user)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step on one row; ``refusal`` is empty when it was done."""

    row: Model
    name: str
    refusal: Refusal | None = None


class Broken(Refusal):
    """Something failed that should not; the command was rolled back."""

    status = 500
    code = "internal"
    title = "Something went wrong"


def attempt(step: Step, actor: Actor, row: Model, given: Given) -> Outcome:
    """Do the step to one row and say what came of it; a refusal is an answer, not an error."""
    name = str(row)
    try:
        step.run(actor, row, given)
    except Refusal as refusal:
        return Outcome(row, name, refusal)
    except DatabaseError:
        logger.exception("step %s failed", step.name)
        return Outcome(row, name, Broken("This could not be done just now; nothing was changed."))
    return Outcome(row, name)


def line(label: str, *, required: bool = True, help_text: str = "", **kwargs: Any) -> forms.CharField:
    """A field of one line."""
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs=kwargs.pop("attrs", None)),
        **kwargs,
    )


def paragraph(label: str, *, required: bool = True, help_text: str = "") -> forms.CharField:
    """A field of several lines."""
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def choice(label: str, choices: Sequence[tuple[str, str]], *, help_text: str = "") -> forms.ChoiceField:
    """A field with one of a few values."""
    return forms.ChoiceField(
        label=label, choices=choices, help_text=help_text, widget=UnfoldAdminSelectWidget()
    )


def row_choice(label: str, *, help_text: str = "") -> forms.ModelChoiceField:
    """A field that names a row; ``StepForm.prepare`` says which rows."""
    return forms.ModelChoiceField(
        label=label,
        queryset=None,
        help_text=help_text,
        empty_label="Choose…",
        widget=UnfoldAdminSelectWidget(),
    )


def upload(label: str, *, help_text: str = "") -> forms.FileField:
    """A field for a file."""
    return forms.FileField(label=label, help_text=help_text, widget=UnfoldAdminFileFieldWidget())


class Commented(StepForm):
    comment = paragraph("Comment", required=False, help_text="Kept with the decision.")


class Reasoned(StepForm):
    reason = paragraph("Reason", help_text="Everybody who can see this will see the reason.")
