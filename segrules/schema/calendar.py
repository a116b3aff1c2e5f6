"""Calendar arithmetic: the one place that knows windows, units and zones.

In: days since 1970-01-01 (the stored form of a date), units, the date of the run.  Out: days.  Always: calendar
units, never 30-day months; month ends are clamped; weeks start on Monday; a quarter is 3 months, a year 12.

    window("last", 30, "day", as_of)       # (as_of - 29, as_of)
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

Unit = Literal["day", "week", "month", "quarter", "year"]
WindowKind = Literal["last", "next", "this", "previous"]

EPOCH = date(1970, 1, 1).toordinal()
MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12}
MICROSECONDS_PER_DAY = 86_400_000_000
MIN_DAY = date.min.toordinal() - EPOCH
MAX_DAY = date.max.toordinal() - EPOCH


def to_date(day: int) -> date:
    return date.fromordinal(day + EPOCH)


def from_date(d: date) -> int:
    return d.toordinal() - EPOCH


def shift(day: int, amount: int, unit: Unit) -> int | None:
    """*day* moved by *amount* units, clamped to the month's end; None outside the years 1 … 9999."""
    if unit == "day" or unit == "week":
        moved = day + amount * (7 if unit == "week" else 1)
        return moved if MIN_DAY <= moved <= MAX_DAY else None
    d = to_date(day)
    months = d.year * 12 + d.month - 1 + amount * MONTHS[unit]
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        return None
    return from_date(date(year, month + 1, min(d.day, monthrange(year, month + 1)[1])))


def first_of(day: int, unit: Unit) -> int:
    """The first day of the calendar unit that holds *day*."""
    d = to_date(day)
    match unit:
        case "day":
            return day
        case "week":
            return day - d.weekday()
        case "month":
            return from_date(d.replace(day=1))
        case "quarter":
            return from_date(date(d.year, (d.month - 1) // 3 * 3 + 1, 1))
        case "year":
            return from_date(date(d.year, 1, 1))


def window(kind: WindowKind, amount: int, unit: Unit, as_of: int) -> tuple[int, int]:
    """First and last day (inclusive) of a window; days beyond the years 1 … 9999 are clamped to them.

    `last n unit` ends today; `next n unit` starts tomorrow; `this unit` is the whole calendar unit around today;
    `previous n unit` is the n complete units before it.
    """
    match kind:
        case "last":
            return _clamped(shift(as_of, -amount, unit), -1) + 1, as_of
        case "next":
            return as_of + 1, _clamped(shift(as_of, amount, unit), 1)
        case "this":
            start = first_of(as_of, unit)
            return start, _clamped(shift(start, 1, unit), 1) - 1
        case "previous":
            start = first_of(as_of, unit)
            return _clamped(shift(start, -amount, unit), -1), start - 1


def _clamped(day: int | None, direction: int) -> int:
    return day if day is not None else (MAX_DAY if direction > 0 else MIN_DAY)


def months_between(early: int, late: int) -> int:
    """12·ΔY + ΔM − (day(late) < day(early)): whole months from *early* to *late*, `months_since(early)` on *late*."""
    a, b = to_date(early), to_date(late)
    return 12 * (b.year - a.year) + b.month - a.month - (b.day < a.day)


def next_anniversary(day: int, as_of: int) -> int | None:
    """The next day, today included, with the month and day of *day*; 29 February counts as 1 March in common years."""
    born, today = to_date(day), to_date(as_of)
    for year in (today.year, today.year + 1):
        if year > 9999:
            return None
        leap_day = (born.month, born.day) == (2, 29) and monthrange(year, 2)[1] == 28
        found = from_date(date(year, 3, 1) if leap_day else born.replace(year=year))
        if found >= as_of:
            return found
    return None


_EPOCH = datetime(1970, 1, 1)


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_day(microseconds: int, zone_name: str) -> int:
    """The local day of an instant."""
    return from_date(to_local(microseconds, zone_name).date())


def to_local(microseconds: int, zone_name: str) -> datetime:
    """The instant as a local, zone-aware datetime. Raises OverflowError if it is local to no year from 1 to 9999."""
    try:
        return (_EPOCH.replace(tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(zone(zone_name))
    except OverflowError:
        edge = (datetime.min if microseconds < 0 else datetime.max).replace(tzinfo=zone(zone_name))
        return edge + timedelta(microseconds=microseconds - from_local(edge, zone_name))


def from_local(local: datetime, zone_name: str) -> int:
    """The instant of a wall-clock time: one in a gap moves forward by the gap, of a repeated one the earlier counts."""
    offset = local.replace(tzinfo=zone(zone_name), fold=0).utcoffset() or timedelta()
    return _microseconds(local.replace(tzinfo=None) - _EPOCH) - _microseconds(offset)


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def end_of_day(day: int, zone_name: str) -> int:
    """The last microsecond of a local day: rows later than this do not exist for a run of that date."""
    if day >= MAX_DAY:
        return from_local(datetime.max, zone_name)
    return start_of_day(day + 1, zone_name) - 1


def start_of_day(day: int, zone_name: str) -> int:
    d = to_date(day)
    return from_local(datetime(d.year, d.month, d.day), zone_name)
