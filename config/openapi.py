"""The OpenAPI document: made once per process, for it is the same for everyone."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


class Generator(SchemaGenerator):
    """Gives the public document, whoever asks."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:  # noqa: FBT001, FBT002
        return document()


@cache
def document() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
