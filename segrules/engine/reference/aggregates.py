"""Aggregates: one value from the rows of a customer.

In: the values of the counted rows, missing ones left out.  Out: a stored value.  Always: sums of exact numbers are
exact and checked once, at the end; averages, deviations and medians of exact numbers are computed exactly and rounded
once; over nothing, count and sum are 0, `any` is false, `all` is true, everything else is missing.

    aggregate("avg", [100, 201], Decimal(2), NUMBER)      # 1.505
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from segrules.engine.reference.values import exactly, finite, integer, less, nearest, number, within
from segrules.model.expr import AggregateName
from segrules.schema.types import Number, Type, Value


@dataclass(frozen=True, slots=True)
class Seen:
    """A counted row that has a value: when it happened, its key (missing where the table has none), the value."""

    time: Value
    key: Value
    value: Value


def aggregate(function: AggregateName, values: Sequence[Value], type_: Type, result: Type) -> Value:
    """All but `first` and `last`. *values* are of *type_*, none of them missing. Raises `OutOfRange`."""
    match function:
        case "count":
            return len(values)
        case "any":
            return any(value is True for value in values)
        case "all":
            return all(value is True for value in values)
        case "sum":
            return total(values, type_)
        case "count_distinct":
            return len(set(values))
    if not values:
        return None
    match function:
        case "avg":
            return average(values, type_)
        case "stddev":
            return deviation(values, type_)
        case "median":
            return median(values, type_)
        case "min":
            return smallest(values)
        case "max":
            return largest(values)
        case _:
            raise AssertionError(f"{function} needs times")


def total(values: Sequence[Value], type_: Type) -> Value:
    if isinstance(type_, Number):
        return floating_sum([float(number(value)) for value in values])
    return within(sum(integer(value) for value in values))


def floating_sum(values: Sequence[float]) -> float | None:
    """The sum of doubles, rounded once; missing beyond the largest."""
    try:
        return finite(math.fsum(values))
    except OverflowError:
        return None


def average(values: Sequence[Value], type_: Type) -> float | None:
    if isinstance(type_, Number):
        found = floating_sum([float(number(value)) for value in values])
        return None if found is None else found / len(values)
    return nearest(sum((exactly(value, type_) for value in values), Fraction(0)) / len(values))


def deviation(values: Sequence[Value], type_: Type) -> float | None:
    """The sample standard deviation: sqrt(Σ(x − mean)² / (n − 1)); missing for fewer than two."""
    count = len(values)
    if count < 2:
        return None
    if isinstance(type_, Number):
        doubles = [float(number(value)) for value in values]
        mean = floating_sum(doubles)
        squares = None if mean is None else floating_sum([(x - mean / count) * (x - mean / count) for x in doubles])
        return None if squares is None else math.sqrt(squares / (count - 1))
    exact = [exactly(value, type_) for value in values]
    middle = sum(exact, Fraction(0)) / count
    variance = nearest(sum(((x - middle) ** 2 for x in exact), Fraction(0)) / (count - 1))
    return None if variance is None else math.sqrt(variance)


def median(values: Sequence[Value], type_: Type) -> float | None:
    """The middle one, or the exact mean of the two in the middle."""
    ordered = sorted(exactly(value, type_) for value in values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return nearest((low + high) / 2)


def smallest(values: Sequence[Value]) -> Value:
    found = values[0]
    for value in values[1:]:
        found = value if less(value, found) else found
    return found


def largest(values: Sequence[Value]) -> Value:
    found = values[0]
    for value in values[1:]:
        found = value if less(found, value) else found
    return found


def first(seen: Sequence[Seen]) -> Value:
    """The value of the earliest row; of several at that time the one with the smallest key, without keys the smallest
    value."""
    return _one_at(min(number(one.time) for one in seen), seen, smallest) if seen else None


def last(seen: Sequence[Seen]) -> Value:
    """The value of the latest row; of several at that time the one with the largest key, without keys the smallest
    value."""
    return _one_at(max(number(one.time) for one in seen), seen, largest) if seen else None


def _one_at(time: float, seen: Sequence[Seen], choose: Callable[[Sequence[Value]], Value]) -> Value:
    then = [one for one in seen if one.time == time]
    if any(one.key is None for one in then):
        return smallest([one.value for one in then])
    key = choose([one.key for one in then])
    return smallest([one.value for one in then if one.key == key])
