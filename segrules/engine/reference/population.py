"""Values relative to all customers: quantile bands, equal groups, ranks.

In: for every customer, in key order, the value, the values of `by`, and whether `among` is TRUE.  Out: for every
customer a stored value, missing outside; and the cut points.  Always: quantiles are type 7 (position (N−1)·k/n,
interpolated), exact for integers, decimals and dates; ties of `ntile` go by customer key.

    cuts([1, 2, 3, 4], INTEGER, 2)      # [Fraction(5, 2)]
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from segrules.engine.reference.values import exactly, nearest, number
from segrules.engine.results import Cuts
from segrules.model.expr import Population
from segrules.schema.types import Bool, Date, Number, Text, Type, Value, scale_of


@dataclass(frozen=True, slots=True)
class Standing:
    """One customer, by ordinal, as a population function sees them."""

    ordinal: int
    value: Value
    by: tuple[Value, ...]
    among: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The results by ordinal, and the cut points of each group (only of `qcut` and `quantile`)."""

    values: tuple[Value, ...]
    groups: tuple[Cuts, ...]


def population(node: Population, customers: Sequence[Standing]) -> Found:
    """The values of *node* for all customers."""
    groups: dict[tuple[Value, ...], list[Standing]] = {}
    for one in customers:
        if one.among and one.value is not None and None not in one.by:
            groups.setdefault(one.by, []).append(one)
    values: list[Value] = [None] * len(customers)
    found = []
    for by in sorted(groups, key=_order):
        members = groups[by]
        for one, value in zip(members, within_group(node, members), strict=True):
            values[one.ordinal] = value
        if node.function in ("qcut", "quantile"):
            points = group_cuts(node, members)
            greatest = max(_measure(one, node) for one in members)
            exact = tuple(threshold(point, node.value.type) for point in points)
            found.append(Cuts(by, len(members), tuple(map(float, points)), float(greatest), exact))
    return Found(tuple(values), tuple(found))


def _order(by: tuple[Value, ...]) -> tuple[tuple[int | float, str], ...]:
    return tuple((0, value) if isinstance(value, str) else (number(value), "") for value in by)


def within_group(node: Population, members: Sequence[Standing]) -> list[Value]:
    """The value for each of *members*, who are ranked together, in their order."""
    count = len(members)
    match node.function:
        case "qcut":
            points = group_cuts(node, members)
            bands = [1 + bisect_left(points, _measure(one, node)) for one in members]
            parts = _parts(node)
            return [parts + 1 - band if node.descending else band for band in bands]
        case "quantile":
            (point,) = group_cuts(node, members)
            return [_stored(point, node.type)] * count
        case "rank":
            return list(_ranks(node, members))
        case "percent_rank":
            return [(rank - 1) / (count - 1) if count > 1 else 0.0 for rank in _ranks(node, members)]
        case "ntile":
            return _equal_groups(node, members)


def _parts(node: Population) -> int:
    assert isinstance(node.argument, int)
    return node.argument


def _measure(one: Standing, node: Population) -> Fraction:
    return exactly(one.value, node.value.type)


def _ranks(node: Population, members: Sequence[Standing]) -> list[int]:
    """SQL's rank: 1 + how many come before, equal values sharing a rank."""
    ordered = sorted((_measure(one, node) for one in members), reverse=node.descending)
    first: dict[Fraction, int] = {}
    for rank, value in enumerate(ordered, start=1):
        first.setdefault(value, rank)
    return [first[_measure(one, node)] for one in members]


def _equal_groups(node: Population, members: Sequence[Standing]) -> list[Value]:
    """SQL's ntile: the first N mod n groups have one more than the others; ties by ascending customer key."""
    sign = -1 if node.descending else 1
    ordered = sorted(members, key=lambda one: (sign * _measure(one, node), one.ordinal))
    size, larger = divmod(len(members), _parts(node))
    group: dict[int, int] = {}
    for position, one in enumerate(ordered):
        in_larger = larger * (size + 1)
        small = position - in_larger
        group[one.ordinal] = position // (size + 1) + 1 if small < 0 else larger + small // size + 1
    return [group[one.ordinal] for one in members]


def group_cuts(node: Population, members: Sequence[Standing]) -> list[Fraction]:
    """The cut points of a `qcut` (n − 1 of them) or the one of a `quantile`, ascending."""
    values = sorted(_measure(one, node) for one in members)
    if node.function == "qcut":
        parts = _parts(node)
        return [cut(values, k, parts, node.value.type) for k in range(1, parts)]
    assert isinstance(node.argument, tuple)
    numerator, denominator = node.argument
    return [cut(values, denominator - numerator if node.descending else numerator, denominator, node.value.type)]


def cut(values: Sequence[Fraction], k: int, n: int, type_: Type) -> Fraction:
    """The type-7 quantile k/n of ascending *values*: at position (N−1)·k/n, between its two neighbours."""
    below, rest = divmod((len(values) - 1) * k, n)
    low = values[below]
    if rest == 0:
        return low
    high = values[below + 1]
    if isinstance(type_, Number):
        return Fraction(between(float(low), float(high), rest / n))
    return (low * (n - rest) + high * rest) / n


def threshold(point: Fraction, type_: Type) -> int | float:
    """The greatest stored value of *type_* that is not above *point*; of a `number` the cut itself."""
    return float(point) if isinstance(type_, Number) else math.floor(point * 10 ** scale_of(type_))


def between(low: float, high: float, part: float) -> float:
    """low + (high − low)·part in doubles, without overflow."""
    step = high - low
    return low + step * part if math.isfinite(step) else low * (1 - part) + high * part


def _stored(point: Fraction, type_: Type) -> Value:
    match type_:
        case Date():
            return math.floor(point)
        case Number():
            return nearest(point)
        case Bool() | Text():
            raise AssertionError("a quantile is a number or a date")
        case _:
            return int(point)
