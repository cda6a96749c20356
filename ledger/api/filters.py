"""Filters and ordering: what does not fit is refused by name, never guessed at."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django_filters import CharFilter, ChoiceFilter, DateFilter, UUIDFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError as InvalidParameter
from rest_framework.filters import OrderingFilter

from ledger.models import User
from ledger.once import read_once


class FilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """The filters of one list, by the names of their parameters."""


class Filtering(DjangoFilterBackend):  # type: ignore[misc]
    """The filters of the view's filter set."""


class Ordering(OrderingFilter):
    """``?ordering=name`` or ``-name``, several with commas; any other name is refused.

    A view's ``ordering_columns`` gives the column behind a name where the two differ.
    """

    def remove_invalid_fields(
        self, queryset: Any, fields: Any, view: Any, request: Any
    ) -> list[str]:
        known = super().remove_invalid_fields(queryset, fields, view, request)
        if len(known) != len(fields):
            names = ", ".join(name for name, _ in self.get_valid_fields(queryset, view))
            raise InvalidParameter({"ordering": [f"This list can be ordered by: {names}."]})
        columns = getattr(view, "ordering_columns", {})
        return [self._column(name, columns) for name in known]

    def _column(self, name: str, columns: dict[str, str]) -> str:
        bare = name.removeprefix("-")
        return name.removesuffix(bare) + columns.get(bare, bare)


class AnyOf(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    """``?status=pending``, or several: ``?status=pending&status=failed``."""

    def __init__(self, field_name: str, choices: Any) -> None:
        super().__init__(field_name=field_name, choices=choices, distinct=False)


class AwaitingFilter(django_filters.ChoiceFilter):  # type: ignore[misc]
    """``?awaiting=me``: what waits for the caller; ``waiting`` is a selector that takes the user."""

    def __init__(self, waiting: Callable[[User], QuerySet[Any]]) -> None:
        self.waiting = waiting
        super().__init__(choices=(("me", "What waits for the caller."),))

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value != "me":
            return qs
        with read_once():
            waiting = self.waiting(self.parent.request.user)
        return qs.filter(pk__in=waiting.values("pk"))


class TrueOrFalseFormField(forms.Field):
    """``true`` or ``false``, ``1`` or ``0``; Django's own field takes anything else for no answer."""

    MEANINGS: ClassVar = {"true": True, "1": True, "false": False, "0": False}

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        meaning = self.MEANINGS.get(str(value).lower())
        if meaning is None:
            raise ValidationError("This is true or false.")
        return meaning


class BooleanFilter(django_filters.BooleanFilter):  # type: ignore[misc]
    """``?active=true`` or ``?active=false``."""

    field_class = TrueOrFalseFormField


class AmountFormField(forms.DecimalField):
    """An amount as a filter takes it; bounded, so that no exponent overflows a column."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=24, decimal_places=4, **kwargs)


class AmountFrom(django_filters.Filter):  # type: ignore[misc]
    """``?amount_min=``: at least this much."""

    field_class = AmountFormField

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name=field_name, lookup_expr="gte")


class AmountTo(django_filters.Filter):  # type: ignore[misc]
    """``?amount_max=``: at most this much."""

    field_class = AmountFormField

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name=field_name, lookup_expr="lte")


class InstantFormField(forms.Field):
    """An instant, or a date that stands for its beginning, or for its end where ``end_of_day``; UTC."""

    def __init__(self, *, end_of_day: bool = False, **kwargs: Any) -> None:
        self.end_of_day = end_of_day
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = self._parsed(value)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise ValidationError("This is a date or an instant, such as 2025-03-01T09:30:00Z.")
        return moment

    def _parsed(self, value: str) -> datetime | None:
        if day := parse_date(value):
            return self._of_day(day)
        moment = parse_datetime(value)
        if moment is None:
            return None
        # PostgreSQL refuses offsets that Python allows.
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _of_day(self, day: date) -> datetime:
        beginning = datetime.combine(day, time(), tzinfo=UTC)
        if not self.end_of_day:
            return beginning
        return beginning + timedelta(days=1) - timedelta(microseconds=1)


class InstantFrom(django_filters.Filter):  # type: ignore[misc]
    """``?created_from=``: at or after an instant, or from a date on."""

    field_class = InstantFormField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name=field_name, lookup_expr="gte", **kwargs)


class InstantTo(django_filters.Filter):  # type: ignore[misc]
    """``?created_to=``: at or before an instant, or to the end of a date."""

    field_class = InstantFormField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name=field_name, lookup_expr="lte", end_of_day=True, **kwargs)


__all__ = [
    "AmountFrom",
    "AmountTo",
    "AnyOf",
    "AwaitingFilter",
    "BooleanFilter",
    "CharFilter",
    "ChoiceFilter",
    "DateFilter",
    "FilterSet",
    "Filtering",
    "InstantFrom",
    "InstantTo",
    "Ordering",
    "UUIDFilter",
]
