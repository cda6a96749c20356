"""Bodies that several addresses take."""

from typing import Any

from rest_framework import serializers

from ledger.api.fields import TextField
from ledger.api.serializers import Input


class ReasonInput(Input):
    reason = TextField(max_length=2000)


class EditInput(Input):
    """What is to change; every field may be left out, but not all of them."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Say what is to change.")
        return attrs
