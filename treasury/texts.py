"""Text that people type: trimmed, bounded, and without what cannot be stored or shown. Pure: no ORM."""

import unicodedata

from ledger.refusals import InvalidInput

# Control, surrogate and private-use characters; line breaks and tabs are text.
UNREADABLE = frozenset({"Cc", "Cs", "Co"})
ALLOWED = frozenset("\n\r\t")
LONGEST_REASON = 2000


def require_text(value: object, *, field: str, longest: int = LONGEST_REASON) -> str:
    """Return the text without the space around it; raise ``InvalidInput`` when nothing or too much is left."""
    text = optional_text(value, field=field, longest=longest)
    if not text:
        raise InvalidInput.on(field, "This may not be empty.", code="required")
    return text


def optional_text(value: object, *, field: str, longest: int = LONGEST_REASON) -> str:
    """Return the text without the space around it, perhaps empty; raise ``InvalidInput`` as above."""
    if not isinstance(value, str):
        raise InvalidInput.on(field, "This is a text.")
    text = value.strip()
    if len(text) > longest:
        raise InvalidInput.on(field, f"This has at most {longest} characters.", code="too_long")
    if any(c not in ALLOWED and unicodedata.category(c) in UNREADABLE for c in text):
        raise InvalidInput.on(field, "This holds characters that are no text.")
    return text


def readable(text: str, *, longest: int) -> str:
    """Return what somebody else wrote, cut to ``longest`` characters, unreadable ones shown as such."""
    shown = (
        "\ufffd" if c not in ALLOWED and unicodedata.category(c) in UNREADABLE else c
        for c in text[:longest]
    )
    return "".join(shown)


def same_name(name: str) -> str:
    """Return what two spellings of one name share: compatibility forms, case and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
