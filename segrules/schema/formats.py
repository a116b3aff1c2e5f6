"""How a value is shown in a message: what stands behind the colon of `{clv:.0f}`.

In: a format and a type; a stored value.  Out: whether the format fits the type; the text.  Always: the same on every
machine: digits, points and English names of months, whatever the locale; numbers are rounded half away from zero on
their decimal digits, as `round` does; without a format a value is shown as in results.

    number, decimal(s), integer    [+][0][width][,][.digits][f|%], integer also d      1,234.50   85%
    date, timestamp                %Y %y %m %d %j %B %b %H %M %S %%, also %-m          11月21日
    text                           [<|>|^][width][.most]

    formatted(123456, Decimal(2), ",.1f", "Asia/Shanghai")      # '1,234.6'
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context
from decimal import Decimal as Exact
from typing import Literal, assert_never

from segrules.schema.calendar import to_date, to_local
from segrules.schema.spelling import spelled
from segrules.schema.types import (
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
)  # fmt: skip

Fault = Literal["number", "date", "time", "text", "none"]
"""Why a format does not fit: what is possible instead for the type; `time`: a date has no time of day."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
_NUMBER = re.compile(
    r"(?P<sign>\+)?(?P<zero>0)?(?P<width>[1-9][0-9]?)?(?P<comma>,)?"
    r"(?:(?:\.(?P<places>[0-9]{1,2}))?(?P<kind>[f%])|(?P<whole>d))?"
)
_TEXT = re.compile(r"(?P<align>[<>^])?(?P<width>[1-9][0-9]{0,2})?(?:\.(?P<most>[0-9]{1,3}))?")
_DIRECTIVE = re.compile(r"%(?P<bare>-?)(?P<letter>.?)", re.DOTALL)
_OF_DAYS, _OF_TIMES, _PADDED = "YymdjBb", "HMS", "mdjHMS"
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


def fault(format_: str, type_: Type) -> Fault | None:
    """What is wrong with a format that is not empty, for values of *type_*."""
    match type_:
        case Integer() | Decimal() | Number():
            found = _NUMBER.fullmatch(format_)
            fits = found is not None and (found["whole"] is None or isinstance(type_, Integer))
            return None if fits else "number"
        case Date() | Timestamp():
            return _of_time(format_, isinstance(type_, Timestamp))
        case Text():
            return None if _TEXT.fullmatch(format_) else "text"
        case Bool() | ListOfText() | Untyped():
            return "none"
        case _:
            assert_never(type_)


def formatted(value: Value, type_: Type, format_: str, timezone: str) -> str:
    """A value that is there, in a format that fits; instants in *timezone*."""
    if not format_:
        return spelled(value, type_, timezone)
    match type_:
        case Integer() | Decimal() | Number():
            return _number(Exact(spelled(value, type_, timezone)), format_)
        case Date():
            assert isinstance(value, int)
            return _time(to_date(value), format_)
        case Timestamp():
            assert isinstance(value, int)
            return _time(to_local(value, timezone), format_)
        case _:
            return _text(spelled(value, type_, timezone), format_)


def _of_time(format_: str, has_time: bool) -> Fault | None:
    found = list(_DIRECTIVE.finditer(format_))
    for each in found:
        letter = each["letter"]
        if (each["bare"] and letter not in _PADDED) or not letter or letter not in f"{_OF_DAYS}{_OF_TIMES}%":
            return "date"
        if letter in _OF_TIMES and not has_time:
            return "time"
    return None if found else "date"


def _time(when: date | datetime, format_: str) -> str:
    def part(found: re.Match[str]) -> str:
        shown = _part(when, found["letter"])
        return shown.lstrip("0") or "0" if found["bare"] else shown

    return _DIRECTIVE.sub(part, format_)


def _part(when: date | datetime, letter: str) -> str:
    clock = when if isinstance(when, datetime) else datetime(when.year, when.month, when.day)
    match letter:
        case "Y":
            return f"{when.year:04d}"
        case "y":
            return f"{when.year % 100:02d}"
        case "m":
            return f"{when.month:02d}"
        case "d":
            return f"{when.day:02d}"
        case "j":
            return f"{when.timetuple().tm_yday:03d}"
        case "B":
            return MONTHS[when.month - 1]
        case "b":
            return MONTHS[when.month - 1][:3]
        case "H":
            return f"{clock.hour:02d}"
        case "M":
            return f"{clock.minute:02d}"
        case "S":
            return f"{clock.second:02d}"
        case _:
            return letter


def _number(value: Exact, format_: str) -> str:
    found = _NUMBER.fullmatch(format_)
    assert found is not None
    percent = found["kind"] == "%"
    shown = _EXACT.multiply(value, Exact(100)) if percent else value
    if found["places"] is not None:
        shown = shown.quantize(Exact(1).scaleb(-int(found["places"])), context=_EXACT)
    elif percent:
        shown = shown.normalize(_EXACT)
    text = format(abs(shown), f"{found['comma'] or ''}f") + ("%" if percent else "")
    sign = "-" if shown < 0 else found["sign"] or ""
    width = int(found["width"] or 0)
    return sign + text.rjust(width - len(sign), "0") if found["zero"] else (sign + text).rjust(width)


def _text(value: str, format_: str) -> str:
    found = _TEXT.fullmatch(format_)
    assert found is not None
    cut = value if found["most"] is None else value[: int(found["most"])]
    width = int(found["width"] or 0)
    match found["align"]:
        case ">":
            return cut.rjust(width)
        case "^":
            return cut.center(width)
        case _:
            return cut.ljust(width)
