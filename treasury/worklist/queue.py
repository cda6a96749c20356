"""A page of the queue: the keys of all that may stand on it in one statement, then the rows that do.

Each kind gives its first keys by an index in its order, no more than the page and the counts need, so that
a page costs the same however many rows there are. What is shown is read by its keys.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, Value

from ledger.access import roles_somewhere
from ledger.models import User
from treasury.authority import acts_for
from treasury.models import Question
from treasury.worklist.items import Item, Kind, Rows
from treasury.worklist.kinds import KINDS

PAGE_SIZE = 25
LAST_PAGE = 40
MOST_COUNTED = 100


class Key(NamedTuple):
    """Where one thing stands in the queue; ``is_own`` is locked for the person and not counted."""

    kind: str
    is_own: bool
    pk: UUID
    risk: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the queue, whether there is another, and how many of each kind wait.

    ``counts`` are of what the person may decide, no further than ``MOST_COUNTED``.
    """

    items: Sequence[Item]
    number: int
    more: bool
    counts: Mapping[str, int]


def page_of_queue(
    user: User, *, number: int = 1, kind: str = "", fund_id: UUID | None = None
) -> Page:
    """Return one page of what waits for the user; ``kind`` and ``fund_id`` narrow it, ``kind`` not the counts."""
    number = min(max(number, 1), LAST_PAGE)
    end = number * PAGE_SIZE
    listed = {kind} if kind else set(KINDS)
    keys = _keys(user, fund_id, {name: end + 1 if name in listed else 0 for name in KINDS})
    found = [key for key in keys if key.kind in listed]
    found.sort(key=lambda key: (-key.risk, key.since, f"{key.kind}:{key.pk}"))
    counts = dict.fromkeys(KINDS, 0)
    for key in keys:
        counts[key.kind] += not key.is_own
    return Page(
        _told(found[end - PAGE_SIZE : end], user),
        number,
        more=len(found) > end and number < LAST_PAGE,
        counts={name: min(many, MOST_COUNTED) for name, many in counts.items()},
    )


def find(user: User, kind: str, subject_id: UUID) -> Item | None:
    """Return one thing that waits for the user or is locked for him; None where it is neither."""
    if kind not in KINDS:
        return None
    one = KINDS[kind]
    found = any(rows.filter(pk=subject_id).exists() for rows in (one.waiting(user), one.own(user)))
    items = _read(one, [subject_id], user) if found else {}
    return _questioned(list(items.values()))[0] if items else None


def waiting_among(user: User, wanted: Iterable[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    """Return those of some things, each its kind and id, that the user may still decide; a query a kind."""
    ids: dict[str, list[UUID]] = {}
    for kind, pk in wanted:
        ids.setdefault(kind, []).append(pk)
    return {
        (kind, pk)
        for kind, some in ids.items()
        for pk in KINDS[kind].waiting(user).filter(pk__in=some).values_list("pk", flat=True)
    }


def _keys(user: User, fund_id: UUID | None, many: Mapping[str, int]) -> list[Key]:
    """The first keys of each kind, ``many`` of it or as many as are counted; one query for all."""
    roles = roles_somewhere(user) | {one.role for one in acts_for(user)}
    sources = [
        source
        for kind in KINDS.values()
        if not kind.for_roles.isdisjoint(roles)
        for source in _sources(kind, user, fund_id, many[kind.name])
    ]
    if not sources:
        return []
    first, *others = sources
    return [Key(*told) for told in first.union(*others, all=True)]


def _sources(kind: Kind, user: User, fund_id: UUID | None, many: int) -> Iterator[Rows]:
    """The keys that the person may decide, and those that are locked for him, each in its order."""
    yield _first_keys(kind, kind.waiting(user), fund_id, max(many, MOST_COUNTED), is_own=False)
    if many:
        yield _first_keys(kind, kind.own(user), fund_id, many, is_own=True)


def _first_keys(kind: Kind, rows: Rows, fund_id: UUID | None, many: int, *, is_own: bool) -> Rows:
    if fund_id:
        rows = rows.filter(**{kind.fund: fund_id})
    told = (Value(kind.name), Value(is_own), F("pk"), kind.risk, F(kind.since))
    keys: Rows = rows.order_by(*kind.order).values_list(*told)[:many]
    return keys


def _told(keys: Sequence[Key], user: User) -> list[Item]:
    """The rows behind the keys, in their order; a query for each kind, and one for the questions."""
    found: dict[tuple[str, UUID], Item] = {}
    for name, kind in KINDS.items():
        wanted = [key.pk for key in keys if key.kind == name]
        if wanted:
            found |= {(name, pk): item for pk, item in _read(kind, wanted, user).items()}
    return _questioned([found[key.kind, key.pk] for key in keys if (key.kind, key.pk) in found])


def _read(kind: Kind, ids: Iterable[UUID], user: User) -> dict[UUID, Item]:
    return {row.pk: kind.told(row, user) for row in kind.rows().filter(pk__in=list(ids))}


def _questioned(items: Sequence[Item]) -> list[Item]:
    """Mark the items about which a question is still open; one query for all."""
    subjects = [item.row.reference for item in items]
    open_ones = Question.objects.filter(subject__in=subjects, answered_at=None)
    asked = set(open_ones.values_list("subject", flat=True))
    return [
        replace(item, has_question=True) if item.row.reference in asked else item for item in items
    ]
