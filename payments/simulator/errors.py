"""Daraja's synchronous errors: HTTP status and message per error code, and the broken replies."""

from __future__ import annotations

from payments.simulator.faults import Fault
from payments.simulator.wire import Reply, json_reply

MESSAGES: dict[str, tuple[int, str]] = {
    "400.002.02": (400, "Bad Request - Invalid {}"),
    "400.002.05": (400, "Invalid Request Payload"),
    "400.003.01": (400, "Invalid Access Token"),
    "400.008.01": (400, "Invalid Authentication passed"),
    "400.008.02": (400, "Invalid grant type passed"),
    "401.002.01": (401, "Error Occurred - Invalid Access Token"),
    "404.001.01": (404, "Resource not found"),
    "404.001.03": (404, "Invalid Access Token"),
    "405.001": (405, "Method Not Allowed"),
    "500.002.1001": (500, "Duplicate OriginatorConversationID"),
    "500.003.1001": (500, "Internal Server Error"),
    "500.003.02": (500, "Error Occurred: Spike Arrest Violation"),
    "500.003.03": (429, "Error Occurred: Quota Violation"),
}


def error(code: str, request_id: str, *, about: str = "") -> Reply:
    status, message = MESSAGES[code]
    return json_reply(
        status,
        {"requestId": request_id, "errorCode": code, "errorMessage": message.format(about)},
    )


def spoilt(good: Reply | None, fault: Fault, request_id: str) -> Reply:
    """The reply a fault leaves the caller with; `good` is what would have been said."""
    kind = fault.kind
    if kind == "502":
        page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
        return Reply(502, page, content_type="text/html")
    if kind == "503":
        return Reply(503, b"Service Unavailable", content_type="text/plain")
    if kind == "429":
        wait = str(fault.options.get("retry_after", 1))
        busy = error("500.003.03", request_id)
        return Reply(busy.status, busy.body, headers={"Retry-After": wait})
    if kind == "reply":
        headers = {str(k): str(v) for k, v in fault.options.get("headers", {}).items()}
        status, body = int(fault.options["status"]), str(fault.options.get("body", ""))
        return Reply(status, body.encode(), headers=headers)
    if kind == "500" or good is None:
        good = error("500.003.1001", request_id)
    return Reply(good.status, good.body, good.content_type, good.headers, fault)
