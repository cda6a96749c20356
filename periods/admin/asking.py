"""What steps of periods share: to whom they are offered, and reading what was typed."""

from typing import Any
from uuid import UUID

from ledger.admin.steps import Given, Step, StepForm
from ledger.refusals import InvalidInput
from ledger.roles import Role
from periods import duties

KEEPERS = frozenset(duties.KEEPERS)
RECORDERS = frozenset(duties.RECORDERS)
CFO = frozenset({Role.CFO})
OPEN = frozenset({"OPEN"})
CLOSED = frozenset({"CLOSED", "STALE"})


def pk_of(row: Any) -> UUID | None:
    """Return the id of a row that was chosen, or None."""
    return row.pk if row else None


def number_of(given: Given, field: str) -> int:
    """Read a whole number; raise ``InvalidInput`` on the field."""
    try:
        return int(given[field])
    except ValueError:
        raise InvalidInput.on(field, "This is a whole number.") from None


def item_content(given: Given) -> dict[str, Any]:
    """Return what a budget item's form says, as its commands take it."""
    content = dict(given)
    content["scope"] = [UUID(pk) for pk in content["scope"]]
    content["base_percent"] = content["base_percent"] or None
    return content


def making(run: Any, form: type[StepForm], *, label: str, done: str, hint: str = "") -> Step:
    """The step by which keepers make a thing of its kind."""
    return Step(
        name="create",
        label=label,
        done=done,
        run=run,
        roles=KEEPERS,
        form=form,
        tone="main",
        hint=hint,
    )


def editing(run: Any, form: type[StepForm], *, hint: str = "") -> Step:
    """The step by which keepers change what they made."""
    return Step(
        name="edit",
        label="Edit",
        done="changed",
        run=run,
        roles=KEEPERS,
        form=form,
        bulk=False,
        hint=hint,
    )
