"""Which kinds of event there are. An app says in its ``ready`` which ones it has, so that nobody waits for
one that does not exist and nobody tells one that nobody knows."""

import re
from collections.abc import Iterable

WRITTEN = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", re.ASCII)
LONGEST_KIND = 60

_kinds: set[str] = set()


def register_kinds(kinds: Iterable[str]) -> None:
    """Make kinds of event known, such as ``payment.succeeded``; raise ``ValueError`` on any other form."""
    for kind in kinds:
        if not WRITTEN.fullmatch(kind) or len(kind) > LONGEST_KIND:
            raise ValueError(f"{kind!r} is not a kind of event.")
        _kinds.add(kind)


def is_known(kind: str) -> bool:
    """Whether an app has registered this kind."""
    return kind in _kinds


def known_kinds() -> list[str]:
    """Return every kind of event that may happen, sorted."""
    return sorted(_kinds)
