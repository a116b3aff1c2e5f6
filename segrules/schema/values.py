"""Stored values as people and machines read them.

In: a stored value with its type, the project's zone.  Out: text, or a JSON value.  Always: decimals keep their scale,
dates and times are ISO 8601, times in the project's zone; a decimal in JSON is text, because it is exact.

    shown(1234500, Decimal(2), "Asia/Shanghai", "missing")      # '12345.00'
"""

from __future__ import annotations

from segrules.schema.spelling import spelled
from segrules.schema.types import Integer, Number, Type, Value

MASK = "***"


def shown(value: Value, kind: Type, timezone: str, missing: str) -> str:
    """*value* as text; *missing* stands for a missing one."""
    return missing if value is None else spelled(value, kind, timezone)


def short(value: Value, kind: Type, timezone: str, missing: str) -> str:
    """`shown`, for a table on a screen: a `number` has at most four decimals, or four digits if it is tiny."""
    if not isinstance(kind, Number) or not isinstance(value, float) or value == int(value):
        return shown(value, kind, timezone, missing)
    text = f"{value:.4f}".rstrip("0").removesuffix(".")
    return f"{value:.4g}" if text in ("0", "-0") else text


def json_value(value: Value, kind: Type, timezone: str) -> bool | int | float | str | list[str] | None:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, int) and isinstance(kind, Integer):
        return value
    return shown(value, kind, timezone, "")


def money(amount: int) -> str:
    """An amount in 1/10,000 with two digits after the point, or four where they say more."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, rest = divmod(amount, 10_000)
    digits = f"{rest:04d}"
    return f"{sign}{whole:,}.{digits[:2] if digits.endswith('00') else digits}"
