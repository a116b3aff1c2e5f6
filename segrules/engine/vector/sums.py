"""Sums, averages and standard deviations per customer.

In: the values of the counted rows, none missing, and for each row its customer's ordinal.  Out: an array with one
result per customer; NaN where there is none.  Always: sums of exact numbers are exact, in 64 bits while a bound shows
that they fit, else in two halves; averages and deviations of exact numbers are exact until one rounding (deviations:
the variance is, then its root); those of doubles agree with the exact ones to 1e-12 of what they add up.

    sums(np.array([5, 7]), np.array([0, 0]), 1)      # [12]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segrules.engine.vector.build import Doubles
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.quotient import divided
from segrules.schema.types import INT64_MAX
from segrules.tables.columns import Bools, Ints

_HALF = 32
_LOW = (1 << _HALF) - 1
_HEAVY = 4096
_SAFE = 2.0**62


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Exact totals: `low` alone where `high` is None, else `high * 2**32 + low` with 0 ≤ low < 2**32."""

    low: Ints
    high: Ints | None = None

    def outside(self) -> Bools:
        """Where a total does not fit in 64 bits."""
        if self.high is None:
            return np.zeros(len(self.low), np.bool_)
        return (self.high >= 2**31) | (self.high < -(2**31))

    def within(self) -> Ints:
        """The totals that fit, others wrapped."""
        if self.high is None:
            return self.low
        wrapped: Ints = (self.high << _HALF) + self.low
        return wrapped

    def at(self, customer: int) -> int:
        high = 0 if self.high is None else int(self.high[customer])
        return (high << _HALF) + int(self.low[customer])


def counts(owner: Ints, customers: int) -> Ints:
    return np.bincount(owner, minlength=customers).astype(np.int64, copy=False)


def totals(values: Ints, owner: Ints, customers: int) -> Totals:
    if not _may_overflow(values, owner, customers):
        return Totals(_added(values, owner, customers))
    low = _added(values & _LOW, owner, customers)
    high = _added(values >> _HALF, owner, customers)
    return Totals(low & _LOW, high + (low >> _HALF))


def sums(values: Ints, owner: Ints, customers: int) -> Ints:
    """Raises `Overflow` with the customer's ordinal where a total leaves 64 bits."""
    found = totals(values, owner, customers)
    outside = np.flatnonzero(found.outside())
    if len(outside):
        raise Overflow(int(outside[0]))
    return found.within()


def averages(values: Ints, scale: int, owner: Ints, customers: int) -> Doubles:
    """Exact totals over counts, in units of 10**-scale, rounded once."""
    found, count = totals(values, owner, customers), counts(owner, customers)
    unit = 10**scale
    means = divided(found.within(), count * unit)
    for customer in np.flatnonzero(found.outside()).tolist():
        means[customer] = found.at(customer) / (int(count[customer]) * unit)
    return means


def deviations(values: Ints, scale: int, owner: Ints, customers: int) -> Doubles:
    """Sample standard deviation: the exact variance (n·Σd² − (Σd)²) / (n·(n − 1)), with d the distances from a whole
    number near the mean, rounded once, and its root."""
    if not len(values):
        return np.full(customers, np.nan)
    found, count = totals(values, owner, customers), counts(owner, customers)
    near = found.within() // np.maximum(count, 1)
    low, high = int(values.min()), int(values.max())
    spread = np.full(customers, float(high) - float(low))
    most = float(count.max())
    if (most * spread[0]) ** 2 >= _SAFE:
        spread = np.zeros(customers)
        np.maximum.at(spread, owner, np.abs(values.astype(np.float64) - near[owner].astype(np.float64)))
    hard = ((count * (spread + 1.0)) ** 2 >= _SAFE) | found.outside()
    easy_rows = ~hard[owner]
    variance = _variances(values[easy_rows] if hard.any() else values, scale,
                          owner[easy_rows] if hard.any() else owner, count, near)  # fmt: skip
    if hard.any():
        _hard_variances(values[~easy_rows], scale, owner[~easy_rows], count, variance, np.flatnonzero(hard))
    variance[count < 2] = np.nan
    return np.sqrt(variance)


def _variances(values: Ints, scale: int, owner: Ints, count: Ints, near: Ints) -> Doubles:
    distance = values - near[owner]
    squares = _added(distance * distance, owner, len(count))
    rest = _added(distance, owner, len(count))
    numerator = count * squares - rest * rest
    pairs = count * (count - 1)
    unit = 100**scale
    if int(count.max()) ** 2 * unit <= INT64_MAX:
        return divided(numerator, pairs * unit)
    variance = np.full(len(count), np.nan)
    for customer in np.flatnonzero(pairs):
        variance[customer] = int(numerator[customer]) / (int(pairs[customer]) * unit)
    return variance


def _hard_variances(values: Ints, scale: int, owner: Ints, count: Ints, into: Doubles, hard: Ints) -> None:
    """Where squares leave 64 bits: with x = 2³²·h + 2¹⁶·m + l, Σx² is put together from Σh², Σh(2¹⁶m + l), Σm², Σml
    and Σl², in Python's ints."""
    place = np.zeros(len(count), np.int64)
    place[hard] = np.arange(len(hard))
    compact = place[owner]
    high, low = values >> _HALF, values & _LOW
    middle, lowest = low >> 16, low & 0xFFFF
    products = (values, high * high, high * low, middle * middle, middle * lowest, lowest * lowest)
    parts = [totals(product, compact, len(hard)) for product in products]
    for i, customer in enumerate(hard.tolist()):
        total, hh, hl, mm, ml, ll = (part.at(i) for part in parts)
        squares = (hh << 64) + (hl << 33) + (mm << 32) + (ml << 17) + ll
        n = int(count[customer])
        if n > 1:
            into[customer] = (n * squares - total * total) / (n * (n - 1) * 100**scale)


def floating_sums(values: Doubles, owner: Ints, customers: int) -> Doubles:
    """Sums of doubles; a customer with many rows is summed pairwise, so that errors do not add up."""
    found = np.zeros(customers)
    with np.errstate(over="ignore", invalid="ignore"):
        np.add.at(found, owner, values)
        if len(values) > _HEAVY:
            heavy = counts(owner, customers) > _HEAVY
            if heavy.any():
                _sum_heavy(values, owner, heavy, found)
    return found


def _sum_heavy(values: Doubles, owner: Ints, heavy: Bools, into: Doubles) -> None:
    rows = np.flatnonzero(heavy[owner])
    rows = rows[np.argsort(owner[rows], kind="stable")]
    owners = owner[rows]
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
        into[owners[start]] = values[rows[start:end]].sum()


def floating_averages(values: Doubles, owner: Ints, customers: int) -> Doubles:
    with np.errstate(invalid="ignore"):
        return floating_sums(values, owner, customers) / counts(owner, customers)


def floating_deviations(values: Doubles, owner: Ints, customers: int) -> Doubles:
    """The corrected two-pass algorithm (Chan, Golub and LeVeque 1983)."""
    count = counts(owner, customers)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        distance = values - floating_averages(values, owner, customers)[owner]
        squares = floating_sums(distance * distance, owner, customers)
        rest = floating_sums(distance, owner, customers)
        variance = np.maximum(squares - rest * rest / count, 0.0) / (count - 1)
        variance[count < 2] = np.nan
        return np.sqrt(variance)


def _added(values: Ints, owner: Ints, customers: int) -> Ints:
    found = np.zeros(customers, np.int64)
    np.add.at(found, owner, values)
    return found


def _may_overflow(values: Ints, owner: Ints, customers: int) -> bool:
    if not len(values):
        return False
    largest = max(int(values.max()), -int(values.min()))
    if largest * len(values) <= INT64_MAX:
        return False
    return largest * int(counts(owner, customers).max()) > INT64_MAX
