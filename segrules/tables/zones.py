"""Wall-clock times to instants and back, a column at a time.

In: microseconds (local or UTC) as an int64 array, and the name of a zone.  Out: the same shape.  Always: what
`schema.calendar.from_local` gives for each value (a time in a gap moves forward by the gap, of a repeated hour the
earlier one counts), at the cost of two look-ups per distinct day and one per value on days when clocks change.

    to_utc(np.array([0]), "Asia/Shanghai")      # array([-28800000000])
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY, from_local, zone
from segrules.tables.columns import Ints

_EPOCH = datetime(1970, 1, 1)
FIRST = MIN_DAY * MICROSECONDS_PER_DAY
LAST = (MAX_DAY + 1) * MICROSECONDS_PER_DAY - 1
"""The first and last microsecond of the years 1 … 9999, local."""

_DENSE = 400_000


def to_utc(local: Ints, zone_name: str) -> Ints:
    """Instants of local times; *local* must lie within the years 1 … 9999."""

    def offset(day: int) -> int | None:
        return _microseconds((_EPOCH + timedelta(days=day)).replace(tzinfo=zone(zone_name)).utcoffset())

    def one(value: int) -> int:
        return value - from_local(_EPOCH + timedelta(microseconds=value), zone_name)

    return local - _offsets(local, offset, one)


def to_local(instants: Ints, zone_name: str) -> Ints:
    """Local times of instants; those that would leave the years 1 … 9999 stay at their edge."""

    def offset(day: int) -> int | None:
        try:
            moment = (_EPOCH + timedelta(days=day)).replace(tzinfo=UTC).astimezone(zone(zone_name))
        except OverflowError:
            return None
        return _microseconds(moment.utcoffset())

    def one(value: int) -> int:
        return min(max(value + offset_of(value, zone_name), FIRST), LAST) - value

    return instants + _offsets(instants, offset, one)


def offset_of(instant: int, zone_name: str) -> int:
    """The offset of a zone, in microseconds; beyond the first and the last day that of those days."""
    near = min(max(instant, FIRST + MICROSECONDS_PER_DAY), LAST - MICROSECONDS_PER_DAY)
    moment = (_EPOCH + timedelta(microseconds=near)).replace(tzinfo=UTC).astimezone(zone(zone_name))
    return _microseconds(moment.utcoffset()) or 0


def _microseconds(offset: timedelta | None) -> int | None:
    return None if offset is None else (offset.days * 86_400 + offset.seconds) * 1_000_000 + offset.microseconds


def _offsets(values: Ints, at_start: Callable[[int], int | None], one: Callable[[int], int]) -> Ints:
    """The offset of each value: that of its day where the day begins and ends with the same, else its own."""
    if not len(values):
        return np.zeros(0, np.int64)
    days = values // MICROSECONDS_PER_DAY
    first, last = int(days.min()), int(days.max())
    if last - first < _DENSE:
        seen = np.flatnonzero(np.bincount(days - first)) + first
        where = np.zeros(last - first + 1, np.int64)
        where[seen - first] = np.arange(len(seen))
        index = where[days - first]
    else:
        seen, index = np.unique(days, return_inverse=True)
    starts = {int(day): _start(int(day), at_start) for day in np.union1d(seen, seen + 1)}
    constant = np.zeros(len(seen), np.int64)
    changing = np.zeros(len(seen), np.bool_)
    for row, day in enumerate(seen.tolist()):
        begins, ends = starts[day], starts[day + 1]
        if begins is None or begins != ends:
            changing[row] = True
        else:
            constant[row] = begins
    offsets = constant[index]
    if changing.any():
        rows = np.flatnonzero(changing[index])
        distinct, back = np.unique(values[rows], return_inverse=True)
        own = np.fromiter((one(value) for value in distinct.tolist()), np.int64, len(distinct))
        offsets[rows] = own[back]
    return offsets


def _start(day: int, at_start: Callable[[int], int | None]) -> int | None:
    return at_start(day) if MIN_DAY <= day <= MAX_DAY else None
