"""Text that people type: trimmed, bounded, and without what cannot be stored or shown. Pure: no ORM."""

import unicodedata

from ledger.refusals import InvalidInput

# Control, surrogate and private-use characters; line breaks and tabs are text.
UNREADABLE = frozenset({"Cc", "Cs", "Co"})
ALLOWED = frozenset("\n\r\t")
# What turns the order of letters round for whoever reads them, so that a name shows as another.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
INVISIBLE = "Cf"
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
    if not all(map(_is_text, text)):
        raise InvalidInput.on(field, "This holds characters that are no text.")
    return text


def readable(text: str, *, longest: int) -> str:
    """Return what somebody else wrote, cut to ``longest`` characters, unreadable ones shown as such."""
    return "".join(c if _is_text(c) else "\ufffd" for c in text[:longest])


def _is_text(c: str) -> bool:
    return c in ALLOWED or (c not in TURNING and unicodedata.category(c) not in UNREADABLE)


def same_name(name: str) -> str:
    """Return what two spellings of one name share.

    Compatibility forms, case, spaces, and characters that nobody sees (a space of no width) do not count.
    """
    seen = "".join(c for c in name if unicodedata.category(c) != INVISIBLE)
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())
