"""How the views describe themselves in OpenAPI: from their own declarations and docstrings."""

import inspect
import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.settings import api_settings

from ledger.exports import CONTENT_TYPES

PROBLEM = "application/problem+json"
REASONS = {
    400: "The input is refused; `errors` names the field.",
    401: "Who asks is not known.",
    403: "The caller may not do this.",
    404: "There is no such thing within the caller's sight.",
    409: "The present state does not allow it.",
    422: "The input breaks a rule.",
    429: "Asked again too soon; `Retry-After` says when.",
}


FILE = OpenApiParameter(
    "format",
    enum=["csv", "xlsx"],
    description="All rows that the filters leave, as one file; 422 `too_many_rows` beyond 50,000.",
)


class Problem(serializers.Serializer):
    """Why something was refused (RFC 9457). ``code`` is stable; ``detail`` is for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


class Documentation(AutoSchema):
    """Reads a view's ``Input``, ``Output``, ``produces``, ``status_code``, ``refusals`` and docstring."""

    def _docstring(self) -> tuple[str, str]:
        method = getattr(self.view, self.method.lower(), None)
        own = method and method.__qualname__.startswith(type(self.view).__name__ + ".")
        text = inspect.cleandoc((own and method.__doc__) or type(self.view).__doc__ or "")
        described = dict(re.findall(r"^(GET|POST|PATCH): (.+)$", text, re.MULTILINE))
        if self.method in described:
            return described[self.method], ""
        summary, _, rest = text.partition("\n\n")
        return summary.replace("\n", " ").removesuffix("."), rest

    def get_summary(self) -> str:
        return self._docstring()[0]

    def get_description(self) -> str:  # type: ignore[override]
        return self._docstring()[1]

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/").partition("/")[0]]

    def get_operation_id(self) -> str:
        words = [word for word in self.path.split("/") if word and not word.startswith("{")]
        one = self.path.rstrip("/").endswith("}")
        verb = {"GET": "retrieve" if one else "read", "POST": "do", "PATCH": "edit"}[self.method]
        return "_".join([*words[1:], verb])

    def _writes(self) -> bool:
        return self.method in {"POST", "PATCH"}

    def get_request_serializer(self) -> Any:
        return getattr(self.view, "Input", None)

    def _is_list(self) -> bool:
        return self.method == "GET" and hasattr(self.view, "ordering")

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self._is_list() if serializer is None else bool(super()._is_list_view(serializer))

    def _get_pagination_parameters(self) -> Any:
        if not self._is_list() and not getattr(self.view, "paged", False):
            return []
        pages: Any = api_settings.DEFAULT_PAGINATION_CLASS
        return pages().get_schema_operation_parameters(self.view)

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: Any) -> Any:
        """Keep a serializer's own docstring; what it inherits is for people who write serializers."""
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)  # type: ignore[no-untyped-call]
        if not type(serializer).__dict__.get("__doc__"):
            schema.pop("description", None)
        return schema

    def get_response_serializers(self) -> Any:
        output = getattr(self.view, "Output", None)
        if self._is_list():
            output = getattr(self.view, "ListOutput", None) or output
        if self._is_list() and output is not None:
            output = output(many=True)
        status_code = getattr(self.view, "status_code", 200) if self._writes() else 200
        also = getattr(self.view, "also_answers", {}) if self._writes() else {}
        answers = self._done(status_code, output)
        answers |= {code: OpenApiResponse(output, text) for code, text in also.items()}
        if self.method == "GET" and getattr(self.view, "is_conditional", False):
            answers[304] = OpenApiResponse(description="Nothing changed since `If-None-Match`.")
        if self._has_files():
            answers |= {(200, kind): OpenApiTypes.BINARY for kind in CONTENT_TYPES.values()}
        for code in self._refused_with():
            answers[code, PROBLEM] = OpenApiResponse(Problem, self._reason(code))
        return answers

    def _done(self, status_code: int, output: Any) -> dict[Any, Any]:
        """The answer when all went well; a view that gives files names their types in ``produces``."""
        kinds: tuple[str, ...] = getattr(self.view, "produces", ())
        if not kinds:
            return {status_code: output}
        return {(status_code, kind): output for kind in kinds}

    def _has_files(self) -> bool:
        """Whether this is a list that also comes as a file."""
        return self._is_list() and getattr(self.view, "export", None) is not None

    def _refused_with(self) -> list[int]:
        codes = set(getattr(self.view, "refusals", {}))
        if AllowAny not in self.view.permission_classes:
            codes.add(401)
        if "{" in self.path:
            codes.add(404)
        if self._writes() and hasattr(self.view, "action"):
            codes |= {400, 403, 409, 422}
        if self._writes() and AllowAny not in self.view.permission_classes:
            codes.add(429)
        if self._is_list():
            codes.add(400)
        if not self._writes():
            codes -= {403, 409, 422, 429}
            codes |= set(getattr(self.view, "reading_refusals", {}))
            codes |= {422} if self._has_files() else set()
        return sorted(codes)

    def _reason(self, code: int) -> str:
        own = getattr(self.view, "refusals", {}).get(code)
        return f"{REASONS[code]} Codes: {own}." if own else REASONS[code]

    def get_override_parameters(self) -> list[Any]:
        if self._is_list() or self.method == "GET":
            query = getattr(self.view, "Query", None)
            return [*([query] if query else []), *([FILE] if self._has_files() else [])]
        if not hasattr(self.view, "action") or self.method != "POST":
            return []
        if not getattr(self.view, "honours_keys", True):
            return []
        return [
            OpenApiParameter(
                "Idempotency-Key",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="The same request with the same key has one effect and one answer.",
            )
        ]
