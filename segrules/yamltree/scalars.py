"""What a scalar's text means, and where each of its characters stands in the file.

In: the text of a scalar and its style; for places, its raw stretch of the file.  Out: its value by the YAML 1.2 core
schema; the offset in the file of every character of its text.  Always: `true` and `false` are the only booleans and
`null`, `~` and nothing the only nulls; `no`, `on` and dates are text; a number of more than 100 characters, an
exponent beyond ±400, `.inf` and `.nan` are text; the offsets rise and number one more than the characters.

    plain_value("1.50")                                    # Decimal("1.50")
    offsets('a: "x\\\\ny"', 3, 9, "double", "x\\ny")          # [4, 5, 7, 8]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from segrules.yamltree.nodes import ScalarValue, Style

_NUMBER = re.compile(
    r"""(?P<int>[-+]?[0-9]+)
      | 0o(?P<octal>[0-7]+)
      | 0x(?P<hex>[0-9a-fA-F]+)
      | (?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE](?P<exponent>[-+]?[0-9]+))?)""",
    re.VERBOSE,
)
_NUMBER_START = frozenset("+-.0123456789")
_LONGEST_NUMBER = 100
_LARGEST_EXPONENT = 400
_ESCAPES = {"x": 2, "u": 4, "U": 8}


def plain_value(text: str) -> ScalarValue:
    """The value of an unquoted scalar."""
    if text == "" or text == "~" or text == "null":
        return None
    if text == "true":
        return True
    if text == "false":
        return False
    if text[0] not in _NUMBER_START or len(text) > _LONGEST_NUMBER:
        return text
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    if found["int"]:
        return int(text)
    if found["octal"]:
        return int(found["octal"], 8)
    if found["hex"]:
        return int(found["hex"], 16)
    if found["exponent"] and abs(int(found["exponent"])) > _LARGEST_EXPONENT:
        return text
    return Decimal(text)


def offsets(text: str, start: int, end: int, style: Style, value: str) -> Sequence[int]:
    """The offset in *text* of every character of *value*, and of its end; *start* and *end* enclose the scalar there,
    with its quotes or block header."""
    if style == "plain" and end - start == len(value):
        return range(start, end + 1)
    match style:
        case "plain":
            found = _folded_lines(text, start, end, "")
            last = end
        case "single" | "double":
            found = _folded_lines(text, start + 1, end - 1, "'" if style == "single" else '"')
            last = end - 1
        case "literal" | "folded":
            found = _block(text, start, end, value, style == "literal")
            last = found[len(value) - 1][1] + 1 if 0 < len(value) <= len(found) else end
    found = found[: len(value)]
    if "".join(character for character, _ in found) != value:
        return _nearest(text, start, end, value)
    return [offset for _, offset in found] + [last]


def _folded_lines(text: str, start: int, end: int, quote: str) -> list[tuple[str, int]]:
    """Plain and quoted scalars: escapes, and line breaks that fold into a space."""
    found: list[tuple[str, int]] = []
    kept = 0
    at = start
    while at < end:
        character = text[at]
        if character == "\r" or character == "\n":
            del found[kept:]
            at = _fold(text, at, end, found, escaped=False)
            kept = len(found)
        elif quote == "'" and character == "'":
            found.append(("'", at))
            at += 2
            kept = len(found)
        elif quote == '"' and character == "\\":
            after = text[at + 1] if at + 1 < end else ""
            if after in ("\r", "\n"):
                at = _fold(text, at + 1, end, found, escaped=True)
            else:
                width = 2 + _ESCAPES.get(after, 0)
                found.append((_unescaped(text[at : at + width]), at))
                at += width
            kept = len(found)
        else:
            found.append((character, at))
            at += 1
            if character not in " \t":
                kept = len(found)
    return found


def _fold(text: str, at: int, end: int, found: list[tuple[str, int]], *, escaped: bool) -> int:
    """Go over line breaks and the white space around them, adding what they stand for; the offset after them."""
    breaks = []
    while at < end and text[at] in " \t\r\n":
        if text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n"):
            breaks.append(at)
        at += 1
    if len(breaks) == 1 and not escaped:
        found.append((" ", breaks[0]))
    found.extend(("\n", place) for place in breaks[1:])
    return at


_SIMPLE_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def _unescaped(escape: str) -> str:
    if escape[1:2] in _ESCAPES:
        return chr(int(escape[2:], 16))
    return _SIMPLE_ESCAPES.get(escape[1:2], "")


def _block(text: str, start: int, end: int, value: str, literal: bool) -> list[tuple[str, int]]:
    """Literal and folded blocks, as libyaml joins their lines, before chomping."""
    lines = _lines(text, start, end)[1:]
    written = next((line for line in value.split("\n") if line.strip(" ")), "")
    extra = len(written) - len(written.lstrip(" "))
    first = next((text[a:b] for a, b in lines if text[a:b].strip(" ")), "")
    indent = len(first) - len(first.lstrip(" ")) - extra if first else end - start
    found: list[tuple[str, int]] = []
    pending: list[int] = []
    leading_blank = True
    for a, b in lines:
        content = a + indent
        if b <= content:
            pending.append(b)
            continue
        blank = text[content] in " \t"
        fold = not literal and bool(found) and not leading_blank and not blank
        if fold and len(pending) == 1:
            found.append((" ", pending[0]))
        else:
            found.extend(("\n", place) for place in pending[1 if fold else 0 :])
        found.extend((text[at], at) for at in range(content, b))
        pending = [b]
        leading_blank = blank
    found.extend(("\n", place) for place in pending)
    return found


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of the lines from *start* on, the end before the line break."""
    found = []
    while start <= end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        found.append((start, stop - 1 if stop > start and text[stop - 1] == "\r" else stop))
        start = stop + 1
    return found


def _nearest(text: str, start: int, end: int, value: str) -> Sequence[int]:
    """A rising guess: each character at its next occurrence, else where the one before it stands."""
    found, at = [], start
    for character in value:
        place = text.find(character, at, end)
        if place >= 0:
            at = place
        found.append(min(at, end))
    return [*found, end]
