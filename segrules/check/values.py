"""Values that people write into YAML, as stored values of a type.

In: a `Scalar` (of a contract, a parameter, a decision table, an example customer) and the type it is for.  Out: the
stored value or a `Diagnostic`.  Always: nothing is rounded or guessed: `1.5` is no integer, `2026-1-5` no date;
`17850.0` is the integer 17850; a date in a timestamp is local midnight; null and `missing` are None.

    read_value(Scalar(value=300, text="300", plain=True), Decimal(2), "Asia/Shanghai")      # 30000
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as Exact
from decimal import InvalidOperation
from typing import assert_never

from segrules.check.widen import in_64_bits, shorten
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files.documents import Scalar
from segrules.schema.calendar import from_date, from_local, to_local
from segrules.schema.types import (
    MAX_SCALE,
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
from segrules.source import Source
from segrules.syntax.expr import Literal
from segrules.syntax.parser import parse_literal

MISSING = frozenset({"missing", "缺失"})
MAX_DIGITS = 40


def read_value(scalar: Scalar, type_: Type, timezone: str) -> Value | Diagnostic:
    """The stored value of *type_* that *scalar* writes; T423 if it writes none."""
    if scalar.value is None or (isinstance(scalar.value, str) and scalar.plain and scalar.value.strip() in MISSING):
        return None
    found = _read(scalar, type_, timezone)
    if found is None:
        return Diagnostic("T423", scalar.span, {"text": shorten(scalar.text), "type": str(type_)})
    return found


def read_list(scalars: tuple[Scalar, ...]) -> tuple[str, ...]:
    """The texts of a list(text) that YAML writes as a list."""
    return tuple(scalar.text for scalar in scalars)


def constant(scalar: Scalar, timezone: str) -> tuple[Type, Value] | Diagnostic:
    """What a parameter or an output cell writes: a number or boolean, or text, which is a literal if it reads as one.

    `(Untyped(), None)` for an empty scalar and the literal `missing`.
    """
    match scalar.value:
        case None:
            return Untyped(), None
        case bool():
            return Bool(), scalar.value
        case int():
            return _number(scalar, Exact(scalar.value))
        case Exact():
            return _number(scalar, scalar.value)
        case str():
            if scalar.value.strip().lower() in MISSING:
                return Untyped(), None
            literal = parse_literal(Source(scalar.span.source.name, scalar.value))
            if literal is None:
                return Text(), scalar.value
            return literal_value(literal, scalar, timezone)
        case _:
            assert_never(scalar.value)


def literal_value(literal: Literal, scalar: Scalar, timezone: str) -> tuple[Type, Value] | Diagnostic:
    """Type and stored value of a literal that stands in *scalar*."""
    found = stored(literal, timezone)
    return Diagnostic("T409", scalar.span, {"text": shorten(scalar.text)}) if found is None else found


def stored(literal: Literal, timezone: str) -> tuple[Type, Value] | None:
    """Type and stored value of a literal; None for a number or a time that is out of range."""
    value = literal.value
    match literal.kind:
        case "integer":
            return (Integer(), value) if isinstance(value, int) and in_64_bits(value) else None
        case "decimal":
            fits = isinstance(value, int) and in_64_bits(value) and literal.scale <= MAX_SCALE
            return (Decimal(literal.scale), value) if fits else None
        case "text":
            return Text(), value
        case "bool":
            return Bool(), value
        case "date":
            return Date(), value
        case "timestamp":
            instant = _instant(value, timezone) if isinstance(value, str) else _within(value, timezone)
            return None if instant is None else (Timestamp(), instant)
        case "missing":
            return Untyped(), None
        case _:
            assert_never(literal.kind)


def _number(scalar: Scalar, value: Exact) -> tuple[Type, Value] | Diagnostic:
    scale = _scale(value)
    if scale is None or scale > MAX_SCALE or not in_64_bits(int(value.scaleb(scale))):
        return Diagnostic("T409", scalar.span, {"text": shorten(scalar.text)})
    if scale == 0:
        return Integer(), int(value)
    return Decimal(scale), int(value.scaleb(scale))


def _scale(value: Exact) -> int | None:
    """Digits after the point as written; None for what is not finite or absurdly long."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() > MAX_DIGITS or -exponent > MAX_DIGITS:
        return None
    return max(0, -exponent)


def _read(scalar: Scalar, type_: Type, timezone: str) -> Value:
    """The stored value, or None if there is none."""
    match type_:
        case Text() | Untyped():
            return scalar.text if not isinstance(scalar.value, str) else scalar.value
        case ListOfText():
            return (scalar.text if not isinstance(scalar.value, str) else scalar.value,)
        case Bool():
            return _bool(scalar)
        case Integer() | Decimal() | Number():
            return _numeric(scalar, type_)
        case Date():
            return _day(scalar)
        case Timestamp():
            return _instant(scalar.text.strip(), timezone)
        case _:
            assert_never(type_)


def _bool(scalar: Scalar) -> bool | None:
    if isinstance(scalar.value, bool):
        return scalar.value
    return {"true": True, "false": False, "真": True, "假": False}.get(scalar.text.strip().lower())


def _numeric(scalar: Scalar, type_: Integer | Decimal | Number) -> int | float | None:
    match scalar.value:
        case bool() | None:
            return None
        case str():
            literal = parse_literal(Source("", scalar.value))
            if literal is None or literal.kind not in ("integer", "decimal") or not isinstance(literal.value, int):
                return None
            number = Exact(literal.value).scaleb(-literal.scale)
        case int():
            number = Exact(scalar.value) if abs(scalar.value) < 10**MAX_DIGITS else Exact("Infinity")
        case _:
            number = scalar.value
    if _scale(number) is None:
        return None
    if isinstance(type_, Number):
        return float(number)
    scaled = number.scaleb(type_.scale if isinstance(type_, Decimal) else 0)
    try:
        whole = int(scaled)
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return whole if whole == scaled and in_64_bits(whole) else None


def _day(scalar: Scalar) -> int | None:
    try:
        return from_date(date.fromisoformat(scalar.text.strip())) if len(scalar.text.strip()) == 10 else None
    except ValueError:
        return None


def _instant(text: str, timezone: str) -> int | None:
    """Microseconds of an ISO 8601 date or time; local to the project's zone unless it says otherwise."""
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            return from_local(when, timezone)
        return _within(from_local(when.astimezone(UTC).replace(tzinfo=None), "UTC"), timezone)
    except (ValueError, OverflowError):
        return None


def _within(instant: Value, timezone: str) -> int | None:
    """*instant*, if it is local to a year from 1 to 9999."""
    assert isinstance(instant, int)
    try:
        to_local(instant, timezone)
    except OverflowError:
        return None
    return instant
