"""Arithmetic and comparison of columns: exact where the language says exact.

In: columns of one length, of the types that `model.expr.Arithmetic`, `Convert` and `Compare` promise.  Out: columns,
or masks for comparisons.  Always: a value at a missing position is zero, so it can never overflow; bounds are looked
at first and rows only where a bound could leave 64 bits; a wrong value never comes out: `Overflow` is raised.

    add(cents, other_cents, Decimal(2), 1)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from segrules.engine.vector.build import built, doubles, ints, union
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.quotient import in_units
from segrules.schema.types import INT64_MAX, INT64_MIN, NUMBER, Number, Type, scale_of
from segrules.tables.columns import Bools, Column, Ints

_EXACT_DOUBLE = 2**53


def arithmetic(op: Literal["+", "-", "*", "/"], left: Column, right: Column, result: Type) -> Column:
    """`left op right`; missing where an operand is or the result is not finite. Raises Overflow."""
    if isinstance(left.type, Number):
        return _floating(op, left, right)
    match op:
        case "+":
            return _add(left, right, result)
        case "-":
            return _subtract(left, right, result)
        case "*":
            values = product(ints(left), ints(right))
            return built(result, values, union(left.missing, right.missing))
        case "/":
            return _quotient(left, right)


def widen(column: Column, result: Type) -> Column:
    """A number in a wider type: integer to decimal, to a larger scale, to the nearest double. Raises Overflow."""
    if column.type == result:
        return column
    if isinstance(result, Number):
        return Column(NUMBER, in_units(ints(column), column.type), column.missing)
    power = 10 ** (scale_of(result) - scale_of(column.type))
    return Column(result, product(ints(column), np.full(1, power, np.int64)), column.missing)


def product(left: Ints, right: Ints) -> Ints:
    """left * right, either of which may have length 1. Raises Overflow."""
    values: Ints = left * right
    if _magnitude(left) * _magnitude(right) > INT64_MAX:
        estimate = np.abs(left.astype(np.float64)) * np.abs(right.astype(np.float64))
        for row in np.flatnonzero(estimate >= 2.0**62):
            exact = int(left[row if len(left) > 1 else 0]) * int(right[row if len(right) > 1 else 0])
            if not INT64_MIN <= exact <= INT64_MAX:
                raise Overflow(int(row))
    return values


def total(columns: Sequence[Column], result: Type) -> Column:
    """The sum of exact columns, none missing, of which only the whole must fit in 64 bits. Raises Overflow."""
    parts = [ints(column) for column in columns]
    values: Ints = parts[0].copy()
    for part in parts[1:]:
        values += part
    if sum(_magnitude(part) for part in parts) > INT64_MAX:
        for row, wrapped in enumerate(values.tolist()):
            if sum(int(part[row]) for part in parts) != wrapped:
                raise Overflow(row)
    return Column(result, values)


def at_least(left: Column, right: Column) -> Bools:
    """left >= right, exact numbers of any scales; not to be looked at where an operand is missing."""
    a, b, more = _common(left, right)
    if b is not None:
        found: Bools = a >= b
        return found
    return _at_least_scaled(a, ints(right), more) if more > 0 else ~_above_scaled(ints(right), a, -more)


def equal(left: Column, right: Column) -> Bools:
    """left = right, exact numbers of any scales; not to be looked at where an operand is missing."""
    a, b, more = _common(left, right)
    if b is not None:
        found: Bools = a == b
        return found
    low, high = (a, ints(right)) if more > 0 else (ints(right), a)
    quotient, rest = np.divmod(high, 10 ** abs(more))
    result: Bools = (low == quotient) & (rest == 0)
    return result


def _common(left: Column, right: Column) -> tuple[Ints, Ints | None, int]:
    """Both sides at one scale, or (left, None, right's scale minus left's) where that could overflow."""
    a, b = ints(left), ints(right)
    more = scale_of(right.type) - scale_of(left.type)
    if more == 0:
        return a, b, 0
    power = 10 ** abs(more)
    if more > 0 and _magnitude(a) * power <= INT64_MAX:
        return a * power, b, more
    if more < 0 and _magnitude(b) * power <= INT64_MAX:
        return a, b * power, more
    return a, None, more


def _at_least_scaled(low: Ints, high: Ints, more: int) -> Bools:
    """low >= high / 10**more."""
    quotient, rest = np.divmod(high, 10**more)
    result: Bools = (low > quotient) | ((low == quotient) & (rest == 0))
    return result


def _above_scaled(low: Ints, high: Ints, more: int) -> Bools:
    """low > high / 10**more."""
    result: Bools = low > high // 10**more
    return result


def _add(left: Column, right: Column, result: Type) -> Column:
    a, b = ints(left), ints(right)
    values: Ints = a + b
    if _may_leave(a, b, 1):
        over = ((a ^ values) & (b ^ values)) < 0
        if over.any():
            raise Overflow(int(np.argmax(over)))
    return built(result, values, union(left.missing, right.missing))


def _subtract(left: Column, right: Column, result: Type) -> Column:
    a, b = ints(left), ints(right)
    missing = union(left.missing, right.missing)
    if missing is not None and _may_leave(a, b, -1):
        a, b = np.where(missing, 0, a), np.where(missing, 0, b)
    values: Ints = a - b
    if _may_leave(a, b, -1):
        over = ((a ^ b) & (a ^ values)) < 0
        if over.any():
            raise Overflow(int(np.argmax(over)))
    return built(result, values, missing)


def _may_leave(a: Ints, b: Ints, sign: int) -> bool:
    """Whether the bounds of *a* and *b* let a + sign * b leave 64 bits."""
    if not len(a):
        return False
    low, high = int(b.min()), int(b.max())
    low, high = (low, high) if sign > 0 else (-high, -low)
    return int(a.min()) + low < INT64_MIN or int(a.max()) + high > INT64_MAX


def _quotient(left: Column, right: Column) -> Column:
    """Exact operands divided with one rounding: at a common scale, as doubles while both fit 53 bits."""
    a, b = ints(left), ints(right)
    scales = scale_of(left.type), scale_of(right.type)
    up, down = 10 ** max(0, scales[1] - scales[0]), 10 ** max(0, scales[0] - scales[1])
    zero = b == 0
    missing = union(left.missing, right.missing)
    if zero.any():
        missing = zero if missing is None else missing | zero
    with np.errstate(all="ignore"):
        values = (a.astype(np.float64) * up) / (b.astype(np.float64) * down)
    if _magnitude(a) * up > _EXACT_DOUBLE or _magnitude(b) * down > _EXACT_DOUBLE:
        large = _beyond(a, _EXACT_DOUBLE // up) | _beyond(b, _EXACT_DOUBLE // down)
        for row in np.flatnonzero(large & ~zero):
            values[row] = (int(a[row]) * up) / (int(b[row]) * down)
    return built(NUMBER, values, missing)


def _beyond(values: Ints, limit: int) -> Bools:
    found: Bools = (values > limit) | (values < -limit)
    return found


def _floating(op: Literal["+", "-", "*", "/"], left: Column, right: Column) -> Column:
    a, b = doubles(left), doubles(right)
    with np.errstate(all="ignore"):
        match op:
            case "+":
                values = a + b
            case "-":
                values = a - b
            case "*":
                values = a * b
            case "/":
                values = a / b
    return built(NUMBER, values, union(left.missing, right.missing))


def _magnitude(values: Ints) -> int:
    return max(int(values.max()), -int(values.min())) if len(values) else 0
