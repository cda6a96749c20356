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
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.actor import Actor
from ledger.admin.pages import Panel
from ledger.models import User
from ledger.refusals import Refusal, RoleRequired
from ledger.roles import Role

logger = logging.getLogger(__name__)

Given = Mapping[str, Any]
# Raises a refusal where the actor may not do this to the row, whatever its state.
May = Callable[[Actor, Any], object]
MOST_ROWS = 100


class StepForm(forms.Form):
    """What a step needs to be told; made for the rows it is about and the person who asks.

    ``refused_with`` is the code of the refusal that it shows, if any; ``panels`` what is shown above it;
    ``button`` stands on its button where the step's own label would promise too much.
    """

    refused_with = ""
    button = ""
    panels: Sequence[Panel] = ()

    def __init__(self, *args: Any, rows: Sequence[Any] = (), user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        self.user = user
        self.prepare()

    def prepare(self) -> None:
        """Fit choices, labels and first values to ``rows`` and ``user``."""

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal where it belongs: beside the fields it names, else above all."""
        self.refused_with = refusal.code
        for name, messages in refusal.errors.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)
        if not refusal.errors:
            self.add_error(None, refusal.detail)


def nothing_against(_actor: Actor, _row: Any) -> None:
    """Whoever has the role may."""


def always(_row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    ``run(actor, row, given)`` calls the command; ``states`` are the statuses in which it makes sense
    (none: always), ``fits`` what else the row must be like, ``roles`` those to whom it is offered, ``may`` the rule on persons that the command
    asks too, so that somebody who must not do it sees why. ``label`` is on the button, ``done`` in the answer ("approved"), ``hint`` above the form.
    ``says`` makes the answer of what the command returned, where that is not always the same. After a step that ``ends_row`` there is no row to look at; one that ``opens_result`` shows what it made.
    """

    name: str
    label: str
    done: str
    run: Callable[[Actor, Any, Given], object]
    roles: frozenset[Role]
    states: frozenset[str] = frozenset()
    form: type[StepForm] = StepForm
    fits: Callable[[Any], bool] = always
    may: May = nothing_against
    hint: str = ""
    tone: Literal["main", "plain", "danger"] = "plain"
    bulk: bool = True
    says: Callable[[Any], str] | None = None
    ends_row: bool = False
    opens_result: bool = False

    def answer_to(self, result: object) -> str:
        """What is said of a row after the step was done to it."""
        return self.says(result) if self.says else self.done

    def against(self, row: Any, actor: Actor, held: frozenset[Role]) -> str | None:
        """Why it is not offered on this row; empty when it is, None when it is not even to be seen."""
        if self.roles.isdisjoint(held) or not self._makes_sense(row):
            return None
        try:
            self.may(actor, row)
        except RoleRequired:
            return None
        except Refusal as refusal:
            return refusal.detail
        return ""

    def doubt(self, row: Any, actor: Actor) -> str:
        """What speaks against it as far as can be told now; the command has the last word."""
        if not self._makes_sense(row):
            wrong = self.states and row.status not in self.states
            return (
                f"It is {row.get_status_display().lower()}." if wrong else "Not ready for this yet."
            )
        try:
            self.may(actor, row)
        except Refusal as refusal:
            return refusal.detail
        return ""

    def _makes_sense(self, row: Any) -> bool:
        return (not self.states or row.status in self.states) and self.fits(row)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step on one row; ``refusal`` is empty when it was done."""

    row: Model
    name: str
    refusal: Refusal | None = None
    result: object = None


class Broken(Refusal):
    """Something failed that should not; the command was rolled back."""

    status = 500
    code = "internal"
    title = "Something went wrong"


def attempt(step: Step, actor: Actor, row: Model, given: Given) -> Outcome:
    """Do the step to one row and say what came of it; a refusal is an answer, not an error."""
    name = str(row)
    try:
        result = step.run(actor, row, given)
    except Refusal as refusal:
        return Outcome(row, name, refusal)
    except DatabaseError:
        logger.exception("step %s failed", step.name)
        return Outcome(row, name, Broken("This could not be done just now; nothing was changed."))
    return Outcome(row, name, result=result)


def line(
    label: str, *, required: bool = True, help_text: str = "", **kwargs: Any
) -> forms.CharField:
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


def choice(
    label: str, choices: Sequence[tuple[str, str]], *, help_text: str = ""
) -> forms.ChoiceField:
    """A field with one of a few values."""
    return forms.ChoiceField(
        label=label, choices=choices, help_text=help_text, widget=UnfoldAdminSelectWidget()
    )


def money(label: str, *, required: bool = True, help_text: str = "") -> "Figure":
    """A field for an amount as people write it; the command reads it strictly."""
    return Figure(
        label=label,
        required=required,
        help_text=help_text,
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


def whole(label: str, *, least: int, most: int, help_text: str = "") -> forms.IntegerField:
    """A field for a whole number, which may be left empty."""
    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=most,
        help_text=help_text,
        widget=widget,
    )


def day(label: str, *, required: bool = True, help_text: str = "") -> forms.DateField:
    """A field for a date."""
    # The browser's own calendar, which no script has to bring, and no format to guess.
    widget = UnfoldAdminSingleDateWidget({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, help_text=help_text, widget=widget)


def hour(label: str, *, help_text: str = "") -> forms.TimeField:
    """A field for a time of the day, which may be left empty."""
    widget = UnfoldAdminTextInputWidget(attrs={"type": "time"})
    return forms.TimeField(label=label, required=False, help_text=help_text, widget=widget)


def several(
    label: str, choices: Sequence[tuple[str, str]], *, help_text: str = ""
) -> forms.MultipleChoiceField:
    """A field with any of a few values."""
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        choices=choices,
        help_text=help_text,
        widget=forms.CheckboxSelectMultiple(),
    )


class Figure(forms.CharField):
    """An amount without the commas that people put between thousands."""

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").replace(",", "")


def row_choice(label: str, *, required: bool = True, help_text: str = "") -> forms.ModelChoiceField:
    """A field that names a row; ``StepForm.prepare`` says which rows."""
    return forms.ModelChoiceField(
        label=label,
        required=required,
        queryset=None,
        help_text=help_text,
        empty_label="Choose…",
        widget=UnfoldAdminSelectWidget(),
    )


def upload(label: str, *, required: bool = True, help_text: str = "") -> forms.FileField:
    """A field for a file."""
    widget = UnfoldAdminFileFieldWidget()
    return forms.FileField(label=label, required=required, help_text=help_text, widget=widget)


class Commented(StepForm):
    comment = paragraph("Comment", required=False, help_text="Kept with the decision.")


class Reasoned(StepForm):
    reason = paragraph("Reason", help_text="Everybody who can see this will see the reason.")
