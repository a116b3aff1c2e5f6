"""Stored values as text.

In: a stored value with its type, the project's zone.  Out: text.  Always: decimals keep their scale, dates and times
are ISO 8601, times local in the zone with its offset; missing is the empty text.

    spelled(1234500, Decimal(2), "Asia/Shanghai")      # '12345.00'
"""

from __future__ import annotations

from typing import assert_never

from segrules.schema.calendar import to_date, to_local
from segrules.schema.types import (
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
)  # fmt: skip


def spelled(value: Value, kind: Type, timezone: str) -> str:
    """*value* as a file would spell it."""
    if value is None:
        return ""
    match kind:
        case Bool():
            return "true" if value else "false"
        case Integer() | Text():
            return str(value)
        case Decimal():
            assert isinstance(value, int)
            return _decimal(value, kind.scale)
        case Number():
            return repr(value).removesuffix(".0")
        case Date():
            assert isinstance(value, int)
            return to_date(value).isoformat()
        case Timestamp():
            assert isinstance(value, int)
            return to_local(value, timezone).isoformat()
        case ListOfText():
            assert isinstance(value, tuple)
            return ", ".join(value)
        case Untyped():
            return str(value)
        case _:
            assert_never(kind)


def _decimal(value: int, scale: int) -> str:
    """A scaled integer with its point: 1234500 with scale 2 is `12345.00`."""
    if scale == 0:
        return str(value)
    digits = str(abs(value)).rjust(scale + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"
