"""How weights, readings, logins and amounts of an association travel."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.api.fields import READ_AMOUNT, WRITTEN_AMOUNT, AmountField, MoneyText, TextField
from ledger.api.serializers import Output
from ledger.models import User
from ledger.models.account import MoneyField
from ledger.money import AMOUNT_PATTERN

LONGEST_NUMBER = 40
WRITTEN_NUMBER = {
    "type": "string",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "examples": ["12.5"],
    "description": "A number, not an amount of money; without zeros at its end.",
}
READ_NUMBER = {
    "type": ["string", "number"],
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "examples": ["12.5", 3],
}


@extend_schema_field(READ_NUMBER)
class NumberField(serializers.Field):
    """A weight, reading or percentage as it was sent: a string of digits or a JSON number, never a float.

    Only its form is looked at here; returns its digits. The domain knows what may be.
    """

    default_error_messages = {"invalid": 'A number is written with digits, such as "12.5".'}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        if isinstance(data, int) and data.bit_length() > 4 * LONGEST_NUMBER:
            self.fail("invalid")
        text = str(data)
        if len(text) > LONGEST_NUMBER or not AMOUNT_PATTERN.fullmatch(text):
            self.fail("invalid")
        return text

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field(WRITTEN_NUMBER)
class NumberText(serializers.Field):
    """A weight, reading or percentage as plain digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"read_only": True} | kwargs))

    def to_representation(self, value: Decimal) -> str:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


@extend_schema_field(WRITTEN_AMOUNT)
class AmountText(serializers.Field):
    """An amount that is written already, with exactly the currency's decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"read_only": True} | kwargs))

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_field(
    READ_AMOUNT | {"pattern": WRITTEN_AMOUNT["pattern"], "description": "May be negative or zero."}
)
class SignedAmountField(AmountField):
    """A balance as it was sent; above zero the association owes it."""


class LoginField(TextField):
    """Somebody who signs in, by id or by user name; returns the id.

    Whoever has no role where he is named is refused by the domain in the same words.
    """

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        self.run_validators(text)
        found = User.objects.filter(_login(text)).values_list("pk", flat=True).first()
        if found is None:
            raise serializers.ValidationError("There is no such user.")
        return found


def _login(text: str) -> models.Q:
    try:
        return models.Q(pk=UUID(text))
    except ValueError:
        return models.Q(username=text)


class PeriodsOutput(Output):
    """An answer about something of an association, in whose currency its amounts are."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        if isinstance(model_field, MoneyField):
            return MoneyText, {"currency": "association.currency", "allow_null": model_field.null}
        if isinstance(model_field, models.DecimalField):
            return NumberText, {"allow_null": model_field.null}
        return super().build_standard_field(field_name, model_field)


def currency_of_association() -> serializers.CharField:
    """The currency of an answer's amounts."""
    return serializers.CharField(source="association.currency", read_only=True)
