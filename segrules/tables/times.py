"""Dates and timestamps: days and microseconds since 1970.

In: Arrow arrays of any type and the spelling of the column.  Out: `Parsed` columns of date or timestamp.  Always: a
time without zone is local to the column's zone; a date column takes a time only at local midnight; finer than
microseconds is cut off (towards the past); years are 1 … 9999.

    "2026-03-29 02:30:00" in Europe/Berlin, a time that no clock showed → 03:30 there
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY
from segrules.schema.types import DATE, TIMESTAMP
from segrules.tables.columns import Bools, Ints
from segrules.tables.parsed import (
    Fault,
    Parsed,
    Spelling,
    by_distinct,
    missing_of,
    nothing_fits,
    numpy_of,
    parsed,
)  # fmt: skip
from segrules.tables.zones import FIRST, LAST, offset_of, to_local, to_utc

_DAY = MICROSECONDS_PER_DAY
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_EPOCH = datetime(1970, 1, 1)
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[ T](\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?)?[ ]?(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)


def day(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    """Date columns from any Arrow type."""
    t = cells.type
    if pa.types.is_null(t):
        return parsed(DATE, np.zeros(len(cells), np.int32), missing_of(cells))
    if pa.types.is_date32(t):
        return _days(numpy_of(pc.cast(cells, pa.int32())).astype(np.int64), missing_of(cells))
    if pa.types.is_date64(t):
        return _days(numpy_of(pc.cast(cells, pa.int64())) // 86_400_000, missing_of(cells))
    if pa.types.is_timestamp(t):
        local, wide = _microseconds(cells)
        if t.tz is not None:
            local = to_local(local, spelling.zone)
        return _days(local // _DAY, missing_of(cells), local % _DAY != 0, wide)
    if pa.types.is_large_string(t):
        return _day_texts(cells, spelling)
    return nothing_fits(DATE, cells)


def _days(days: Ints, missing: Bools | None, timed: Bools | None = None, wide: Bools | None = None) -> Parsed:
    outside = (days < MIN_DAY) | (days > MAX_DAY)
    outside = outside if wide is None else outside | wide
    faults: dict[Fault, Bools] = {"range": outside}
    if timed is not None:
        faults["day"] = timed & ~outside
    return parsed(DATE, np.where(outside, 0, days).astype(np.int32), missing, faults)


def timestamp(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    """Timestamp columns from any Arrow type."""
    t = cells.type
    if pa.types.is_null(t):
        return parsed(TIMESTAMP, np.zeros(len(cells), np.int64), missing_of(cells))
    if pa.types.is_date(t):
        days = day(cells, spelling)
        utc = to_utc(days.column.values.astype(np.int64) * _DAY, spelling.zone)
        return parsed(TIMESTAMP, utc, missing_of(cells), _with_range(days.faults, _beyond(utc, spelling)))
    if pa.types.is_timestamp(t):
        values, wide = _microseconds(cells)
        if t.tz is None:
            values = to_utc(values, spelling.zone)
        return parsed(TIMESTAMP, values, missing_of(cells), {"range": wide | _beyond(values, spelling)})
    if pa.types.is_large_string(t):
        return _timestamp_texts(cells, spelling)
    return nothing_fits(TIMESTAMP, cells)


def _microseconds(cells: pa.ChunkedArray) -> tuple[Ints, Bools]:
    """Timestamps of any unit in microseconds, and where they leave the years 1 … 9999 (0 there)."""
    raw = numpy_of(pc.cast(cells, pa.int64()))
    if cells.type.unit == "ns":
        return raw // 1_000, np.zeros(len(raw), np.bool_)
    unit = _UNITS[cells.type.unit]
    wide = (raw < FIRST // unit) | (raw > LAST // unit)
    return np.where(wide, 0, raw) * unit, wide


def _beyond(instants: Ints, spelling: Spelling) -> Bools:
    """Which instants are local to no year from 1 to 9999, in the zone of the column or of the project."""
    found = (instants < FIRST + _DAY) | (instants > LAST - _DAY)
    near = np.flatnonzero(found)
    zones = {spelling.zone, spelling.shown_in or spelling.zone}
    found[near] = [
        not all(FIRST <= value + offset_of(value, zone) <= LAST for zone in zones) for value in instants[near].tolist()
    ]
    return found


def _with_range(faults: Mapping[Fault, Bools], wide: Bools) -> dict[Fault, Bools]:
    return {**faults, "range": faults["range"] | wide if "range" in faults else wide}


def _day_texts(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    if _formats(spelling, timed=False) is None:
        try:
            return _days(numpy_of(pc.cast(pc.cast(cells, pa.date32()), pa.int32())).astype(np.int64), missing_of(cells))
        except pa.ArrowInvalid:
            pass

    def each(words: pa.ChunkedArray) -> Parsed:
        local, _, missing, wrong = _read(words, spelling, timed=False)
        return parsed(DATE, (local // _DAY).astype(np.int32), missing, {"type": wrong, "day": local % _DAY != 0})

    return by_distinct(cells, each)


def _timestamp_texts(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    if _formats(spelling, timed=True) is None:
        for zone in (None, "UTC"):
            try:
                return timestamp(pc.cast(cells, pa.timestamp("us", zone)), spelling)
            except pa.ArrowInvalid:
                continue

    def each(words: pa.ChunkedArray) -> Parsed:
        local, shift, missing, wrong = _read(words, spelling, timed=True)
        zoned = shift != _LOCAL
        utc = np.where(zoned, local - np.where(zoned, shift, 0), 0)
        utc[~zoned] = to_utc(local[~zoned], spelling.zone)
        return parsed(TIMESTAMP, utc, missing, {"type": wrong, "range": _beyond(utc, spelling)})

    return by_distinct(cells, each)


def _formats(spelling: Spelling, timed: bool) -> tuple[str, ...] | None:
    """The strptime formats that texts must follow, None for ISO 8601."""
    if spelling.date_format is not None:
        return (spelling.date_format,)
    table = spelling.format.date
    if table is None:
        return None
    return (table, f"{table} %H:%M:%S", f"{table} %H:%M") if timed else (table,)


_LOCAL = np.iinfo(np.int64).min
"""Stands for the offset of a time without zone."""


def _read(words: pa.ChunkedArray, spelling: Spelling, timed: bool) -> tuple[Ints, Ints, Bools | None, Bools]:
    """Wall-clock microseconds, their offset or `_LOCAL`, what is missing, and what is no time."""
    formats = _formats(spelling, timed)
    lenient = formats is None or (timed and spelling.date_format is None)
    size = len(words)
    local, sure = _at_once(words, [*(formats or ()), *(_ISO_FORMATS if lenient else ())])
    shift, wrong = np.full(size, _LOCAL, np.int64), np.zeros(size, np.bool_)
    rest = np.flatnonzero(~sure)
    for row, text in zip(rest.tolist(), words.take(pa.array(rest)).to_pylist(), strict=True):
        found = _by_format(text.strip(), formats or ())
        if found is None and lenient:
            found = _iso(text.strip())
        if found is None:
            wrong[row] = True
            continue
        local[row] = _between(found.replace(tzinfo=None) - _EPOCH)
        offset = found.utcoffset()
        if offset is not None:
            shift[row] = _between(offset)
    return local, shift, missing_of(words), wrong


_ISO_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_PLAIN_FORMAT = re.compile(r"(?:[^%]|%[YmdHMS])*")


def _at_once(words: pa.ChunkedArray, formats: Sequence[str]) -> tuple[Ints, Bools]:
    """Wall-clock microseconds of the texts that are, to the letter, what a format makes of a time, and which those
    are; missing ones (0) are among them."""
    sure: Bools = pc.is_null(words).to_numpy()
    local = np.zeros(len(words), np.int64)
    for one in formats:
        if sure.all():
            break
        if _PLAIN_FORMAT.fullmatch(one) and all(one.count(part) == 1 for part in ("%Y", "%m", "%d")):
            moments = pc.strptime(words, format=one, unit="s", error_is_null=True)
            same: Bools = pc.fill_null(pc.equal(pc.strftime(moments, format=one), words), False).to_numpy()
            seconds = numpy_of(moments.cast(pa.int64()))
            same &= ~sure & (seconds >= FIRST // 1_000_000)
            local[same] = seconds[same] * 1_000_000
            sure = sure | same
    return local, sure


def _between(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _by_format(text: str, formats: Sequence[str]) -> datetime | None:
    for one in formats:
        try:
            return datetime.strptime(text, one)
        except ValueError:
            continue
    return None


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day_, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day_), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
        )  # fmt: skip
        if zone is None:
            return moment
        if zone == "Z":
            return moment.replace(tzinfo=UTC)
        return datetime.fromisoformat(moment.isoformat() + zone)
    except ValueError:
        return None
