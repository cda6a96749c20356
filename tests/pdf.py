"""The text of a PDF as typst writes it: glyphs turned into letters by the fonts' own tables."""

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
STREAM = re.compile(rb"stream\n(.*)\nendstream", re.DOTALL)
FONT = re.compile(rb"/(f\d+) [\d.]+ Tf")
ESCAPED = re.compile(rb"\\([nrtbf()\\]|[0-7]{1,3})")
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """All the text of all pages, without the spaces between words that are only gaps."""
    objects = {int(number): body for number, body in OBJECT.findall(pdf)}
    found = []
    for body in objects.values():
        if b"/Type/Page/" in body:
            fonts = _fonts(objects, _reference(body, b"Resources"))
            found.append(_shown(_stream(objects[_reference(body, b"Contents")]), fonts))
    return "\n".join(found)


def squeezed(text: str) -> str:
    """The text without white space and without glyphs that are no letters: a gap in a line, a place to break."""
    return re.sub(r"[\s\u200b\ufffd]+", "", text)


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    assert found, name
    return int(found[1])


def _stream(body: bytes) -> bytes:
    found = STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"FlateDecode" in body else found[1]


def _fonts(objects: dict[int, bytes], resources: int) -> dict[bytes, dict[int, str]]:
    listed = re.search(rb"/Font<<(.*?)>>", objects[resources], re.DOTALL)
    assert listed
    return {
        name: _letters(_stream(objects[_reference(objects[int(number)], b"ToUnicode")]))
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", listed[1])
    }


def _letters(table: bytes) -> dict[int, str]:
    found: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, letters in re.findall(rb"<([0-9A-Fa-f]+)> ?<([0-9A-Fa-f]+)>", block):
            found[int(glyph, 16)] = bytes.fromhex(letters.decode()).decode("utf-16-be")
    return found


def _shown(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    letters: dict[int, str] = {}
    out: list[str] = []
    at = 0
    while at < len(content):
        if found := FONT.match(content, at):
            letters, at = fonts[found[1]], found.end()
            out.append("\n")
        elif content[at : at + 1] == b"(":
            end = _end_of_literal(content, at)
            out.append(_read(_unescaped(content[at + 1 : end]), letters))
            at = end + 1
        elif content[at : at + 1] == b"<" and content[at + 1 : at + 2] not in {b"<", b""}:
            end = content.index(b">", at)
            hexed = content[at + 1 : end].decode()
            out.append(_read(bytes.fromhex(hexed), letters) if _is_hex(hexed) else "")
            at = end + 1
        elif (
            content[at : at + 2] == b"<<"
        ):  # what a span means, beside the glyphs that are drawn for it
            at = content.index(b">>", at) + 2
        else:
            at += 1
    return "".join(out)


def _is_hex(text: str) -> bool:
    return re.fullmatch(r"([0-9A-Fa-f]{2})+", text) is not None


def _end_of_literal(content: bytes, start: int) -> int:
    """Where the string that begins at a parenthesis ends: pairs within it need no escape."""
    depth, at = 0, start
    while True:
        byte = content[at : at + 1]
        if byte == b"\\":
            at += 1
        depth += (byte == b"(") - (byte == b")")
        if depth == 0:
            return at
        at += 1


def _read(raw: bytes, letters: dict[int, str]) -> str:
    glyphs = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    return "".join(letters.get(glyph, "\ufffd") for glyph in glyphs)


def _unescaped(literal: bytes) -> bytes:
    def letter(match: re.Match[bytes]) -> bytes:
        what = match[1]
        return bytes([int(what, 8) & 255]) if what.isdigit() else LETTERS.get(what, what)

    return ESCAPED.sub(letter, literal)
