"""How amounts and instants travel: strict on the way in, exact on the way out."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.clock import written_instant
from ledger.models import User
from ledger.money import AMOUNT_PATTERN, format_amount

DAY_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
WRITTEN_AMOUNT = {
    "type": "string",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "examples": ["1000.00"],
    "description": "Exactly the currency's decimals.",
}
READ_AMOUNT = {
    "type": ["string", "number"],
    "pattern": r"^[0-9]+(\.[0-9]+)?$",
    "examples": ["1000.00", 1000],
    "description": "Greater than zero, no finer than the currency's minor unit.",
}


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field):
    """An instant, in UTC with milliseconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"read_only": True} | kwargs))

    def to_representation(self, value: datetime) -> str:
        return written_instant(value)


@extend_schema_field(WRITTEN_AMOUNT)
class MoneyText(serializers.Field):
    """An amount with exactly the decimals of the currency, which stands at ``currency`` on the same object."""

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(**({"read_only": True} | kwargs))

    def get_attribute(self, instance: Any) -> Any:
        amount = super().get_attribute(instance)
        currency = instance
        for part in self.currency.split("."):
            currency = currency[part] if isinstance(currency, dict) else getattr(currency, part)
        return None if amount is None else (amount, currency)

    def to_representation(self, value: tuple[Decimal, str]) -> str:
        return format_amount(*value)


@extend_schema_field(READ_AMOUNT)
class AmountField(serializers.Field):
    """An amount as it was sent: a string of digits or a JSON number, never a float.

    Only its form is looked at here. The domain reads it, for it knows the currency.
    """

    default_error_messages = {
        "amount_invalid": 'An amount is written with digits, such as "1000.00".'
    }

    def to_internal_value(self, data: Any) -> str | int | Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("amount_invalid")
        if isinstance(data, str) and not AMOUNT_PATTERN.fullmatch(data):
            self.fail("amount_invalid")
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field(OpenApiTypes.INT)
class WholeNumberField(serializers.Field):
    """A JSON integer between two bounds; a string, a fraction or a boolean is none."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("This is a whole number.", code="invalid")
        if not self.least <= data <= self.most:
            message = f"This is a number from {self.least} to {self.most}."
            raise serializers.ValidationError(message, code="out_of_range")
        return data

    def to_representation(self, value: int) -> int:
        return value


class DayField(serializers.DateField):
    """A date as ISO 8601 writes it: a JSON string."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not DAY_PATTERN.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class TextField(serializers.CharField):
    """Text: a JSON string, nothing that merely can be turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.UUID)
class Reference(serializers.PrimaryKeyRelatedField):
    """The id of something the caller may see; anything else is refused as if it did not exist.

    ``rows`` is a selector that takes the user.
    """

    default_error_messages = {
        "does_not_exist": "There is no such {noun}.",
        "incorrect_type": "This is an id.",
    }

    def __init__(self, rows: Any, *, noun: str, **kwargs: Any) -> None:
        self.rows, self.noun = rows, noun
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[Model]:
        user: User = self.context["user"]
        rows: QuerySet[Model] = self.rows(user)
        return rows

    def use_pk_only_optimization(self) -> bool:
        return False

    def fail(self, key: str, **kwargs: Any) -> Any:
        super().fail(key, noun=self.noun, **kwargs)
