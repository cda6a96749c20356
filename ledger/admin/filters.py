"""List filters whose choices end where the person's sight ends."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin
from django.db.models import DateTimeField, Field
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)

MOST_CHOICES = 500
WHEN = re.compile(r" (at|on|timestamp)$")


class OneOf(ChoicesDropdownFilter):
    """By a field with choices: status, method, role."""


class Between(RangeDateFilter):
    """By a range of days, both inclusive; of an instant, days in UTC."""

    named: ClassVar[str] = ""

    def __init__(self, field: Field, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, *args, **kwargs)
        self.title = self.named or WHEN.sub("", str(field.verbose_name))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": self._start(first)})
        if last:
            after = self._start(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.field_path}__lt": after})
        return queryset

    def _day(self, end: str) -> date | None:
        """The day that was asked for; one that cannot be read is as none."""
        try:
            return parse_date(str(self.used_parameters.get(f"{self.field_path}_{end}") or ""))
        except ValueError:
            return None

    def _start(self, day: date) -> date | datetime:
        if isinstance(self.field, DateTimeField):
            return datetime.combine(day, time.min, tzinfo=UTC)
        return day


class Seen(RelatedDropdownFilter):
    """By something else that has an admin; offers only what the person may see there."""

    def field_choices(
        self, field: Field, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[Any]:
        other = model_admin.admin_site._registry[field.related_model]  # type: ignore[index]
        return [(row.pk, str(row)) for row in other.get_queryset(request)[:MOST_CHOICES]]


def by(field: str) -> tuple[str, type[OneOf]]:
    return (field, OneOf)


def between(field: str, named: str = "") -> tuple[str, type[Between]]:
    return (field, type("Between", (Between,), {"named": named}) if named else Between)


def seen(field: str) -> tuple[str, type[Seen]]:
    return (field, Seen)
