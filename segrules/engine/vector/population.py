"""Values relative to all customers: quantile bands, equal groups, ranks, quantiles.

In: a column over the customers in key order, the columns of `by`, and for whom `among` is TRUE.  Out: a column over
the customers, missing outside, and the cut points.  Always: groups are ranked apart; ties go by position, with `desc`
too; cut points of exact numbers and dates are exact (an integer x is at most the cut a/b if x ≤ ⌊a/b⌋), of doubles
they are interpolated in doubles.

    population(node, spend, (city,), None)

Quantiles are type 7 of Hyndman and Fan (1996): position (N−1)·k/n, interpolated between its two neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrules.engine.results import Cuts
from segrules.engine.vector.build import Doubles, any_missing, built, doubles, ints, nothing, union
from segrules.engine.vector.distinct import combine, factor
from segrules.engine.vector.quotient import divided
from segrules.model.expr import Population
from segrules.schema.types import INT64_MAX, Number, Type, Value, scale_of
from segrules.tables.columns import Bools, Column, Ints

_FEW = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """The ranked customers, group after group, each group by value.

    `rows`: their ordinals. `values`: as compared, ascending within a group. `starts` and `sizes`: of the groups.
    `by`: the stored values of `by` of each group, ascending.
    """

    rows: Ints
    values: NDArray[np.generic]
    starts: Ints
    sizes: Ints
    by: tuple[tuple[Value, ...], ...]

    def within_groups(self) -> Ints:
        """Each ranked customer's position in the group, from 0."""
        return np.arange(len(self.rows)) - np.repeat(self.starts, self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """Cut points, a row per group: the largest stored values not above them, and themselves as doubles in the type's
    own unit."""

    thresholds: NDArray[np.generic]
    shown: Doubles


def population(
    node: Population, value: Column, by: tuple[Column, ...], among: Bools | None
) -> tuple[Column, tuple[Cuts, ...], bool]:
    """(the values of *node*, the cut points of each group, whether neighbouring cuts of a group coincide).

    *value* and *by* have one value per customer, in key order; *among*: for whom the condition is TRUE.
    """
    inside = union(any_missing((value, *by)), None if among is None else ~among)
    rows = np.arange(len(value)) if inside is None else np.flatnonzero(~inside)
    if not len(rows):
        return nothing(node.type, len(value)), (), False
    match node.function:
        case "qcut":
            return _qcut(node, value, _standing(value, by, rows, descending=False))
        case "quantile":
            return _quantile(node, value, _standing(value, by, rows, descending=False))
        case "ntile":
            standing = _standing(value, by, rows, descending=node.descending)
            assert isinstance(node.argument, int)
            return _spread(node, value, standing, _tiles(standing, node.argument)), (), False
        case "rank":
            standing = _standing(value, by, rows, descending=node.descending)
            return _spread(node, value, standing, _ranks(standing)), (), False
        case "percent_rank":
            standing = _standing(value, by, rows, descending=node.descending)
            others = np.repeat(standing.sizes - 1, standing.sizes)
            shares = (_ranks(standing) - 1) / np.maximum(others, 1)
            return _spread(node, value, standing, shares), (), False


def _standing(value: Column, by: tuple[Column, ...], rows: Ints, descending: bool) -> _Standing:
    values: NDArray[np.int64] | NDArray[np.float64]
    if isinstance(value.type, Number):
        values = -doubles(value)[rows] if descending else doubles(value)[rows]
    else:
        values = ~ints(value)[rows] if descending else ints(value)[rows]
    if not by:
        order = _ordered(values)
        size = np.array([len(rows)])
        return _Standing(rows[order], values[order], np.zeros(1, np.int64), size, ((),))
    groups, names = _groups(tuple(column.take(rows) for column in by))
    by_value = _ordered(values)
    order = by_value[_order_of_keys(groups[by_value], np.arange(len(rows)))]
    sizes = np.bincount(groups, minlength=len(names)).astype(np.int64)
    return _Standing(rows[order], values[order], np.cumsum(sizes) - sizes, sizes, names)


def _ordered(values: NDArray[np.generic]) -> Ints:
    """The stable order of *values*: value and position as one key where 64 bits hold it, else run and position."""
    rows = len(values)
    if values.dtype != np.float64:
        numbers = values.astype(np.int64, copy=False)
        low, high = int(numbers.min()), int(numbers.max())
        if (high - low + 1) * rows < 2**63:
            return _order_of_keys(numbers - low, np.arange(rows))
    order = np.argsort(values)
    ascending = values[order]
    return _order_of_keys(np.concatenate([[0], np.cumsum(ascending[1:] != ascending[:-1])]), order)


def _order_of_keys(major: Ints, positions: Ints) -> Ints:
    """*positions*, a permutation, sorted by *major* and then by themselves."""
    keys = major * len(positions) + positions
    keys.sort()
    order: Ints = keys % len(positions)
    return order


def _groups(by: tuple[Column, ...]) -> tuple[Ints, tuple[tuple[Value, ...], ...]]:
    """(group per row, the values of `by` of each group), groups ascending by those values."""
    factors = [factor(column) for column in by]
    codes, members = combine([(part.codes, len(part.values)) for part in factors])
    columns = [[part.values[code] for code in member] for part, member in zip(factors, members, strict=True)]
    names = list(zip(*columns, strict=True))
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    return place[codes], tuple(names[code] for code in order)


def _spread(node: Population, value: Column, standing: _Standing, results: NDArray[np.generic]) -> Column:
    """*results* of the ranked customers as a column over all."""
    found = np.zeros(len(value), results.dtype)
    found[standing.rows] = results
    outside = np.ones(len(value), np.bool_)
    outside[standing.rows] = False
    return built(node.type, found, outside)


def _ranks(standing: _Standing) -> Ints:
    """1 + how many of the group stand strictly before."""
    position = standing.within_groups()
    fresh = np.concatenate([[True], standing.values[1:] != standing.values[:-1]])
    fresh[standing.starts] = True
    ranks: Ints = position[np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))] + 1
    return ranks


def _tiles(standing: _Standing, parts: int) -> Ints:
    """SQL's ntile: the first N mod n groups have one more than the others."""
    position = standing.within_groups()
    sizes = np.repeat(standing.sizes, standing.sizes)
    small, larger = np.divmod(sizes, parts)
    in_larger = larger * (small + 1)
    tail = larger + (position - in_larger) // np.maximum(small, 1)
    tiles: Ints = np.where(position < in_larger, position // (small + 1), tail) + 1
    return tiles


def _qcut(node: Population, value: Column, standing: _Standing) -> tuple[Column, tuple[Cuts, ...], bool]:
    """Band k is (q[k−1], q[k]]: 1 + how many of the inner cuts lie below."""
    assert isinstance(node.argument, int)
    parts = node.argument
    cuts = _cuts(standing, np.arange(1, parts), parts, value.type)
    bands = _bands(standing, cuts.thresholds) + 1
    column = _spread(node, value, standing, parts + 1 - bands if node.descending else bands)
    return column, _reported(standing, cuts, value.type), bool((cuts.shown[:, 1:] == cuts.shown[:, :-1]).any())


def _quantile(node: Population, value: Column, standing: _Standing) -> tuple[Column, tuple[Cuts, ...], bool]:
    assert isinstance(node.argument, tuple)
    numerator, denominator = node.argument
    k = denominator - numerator if node.descending else numerator
    cuts = _cuts(standing, np.array([k]), denominator, value.type)
    chosen = cuts.shown if isinstance(node.type, Number) else cuts.thresholds
    return (
        _spread(node, value, standing, np.repeat(chosen[:, 0], standing.sizes)),
        _reported(standing, cuts, value.type),
        False,
    )


def _reported(standing: _Standing, cuts: _Cuts, t: Type) -> tuple[Cuts, ...]:
    unit = 1 if isinstance(t, Number) else 10 ** scale_of(t)
    sizes, greatest = standing.sizes.tolist(), standing.values[standing.starts + standing.sizes - 1].tolist()
    return tuple(
        Cuts(by, size, tuple(shown), last / unit, tuple(thresholds))
        for by, size, shown, last, thresholds in zip(
            standing.by, sizes, cuts.shown.tolist(), greatest, cuts.thresholds.tolist(), strict=True
        )
    )


def _cuts(standing: _Standing, k: Ints, n: int, t: Type) -> _Cuts:
    """The quantiles k/n of every group, in Python's ints where 64 bits might not hold n times a value."""
    below, rest = np.divmod((standing.sizes[:, None] - 1) * k, n)
    place = standing.starts[:, None] + below
    low, high = standing.values[place], standing.values[place + (rest > 0)]
    if isinstance(t, Number):
        points = _interpolated(low.astype(np.float64), high.astype(np.float64), rest / n)
        return _Cuts(points, points)
    unit = 10 ** scale_of(t)
    lows, highs = low.astype(np.int64), high.astype(np.int64)
    if low.size and max(int(highs.max()), -int(lows.min())) * n > INT64_MAX:
        exact = lows.astype(object) * (n - rest) + highs.astype(object) * rest
        shown = np.array([point / (n * unit) for point in exact.flat], np.float64)
        return _Cuts((exact // n).astype(np.int64), shown.reshape(exact.shape))
    points_n = lows * (n - rest) + highs * rest
    return _Cuts(points_n // n, divided(points_n.ravel(), n * unit).reshape(points_n.shape))


def _interpolated(low: Doubles, high: Doubles, part: Doubles) -> Doubles:
    with np.errstate(over="ignore", invalid="ignore"):
        step = high - low
        between = np.where(np.isfinite(step), low + step * part, low * (1 - part) + high * part)
    return np.where(part == 0, low, between)


def _bands(standing: _Standing, thresholds: NDArray[np.generic]) -> Ints:
    """How many of the thresholds of its group lie below each value."""
    groups, cuts = thresholds.shape
    found = np.zeros(len(standing.rows), np.int64)
    if cuts < _FEW < groups:
        for column in thresholds.T:
            found += standing.values > np.repeat(column, standing.sizes)
        return found
    ends = standing.starts + standing.sizes
    for start, end, row in zip(standing.starts.tolist(), ends.tolist(), thresholds, strict=True):
        found[start:end] = np.searchsorted(np.sort(row), standing.values[start:end], side="left")
    return found
