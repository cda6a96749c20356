"""What serializers share: input that refuses what it does not know, output that is read-only."""

from collections.abc import Callable, Container, Mapping
from typing import Any

from django.db import models
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.relations import PKOnlyObject

from ledger.api.fields import InstantField, MoneyText
from ledger.models import AuditEvent
from ledger.models.account import MoneyField

UNKNOWN = "There is no such field here."


class Input(serializers.Serializer):
    """A request body; a field it does not know is refused by name, together with whatever else is wrong."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **unknown}) from None
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return value

    def _unknown(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, Mapping):
            return {}
        return {str(name): [UNKNOWN] for name in data if name not in self.fields}


class NoInput(Input):
    """An action that takes no body, or an empty object."""


class Output(serializers.ModelSerializer):
    """An answer: amounts by their currency, instants in UTC, other rows by their ids; all read-only."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        if isinstance(model_field, MoneyField):
            return MoneyText, {"allow_null": model_field.null}
        if isinstance(model_field, models.DateTimeField):
            return InstantField, {"allow_null": model_field.null}
        return super().build_standard_field(field_name, model_field)

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        column: models.ForeignKey = relation_info.model_field
        return serializers.UUIDField, {"source": column.attname, "allow_null": column.null}

    def get_extra_kwargs(self) -> dict[str, Any]:
        extra = super().get_extra_kwargs()
        for name in self.Meta.fields:
            extra.setdefault(name, {})["read_only"] = True
        return extra

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return what DRF would; a column is taken from its row, where DRF looks for what it might be."""
        if not isinstance(instance, self.Meta.model):
            found: dict[str, Any] = super().to_representation(instance)
            return found
        row = vars(instance)
        shown: dict[str, Any] = {}
        for name, column, field, written in self._written:
            if not column:
                value = _found(field, instance)
            elif column in row:
                value = row[column]
            else:
                value = getattr(instance, column)  # left in the database until somebody asks
            if value is not LEFT_OUT:
                shown[name] = None if value is None else written(value)
        return shown

    @cached_property
    def _written(self) -> list[tuple[str, str, serializers.Field, Callable[[Any], Any]]]:
        """What is shown: its name, the column that it is ("" for what is none), its field and how it is written."""
        model: type[models.Model] = self.Meta.model
        columns = {column.attname for column in model._meta.concrete_fields}
        return [
            (str(field.field_name), _column(field, columns), field, _writing(field))
            for field in self._readable_fields
        ]


# What DRF makes of values of such fields that come from a database, without the way there.
PLAINLY: dict[type[serializers.Field], Callable[[Any], Any]] = {
    serializers.BooleanField: bool,
    serializers.CharField: str,
    serializers.IntegerField: int,
    serializers.UUIDField: str,
}
LEFT_OUT = object()


def _writing(field: serializers.Field) -> Callable[[Any], Any]:
    return PLAINLY.get(type(field), field.to_representation)


def _column(field: serializers.Field, columns: Container[str]) -> str:
    plain = type(field).get_attribute is serializers.Field.get_attribute
    return str(field.source) if plain and field.source in columns else ""


def _found(field: serializers.Field, instance: Any) -> Any:
    """What DRF finds for a field; None for a relation to nothing, ``LEFT_OUT`` for what is not shown."""
    try:
        value = field.get_attribute(instance)
    except SkipField:
        return LEFT_OUT
    return None if isinstance(value, PKOnlyObject) and value.pk is None else value


@extend_schema_field({"type": ["object", "null"], "additionalProperties": {}})
class FactsField(serializers.JSONField):
    """What the audit trail kept of a thing: its facts by name, or nothing."""


class AuditEventSerializer(Output):
    before = FactsField(read_only=True)
    after = FactsField(read_only=True)

    class Meta:
        model = AuditEvent
        fields = (
            "id", "at", "company", "actor", "actor_name", "action", "subject", "outcome", "code",
            "detail", "before", "after", "ip_address", "user_agent", "request_id",
        )  # fmt: skip
