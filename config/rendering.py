"""Writing answers: JSON in which an instant is UTC with milliseconds."""

from datetime import UTC, datetime
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class Encoder(JSONEncoder):
    """Encodes what serializers leave as objects."""

    def default(self, obj: Any) -> Any:
        if isinstance(obj, datetime):
            return instant(obj)
        return super().default(obj)


def instant(moment: datetime) -> str:
    """An aware instant as clients see it: ``2025-03-01T09:30:00.000Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


class Renderer(JSONRenderer):
    """JSON for clients; a problem document keeps its own media type."""

    encoder_class = Encoder
