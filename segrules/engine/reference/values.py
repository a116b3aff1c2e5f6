"""Numbers, comparisons and logic on stored values: the meaning of each operator, one value at a time.

In: stored values (`schema.types.Value`) with their types.  Out: a stored value.  Always: missing (None) gives missing
but where the language says otherwise; exact numbers stay exact; a `number` is finite or missing; an integer or
decimal outside 64 bits raises `OutOfRange` and is never wrapped.

    compare("<", 1050, Decimal(2), 11, INTEGER)      # 10.50 < 11: True
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from segrules.model.expr import CompareOp
from segrules.schema.types import INT64_MAX, INT64_MIN, Decimal, Integer, Number, Type, Value, scale_of

HALF = Fraction(1, 2)
DIGITS_OF_DOUBLE = 1100


class OutOfRange(Exception):
    """An integer or decimal result that does not fit in 64 bits."""


def within(exact: int) -> int:
    """*exact*, which must fit in 64 bits."""
    if not INT64_MIN <= exact <= INT64_MAX:
        raise OutOfRange
    return exact


def finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def number(value: Value) -> int | float:
    """The stored value of a numeric, date or timestamp expression, which is an int or a float."""
    assert isinstance(value, int | float)
    return value


def integer(value: Value) -> int:
    assert isinstance(value, int)
    return value


def text(value: Value) -> str:
    assert isinstance(value, str)
    return value


def exactly(value: Value, type_: Type) -> Fraction:
    """The exact number that *value* stands for, of a double too."""
    return Fraction(number(value)) / Fraction(10) ** scale_of(type_)


def nearest(exact: Fraction) -> float | None:
    """The double nearest to *exact*, ties to even; missing beyond the largest."""
    try:
        return exact.numerator / exact.denominator if exact else 0.0
    except OverflowError:
        return None


def as_double(value: Value, type_: Type) -> float | None:
    return nearest(exactly(value, type_))


def convert(value: Value, source: Type, target: Type) -> Value:
    """Widening of a number: to decimal(s) exactly, to number the nearest double."""
    if value is None or source == target:
        return value
    match target:
        case Number():
            return as_double(value, source)
        case Decimal(scale):
            return within(integer(value) * power_of_ten(scale - scale_of(source)))
        case _:
            return value


def arithmetic(op: str, left: Value, left_type: Type, right: Value, right_type: Type, result: Type) -> Value:
    """`left op right`; see `model.expr.Arithmetic` for the types that may meet."""
    if left is None or right is None:
        return None
    a, b = number(left), number(right)
    if op == "/":
        if b == 0:
            return None
        if isinstance(left_type, Number):
            return finite(a / b)
        return nearest(exactly(left, left_type) / exactly(right, right_type))
    match op:
        case "+":
            found = a + b
        case "-":
            found = a - b
        case _:
            found = a * b
    return finite(found) if isinstance(result, Number) else within(integer(found))


def compare(op: CompareOp, left: Value, left_type: Type, right: Value, right_type: Type) -> bool | None:
    """Numbers of any scales exactly, text by code point, false before true."""
    if left is None or right is None:
        return None
    a: Value
    b: Value
    if isinstance(left_type, Number) or isinstance(right_type, Number):
        a, b = as_double(left, left_type), as_double(right, right_type)
    else:
        scale = max(scale_of(left_type), scale_of(right_type))
        a, b = _at_scale(left, left_type, scale), _at_scale(right, right_type, scale)
    match op:
        case "=":
            return a == b
        case "!=":
            return a != b
        case "<":
            return less(a, b)
        case "<=":
            return not less(b, a)
        case ">":
            return less(b, a)
        case ">=":
            return not less(a, b)


def _at_scale(value: Value, type_: Type, scale: int) -> Value:
    match type_:
        case Integer() | Decimal():
            return integer(value) * power_of_ten(scale - scale_of(type_))
        case _:
            return value


def power_of_ten(digits: int) -> int:
    return int(10**digits)


def less(a: Value, b: Value) -> bool:
    """Order of two values of one type, neither missing."""
    match a, b:
        case (str(), str()) | (tuple(), tuple()):
            return a < b  # type: ignore[operator]
        case _:
            return number(a) < number(b)


def all_of(truths: Iterable[Value]) -> bool | None:
    """Kleene's `and` of every operand."""
    found = list(truths)
    if any(truth is False for truth in found):
        return False
    return None if any(truth is None for truth in found) else True


def any_of(truths: Iterable[Value]) -> bool | None:
    """Kleene's `or` of every operand."""
    return negation(all_of(negation(truth) for truth in truths))


def negation(truth: Value) -> bool | None:
    return None if truth is None else not truth


def half_away(exact: Fraction, digits: int) -> Fraction:
    """*exact* rounded to *digits* after the point (before it where negative), half away from zero."""
    unit = Fraction(10) ** -digits
    units = math.floor(abs(exact) / unit + HALF)
    return units * unit if exact >= 0 else -units * unit


def rounded(value: Value, type_: Type, digits: int, result: Type) -> Value:
    """`round(value, digits)`: an exact number at the scale of *result*, a double to the nearest double."""
    if isinstance(type_, Number):
        if abs(digits) >= DIGITS_OF_DOUBLE:
            return value if digits > 0 else 0.0
        return nearest(half_away(exactly(value, type_), digits))
    if digits < -2 * len(str(INT64_MAX)):
        return 0
    found = half_away(exactly(value, type_), min(digits, scale_of(type_)))
    return within(int(found * power_of_ten(scale_of(result))))


def floor(value: Value, type_: Type) -> Value:
    if isinstance(type_, Number):
        return float(math.floor(number(value)))
    return math.floor(exactly(value, type_))


def ceil(value: Value, type_: Type) -> Value:
    if isinstance(type_, Number):
        return float(math.ceil(number(value)))
    return math.ceil(exactly(value, type_))


def absolute(value: Value, type_: Type) -> Value:
    found = abs(number(value))
    return found if isinstance(type_, Number) else within(integer(found))


def div(a: int, b: int) -> int | None:
    """Toward zero; missing where b is zero."""
    if b == 0:
        return None
    quotient = abs(a) // abs(b)
    return within(quotient if (a < 0) == (b < 0) else -quotient)


def mod(a: int, b: int) -> int | None:
    """What `div` leaves: it has the sign of a."""
    if b == 0:
        return None
    remainder = abs(a) % abs(b)
    return remainder if a >= 0 else -remainder


def power(a: float, b: float) -> float | None:
    try:
        return finite(math.pow(a, b))
    except (ValueError, OverflowError):
        return None


def exponential(a: float) -> float | None:
    try:
        return math.exp(a)
    except OverflowError:
        return None
