"""Text functions over columns, decided on distinct texts.

In: text columns (codes into dictionaries) and integer columns.  Out: text or integer columns.  Always: nothing is
computed twice for equal arguments; a row is missing where an argument is; positions and lengths are code points.

    call_text("upper", (city,), TEXT)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np

from segrules.engine.vector.build import any_missing, built, nothing
from segrules.engine.vector.distinct import per_distinct, text_column
from segrules.schema.types import Text, Type
from segrules.tables.columns import Column

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


def call_text(function: str, args: tuple[Column, ...], result: Type) -> Column:
    """The text functions of the language that give text or integers."""
    if function == "hash_bucket":
        return _hash_bucket(args, result)
    codes, found = per_distinct(args, _rule(function))
    if isinstance(result, Text):
        return text_column(codes, found, any_missing(args))
    return built(result, np.array(found, np.int64)[codes], any_missing(args))


def _rule(function: str) -> Callable[..., str | int]:
    match function:
        case "lower":
            return lower
        case "upper":
            return upper
        case "trim":
            return lambda text: text.strip(WHITE_SPACE)
        case "length":
            return len
        case "concat":
            return lambda *texts: "".join(texts)
        case "replace":
            return lambda text, old, new: text.replace(old, new) if old else text
        case "left_text":
            return lambda text, count: text[: max(count, 0)]
        case "right_text":
            return lambda text, count: text[-count:] if count > 0 else ""
        case _:
            raise ValueError(f"no such text function: {function}")


def lower(text: str) -> str:
    """Each code point by its simple lower-case mapping (Unicode, UnicodeData.txt)."""
    return text.lower() if text.isascii() else "".join(map(_simple_lower, text))


def upper(text: str) -> str:
    """Each code point by its simple upper-case mapping (Unicode, UnicodeData.txt)."""
    return text.upper() if text.isascii() else "".join(map(_simple_upper, text))


@cache
def _simple_lower(letter: str) -> str:
    """Python lowers by SpecialCasing.txt, which lengthens one letter only: U+0130, whose simple mapping is `i`."""
    full = letter.lower()
    return full if len(full) == 1 else full[0]


@cache
def _simple_upper(letter: str) -> str:
    """Where Python's mapping is longer, the simple one is the title-case letter, if that is one, else none."""
    full, title = letter.upper(), letter.title()
    return next((found for found in (full, title) if len(found) == 1), letter)


def _hash_bucket(args: tuple[Column, ...], result: Type) -> Column:
    text, buckets, salt = args
    count, prefix = buckets.at(0), salt.at(0)
    if count is None or prefix is None or cast(int, count) <= 0:
        return nothing(result, len(text))
    start = hashlib.sha256(f"{prefix}\x1f".encode())

    def bucket(value: str) -> int:
        digest = start.copy()
        digest.update(value.encode())
        return int(digest.hexdigest()[:13], 16) % cast(int, count)

    codes, found = per_distinct((text,), bucket)
    return built(result, np.array(found, np.int64)[codes], text.missing)
