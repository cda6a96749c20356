"""Going through many rows so that one that fails does not keep the others waiting."""

import logging
from collections.abc import Callable, Iterable
from uuid import UUID

logger = logging.getLogger(__name__)


def for_each(ids: Iterable[UUID], step: Callable[[UUID], object]) -> int:
    """Call ``step`` with each id and return how often it said yes; a failure is logged and passed over.

    The row stays as it was and is met again by the next pass.
    """
    return sum(attempted(lambda row=row: bool(step(row))) for row in ids)  # type: ignore[misc]


def attempted(step: Callable[[], bool]) -> bool:
    """Return what ``step`` returns, False when it raised; the exception is logged."""
    try:
        return step()
    except Exception:
        logger.exception("a step of a pass failed; the next pass meets it again")
        return False
