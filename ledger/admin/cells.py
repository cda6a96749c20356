"""What stands in a table or beside a label: text, badge, amount, instant, link.

Pages are described with these and drawn by one template, which escapes everything.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from django.db.models import Model
from django.urls import reverse

from ledger.models import Company
from ledger.money import Money

Tone = Literal["good", "bad", "careful", "busy", "quiet"]


@dataclass(frozen=True, slots=True)
class Text:
    kind: ClassVar[str] = "text"
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word in a colour; the word alone says it all.

    With ``live``, the id of a row, it follows the row: ``watch`` is the address to ask (``admin/live.py``).
    """

    kind: ClassVar[str] = "badge"
    text: str
    tone: Tone = "quiet"
    live: str = ""
    watch: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """Money, right-aligned, with exactly the currency's decimals."""

    kind: ClassVar[str] = "amount"
    amount: Decimal
    currency: str

    @property
    def text(self) -> str:
        return str(Money(self.amount, self.currency))


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment in a named zone: that of the company, or UTC; to the second where it is ``exact``."""

    kind: ClassVar[str] = "instant"
    at: datetime
    zone: str = "UTC"
    exact: bool = False

    @property
    def text(self) -> str:
        shown = "%d %b %Y %H:%M:%S %Z" if self.exact else "%d %b %Y %H:%M %Z"
        return self._local.strftime(shown)

    @property
    def machine(self) -> str:
        return self.at.astimezone(UTC).isoformat(timespec="milliseconds")

    @property
    def _local(self) -> datetime:
        return self.at.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True)
class Link:
    kind: ClassVar[str] = "link"
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text as a machine wrote it."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True, slots=True)
class Level:
    """How full something is, as words and as a bar of 0 to 100 per cent."""

    kind: ClassVar[str] = "level"
    text: str
    percent: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class Many:
    """Several cells in one place."""

    kind: ClassVar[str] = "many"
    cells: tuple["Cell", ...]


Cell = Text | Badge | Amount | Instant | Link | Code | Level | Many
NOTHING = Text("—")


def text(value: object, note: str = "") -> Cell:
    """Any value as text; nothing as a dash."""
    return Text(str(value), note) if value not in {None, ""} else NOTHING


def instant(at: datetime | None, company: Company | None = None, *, exact: bool = False) -> Cell:
    """A moment in the company's zone, or UTC; nothing as a dash."""
    return Instant(at, company.time_zone if company else "UTC", exact) if at else NOTHING


def day(on: date | None) -> Cell:
    return Text(f"{on:%d %b %Y}") if on else NOTHING


def amount(value: Decimal | None, currency: str) -> Cell:
    return Amount(value, currency) if value is not None else NOTHING


def yes_no(value: bool) -> Cell:  # noqa: FBT001 -- it is the value itself that is shown
    return Text("Yes" if value else "No")


def code(value: object) -> Cell:
    """JSON or plain text, laid out; nothing as a dash."""
    if value in ({}, [], "", None):
        return NOTHING
    if isinstance(value, str):
        return Code(_laid_out(value))
    return Code(json.dumps(value, indent=2, sort_keys=True, default=str))


def _laid_out(text: str) -> str:
    """JSON with a line for each member, anything else as it is."""
    try:
        return json.dumps(json.loads(text, parse_float=str), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def link(row: Model | None, label: str = "") -> Cell:
    """A link to the page of a row; nothing as a dash."""
    if row is None:
        return NOTHING
    return Link(label or str(row), page_of(row))


def page_of(row: Model) -> str:
    """The address of a row's page in the admin."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk])


def add_page(model: type[Model]) -> str:
    """The address of the page that makes a row."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def list_of(model: type[Model], **filters: Any) -> str:
    """The address of a model's list, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{url}?{query}" if query else url
