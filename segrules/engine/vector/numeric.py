"""Numeric functions over columns.

In: columns of integers, decimals (scaled) and numbers, of one length.  Out: a column of the result type.  Always: a
row is missing where an argument is or where the result is not finite; exact results outside 64 bits raise `Overflow`;
`ln exp power` give what Python's `math` gives, to the last bit (numpy's own differ there, by machine).

    call_numeric("round", (Column(Decimal(2), np.array([250, -250])), digits), Integer())
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.build import Doubles, any_missing, built, ints, nothing, refuse, union
from segrules.engine.vector.quotient import as_doubles
from segrules.engine.vector.rounding import ceil_scaled, floor_scaled, round_doubles, round_scaled
from segrules.schema.types import INT64_MIN, Number, Type, scale_of
from segrules.tables.columns import Bools, Column, Ints

_LARGEST_EXPONENT = 709.782712893384


def call_numeric(function: str, args: tuple[Column, ...], result: Type) -> Column:
    """The numeric functions of the language, but `least` and `greatest`, which take any type."""
    missing = any_missing(args)
    match function:
        case "abs":
            return _abs(args[0], result)
        case "round":
            return _round(args, result)
        case "floor" | "ceil":
            return _whole(function, args[0], result)
        case "sqrt":
            x = as_doubles(args[0])
            return built(result, np.sqrt(np.where(x < 0, np.nan, x)), missing)
        case "ln":
            return built(result, _where(as_doubles(args[0]), lambda x: x > 0, math.log), missing)
        case "exp":
            x = as_doubles(args[0])
            return built(result, _where(x, lambda x: x <= _LARGEST_EXPONENT, math.exp), missing)
        case "power":
            pairs = zip(as_doubles(args[0]).tolist(), as_doubles(args[1]).tolist(), strict=True)
            return built(result, _collected(_power(x, y) for x, y in pairs), missing)
        case "div" | "mod":
            return _divide(function, args, result)
        case "band":
            return _band(args, result)
        case _:
            raise ValueError(f"no such numeric function: {function}")


def _abs(x: Column, result: Type) -> Column:
    if isinstance(x.type, Number):
        return built(result, np.abs(as_doubles(x)), x.missing)
    refuse(ints(x) == INT64_MIN, x.missing)
    return built(result, np.abs(ints(x)), x.missing)


def _round(args: tuple[Column, ...], result: Type) -> Column:
    x, missing = args[0], any_missing(args)
    digits = args[1].at(0) if len(args) > 1 else 0
    if digits is None:
        return nothing(result, len(x))
    assert isinstance(digits, int)
    if isinstance(x.type, Number):
        return built(result, round_doubles(as_doubles(x), digits), missing)
    return built(result, round_scaled(ints(x), scale_of(x.type), digits, scale_of(result), missing), missing)


def _whole(function: str, x: Column, result: Type) -> Column:
    if isinstance(x.type, Number):
        numbers = as_doubles(x)
        return built(result, np.floor(numbers) if function == "floor" else np.ceil(numbers), x.missing)
    whole = floor_scaled if function == "floor" else ceil_scaled
    return built(result, whole(ints(x), scale_of(x.type)), x.missing)


def _divide(function: str, args: tuple[Column, ...], result: Type) -> Column:
    """Truncating toward zero; the remainder has the sign of the dividend."""
    dividend, divisor = ints(args[0]), ints(args[1])
    missing = union(any_missing(args), divisor == 0)
    if function == "div":
        refuse((dividend == INT64_MIN) & (divisor == -1), missing)
    minus_one = divisor == -1
    safe = np.where((divisor == 0) | minus_one, 1, divisor)
    if function == "mod":
        return built(result, np.where(minus_one, 0, np.fmod(dividend, safe)), missing)
    quotient = dividend // safe
    quotient += (quotient < 0) & (quotient * safe != dividend)
    with np.errstate(over="ignore"):
        return built(result, np.where(minus_one, -dividend, quotient), missing)


def _band(args: tuple[Column, ...], result: Type) -> Column:
    """How many of the cuts (constants, ascending) are not above x."""
    x, cuts = args[0], args[1:]
    missing = any_missing(args)
    if missing is not None and missing.all():
        return nothing(result, len(x))
    if isinstance(x.type, Number) or any(isinstance(cut.type, Number) for cut in cuts):
        edges = [float(as_doubles(cut.take(np.array([0])))[0]) for cut in cuts]
        return built(result, _reached(as_doubles(x), edges), missing)
    scale = max(scale_of(column.type) for column in args)
    step = 10 ** (scale - scale_of(x.type))
    scaled = [cast(int, cut.at(0)) * 10 ** (scale - scale_of(cut.type)) for cut in cuts]
    return built(result, _reached(ints(x), [-(-edge // step) for edge in scaled]), missing)


def _reached(x: Ints | Doubles, edges: list[int] | list[float]) -> Ints:
    found = np.zeros(len(x), np.int64)
    for edge in edges:
        found += (x >= edge).astype(np.int64)
    return found


def _where(x: Doubles, allowed: Callable[[Doubles], Bools], compute: Callable[[float], float]) -> Doubles:
    """*compute* where *allowed*, elsewhere NaN."""
    rows = allowed(x)
    found = np.full(len(x), np.nan)
    inside: NDArray[np.float64] = x[rows]
    found[rows] = np.fromiter(map(compute, inside.tolist()), np.float64, len(inside))
    return found


def _collected(numbers: Iterable[float]) -> Doubles:
    return np.fromiter(numbers, np.float64)


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (OverflowError, ValueError):
        return math.nan
