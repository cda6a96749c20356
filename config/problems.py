"""Errors as RFC 9457 problem documents: ``type, title, status, detail, code`` and ``errors`` per field."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ledger.refusals import InvalidInput, Refusal

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE = "/problems/{code}/"
# What DRF calls its own complaints; any other code of a field's error is ours and becomes the problem's.
GENERIC = frozenset(
    {
        "invalid",
        "required",
        "null",
        "blank",
        "empty",
        "max_length",
        "min_length",
        "max_value",
        "min_value",
        "max_digits",
        "max_decimal_places",
        "max_whole_digits",
        "max_string_length",
        "invalid_choice",
        "not_a_list",
        "not_a_dict",
        "does_not_exist",
        "incorrect_type",
        "no_match",
        "overflow",
        "date",
        "datetime",
        "make_aware",
        "parse_error",
        "unique",
        "invalid_image",
        "no_name",
        "surrogate_characters_not_allowed",
        "null_characters_not_allowed",
        "not_allowed",
        "no_extension",
        "invalid_extension",
        "max_length_exceeded",
    }
)
# admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
AWAY = frozenset({"57P01", "57P02", "57P03", "53300"})
CODES = {
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "authentication_failed",
    exceptions.PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "too_many_requests",
}


class Problem(dict[str, Any]):
    """The members of a problem document, and the headers that go with it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str = "",
        errors: dict[str, list[str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(
            type=TYPE.format(code=code),
            title=title or HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            code=code,
        )
        if errors:
            self["errors"] = errors
        self.status = status
        self.headers = headers or {}


def handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every error of an API view becomes a problem document."""
    set_rollback()
    problem = describe(error)
    if problem is None:
        logger.error("request failed", exc_info=error)
        problem = internal()
    # whatever the view writes otherwise: a page, YAML, a file
    context["request"].accepted_renderer = JSONRenderer()
    context["request"].accepted_media_type = JSONRenderer.media_type
    return Response(
        problem, status=problem.status, headers=problem.headers, content_type=MEDIA_TYPE
    )


def describe(error: Exception) -> Problem | None:
    """The problem that an exception means; None for what nobody expected."""
    if isinstance(error, Refusal):
        return _of_refusal(error)
    if isinstance(error, exceptions.ValidationError):
        return _of_validation(error)
    if isinstance(error, exceptions.ParseError | exceptions.UnsupportedMediaType | BadRequest):
        return _of_body(str(error))
    if isinstance(error, RequestDataTooBig):
        return body_too_large()
    if isinstance(error, SuspiciousOperation):
        return _of_body("The request cannot be read.")
    if isinstance(error, Http404):
        return not_found()
    if isinstance(error, PermissionDenied):
        return Problem(403, "permission_denied", "You may not do this.")
    if isinstance(error, exceptions.APIException) and error.status_code < 500:
        return _of_api(error)
    if _is_outage(error):
        logger.warning("the database was away", exc_info=error)
        return unavailable()
    return None


def _is_outage(error: Exception) -> bool:
    """Whether the database was not there, or went away: it is starting, stopping, full or cut off."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith("08") or state in AWAY


def _of_refusal(refusal: Refusal) -> Problem:
    headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after is not None else {}
    return Problem(
        refusal.status,
        refusal.code,
        refusal.detail,
        title=refusal.title,
        errors=refusal.errors,
        headers=headers,
    )


def _of_validation(error: exceptions.ValidationError) -> Problem:
    errors: dict[str, list[str]] = {}
    codes: list[str] = []
    for field, detail in _flattened(error.detail):
        errors.setdefault(field, []).append(str(detail))
        codes.append(getattr(detail, "code", None) or "invalid")
    ours = [code for code in codes if code not in GENERIC]
    first = next(iter(errors.values()), ["The input is invalid."])[0]
    return Problem(
        400, ours[0] if ours else InvalidInput.code, first, title=InvalidInput.title, errors=errors
    )


def _flattened(detail: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (field, message); a field in a list of objects is ``lines.0.amount``."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = name not in {"non_field_errors", "__all__"}
            yield from _flattened(inner, f"{place}.{name}".strip(".") if own else place)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flattened(inner, f"{place}.{index}".strip(".") if nested else place)
    else:
        yield place or "body", detail


def _of_api(error: exceptions.APIException) -> Problem:
    code = next((code for kind, code in CODES.items() if isinstance(error, kind)), "refused")
    if isinstance(error, exceptions.AuthenticationFailed):
        code = str(error.get_codes())  # a refused sign-in says so by a code of its own
    headers = {}
    if (challenge := getattr(error, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(int(getattr(error, "wait", None) or 1))
    return Problem(error.status_code, code, str(error.detail), headers=headers)


def _of_body(message: str) -> Problem:
    title = InvalidInput.title
    return Problem(400, InvalidInput.code, message, title=title, errors={"body": [message]})


def body_too_large() -> Problem:
    return _of_body("The body is too large.")


def not_found() -> Problem:
    return Problem(404, "not_found", "There is no such thing.", title="Not found")


def unavailable() -> Problem:
    """What a caller learns while the database is away; whether a commit was reached, nobody knows."""
    detail = "The database is away. It is not certain that nothing was done: look, or ask again with the same key."
    return Problem(503, "unavailable", detail, headers={"Retry-After": "2"})


def internal() -> Problem:
    """What a caller learns about a failure of ours: nothing but that it happened."""
    detail = "Something went wrong here. It has been noted."
    return Problem(500, "internal_error", detail, title="Internal error")


def answer(problem: Problem) -> JsonResponse:
    """A problem document outside DRF."""
    return JsonResponse(
        problem, status=problem.status, headers=problem.headers, content_type=MEDIA_TYPE
    )
