"""What came of a form, kept for the page that shows it.

A form is answered by a redirect: whoever reloads the page with the result, or comes back to it, does
nothing again. The result waits in the person's session, encrypted, for a while; only he is shown it.
"""

import json
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from django.http import HttpRequest

from ledger.clock import database_now
from ledger.encryption import Undecryptable, decrypt, encrypt

RESULTS = "results"
MOST_KEPT = 4
A_DAY = timedelta(days=1)
# What must not be seen by whoever sits down here later.
A_MOMENT = timedelta(minutes=10)


def keep_result(request: HttpRequest, about: str, told: Any, *, lasts: timedelta = A_DAY) -> str:
    """Keep what can be written as JSON; returns the key under which the page finds it.

    The oldest gives way when there are more than a few.
    """
    key = token_urlsafe(9)
    kept: dict[str, list[Any]] = request.session.get(RESULTS, {})
    until = (database_now() + lasts).timestamp()
    newest = [*kept.items(), (key, [about, until, encrypt(json.dumps(told))])]
    request.session[RESULTS] = dict(newest[-MOST_KEPT:])
    return key


def kept_result(request: HttpRequest, about: str, key: str) -> Any:
    """Return what was kept under the key, if it is about this; None when it is over or never was."""
    found = request.session.get(RESULTS, {}).get(key)
    if found is None or found[0] != about or found[1] <= database_now().timestamp():
        return None
    try:
        return json.loads(decrypt(found[2]))
    except Undecryptable:
        return None


def forget_results(request: HttpRequest, about: str) -> None:
    """Forget what was kept about this."""
    kept = request.session.get(RESULTS, {})
    left = {key: told for key, told in kept.items() if told[0] != about}
    if len(left) < len(kept):
        request.session[RESULTS] = left
