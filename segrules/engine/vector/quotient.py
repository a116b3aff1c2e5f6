"""Exact numbers as doubles: quotients rounded once, as Python rounds `a / b` of two ints.

In: int64 numerators and denominators.  Out: the nearest doubles, ties to even.  Always: equal to `int.__truediv__`
on every row; division by zero gives NaN.

    divided(np.array([1, 2**62 + 1]), np.array([10, 100]))
"""

from __future__ import annotations

import numpy as np

from segrules.engine.vector.build import Doubles
from segrules.schema.types import Type, scale_of
from segrules.tables.columns import Bools, Column, Ints

_EXACT = 2**53


def divided(numerators: Ints, denominators: Ints | int) -> Doubles:
    """`numerators / denominators`, correctly rounded.

    Two int64 up to 2**53 are doubles exactly, so one division rounds once; the other rows go through Python's ints.
    """
    below = np.asarray(denominators, dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = numerators.astype(np.float64) / below.astype(np.float64)
    large = _beyond(numerators) | _beyond(below)
    if np.any(large):
        for row in np.flatnonzero(np.broadcast_to(large, found.shape)):
            divisor = int(below if below.ndim == 0 else below[row])
            found[row] = int(numerators[row]) / divisor if divisor else np.nan
    return found


def in_units(values: Ints, t: Type) -> Doubles:
    """Stored values of an exact type as the nearest doubles in its own unit."""
    return divided(values, 10 ** scale_of(t)) if scale_of(t) else values.astype(np.float64)


def as_doubles(column: Column) -> Doubles:
    """A numeric column as doubles: of exact numbers the nearest."""
    if column.values.dtype == np.float64:
        same: Doubles = column.values.astype(np.float64, copy=False)
        return same
    return in_units(column.values.astype(np.int64, copy=False), column.type)


def _beyond(values: Ints) -> Bools:
    return np.asarray((values > _EXACT) | (values < -_EXACT))
