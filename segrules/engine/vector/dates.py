"""Calendar functions over columns: parts of dates, distances from the date of the run, moves by calendar units.

In: date columns (days) or timestamp columns (µs UTC, read as their local day).  Out: integer, date or timestamp
columns.  Always: the same as `schema.calendar` row by row; results outside the years 1 … 9999 are missing.

    shift(Column(DATE, np.array([from_date(date(2026, 1, 31))])), 1, "month", scope)      # 2026-02-28
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from segrules.engine.vector.build import any_missing, built, ints, nothing, union
from segrules.engine.vector.zones import from_wall, to_wall
from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY, MONTHS, Unit, to_date
from segrules.schema.types import DATE, Date, Timestamp, Type, Untyped
from segrules.tables.columns import Bools, Column, Ints

_FIRST_MONTH = -1969 * 12
_LAST_MONTH = (9999 - 1970) * 12 + 11


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run fixes: its date (days since 1970-01-01) and the project's zone."""

    as_of: int
    timezone: str


def to_local_day(timestamps: Column, scope: Scope) -> Column:
    """The local days of timestamps, as dates."""
    days, missing = _local_days(timestamps, scope)
    return built(DATE, days, missing)


def shift(operand: Column, amount: int, unit: Unit, scope: Scope) -> Column:
    """*operand*, dates or timestamps, moved by *amount* calendar units; a timestamp keeps its local time of day."""
    match operand.type:
        case Timestamp():
            wall, outside = to_wall(_safe(operand), scope.timezone)
            days, time = np.divmod(wall, MICROSECONDS_PER_DAY)
            moved, beyond = _moved(days, amount, unit)
            instants = from_wall(moved * MICROSECONDS_PER_DAY + time, scope.timezone)
            return built(operand.type, instants, union(operand.missing, outside, beyond))
        case Untyped():
            return nothing(operand.type, len(operand))
        case _:
            moved, beyond = _moved(_safe(operand), amount, unit)
            return built(DATE, moved, union(operand.missing, beyond))


def call_date(function: str, args: tuple[Column, ...], result: Type, scope: Scope) -> Column:
    """`year … next_anniversary`, `date`, `days_between` of the language."""
    if function == "days_between":
        (early, first), (late, second) = (_days(arg, scope) for arg in args)
        return built(result, late - early, union(first, second))
    if function == "date" and isinstance(args[0].type, Date):
        return args[0]
    days, missing = _days(args[0], scope)
    match function:
        case "date":
            return built(result, days, missing)
        case "weekday":
            return built(result, (days + 3) % 7 + 1, missing)
        case "days_since":
            return built(result, scope.as_of - days, missing)
        case "weeks_since":
            return built(result, _truncated(scope.as_of - days, 7), missing)
        case "next_anniversary":
            found = _per_day(days, lambda distinct: _next_anniversary(distinct, scope.as_of))
            return built(result, found, union(missing, found > MAX_DAY))
        case _:
            return built(result, _per_day(days, lambda distinct: _part(function, distinct, scope.as_of)), missing)


def _part(function: str, days: Ints, as_of: int) -> Ints:
    months = _months(days)
    match function:
        case "year":
            return months // 12 + 1970
        case "quarter":
            return months % 12 // 3 + 1
        case "month":
            return months % 12 + 1
        case "day":
            return days - _month_starts(months) + 1
        case "months_since" | "years_since":
            today = to_date(as_of)
            whole = (today.year - 1970) * 12 + today.month - 1 - months
            since: Ints = whole - (today.day < days - _month_starts(months) + 1)
            return since if function == "months_since" else _truncated(since, 12)
        case _:
            raise ValueError(f"no such calendar function: {function}")


def _next_anniversary(days: Ints, as_of: int) -> Ints:
    """A day beyond MAX_DAY where there is none."""
    months = _months(days)
    day = days - _month_starts(months)
    january = (to_date(as_of).year - 1970) * 12
    this_year = _month_starts(january + months % 12) + day
    next_year = _month_starts(january + 12 + months % 12) + day
    return np.where(this_year >= as_of, this_year, next_year)


def _moved(days: Ints, amount: int, unit: Unit) -> tuple[Ints, Bools]:
    """(moved days, where they leave the years 1 … 9999, then unmoved)."""
    limit = 12 * 10_000 * 31
    amount = min(max(amount, -limit), limit)
    if unit == "day" or unit == "week":
        moved = days + amount * (7 if unit == "week" else 1)
    else:
        step = amount * MONTHS[unit]
        moved = _per_day(days, lambda distinct: _by_months(distinct, step))
    beyond = (moved < MIN_DAY) | (moved > MAX_DAY)
    return np.where(beyond, days, moved), beyond


def _by_months(days: Ints, step: int) -> Ints:
    months = _months(days)
    target = np.clip(months + step, _FIRST_MONTH - 1, _LAST_MONTH + 1)
    start = _month_starts(target)
    length = _month_starts(target + 1) - start
    moved: Ints = start + np.minimum(days - _month_starts(months), length - 1)
    return moved


def _months(days: Ints) -> Ints:
    """Months since January 1970, of the proleptic Gregorian calendar."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _month_starts(months: Ints) -> Ints:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _per_day(days: Ints, compute: Callable[[Ints], Ints]) -> Ints:
    """*compute* over *days*, once per day of their range where that is shorter."""
    if len(days) < 1000:
        return compute(days)
    low, high = int(days.min()), int(days.max())
    if high - low >= len(days) // 2:
        return compute(days)
    return compute(np.arange(low, high + 1))[days - low]


def _truncated(values: Ints, divisor: int) -> Ints:
    return np.where(values < 0, -(-values // divisor), values // divisor)


def _days(column: Column, scope: Scope) -> tuple[Ints, Bools | None]:
    if isinstance(column.type, Timestamp):
        return _local_days(column, scope)
    return _safe(column), column.missing


def _local_days(timestamps: Column, scope: Scope) -> tuple[Ints, Bools | None]:
    wall, outside = to_wall(_safe(timestamps), scope.timezone)
    missing = any_missing((timestamps,)) if not outside.any() else union(timestamps.missing, outside)
    return np.where(outside, 0, wall // MICROSECONDS_PER_DAY), missing


def _safe(column: Column) -> Ints:
    """The stored values, of missing ones the epoch."""
    return ints(column) if column.missing is None else np.where(column.missing, 0, ints(column))
