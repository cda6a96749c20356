"""The character set of the bank rail, and how names get into it. Pure.

Banks promise no more than the Latin letters without accents, digits, space and a few signs. A letter with
an accent becomes the one without, a few more have a usual Latin form; what has none is not guessed at, so
``to_latin`` refuses it: a name that the payee's bank does not recognise comes back weeks later.
"""

import unicodedata

SIGNS = "/-?:().,'+ "
ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + SIGNS)
FORMS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l",
    "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "\u0131": "i", "ħ": "h",
    "Ħ": "H", "ŋ": "ng", "Ŋ": "NG", "\u2018": "'", "\u2019": "'", "\u02bc": "'", "`": "'",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "_": "-", "&": "+",
    "@": "(at)", '"': "'", "\u201c": "'", "\u201d": "'", "\u201e": "'", ";": ",", "*": ".",
}  # fmt: skip


class NotWritable(ValueError):
    """The text holds characters that the bank rail does not carry; ``characters`` are these."""

    def __init__(self, characters: str) -> None:
        super().__init__(f"The bank rail does not carry {characters}.")
        self.characters = characters


def to_latin(text: str) -> str:
    """Return the text as a bank file carries it, single spaces between words; raise ``NotWritable``."""
    plain = "".join(_plain(character) for character in unicodedata.normalize("NFC", text))
    words = " ".join(plain.split())
    foreign = "".join(dict.fromkeys(c for c in words if c not in ALLOWED))
    if foreign:
        raise NotWritable(foreign)
    # A line that begins with a slash or hyphen, or has two slashes, means something else to banks.
    return words.lstrip("/- ").replace("//", "/ /")


def _plain(character: str) -> str:
    if character in ALLOWED or character in FORMS:
        return FORMS.get(character, character)
    if character.isspace():
        return " "
    parts = unicodedata.normalize("NFKD", character)
    bare = "".join(c for c in parts if unicodedata.category(c) != "Mn")
    return bare if bare and all(c in ALLOWED for c in bare) else character
