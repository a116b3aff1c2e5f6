"""Instants and wall clocks of a zone, in bulk.

In: microseconds since 1970-01-01T00:00Z, or local wall-clock microseconds.  Out: the other.  Always: what
`schema.calendar` gives one by one (`zoneinfo`): a wall-clock time in a gap moves forward by the gap, of a repeated
one the earlier counts; results that leave the years 1 … 9999 are marked.

    to_wall(np.array([0]), "Asia/Shanghai")[0]     # 28_800_000_000, in no gap

The changes of a zone's offset are found by asking `zoneinfo` for each midnight of a year and halving the days on which
the offset changes; no zone changes its offset twice within a day (the closest in the tz database are 95 hours apart).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np

from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY, from_date, to_date, zone
from segrules.tables.columns import Bools, Ints

_SECONDS_PER_DAY = 86_400
_FIRST = MIN_DAY * MICROSECONDS_PER_DAY
_LAST = (MAX_DAY + 1) * MICROSECONDS_PER_DAY - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Offsets:
    """From `instants[i]` (µs UTC, ascending) on, local time is UTC plus `offsets[i]` (µs)."""

    instants: Ints
    offsets: Ints


def to_wall(instants: Ints, zone_name: str) -> tuple[Ints, Bools]:
    """(wall-clock µs, where they leave the years 1 … 9999) of *instants*."""
    if not len(instants):
        return instants, np.zeros(0, np.bool_)
    far = (instants < _FIRST - MICROSECONDS_PER_DAY) | (instants > _LAST + MICROSECONDS_PER_DAY)
    near = np.where(far, 0, instants) if far.any() else instants
    wall = near + _offset_of(near, zone_name)
    return wall, far | (wall < _FIRST) | (wall > _LAST)


def from_wall(wall: Ints, zone_name: str) -> Ints:
    """The instants of wall-clock microseconds within the years 1 … 9999."""
    if not len(wall):
        return wall
    table = _table(zone_name, _years(wall))
    before, after = table.offsets[:-1], table.offsets[1:]
    edges = table.instants[1:] + np.maximum(before, after)
    return wall - table.offsets[np.searchsorted(edges, wall, side="right")]


def _offset_of(instants: Ints, zone_name: str) -> Ints:
    table = _table(zone_name, _years(instants))
    low, high = np.searchsorted(table.instants, [instants.min(), instants.max()], side="right") - 1
    if low == high:
        return np.full(len(instants), table.offsets[max(low, 0)])
    return table.offsets[np.maximum(np.searchsorted(table.instants, instants, side="right") - 1, 0)]


def _years(microseconds: Ints) -> tuple[int, ...]:
    """The years that hold *microseconds*, each with its neighbours."""
    low, high = (_year(int(edge)) for edge in (microseconds.min(), microseconds.max()))
    if high - low <= 200:
        years = set(range(low, high + 1))
    else:
        found = np.unique(microseconds.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970)
        years = set(found.tolist())
    around = {year + step for year in years for step in (-1, 0, 1)}
    return tuple(sorted(year for year in around if 1 <= year <= 9999))


def _year(microseconds: int) -> int:
    return to_date(min(max(microseconds // MICROSECONDS_PER_DAY, MIN_DAY), MAX_DAY)).year


@cache
def _table(zone_name: str, years: tuple[int, ...]) -> _Offsets:
    changes = [change for year in years for change in _changes(zone_name, year)]
    distinct = [change for i, change in enumerate(changes) if i == 0 or change[1] != changes[i - 1][1]]
    instants, offsets = zip(*distinct, strict=True)
    scale = 1_000_000
    return _Offsets(np.array(instants, np.int64) * scale, np.array(offsets, np.int64) * scale)


@cache
def _changes(zone_name: str, year: int) -> tuple[tuple[int, int], ...]:
    """(second, offset in seconds) at the start of *year* (UTC) and wherever the offset changes within it."""
    first = from_date(date(year, 1, 1))
    days = from_date(date(year, 12, 31)) - first + 1
    starts = [(first + day) * _SECONDS_PER_DAY for day in range(days + 1)]
    offsets = [_offset_at(second, zone_name) for second in starts]
    found = [(starts[0], offsets[0])]
    for start, end, old, new in zip(starts, starts[1:], offsets, offsets[1:], strict=False):
        if old != new:
            found.append((_halve(start, end, old, zone_name), new))
    return tuple(found)


def _halve(unchanged: int, changed: int, old: int, zone_name: str) -> int:
    """The first second of (unchanged, changed] whose offset is not *old*."""
    while changed - unchanged > 1:
        middle = (unchanged + changed) // 2
        if _offset_at(middle, zone_name) == old:
            unchanged = middle
        else:
            changed = middle
    return changed


def _offset_at(second: int, zone_name: str) -> int:
    """Seconds that local time is ahead of UTC; beyond what `datetime` can show, as at its ends."""
    day = _SECONDS_PER_DAY
    inside = min(max(second, (MIN_DAY + 1) * day), MAX_DAY * day - 1)
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=inside)
    offset = instant.astimezone(zone(zone_name)).utcoffset()
    return 0 if offset is None else offset.days * day + offset.seconds
