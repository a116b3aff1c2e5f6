"""Stored values as people and machines read them.

In: a stored value with its type, the project's zone.  Out: text, or a JSON value.  Always: decimals keep their scale,
dates and times are ISO 8601, times in the project's zone; a decimal in JSON is text, because it is exact.

    shown(1234500, Decimal(2), "Asia/Shanghai", "missing")      # '12345.00'
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

MASK = "***"


def shown(value: Value, kind: Type, timezone: str, missing: str) -> str:
    """*value* as text; *missing* stands for a missing one."""
    if value is None:
        return missing
    match kind:
        case Bool():
            return "true" if value else "false"
        case Integer() | Text():
            return str(value)
        case Decimal():
            assert isinstance(value, int)
            return decimal_text(value, kind.scale)
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
            return missing
        case _:
            assert_never(kind)


def short(value: Value, kind: Type, timezone: str, missing: str) -> str:
    """`shown`, for a table on a screen: a `number` has at most four decimals, or four digits if it is tiny."""
    if not isinstance(kind, Number) or not isinstance(value, float) or value == int(value):
        return shown(value, kind, timezone, missing)
    text = f"{value:.4f}".rstrip("0").removesuffix(".")
    return f"{value:.4g}" if text in ("0", "-0") else text


def decimal_text(value: int, scale: int) -> str:
    """A scaled integer with its point: 1234500 with scale 2 is `12345.00`."""
    if scale == 0:
        return str(value)
    digits = str(abs(value)).rjust(scale + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def json_value(value: Value, kind: Type, timezone: str) -> bool | int | float | str | list[str] | None:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, int) and isinstance(kind, Integer):
        return value
    return shown(value, kind, timezone, "")
