"""What happens to every request before a view sees it, and to every answer after."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path

from config import metrics, problems
from config.logs import WATCHED
from ledger.reports import read_from
from ledger.tracing import request_id

logger = logging.getLogger("bursar.requests")
GetResponse = Callable[[HttpRequest], HttpResponseBase]
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The admin's Alpine.js evaluates attributes and sets styles; it still may not run inline scripts.
ADMIN = STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
# The API's pages set styles.
DOCS = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


class RequestIdentity:
    """Names each request, for logs and the audit trail, finds the caller's address, and measures.

    A caller's own ``X-Request-Id`` is kept when it is harmless. Views read ``request.META``:
    ``HTTP_X_REQUEST_ID`` and ``REMOTE_ADDR``.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if ACCEPTABLE_ID.match(given) else uuid.uuid4().hex
        request.META["HTTP_X_REQUEST_ID"] = name
        request.META["REMOTE_ADDR"] = _caller(request)
        token, source = request_id.set(name), read_from.set("")
        began = time.monotonic()
        try:
            response = self.get_response(request)
            if read_from.get():
                response.headers["Bursar-Read-From"] = read_from.get()
            _tell(request, response.status_code, time.monotonic() - began)
        finally:
            request_id.reset(token)
            read_from.reset(source)
        response.headers["X-Request-Id"] = name
        return response


def _tell(request: HttpRequest, status: int, seconds: float) -> None:
    """Measure the request and log it: what was asked of which route, never the address or the body."""
    metrics.measure_request(request, status, seconds)
    if logger.isEnabledFor(logging.INFO) and request.path not in WATCHED:
        facts = {"method": request.method, "route": metrics.route_of(request), "status": status}
        logger.info("request", extra={**facts, "duration_ms": round(seconds * 1000, 1)})


def _caller(request: HttpRequest) -> str | None:
    """The caller's address: what the outermost of our own proxies saw, else who connected."""
    connected: str | None = request.META.get("REMOTE_ADDR") or None
    proxies: int = settings.BURSAR_TRUSTED_PROXIES
    if not proxies:
        return connected
    header: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    forwarded = [part.strip() for part in header.split(",")]
    if len(forwarded) >= proxies and forwarded[-proxies]:
        return forwarded[-proxies]
    return connected


HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}


class SecurityPolicy:
    """Says what a page may load, its own files only, and what else of us others may use: nothing.

    A view's own header is kept.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy(request.path))
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def _policy(path: str) -> str:
    if path.startswith("/admin/"):
        return ADMIN
    return DOCS if path.startswith("/api/docs") else STRICT


class BodyLimit:
    """Refuses pages' bodies that are too large before anything reads them.

    The API's parsers measure for themselves, after they know who asks.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        too_large = length.isdigit() and int(length) > settings.BURSAR_LARGEST_UPLOAD
        if too_large and not request.path_info.startswith(("/api/", "/core/")):
            return problems.answer(problems.body_too_large())
        return self.get_response(request)


# The one address that is written without a slash; all others of ours end with one, which a test watches.
WITHOUT_SLASH = "/metrics"


class OptionalSlash:
    """Lets every address be written with or without its trailing slash, for all verbs, without redirect."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path == f"{WITHOUT_SLASH}/":
            request.path_info = WITHOUT_SLASH
            request.path = request.path.removesuffix("/")
        elif not path.endswith("/") and not is_valid_path(path) and is_valid_path(f"{path}/"):
            request.path_info = f"{path}/"
            request.path = f"{request.path}/"
        return self.get_response(request)
