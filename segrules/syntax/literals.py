"""Literals: how they are read and what they denote.

In: the spelling of a number, date, timestamp or text, half-width.  Out: a `Literal`, or `Wrong`, which says what is
wrong with it.  Always: values are stored as `schema.types` says; a spelling denotes one value, so the printer may
keep what the author wrote.

    number("5万")          # Literal("integer", 50000, spelling="5万")
    number("20%")          # Literal("decimal", 20, 2, spelling="20%")
    parse_literal(source)  # a whole parameter: 5万, -3, 2026-01-01, true, "text"; None: it is plain text
"""

from __future__ import annotations

import datetime as clock
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from segrules.diagnostics.diagnostic import Argument, Help
from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY, from_date, to_date
from segrules.schema.types import INT64_MAX, INT64_MIN, MAX_SCALE
from segrules.source import Source
from segrules.syntax.expr import Literal
from segrules.syntax.folding import fold
from segrules.syntax.keywords import TERMINALS

_NUMBER = re.compile(r"([0-9_]+)(?:\.([0-9_]+))?(万亿|万|亿|%)?")
_POWERS = {None: 0, "%": -2, "万": 4, "亿": 8, "万亿": 12}
_DATE = re.compile(r"([0-9]{4})[-/年]([0-9]{1,2})[-/月]([0-9]{1,2})日?")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.([0-9]{1,6}))?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a literal: a diagnostic that has no place yet."""

    code: str
    args: Mapping[str, Argument] = field(default_factory=dict)
    help: Help | None = None


def number(spelling: str) -> Literal | Wrong:
    """An integer or exact decimal: digits, `_` between them, a point, and 万, 亿, 万亿 or %."""
    parts = _NUMBER.fullmatch(spelling)
    if parts is None:
        return Wrong("S215", {"found": spelling}, Help("number"))
    whole, fraction, sign = parts[1], parts[2], parts[3]
    for digits in (whole, fraction or "0"):
        if digits.startswith("_") or digits.endswith("_") or "__" in digits:
            return Wrong("S215", {"found": spelling}, Help("underscore"))
    whole, fraction = whole.replace("_", ""), (fraction or "").replace("_", "")
    if len(whole) > 1 and whole.startswith("0"):
        plain = spelling.lstrip("0_")
        return Wrong(
            "S210", {"found": spelling}, Help("zeros", {"number": plain if plain[:1].isdigit() else f"0{plain}"})
        )
    if len(whole) + len(fraction) > 40:
        return Wrong("S212" if len(fraction) > MAX_SCALE else "S213", {"found": _short(spelling)})
    value, scale = int(whole + fraction), len(fraction) - _POWERS[sign]
    if sign in ("万", "亿", "万亿"):
        if scale > 0 and value % 10**scale:
            return Wrong("S214", {"found": spelling}, Help("whole"))
        value, scale = (value * 10**-scale if scale < 0 else value // 10**scale), 0
    if scale > MAX_SCALE:
        return Wrong("S212", {"found": spelling}, Help("decimals"))
    if value > INT64_MAX:
        return Wrong("S213", {"found": spelling}, Help("size"))
    return Literal("integer" if scale == 0 else "decimal", value, scale, spelling)


def least(spelling: str) -> Literal | None:
    """The number that denotes an integer only after a minus: 9223372036854775808."""
    return Literal("integer", -INT64_MIN, 0, spelling) if spelling.replace("_", "") == str(-INT64_MIN) else None


def _short(spelling: str) -> str:
    return spelling if len(spelling) <= 40 else f"{spelling[:37]}…"


def date(spelling: str) -> Literal | Wrong:
    """`2026-11-21`, stored as days since 1970."""
    parts = _DATE.fullmatch(spelling)
    found = None if parts is None else _day(int(parts[1]), int(parts[2]), int(parts[3]))
    if found is None:
        return Wrong("S217", {"found": spelling}, Help("calendar"))
    if found.isoformat() != spelling:
        return Wrong("S216", {"found": spelling}, Help("iso", {"date": found.isoformat()}))
    return Literal("date", from_date(found), 0, spelling)


def _day(year: int, month: int, day: int) -> clock.date | None:
    try:
        return clock.date(year, month, day)
    except ValueError:
        return None


def timestamp(spelling: str) -> Literal | Wrong:
    """With a zone: microseconds since 1970 UTC; without: the ISO text, which the project's zone resolves."""
    wrong = Wrong("S218", {"found": spelling}, Help("timestamp"))
    parts = _TIMESTAMP.fullmatch(spelling)
    if parts is None:
        return wrong
    try:
        local = clock.datetime.fromisoformat(parts[1]).replace(microsecond=int((parts[2] or "").ljust(6, "0")))
    except ValueError:
        return wrong
    if parts[3] is None and parts[4] is None:
        return Literal("timestamp", local.isoformat(), 0, spelling)
    offset = 0
    if parts[4] is not None:
        hours, minutes = int(parts[5]), int(parts[6])
        if hours > 23 or minutes > 59:
            return wrong
        offset = (hours * 60 + minutes) * (-1 if parts[4] == "-" else 1)
    micros = from_date(local.date()) * MICROSECONDS_PER_DAY
    micros += (local - clock.datetime.combine(local.date(), clock.datetime.min.time())) // clock.timedelta(
        microseconds=1
    )
    micros -= offset * 60_000_000
    if not MIN_DAY <= micros // MICROSECONDS_PER_DAY <= MAX_DAY:
        return wrong
    return Literal("timestamp", micros, 0, spelling)


def text(quoted: str) -> Literal:
    """A quoted text: the closing quote is doubled inside."""
    closing = quoted[-1]
    return Literal("text", quoted[1:-1].replace(closing * 2, closing))


def canonical(literal: Literal) -> str:
    """A spelling of a number, date or timestamp, the same in both languages."""
    match literal.kind, literal.value:
        case "integer" | "decimal", int(value):
            if literal.scale == 0:
                return str(value)
            digits = str(abs(value)).rjust(literal.scale + 1, "0")
            return f"{'-' * (value < 0)}{digits[: -literal.scale]}.{digits[-literal.scale :]}"
        case "date", int(value):
            return to_date(value).isoformat()
        case "timestamp", int(value):
            day, rest = divmod(value, MICROSECONDS_PER_DAY)
            moment = clock.datetime.combine(to_date(day), clock.datetime.min.time()) + clock.timedelta(
                microseconds=rest
            )
            return f"{moment.isoformat()}Z"
        case _, value:
            return str(value)


def denotes(spelling: str, literal: Literal) -> bool:
    """Whether *spelling* still means the value of *literal*."""
    if not spelling:
        return False
    read = {"integer": number, "decimal": number, "date": date, "timestamp": timestamp}.get(literal.kind)
    return read is not None and read(spelling.removeprefix("-")) == (
        literal if not spelling.startswith("-") else _negated(literal)
    )


def _negated(literal: Literal) -> Literal:
    return replace(literal, value=-literal.value) if isinstance(literal.value, int) else literal


@cache
def _whole() -> re.Pattern[str]:
    kinds = ("TIMESTAMP", "DATE", "NUMBER", "TEXT", "TRUE", "FALSE")
    return re.compile("|".join(f"(?P<{kind}>{TERMINALS[kind]})" for kind in kinds))


def parse_literal(source: Source) -> Literal | None:
    """The literal that the whole of *source* is, with an optional `-` before a number; None: plain text.

    `true false 真 假` are booleans; quotes make text of what they hold, so `"20%"` with its quotes is the text 20%. A
    spelling that only resembles a literal (`007`, `2026-1-5`) is plain text.
    """
    folded = fold(source.text) if len(source.text) <= 10_000 else ""
    start = len(folded) - len(folded.lstrip(" \t\r\n"))
    end = len(folded.rstrip(" \t\r\n"))
    if len(source.text.rstrip()) > end:
        return None
    span = source.span(start, end)
    negative = folded.startswith("-", start)
    first = start + 1 if negative else start
    while negative and first < end and folded[first] == " ":
        first += 1
    found = _whole().fullmatch(folded, first, end)
    if found is None or (negative and found.lastgroup != "NUMBER"):
        return _least(folded[first:end], source, start, end) if negative else None
    literal: Literal | Wrong
    match found.lastgroup:
        case "TIMESTAMP":
            literal = timestamp(found[0])
        case "DATE":
            literal = date(found[0])
        case "NUMBER":
            literal = number(found[0])
        case "TEXT":
            literal = text(source.text[first:end])
        case kind:
            literal = Literal("bool", kind == "TRUE")
    if isinstance(literal, Wrong):
        return _least(found[0], source, start, end) if negative else None
    if negative:
        literal = replace(_negated(literal), spelling=f"-{literal.spelling}")
    return replace(literal, span=span)


def _least(digits: str, source: Source, start: int, end: int) -> Literal | None:
    """The one integer whose digits without the sign do not fit 64 bits."""
    if least(digits) is None:
        return None
    return Literal("integer", INT64_MIN, 0, f"-{digits}", span=source.span(start, end))
