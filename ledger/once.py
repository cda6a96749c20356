"""Reading once what a page asks again and again: which roles somebody has, who acts for whom.

Only for what shows and changes nothing. A command reads what it decides by itself, under its locks.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Found = TypeVar("Found")
_read: ContextVar[dict[Hashable, Any] | None] = ContextVar("bursar_read_once", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Within this, or within a view that it decorates, ``once`` keeps what it read."""
    if _read.get() is not None:
        yield
        return
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def once(key: Hashable, read: Callable[[], Found]) -> Found:
    """Return what ``read`` returns; within ``read_once`` the same for the same key, read the first time."""
    kept = _read.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    found: Found = kept[key]
    return found
