"""Rounding half away from zero, exactly: of scaled integers and of doubles.

In: int64 or double arrays.  Out: the same.  Always: decided on the exact value of a double, not on its shortest
decimal (`round(2.675, 2)` is 2.67, for that double lies below 2.675), and the result is the nearest double; integer
results outside 64 bits raise `Overflow`.

    round_doubles(np.array([2.5, -0.5, 2.675]), 2)

Doubles: |x|·10ⁿ is taken as p + e without error (Dekker 1971, "A floating-point technique for extending the available
precision"), so half-way is decided on the exact product; rows beyond the reach of that go through `fractions`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from segrules.engine.vector.build import Doubles, refuse
from segrules.schema.types import INT64_MAX
from segrules.tables.columns import Bools, Ints

_SPLIT = 134_217_729.0
_PRODUCT_LIMIT = 2.0**51
_INTEGER_LIMIT = 2.0**53
_EXACT_POWERS = 22


def round_scaled(values: Ints, scale: int, digits: int, result_scale: int, missing: Bools | None) -> Ints:
    """Values scaled by 10**scale rounded to *digits* after the point, scaled by 10**result_scale."""
    if digits >= scale:
        return rescaled(values, result_scale - scale, missing)
    drop = scale - digits
    if drop > 19:
        return np.zeros(len(values), np.int64)
    if drop == 19:
        units = np.where(values >= 5 * 10**18, 1, 0) - np.where(values <= -5 * 10**18, 1, 0)
        return rescaled(units, result_scale - digits, missing)
    unit = 10**drop
    quotient, remainder = np.divmod(values, unit)
    half = unit // 2
    up = np.where(values >= 0, remainder >= half, remainder > half)
    return rescaled(quotient + up, result_scale - digits, missing)


def rescaled(values: Ints, power: int, missing: Bools | None) -> Ints:
    """`values * 10**power` for power ≥ 0; raises `Overflow` where 64 bits cannot hold it."""
    if power <= 0 or not len(values):
        return values
    if power > 18:
        refuse(values != 0, missing)
        return values
    limit = INT64_MAX // 10**power
    refuse((values > limit) | (values < -limit), missing)
    larger: Ints = values * 10**power
    return larger


def floor_scaled(values: Ints, scale: int) -> Ints:
    whole: Ints = values // 10**scale
    return whole


def ceil_scaled(values: Ints, scale: int) -> Ints:
    quotient, remainder = np.divmod(values, 10**scale)
    whole: Ints = quotient + (remainder != 0)
    return whole


def round_doubles(values: Doubles, digits: int) -> Doubles:
    """*values* rounded to *digits* after the point (before it when negative); infinite where too large."""
    if digits == 0:
        whole = np.trunc(values)
        return whole + np.where(np.abs(values - whole) >= 0.5, np.copysign(1.0, values), 0.0)
    size = np.abs(values)
    if digits > _EXACT_POWERS or digits < -_EXACT_POWERS:
        found, far = np.zeros(len(values)), np.ones(len(values), np.bool_)
    elif digits > 0:
        found, far = _after_point(size, 10.0**digits)
    else:
        found, far = _before_point(size, 10.0**-digits)
    for row in np.flatnonzero(far):
        found[row] = _round_exactly(float(size[row]), digits)
    return np.copysign(found, values)


def _after_point(size: Doubles, power: float) -> tuple[Doubles, Bools]:
    far = size >= _PRODUCT_LIMIT / power
    x = np.where(far, 0.0, size)
    product = x * power
    high, low = _halves(x)
    power_high, power_low = _halves(np.float64(power))
    error = ((high * power_high - product) + high * power_low + low * power_high) + low * power_low
    whole = np.floor(product)
    up = ((product - whole) - 0.5) + error >= 0
    return (whole + up) / power, far


def _before_point(size: Doubles, power: float) -> tuple[Doubles, Bools]:
    far = size >= _INTEGER_LIMIT
    x = np.where(far, 0.0, size)
    rest = np.fmod(x, power)
    return (x - rest) + np.where(rest >= power / 2, power, 0.0), far


def _halves(x: Doubles | np.float64) -> tuple[Doubles, Doubles]:
    scaled = np.asarray(x * _SPLIT)
    high = scaled - (scaled - x)
    return high, np.asarray(x - high)


def _round_exactly(size: float, digits: int) -> float:
    """Of a finite double that is not negative."""
    if digits >= 1100:
        return size
    if digits <= -310:
        return 0.0
    scaled = Fraction(size) * Fraction(10) ** digits
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    try:
        return float(Fraction(units) / Fraction(10) ** digits)
    except OverflowError:
        return float("inf")
