"""The page of one row: panels of facts and tables, and what can be done about it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.admin import cells
from ledger.admin.cells import Badge, Cell
from ledger.models import AuditEvent, Company, User

MOST_EVENTS = 200
UUID_WRITTEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what stands beside it."""

    label: str
    value: Cell
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings; ``figures`` are the columns that are right-aligned.

    Where it is ``summed``, the last row is the sum of those above it.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    figures: frozenset[str] = frozenset()
    summed: bool = False

    @property
    def lines(self) -> list[list[tuple[str, Cell, bool]]]:
        """Each row as its headings, its cells and whether each is a figure."""
        return [
            [
                (heading, cell, heading in self.figures)
                for heading, cell in zip(self.headings, row, strict=True)
            ]
            for row in self.rows
        ]

    @property
    def columns(self) -> list[tuple[str, bool]]:
        return [(heading, heading in self.figures) for heading in self.headings]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a history: what happened, who did it, and what was different after."""

    title: str
    outcome: Badge
    at: Cell
    by: str
    detail: str = ""
    changes: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled part of a page: facts, a table, or a history; ``empty`` is said when there is nothing."""

    title: str
    facts: Sequence[Fact] = ()
    table: Table | None = None
    events: Sequence[Event] = ()
    empty: str = ""
    note: str = ""
    links: Sequence[cells.Link] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.facts or self.events or (self.table and self.table.rows))


@dataclass(frozen=True, slots=True)
class Page:
    """All of one row's page: its name, its status, its panels."""

    title: str
    badges: Sequence[Badge] = ()
    panels: Sequence[Panel] = ()
    notices: Sequence[str] = ()


def history(subjects: Iterable[str], company: Company | None, title: str = "History") -> Panel:
    """The audit trail of the subjects as one history, newest first."""
    events = list(
        AuditEvent.objects.filter(subject__in=list(subjects)).order_by("-at", "-id")[:MOST_EVENTS]
    )
    people = _people(events)
    return Panel(
        title=title,
        events=[_event(event, company, people) for event in events],
        empty="Nothing has happened yet.",
        note="Who did or tried what, from where, and what was different after. Newest first.",
    )


def outcome_badge(event: AuditEvent) -> Badge:
    refused = event.outcome == AuditEvent.Outcome.REFUSED
    return Badge(event.get_outcome_display(), "bad" if refused else "good")


def _event(event: AuditEvent, company: Company | None, people: Names) -> Event:
    origin = f" from {event.ip_address}" if event.ip_address else ""
    return Event(
        title=action_words(event.action),
        outcome=outcome_badge(event),
        at=cells.instant(event.at, company, exact=True),
        by=f"{event.actor_name}{origin}",
        detail=event.detail,
        changes=changes(event, people),
    )


def _people(events: Iterable[AuditEvent]) -> Names:
    """The names of the people whose ids stand in what was different."""
    values = {
        str(value)
        for event in events
        for facts in (event.before, event.after)
        for value in (facts or {}).values()
    }
    ids = [value for value in values if UUID_WRITTEN.fullmatch(value)]
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=ids)} if ids else {}


def action_words(action: str) -> str:
    """An action's name as words: ``payment.send_code`` is "Payment: send code"."""
    noun, _, verb = action.partition(".")
    words = f"{noun}: {verb}" if verb else noun
    return words.replace("_", " ").capitalize()


def changes(event: AuditEvent, people: Names | None = None) -> list[tuple[str, str, str]]:
    """What differs between before and after: name, old, new; people by their names."""
    before, after = event.before or {}, event.after or {}
    names = [*before, *(name for name in after if name not in before)]
    found = [
        (
            name.replace("_", " "),
            _shown(before.get(name), people or {}),
            _shown(after.get(name), people or {}),
        )
        for name in names
    ]
    return [(name, old, new) for name, old, new in found if old != new]


def _shown(value: object, people: Names) -> str:
    if value in (None, "", [], {}):
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        facts = (f"{name.replace('_', ' ')} {_shown(one, people)}" for name, one in value.items())
        return ", ".join(facts)
    if isinstance(value, list):
        return "; ".join(_shown(one, people) for one in value)
    return people.get(str(value), str(value))
