"""The scalar functions, one value at a time.

In: a checked `Call`, the stored values of its arguments, the date of the run and the zone.  Out: a stored value.
Always: missing where an argument is, except `default` and the tests of several texts, which follow Kleene's `or`
and `and`.

    call(Call("length", (…,), INTEGER), ["北京"], as_of, "Asia/Shanghai")      # 2
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from segrules.engine.reference.values import (
    absolute,
    all_of,
    any_of,
    as_double,
    ceil,
    compare,
    div,
    exponential,
    floor,
    integer,
    less,
    mod,
    number,
    power,
    rounded,
    text,
)  # fmt: skip
from segrules.model.expr import Call
from segrules.schema import calendar
from segrules.schema.types import Timestamp, Type, Value

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""Code points with the Unicode property White_Space."""


def call(node: Call, values: Sequence[Value], as_of: int, zone: str) -> Value:
    """The result of *node* for the stored *values* of its arguments. Raises `OutOfRange`."""
    types = [arg.type for arg in node.args]
    match node.function:
        case "default":
            return values[1] if values[0] is None else values[0]
        case "contains_any":
            return any_of(contains(values[0], part) for part in values[1:])
        case "has_any":
            return any_of(has(values[0], part) for part in values[1:])
        case "has_all":
            return all_of(has(values[0], part) for part in values[1:])
    if any(value is None for value in values):
        return None
    match node.function:
        case "contains":
            return contains(*values)
        case "starts_with":
            return text(values[0]).startswith(text(values[1]))
        case "ends_with":
            return text(values[0]).endswith(text(values[1]))
        case "matches":
            return matches(text(values[0]), text(values[1]))
        case "lower" | "upper" | "trim" | "length" | "concat" | "replace" | "left_text" | "right_text":
            return text_function(node.function, values)
        case "hash_bucket":
            return hash_bucket(text(values[0]), integer(values[1]), text(values[2]))
        case "count_items":
            assert isinstance(values[0], tuple)
            return len(values[0])
        case "date" | "year" | "quarter" | "month" | "day" | "weekday" | "days_since" | "weeks_since" \
            | "months_since" | "years_since" | "days_between" | "next_anniversary":  # fmt: skip
            days = [local_day(value, type_, zone) for value, type_ in zip(values, types, strict=True)]
            return None if None in days else date_function(node.function, [integer(day) for day in days], as_of)
        case _:
            return numeric_function(node, values, types)


def numeric_function(node: Call, values: Sequence[Value], types: Sequence[Type]) -> Value:
    match node.function:
        case "abs":
            return absolute(values[0], types[0])
        case "round":
            return rounded(values[0], types[0], integer(values[1]) if len(values) > 1 else 0, node.type)
        case "floor":
            return floor(values[0], types[0])
        case "ceil":
            return ceil(values[0], types[0])
        case "div":
            return div(integer(values[0]), integer(values[1]))
        case "mod":
            return mod(integer(values[0]), integer(values[1]))
        case "band":
            cuts = zip(values[1:], types[1:], strict=True)
            return sum(1 for cut, type_ in cuts if compare(">=", values[0], types[0], cut, type_))
        case "least":
            found = values[0]
            for value in values[1:]:
                found = value if less(value, found) else found
            return found
        case "greatest":
            found = values[0]
            for value in values[1:]:
                found = value if less(found, value) else found
            return found
        case "sqrt" | "ln" | "exp" | "power":
            doubles = [as_double(value, type_) for value, type_ in zip(values, types, strict=True)]
            return real_function(node.function, [float(number(x)) for x in doubles])
        case unknown:
            raise AssertionError(f"no such function: {unknown}")


def real_function(function: str, x: Sequence[float]) -> float | None:
    """Functions of doubles; missing outside their domain and where the result is not finite."""
    match function:
        case "sqrt":
            return math.sqrt(x[0]) if x[0] >= 0 else None
        case "ln":
            return math.log(x[0]) if x[0] > 0 else None
        case "exp":
            return exponential(x[0])
        case _:
            return power(x[0], x[1])


def text_function(function: str, values: Sequence[Value]) -> Value:
    subject = text(values[0])
    match function:
        case "lower":
            return "".join(map(simple_lower, subject))
        case "upper":
            return "".join(map(simple_upper, subject))
        case "trim":
            return subject.strip(WHITE_SPACE)
        case "length":
            return len(subject)
        case "concat":
            return "".join(text(value) for value in values)
        case "replace":
            old, new = text(values[1]), text(values[2])
            return subject.replace(old, new) if old else subject
        case "left_text":
            return subject[: max(0, integer(values[1]))]
        case _:
            return subject[max(0, len(subject) - max(0, integer(values[1]))) :]


@cache
def simple_lower(character: str) -> str:
    """Unicode's simple lower-case mapping, which gives one code point: of `İ` the `i`."""
    found = character.lower()
    return found if len(found) == 1 else found[0]


@cache
def simple_upper(character: str) -> str:
    """Unicode's simple upper-case mapping, which gives one code point: `ß` stays, `ᾳ` becomes `ᾼ`."""
    found = character.upper()
    if len(found) == 1:
        return found
    title = character.title()
    return title if len(title) == 1 else character


def contains(subject: Value, part: Value) -> bool | None:
    return None if subject is None or part is None else text(part) in text(subject)


def has(items: Value, wanted: Value) -> bool | None:
    if items is None or wanted is None:
        return None
    assert isinstance(items, tuple)
    return wanted in items


def matches(subject: str, pattern: str) -> bool:
    """Whether *pattern* (RE2) is found anywhere in *subject*."""
    return bool(pc.match_substring_regex(pa.scalar(subject), pattern).as_py())


def hash_bucket(subject: str, n: int, salt: str) -> int | None:
    """First 13 hexadecimal digits of SHA-256(salt ‖ 0x1F ‖ subject), modulo n."""
    digest = hashlib.sha256(f"{salt}\x1f{subject}".encode()).hexdigest()
    return int(digest[:13], 16) % n if n > 0 else None


def local_day(value: Value, type_: Type, zone: str) -> int | None:
    """The day of a date, or the local day of a timestamp; missing outside the years 1 … 9999."""
    if value is None or not isinstance(type_, Timestamp):
        return None if value is None else integer(value)
    try:
        return calendar.local_day(integer(value), zone)
    except OverflowError:
        return None


def moved(value: Value, type_: Type, amount: int, unit: calendar.Unit, zone: str) -> int | None:
    """A date, or a timestamp at the same local time of day, *amount* calendar units on; missing out of range."""
    if value is None:
        return None
    if not isinstance(type_, Timestamp):
        return calendar.shift(integer(value), amount, unit)
    try:
        local = calendar.to_local(integer(value), zone).replace(tzinfo=None)
        day = calendar.shift(calendar.from_date(local.date()), amount, unit)
        if day is None:
            return None
        return calendar.from_local(local.combine(calendar.to_date(day), local.time()), zone)
    except OverflowError:
        return None


def date_function(function: str, days: Sequence[int], as_of: int) -> int | None:
    day = days[0]
    match function:
        case "date":
            return day
        case "year":
            return calendar.to_date(day).year
        case "quarter":
            return (calendar.to_date(day).month - 1) // 3 + 1
        case "month":
            return calendar.to_date(day).month
        case "day":
            return calendar.to_date(day).day
        case "weekday":
            return calendar.to_date(day).isoweekday()
        case "days_since":
            return as_of - day
        case "weeks_since":
            return div(as_of - day, 7)
        case "months_since":
            return calendar.months_between(day, as_of)
        case "years_since":
            return div(calendar.months_between(day, as_of), 12)
        case "days_between":
            return days[1] - day
        case _:
            return calendar.next_anniversary(day, as_of)
