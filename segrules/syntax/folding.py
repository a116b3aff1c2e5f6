"""The text that the lexer reads: as long as what the author wrote, so that every offset stays true.

In: the text of an expression.  Out: the same text with full-width forms outside quotes read as half-width, unusual
spaces as spaces, comments as blanks, and every character that can stand nowhere as `BAD`.  Always: one character for
one character; what stands in quotes or backquotes is untouched.

    fold("金额　＞＝５万 # 高")       # "金额 >=5万    "
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

BAD = "\x00"
_LETTER = "ˑ"
_FULL_WIDTH = {"、": ",", "【": "[", "】": "]", "〇": "〇", "–": BAD, "—": BAD}

_PIECES = re.compile(
    "|".join(
        (
            r'"[^"]*+(?:""[^"]*+)*+"',
            r"'[^']*+(?:''[^']*+)*+'",
            "“[^”]*+(?:””[^”]*+)*+”",
            "‘[^’]*+(?:’’[^’]*+)*+’",
            r"`[^`]*+(?:``[^`]*+)*+`",
            r"(?P<comment>[#＃][^\n]*)",
            "(?P<outside>[^\"'“‘`#＃]+)",
            r"(?P<unclosed>[\s\S]+)",
        )
    )
)


def fold(text: str) -> str:
    """*text* for the lexer; of the same length."""
    if text.isascii() and "#" not in text:
        return text
    found = []
    for piece in _PIECES.finditer(text):
        part = piece[0]
        if piece.lastgroup == "outside":
            part = part if part.isascii() else "".join(map(fold_character, part))
        elif piece.lastgroup == "comment":
            part = "".join(BAD if trouble(one) == "control" else " " for one in part)
        found.append(part)
    return "".join(found)


@cache
def fold_character(one: str) -> str:
    """How a character outside quotes is read."""
    if "！" <= one <= "～":
        return chr(ord(one) - 0xFEE0) if one not in "＂＇｀" else BAD
    if one in _FULL_WIDTH:
        return _FULL_WIDTH[one]
    if one.isascii():
        return one
    category = unicodedata.category(one)
    match category:
        case "Zs":
            return " "
        case "Mn" | "Mc":
            return _LETTER
        case "Lu" | "Ll" | "Lt" | "Lm" | "Lo" | "Nd":
            return one
        case _:
            return one if one in "≠≤≥“”‘’" else BAD


def trouble(one: str) -> Literal["control", "stray"] | None:
    """Whether a character is invisible or turns the direction of writing, or else has no meaning outside text."""
    if one in "\t\n\r":
        return None
    if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"):
        return "control"
    return "stray" if fold_character(one) == BAD else None


def normal_name(part: str) -> str:
    """A part of a name as names compare: NFKC."""
    return unicodedata.normalize("NFKC", part)


def keeps_shape(part: str) -> str | None:
    """A part of a name as the lexer sees it outside backquotes; None if it would not be read back as just this."""
    shape = "".join(map(fold_character, part))
    same = all(read in (one, _LETTER) for read, one in zip(shape, part, strict=True))
    return shape if same and normal_name(part) == part else None
