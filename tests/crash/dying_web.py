"""The web application, except that a request with the header ``X-Die`` kills its process around its effect."""

from typing import Any

from config.wsgi import application as real
from tests.crash.points import EXECUTION, Point, arm, arm_commit


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """``X-Die: before`` dies before the request's effect is committed, ``after`` right after it.

    What is paid at once is committed by the statement that settles it, all else by a COMMIT.
    """
    if side := environ.get("HTTP_X_DIE"):
        arm(Point(EXECUTION, "settle_as_seen", side), passed=0, say_passed=lambda: None)
        arm_commit(1, side, passed=0, say_passed=lambda: None)
    return real(environ, start_response)
