"""Commands: the one shape of every domain call that changes something.

A command runs in one durable transaction. A refusal rolls it back and is then written to the audit trail
in a transaction of its own. What the database asks to be tried again (a deadlock, a lock that took too
long, a serialisation failure) is run again as a whole.
"""

import functools
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from django.db import IntegrityError, OperationalError, connection, transaction

from ledger import audit, idempotency
from ledger.actor import Actor
from ledger.refusals import Conflict, Refusal

logger = logging.getLogger(__name__)
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# serialization_failure, deadlock_detected, lock_not_available
TRY_AGAIN = frozenset({"40001", "40P01", "55P03"})
LONGEST_TRIES = 5


class NotAtOnce(Exception):
    """Not an error: what a command would have done at once has to be decided under the locks."""


class Busy(Conflict):
    """Others hold what this needs; nothing was done, and it may be asked again."""

    code = "busy"
    title = "Busy"


def command(
    action: str, *, claims: bool = False, at_once: Callable[..., Any] | None = None
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Make a keyword-only function a command named ``action`` ("payment.execute").

    The function takes ``actor`` and, where it concerns something that exists, an argument such as
    ``payment_id``: with the app it is defined in, this names the subject ``treasury.payment:<id>``. One that
    ``claims`` takes the request's idempotency key with its own first statement (``idempotency.Claiming``).

    ``at_once`` is tried before: the same for everyday cases, in one statement that is a transaction by itself,
    the key and the answer included. It refuses nobody: when it raises ``NotAtOnce`` or a refusal, or the
    database refuses, nothing has happened and the function decides.
    """

    def decorate(
        function: Callable[Parameters, Result],
    ) -> Callable[Parameters, Result]:
        @functools.wraps(function)
        def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            actor = cast(Actor, kwargs["actor"])
            subject = _subject(function, kwargs) or action
            whole = functools.partial(function, *args, **kwargs)
            with refusals_recorded(actor=actor, action=action, subject=subject):
                # Within a transaction there is no other: the function says so.
                if at_once is None or connection.in_atomic_block:
                    return _run_until_done(whole, claims=claims)
                short = functools.partial(cast(Callable[..., Result], at_once), *args, **kwargs)
                return _run_at_once(short, whole, claims=claims)

        return run

    return decorate


def _run_at_once(
    short: Callable[[], Result], whole: Callable[[], Result], *, claims: bool
) -> Result:
    """Return what ``short`` does; where it cannot end at once ``whole`` has the last word.

    What waited in vain has tried once: nobody waits longer for having tried at once.
    """
    tries = LONGEST_TRIES
    try:
        return short()
    except OperationalError as error:
        if _sqlstate(error) not in TRY_AGAIN:
            raise
        tries -= 1
    except (NotAtOnce, Refusal, IntegrityError) as refusal:
        logger.debug("not done at once: %s", type(refusal).__name__)
    return _run_until_done(whole, claims=claims, tries=tries)


def _run_until_done(
    function: Callable[[], Result], *, claims: bool, tries: int = LONGEST_TRIES
) -> Result:
    for attempt in range(1, tries + 1):
        try:
            return _run_once(function, claims=claims)
        except OperationalError as error:
            if _sqlstate(error) not in TRY_AGAIN:
                raise
            if attempt == tries:
                message = "Others are using this just now. Nothing was done; try again."
                raise Busy(message, retry_after=1) from error
            logger.info("command is run again after %s", _sqlstate(error))
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 -- jitter, not a secret
    raise AssertionError("the loop returns or raises")


def _run_once(function: Callable[[], Result], *, claims: bool) -> Result:
    with transaction.atomic(durable=True):
        if not claims:
            idempotency.claim()
        result = function()
        idempotency.complete(result)
    return result


def _sqlstate(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


@contextmanager
def refusals_recorded(*, actor: Actor, action: str, subject: str) -> Iterator[None]:
    """Write a refusal raised inside to the audit trail, in a transaction of its own, and let it pass on."""
    try:
        yield
    except Refusal as refusal:
        with transaction.atomic():
            audit.record_refusal(
                actor=actor,
                action=action,
                subject=subject,
                company_id=audit.company_of(subject),
                refusal=refusal,
            )
        raise


def _subject(function: Callable[..., Any], arguments: dict[str, Any]) -> str | None:
    """Name what a refused command was about: app, noun and id of its first ``<noun>_id`` argument."""
    app = function.__module__.partition(".")[0]
    for name, value in arguments.items():
        if name.endswith("_id") and value is not None:
            return f"{app}.{name.removesuffix('_id')}:{value}"
    return None


def require_transaction() -> None:
    """Raise ``RuntimeError`` outside a transaction: the caller forgot to be a command."""
    if not connection.in_atomic_block:
        raise RuntimeError("This must run inside a command's transaction.")


def after_commit(function: Callable[[], Any]) -> None:
    """Run ``function`` once the transaction has committed; a failure is logged and loses nothing.

    For what merely wakes somebody up: whatever must happen stands in the database, and a sweeper finds it.
    """
    transaction.on_commit(function, robust=True)


__all__ = [
    "Busy",
    "NotAtOnce",
    "after_commit",
    "command",
    "refusals_recorded",
    "require_transaction",
]
