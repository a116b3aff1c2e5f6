"""The types of values, and how a value of each type is stored.

In: a type as a contract writes it.  Out: one of the frozen classes below.  Always: every stage stores a value of a
type in the same way (`Value`), so that equal answers are equal Python values:

    bool       bool                     date       int, days since 1970-01-01
    integer    int within 64 bits       timestamp  int, microseconds since 1970-01-01T00:00Z
    decimal(s) int, scaled by 10**s     list(text) tuple of str
    number     float, always finite     text       str
    missing    None, in any type
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

MAX_SCALE = 9
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

Value: TypeAlias = bool | int | float | str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Bool:
    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True)
class Integer:
    def __str__(self) -> str:
        return "integer"


@dataclass(frozen=True, slots=True)
class Decimal:
    """Exact decimal with a fixed number of digits after the point, 0 … 9."""

    scale: int

    def __str__(self) -> str:
        return f"decimal({self.scale})"


@dataclass(frozen=True, slots=True)
class Number:
    """IEEE double; never NaN or infinite."""

    def __str__(self) -> str:
        return "number"


@dataclass(frozen=True, slots=True)
class Text:
    def __str__(self) -> str:
        return "text"


@dataclass(frozen=True, slots=True)
class Date:
    def __str__(self) -> str:
        return "date"


@dataclass(frozen=True, slots=True)
class Timestamp:
    def __str__(self) -> str:
        return "timestamp"


@dataclass(frozen=True, slots=True)
class ListOfText:
    def __str__(self) -> str:
        return "list(text)"


@dataclass(frozen=True, slots=True)
class Untyped:
    """The type of the literal `missing`, which fits every other type; of an erroneous expression too."""

    def __str__(self) -> str:
        return "missing"


Type: TypeAlias = Bool | Integer | Decimal | Number | Text | Date | Timestamp | ListOfText | Untyped
Numeric: TypeAlias = Integer | Decimal | Number

BOOL, INTEGER, NUMBER, TEXT, DATE, TIMESTAMP, LIST, UNTYPED = (
    Bool(), Integer(), Number(), Text(), Date(), Timestamp(), ListOfText(), Untyped(),
)  # fmt: skip

_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*\)")
_NAMED: dict[str, Type] = {
    "bool": BOOL, "integer": INTEGER, "number": NUMBER, "text": TEXT,
    "date": DATE, "timestamp": TIMESTAMP, "list(text)": LIST,
}  # fmt: skip


def parse_type(text: str) -> Type | None:
    """The type that a contract writes as *text*, or None if there is no such type."""
    if found := _DECIMAL.fullmatch(text.strip()):
        scale = int(found[1])
        return Decimal(scale) if scale <= MAX_SCALE else None
    return _NAMED.get(text.strip())


def is_numeric(t: Type) -> bool:
    return isinstance(t, Integer | Decimal | Number)


def scale_of(t: Type) -> int:
    """Digits after the point of an exact numeric type: 0 for integer."""
    return t.scale if isinstance(t, Decimal) else 0


def widest(left: Type, right: Type) -> Type | None:
    """The type that both fit, integer < decimal (larger scale) < number; None if there is none."""
    match left, right:
        case (Untyped(), other) | (other, Untyped()):
            return other
        case (Number(), Integer() | Decimal() | Number()) | (Integer() | Decimal(), Number()):
            return NUMBER
        case (Integer(), Integer()):
            return INTEGER
        case (Integer() | Decimal(), Integer() | Decimal()):
            return Decimal(max(scale_of(left), scale_of(right)))
        case _:
            return left if left == right else None
