"""What generated code calls: the functions that are more than an operator.

In: stored values, none of them missing unless said.  Out: a stored value, not yet held to 64 bits.  Always: the same
answer as `engine/reference/`, whose slow exact fractions are here integers; where the reference is fast already it is
called.

    quotient(1, 3), rounded(2675, 1000, 10)
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, NoReturn

from segrules.engine.reference import functions as reference
from segrules.engine.reference.aggregates import floating_sum, largest, smallest
from segrules.engine.reference.values import nearest
from segrules.schema import calendar
from segrules.schema.types import TIMESTAMP, Value

DAY = calendar.MICROSECONDS_PER_DAY
REMEMBERED = 4096


def finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def divided(a: float, b: float) -> float | None:
    """The quotient of two doubles."""
    return None if b == 0 else finite(a / b)


def quotient(a: int, b: int) -> float | None:
    """a / b of integers, exact and rounded once."""
    if b == 0:
        return None
    return a / b if a else 0.0


def div(a: int, b: int) -> int | None:
    if b == 0:
        return None
    found = abs(a) // abs(b)
    return found if (a < 0) == (b < 0) else -found


def mod(a: int, b: int) -> int | None:
    if b == 0:
        return None
    found = abs(a) % abs(b)
    return found if a >= 0 else -found


def rounded(value: int, unit: int, scale: int) -> int:
    """*value* to a multiple of *unit*, half away from zero, counted in *unit*s and times *scale*."""
    units = (2 * abs(value) + unit) // (2 * unit)
    return (units if value >= 0 else -units) * scale


def rounded_double(value: float, digits: int) -> float | None:
    """`round` of a double, on its exact value."""
    numerator, denominator = abs(value).as_integer_ratio()
    if digits >= 0:
        numerator *= 10**digits
    else:
        denominator *= 10**-digits
    units = (2 * numerator + denominator) // (2 * denominator)
    if units == 0:
        return 0.0
    try:
        found = units / 10**digits if digits >= 0 else float(units * 10**-digits)
    except OverflowError:
        return None
    return found if value >= 0 else -found


def floor_double(value: float) -> float:
    return float(math.floor(value))


def ceil_double(value: float) -> float:
    return float(math.ceil(value))


def sqrt(x: float) -> float | None:
    return math.sqrt(x) if x >= 0 else None


def ln(x: float) -> float | None:
    return math.log(x) if x > 0 else None


@lru_cache(maxsize=REMEMBERED)
def _offset(day: int, zone: str) -> int | None:
    """How far local time is ahead during a day of UTC, in microseconds; None where that changes within it."""
    try:
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
        ends = [at.astimezone(calendar.zone(zone)).utcoffset() for at in (start, start + timedelta(days=1))]
    except OverflowError:
        return None
    if ends[0] is None or ends[0] != ends[1]:
        return None
    return ends[0] // timedelta(microseconds=1)


def local_day(instant: int, zone: str) -> int | None:
    """The local day of an instant; no zone changes its offset twice within a day."""
    offset = _offset(instant // DAY, zone)
    if offset is not None:
        return (instant + offset) // DAY
    try:
        return calendar.local_day(instant, zone)
    except OverflowError:
        return None


def year(day: int) -> int:
    return calendar.to_date(day).year


def quarter(day: int) -> int:
    return (calendar.to_date(day).month + 2) // 3


def month(day: int) -> int:
    return calendar.to_date(day).month


def day_of_month(day: int) -> int:
    return calendar.to_date(day).day


def weekday(day: int) -> int:
    return calendar.to_date(day).isoweekday()


def lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(reference.simple_lower, text))


def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(reference.simple_upper, text))


def trim(text: str) -> str:
    return text.strip(reference.WHITE_SPACE)


def replaced(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


def left_text(text: str, n: int) -> str:
    return text[: max(0, n)]


def right_text(text: str, n: int) -> str:
    return text[max(0, len(text) - max(0, n)) :]


@lru_cache(maxsize=REMEMBERED)
def matches(text: str, pattern: str) -> bool:
    """A pattern that only RE2 reads."""
    return reference.matches(text, pattern)


def averaged(values: Sequence[int], unit: int) -> float | None:
    return quotient(sum(values), len(values) * unit) if values else None


def averaged_doubles(values: Sequence[float]) -> float | None:
    found = floating_sum(values) if values else None
    return None if found is None else found / len(values)


def deviation(values: Sequence[int], unit: int) -> float | None:
    """Σ(x − mean)² / (n − 1) is (n·Σx² − (Σx)²) / (n·(n − 1)), of integers exactly."""
    count = len(values)
    if count < 2:
        return None
    above = count * sum(x * x for x in values) - sum(values) ** 2
    found = quotient(above, count * (count - 1) * unit * unit)
    return None if found is None else math.sqrt(found)


def deviation_doubles(values: Sequence[float]) -> float | None:
    count = len(values)
    if count < 2:
        return None
    total = floating_sum(values)
    if total is None:
        return None
    mean = total / count
    squares = floating_sum([(x - mean) * (x - mean) for x in values])
    return None if squares is None else math.sqrt(squares / (count - 1))


def median(values: list[int], unit: int) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return quotient(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2], 2 * unit)


def median_doubles(values: list[float]) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return nearest((Fraction(ordered[(len(ordered) - 1) // 2]) + Fraction(ordered[len(ordered) // 2])) / 2)


def first(seen: list[tuple[int, Value, Value]]) -> Value:
    """Of (time, key, value): the value of the earliest, at one time of the smallest key, without keys the smallest."""
    return _one_at(min(one[0] for one in seen), seen, smallest) if seen else None


def last(seen: list[tuple[int, Value, Value]]) -> Value:
    """The value of the latest, at one time of the largest key, without keys the smallest value."""
    return _one_at(max(one[0] for one in seen), seen, largest) if seen else None


def _one_at(time: int, seen: list[tuple[int, Value, Value]], choose: Callable[..., Value]) -> Value:
    then = [one for one in seen if one[0] == time]
    if len(then) == 1:
        return then[0][2]
    if any(key is None for _, key, _ in then):
        return smallest([value for _, _, value in then])
    chosen = choose([key for _, key, _ in then])
    return smallest([value for _, key, value in then if key == chosen])


def band(groups: Mapping[tuple[Value, ...], Sequence[int | float]], by: tuple[Value, ...], value: Any) -> int | None:
    """The band of a `qcut` among the thresholds of its group; missing in a group that the run did not have."""
    cuts = groups.get(by)
    return None if cuts is None else 1 + bisect_left(cuts, value)


def moved(instant: int, amount: int, unit: calendar.Unit, zone: str) -> int | None:
    """A timestamp at the same local time of day."""
    return reference.moved(instant, TIMESTAMP, amount, unit, zone)


class Stopped(Exception):
    """The customer cannot be evaluated: the number of the site, and the positions of two cases that are TRUE."""


def stop(number: int) -> NoReturn:
    raise Stopped(number)


def only_one(number: int, truths: Sequence[Value]) -> None:
    """Of the cases of a `unique` segmentation no two may be TRUE."""
    if truths.count(True) > 1:
        first_true = truths.index(True)
        raise Stopped(number, first_true, truths.index(True, first_true + 1))
