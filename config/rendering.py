"""Writing answers: JSON in which an instant is UTC with milliseconds."""

from datetime import datetime
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from ledger.clock import written_instant


class Encoder(JSONEncoder):
    """Encodes what serializers leave as objects."""

    def default(self, obj: Any) -> Any:
        if isinstance(obj, datetime):
            return written_instant(obj)
        return super().default(obj)


class Renderer(JSONRenderer):
    """JSON for clients; a problem document keeps its own media type."""

    encoder_class = Encoder
