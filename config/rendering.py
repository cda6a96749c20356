"""Writing answers: JSON in which an instant is UTC with milliseconds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework.compat import SHORT_SEPARATORS
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from ledger.clock import written_instant


class Encoder(JSONEncoder):
    """Encodes what serializers leave as objects."""

    def default(self, obj: Any) -> Any:
        if isinstance(obj, datetime):
            return written_instant(obj)
        return super().default(obj)


# Kept, for a dozen options have to be looked at to make one.
COMPACT = Encoder(
    ensure_ascii=JSONRenderer.ensure_ascii,
    allow_nan=not JSONRenderer.strict,
    separators=SHORT_SEPARATORS,
)


class Renderer(JSONRenderer):
    """JSON for clients; a problem document keeps its own media type."""

    encoder_class = Encoder

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return ``data`` as JSON, compact unless the request asks for an indent (``; indent=4``)."""
        if data is None or accepted_media_type != self.media_type:
            written: bytes = super().render(data, accepted_media_type, renderer_context)
            return written
        text = COMPACT.encode(data)
        # line ends to JavaScript, though not to JSON
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
