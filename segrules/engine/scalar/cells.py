"""Values as Python programs have them, one at a time, as stored values; and back.

In: a value of a row that the caller gives, and the contract of its column.  Out: the stored value, or `ODD`: then the
one door of `tables/convert.py` decides.  Always: what is converted here comes out as that door would have it.

    quick(ColumnContract("amount", Decimal(2)), Format(), zone)(Decimal("12.50"))      # 1250
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Exact
from functools import lru_cache
from typing import Any

from segrules.schema.calendar import from_date, from_local, to_date, to_local, zone
from segrules.schema.contract import ColumnContract, Format
from segrules.schema.types import (
    INT64_MAX,
    INT64_MIN,
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Value,
)  # fmt: skip
from segrules.tables.convert import spelling

ODD: Any = object()
"""Stands for a value that needs the slow door."""

Quick = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_PLAIN = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,9}))?", re.ASCII)
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SURE = 10.0**15


def quick(contract: ColumnContract[Any], format_: Format, timezone: str) -> Quick:
    """The quick conversion of a column."""
    how = spelling(contract, format_, timezone, False)
    absent = frozenset(how.absent)
    match contract.type:
        case Text():
            return _cleaned(how.clean, absent) if how.clean else _text(absent)
        case Integer():
            return _integer(absent, how.plain and not how.clean)
        case Decimal(scale):
            return _decimal(scale, absent, how.plain and not how.clean)
        case Number():
            return _number(absent, how.plain and not how.clean)
        case Bool():
            known = dict.fromkeys(how.no, False) | dict.fromkeys(how.yes, True)
            spelled = {} if how.clean else {text: truth for text, truth in known.items() if text not in absent}
            return lambda v: v if type(v) is bool else spelled.get(v, ODD) if type(v) is str else ODD
        case Date():
            iso = how.date_format is None and format_.date is None and not how.clean
            return _date(absent, iso)
        case Timestamp():
            iso = how.date_format is None and format_.date is None and not how.clean
            return _timestamp(absent, iso, how.zone)
        case ListOfText():
            return _list(absent, how.separator, not how.clean)
        case _:
            return lambda _: ODD


def is_unicode(text: str) -> bool:
    """Whether *text* has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(absent: frozenset[str]) -> Quick:
    return lambda v: v if type(v) is str and v not in absent and (v.isascii() or is_unicode(v)) else ODD


def _cleaned(steps: tuple[str, ...], absent: frozenset[str]) -> Quick:
    """Printable text, whose only white space is the blank; letters beyond ASCII keep out of `lower` and `upper`."""
    cases = "lower" in steps or "upper" in steps

    def read(value: Any) -> Any:
        if type(value) is not str or value in absent or not value.isprintable() or (cases and not value.isascii()):
            return ODD
        for step in steps:
            match step:
                case "trim":
                    value = value.strip(" ")
                case "halfwidth":
                    value = value.translate(_HALF_WIDTH)
                case "lower":
                    value = value.lower()
                case "upper":
                    value = value.upper()
                case _:
                    value = "".join(one for one in value if "0" <= one <= "9")
        return ODD if value in absent else value

    return read


def _integer(absent: frozenset[str], plain: bool) -> Quick:
    def read(value: Any) -> Any:
        if type(value) is int:
            return value if INT64_MIN <= value <= INT64_MAX else ODD
        if type(value) is str and plain and value not in absent:
            found = _PLAIN.fullmatch(value)
            return int(value) if found is not None and found[3] is None else ODD
        return ODD

    return read


def _decimal(scale: int, absent: frozenset[str], plain: bool) -> Quick:
    unit = 10**scale

    def read(value: Any) -> Any:
        kind = type(value)
        if kind is int:
            found = value * unit
        elif kind is Exact:
            if not value.is_finite() or value.adjusted() > 30 or value.as_tuple().exponent < -30:
                return ODD
            above, below = value.as_integer_ratio()
            found, rest = divmod(above * unit, below)
            if rest:
                return ODD
        elif kind is float:
            near = value * unit
            if not -_SURE < near < _SURE or round(near) / unit != value:
                return ODD
            found = round(near)
        elif kind is str and plain and value not in absent and (parts := _PLAIN.fullmatch(value)) is not None:
            fraction = parts[3] or ""
            if len(fraction) > scale:
                return ODD
            found = int(parts[1] + parts[2] + fraction) * 10 ** (scale - len(fraction))
        else:
            return ODD
        return found if INT64_MIN <= found <= INT64_MAX else ODD

    return read


def _number(absent: frozenset[str], plain: bool) -> Quick:
    def read(value: Any) -> Any:
        kind = type(value)
        if kind is float:
            return value + 0.0 if math.isfinite(value) else ODD
        if kind is int:
            return float(value) if INT64_MIN <= value <= INT64_MAX else ODD
        if kind is str and plain and value not in absent and _PLAIN.fullmatch(value) is not None:
            return float(value) + 0.0
        return ODD

    return read


def _date(absent: frozenset[str], iso: bool) -> Quick:
    def read(value: Any) -> Any:
        if type(value) is date:
            return from_date(value)
        if type(value) is str and iso and value not in absent and _DAY.fullmatch(value) is not None:
            try:
                return from_date(date.fromisoformat(value))
            except ValueError:
                return ODD
        return ODD

    return read


def _timestamp(absent: frozenset[str], iso: bool, name: str) -> Quick:
    def read(value: Any) -> Any:
        if type(value) is str and iso and value not in absent and _TIME.fullmatch(value) is not None:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return ODD
        if type(value) is not datetime:
            return ODD
        if not 2 <= value.year <= 9998:
            return ODD
        if value.tzinfo is not None:
            return (value - _EPOCH) // _MICROSECOND
        offset = _offset(value.toordinal(), name)
        return from_local(value, name) if offset is None else (value - _WALL) // _MICROSECOND - offset

    return read


@lru_cache(maxsize=4096)
def _offset(ordinal: int, name: str) -> int | None:
    """How far local time is ahead during a local day, in microseconds; None where that changes within it."""
    start = datetime.fromordinal(ordinal)
    ends = [at.replace(tzinfo=zone(name)).utcoffset() for at in (start, start + timedelta(days=1))]
    return None if ends[0] is None or ends[0] != ends[1] else ends[0] // _MICROSECOND


def _list(absent: frozenset[str], separator: str, plain: bool) -> Quick:
    def read(value: Any) -> Any:
        kind = type(value)
        if not plain:
            return ODD
        if kind is str:
            if value in absent or not separator or not is_unicode(value):
                return ODD
            return tuple([item for item in value.split(separator) if item])
        if kind is list or kind is tuple:
            for item in value:
                if item is not None and (type(item) is not str or not is_unicode(item)):
                    return ODD
            return tuple([item for item in value if item])
        return ODD

    return read


def friendly(value: Value, type_: Type, timezone: str) -> Any:
    """A stored value as Python has it: a Decimal of its scale, a date, a datetime in *timezone*, a tuple of texts."""
    match type_, value:
        case Decimal(scale), int():
            digits = tuple(map(int, str(abs(value))))
            return Exact((int(value < 0), digits, -scale))
        case Date(), int():
            return to_date(value)
        case Timestamp(), int():
            return to_local(value, timezone)
        case _:
            return value
