"""The web application, except that a request with the header ``X-Die`` kills its process around a COMMIT."""

from typing import Any

from config.wsgi import application as real
from tests.crash.points import arm_commit


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """``X-Die: before`` dies before the request's effect is committed, ``after`` right after it."""
    if side := environ.get("HTTP_X_DIE"):
        arm_commit(1, side, passed=0, say_passed=lambda: None)
    return real(environ, start_response)
