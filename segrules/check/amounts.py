"""Shares, money, lengths of time and times of day, as actions and policies write them.

In: a `Scalar` where a value of that kind is expected, or None where the key is absent.  Out: the value, or None after a
report; what is no text or number has been reported with the shape of the file.  Always: exact, nothing is rounded or
guessed; full-width digits are digits; units in both languages.

    period(Scalar("30 天", …), found)      # Period(30, "day")
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal as Exact
from fractions import Fraction

from segrules.check.widen import in_64_bits, shorten
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.files.campaign import WrittenEntry
from segrules.files.documents import Scalar
from segrules.model.campaign import MONEY_SCALE, Every, Once, OnEntry, Period, Repeat
from segrules.source import Source
from segrules.syntax.keywords import UNITS_EN, UNITS_ZH, unit_of
from segrules.syntax.parser import parse_literal

MOST_UNITS = 1_000_000
_UNIT = rf"(?P<unit>(?ai:{'|'.join(f'{unit}s?' for unit in UNITS_EN)})|{'|'.join(UNITS_ZH)})"
_PERIOD = re.compile(rf"(?P<amount>[0-9]{{1,9}})\s*{_UNIT}")
_EVERY = re.compile(rf"(?:(?ai:every)\s+(?:(?P<amount>[0-9]{{1,9}})\s*)?|每\s*(?:(?P<zh>[0-9]{{1,9}})\s*)?)"
                    rf"(?:{_UNIT}|(?P<month>月))")  # fmt: skip
_ONCE = re.compile(r"(?ai:once)|一次|仅一次")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SECONDS = {
    "second": 1, "秒": 1, "minute": 60, "分钟": 60, "hour": 3600, "小时": 3600, "day": 86_400, "天": 86_400,
    "week": 604_800, "周": 604_800,
}  # fmt: skip
_DURATION = re.compile(r"([0-9]{1,9})\s*(?:((?ai:second|minute|hour|day|week))s?|(秒|分钟|小时|天|周))")
_SHARE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(%?)")


def plain(scalar: Scalar) -> str:
    """The text with half-width digits and without blanks around it."""
    return unicodedata.normalize("NFKC", scalar.text).strip()


def share(scalar: Scalar | None, found: list[Diagnostic]) -> Fraction | None:
    """`10%` or 0.1: a part of all, from nothing to everything."""
    if scalar is None or not _is_written(scalar):
        return None
    read = _SHARE.fullmatch(plain(scalar))
    if read is None:
        found.append(Diagnostic("R603", scalar.span, {"text": shorten(scalar.text)}))
        return None
    value = Fraction(read[1]) / (100 if read[2] else 1)
    if value > 1:
        percent = Help("percent", {"text": read[1]}) if not read[2] and value <= 100 else None
        found.append(Diagnostic("R604", scalar.span, {"text": shorten(scalar.text)}, percent))
        return None
    return value


def money(scalar: Scalar | None, found: list[Diagnostic]) -> int | None:
    """An amount in 1/10,000 of the currency unit."""
    if scalar is None or not _is_written(scalar) or _is_negative(scalar):
        return None
    amount = _amount(scalar)
    if amount is None:
        found.append(Diagnostic("R605", scalar.span, {"text": shorten(scalar.text)}))
        return None
    scaled = amount * 10**MONEY_SCALE
    if scaled.denominator != 1:
        found.append(Diagnostic("R606", scalar.span, {"text": shorten(scalar.text), "digits": MONEY_SCALE}))
        return None
    if not in_64_bits(scaled.numerator * 1000):
        found.append(Diagnostic("R605", scalar.span, {"text": shorten(scalar.text)}, Help("large")))
        return None
    return int(scaled)


def exact(scalar: Scalar | None) -> Fraction | None:
    """A YAML number."""
    return None if scalar is None or not isinstance(scalar.value, int | Exact) else Fraction(scalar.value)


def period(scalar: Scalar | None, found: list[Diagnostic]) -> Period | None:
    """`30 days`."""
    if scalar is None or not isinstance(scalar.value, str):
        return None
    read = _PERIOD.fullmatch(plain(scalar))
    if read is None or not 1 <= int(read["amount"]) <= MOST_UNITS:
        found.append(Diagnostic("R607", scalar.span, {"text": shorten(scalar.text)}))
        return None
    return Period(int(read["amount"]), unit_of(read["unit"]))


def duration(scalar: Scalar | None, found: list[Diagnostic]) -> int | None:
    """`24 hours`, in seconds."""
    if scalar is None or not isinstance(scalar.value, str):
        return None
    read = _DURATION.fullmatch(plain(scalar))
    if read is None or int(read[1]) == 0:
        found.append(Diagnostic("R608", scalar.span, {"text": shorten(scalar.text)}))
        return None
    return int(read[1]) * _SECONDS[(read[2] or read[3]).lower()]


def repeat(written: Scalar | WrittenEntry | None, found: list[Diagnostic]) -> Repeat:
    """How often; once where nothing can be said."""
    match written:
        case None:
            return Once()
        case WrittenEntry():
            every = None if written.at_most is None else _every(written.at_most, found)
            return OnEntry(None if every is None else every.period, written.existing)
        case _ if _ONCE.fullmatch(plain(written)):
            return Once()
        case _:
            return _every(written, found) or Once()


def clock(scalar: Scalar, found: list[Diagnostic]) -> int | None:
    """`21:00`, in minutes after midnight."""
    if not isinstance(scalar.value, str):
        return None
    read = _CLOCK.fullmatch(plain(scalar))
    if read is None:
        found.append(Diagnostic("R610", scalar.span, {"text": shorten(scalar.text)}))
        return None
    return int(read[1]) * 60 + int(read[2])


def _every(scalar: Scalar, found: list[Diagnostic]) -> Every | None:
    if not isinstance(scalar.value, str):
        return None
    read = _EVERY.fullmatch(plain(scalar))
    amount = 0 if read is None else int(read["amount"] or read["zh"] or 1)
    if read is None or not 1 <= amount <= MOST_UNITS or (read["month"] and amount != 1):
        bare = _PERIOD.fullmatch(plain(scalar))
        help_ = Help("every", {"text": bare[0]}) if bare else Help("forms")
        found.append(Diagnostic("R609", scalar.span, {"text": shorten(scalar.text)}, help_))
        return None
    return Every(Period(amount, unit_of(read["unit"] or read["month"])))


def _is_written(scalar: Scalar) -> bool:
    return isinstance(scalar.value, str | int | Exact) and not isinstance(scalar.value, bool)


def _is_negative(scalar: Scalar) -> bool:
    return isinstance(scalar.value, int | Exact) and scalar.value < 0


def _amount(scalar: Scalar) -> Fraction | None:
    """The number that is not negative."""
    if isinstance(scalar.value, int | Exact):
        return Fraction(scalar.value)
    literal = parse_literal(Source("", plain(scalar)))
    if literal is None or literal.kind not in ("integer", "decimal") or "%" in literal.spelling:
        return None
    value = literal.value
    return Fraction(value, 10**literal.scale) if isinstance(value, int) and value >= 0 else None
