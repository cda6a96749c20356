"""What steps of periods share: to whom they are offered, and reading what was typed."""

from typing import Any
from uuid import UUID

from ledger.admin.steps import Given
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
