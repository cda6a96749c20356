"""What serializers share: input that refuses what it does not know, output that is read-only."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
        null = relation_info.model_field is not None and relation_info.model_field.null
        return serializers.PrimaryKeyRelatedField, {
            "read_only": True,
            "allow_null": null,
            "pk_field": serializers.UUIDField(),
        }

    def get_extra_kwargs(self) -> dict[str, Any]:
        extra = super().get_extra_kwargs()
        for name in self.Meta.fields:
            extra.setdefault(name, {})["read_only"] = True
        return extra


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
