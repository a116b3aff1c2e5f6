"""Scalar functions in bulk: known answers, and the same as the reference evaluator on generated columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context
from decimal import Decimal as Exact
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segrules.engine.reference import functions as reference
from segrules.engine.reference.values import OutOfRange
from segrules.engine.vector.functions import Scope, call, shift, to_local_day
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.text import WHITE_SPACE, lower, upper
from segrules.model.expr import Call, Constant
from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY, from_date, from_local, to_local
from segrules.schema.types import (
    BOOL,
    DATE,
    INT64_MAX,
    INT64_MIN,
    INTEGER,
    LIST,
    NUMBER,
    TEXT,
    TIMESTAMP,
    UNTYPED,
    Decimal,
    Type,
    Value,
)  # fmt: skip
from tests.columns_of import column_of, doubles, instants, rows_of, stored, values_of

AS_OF = from_date(date(2026, 11, 21))
SCOPE = Scope(AS_OF, "Asia/Shanghai")
ZONES = (
    "Asia/Shanghai", "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza", "Europe/Dublin", "America/Sao_Paulo",
)  # fmt: skip


def day(text: str) -> int:
    return from_date(date.fromisoformat(text))


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


TWO, ZERO = Decimal(2), Decimal(0)

KNOWN: list[tuple[str, list[tuple[Type, Value]], Type, Value]] = [
    ("abs", [(TWO, -105)], TWO, 105),
    ("abs", [(NUMBER, -1.5)], NUMBER, 1.5),
    ("round", [(TWO, 250)], ZERO, 3),
    ("round", [(TWO, -250)], ZERO, -3),
    ("round", [(TWO, 249)], ZERO, 2),
    ("round", [(TWO, 1234), (INTEGER, 1)], Decimal(1), 123),
    ("round", [(TWO, 1234), (INTEGER, 4)], Decimal(4), 123400),
    ("round", [(INTEGER, 1250), (INTEGER, -2)], INTEGER, 1300),
    ("round", [(INTEGER, -1249), (INTEGER, -2)], INTEGER, -1200),
    ("round", [(INTEGER, 7), (INTEGER, 3)], INTEGER, 7),
    ("round", [(INTEGER, 4 * 10**18), (INTEGER, -19)], INTEGER, 0),
    ("round", [(NUMBER, 2.5)], NUMBER, 3.0),
    ("round", [(NUMBER, -2.5)], NUMBER, -3.0),
    ("round", [(NUMBER, 0.49999999999999994)], NUMBER, 0.0),
    ("round", [(NUMBER, 2.675), (INTEGER, 2)], NUMBER, 2.67),
    ("round", [(NUMBER, 1.005), (INTEGER, 2)], NUMBER, 1.0),
    ("round", [(NUMBER, 0.125), (INTEGER, 2)], NUMBER, 0.13),
    ("round", [(NUMBER, 2.0**51 + 0.5), (INTEGER, 1)], NUMBER, 2.0**51 + 0.5),
    ("round", [(NUMBER, 25.0), (INTEGER, -1)], NUMBER, 30.0),
    ("round", [(NUMBER, 1e300), (INTEGER, -300)], NUMBER, 1e300),
    ("round", [(NUMBER, 1.7e308), (INTEGER, -308)], NUMBER, None),
    ("round", [(NUMBER, 1.25), (INTEGER, 1_000_000_000)], NUMBER, 1.25),
    ("round", [(NUMBER, 1.25), (INTEGER, -1_000_000_000)], NUMBER, 0.0),
    ("floor", [(TWO, -101)], INTEGER, -2),
    ("ceil", [(TWO, -101)], INTEGER, -1),
    ("ceil", [(TWO, 101)], INTEGER, 2),
    ("floor", [(NUMBER, -1.5)], NUMBER, -2.0),
    ("least", [(INTEGER, 3), (INTEGER, 2), (INTEGER, 5)], INTEGER, 2),
    ("least", [(INTEGER, 3), (INTEGER, None)], INTEGER, None),
    ("greatest", [(TEXT, "a"), (TEXT, "京"), (TEXT, "Z")], TEXT, "京"),
    ("greatest", [(TEXT, "\uffff"), (TEXT, "\U0001f600")], TEXT, "\U0001f600"),
    ("greatest", [(DATE, 3), (DATE, 5)], DATE, 5),
    ("least", [(BOOL, True), (BOOL, False)], BOOL, False),
    ("sqrt", [(NUMBER, -1.0)], NUMBER, None),
    ("sqrt", [(INTEGER, 2)], NUMBER, 2**0.5),
    ("ln", [(NUMBER, 0.0)], NUMBER, None),
    ("exp", [(NUMBER, 709.782712893384)], NUMBER, 1.7976931348622732e308),
    ("exp", [(NUMBER, 709.7827128933841)], NUMBER, None),
    ("power", [(NUMBER, -8.0), (NUMBER, 1 / 3)], NUMBER, None),
    ("power", [(NUMBER, 0.0), (NUMBER, -1.0)], NUMBER, None),
    ("power", [(NUMBER, 2.0), (NUMBER, 10.0)], NUMBER, 1024.0),
    ("div", [(INTEGER, -7), (INTEGER, 2)], INTEGER, -3),
    ("div", [(INTEGER, 7), (INTEGER, 0)], INTEGER, None),
    ("mod", [(INTEGER, -7), (INTEGER, 2)], INTEGER, -1),
    ("mod", [(INTEGER, 7), (INTEGER, -2)], INTEGER, 1),
    ("mod", [(INTEGER, INT64_MIN), (INTEGER, -1)], INTEGER, 0),
    ("lower", [(TEXT, "ÄİΣ")], TEXT, "äiσ"),
    ("upper", [(TEXT, "straße ﬁ ᾳ")], TEXT, "STRAßE ﬁ ᾼ"),
    ("trim", [(TEXT, "\u3000 北京\u2003\x85")], TEXT, "北京"),
    ("trim", [(TEXT, "\x1c a")], TEXT, "\x1c a"),
    ("length", [(TEXT, "北京😀")], INTEGER, 3),
    ("concat", [(TEXT, "a"), (TEXT, ""), (TEXT, "b")], TEXT, "ab"),
    ("concat", [(TEXT, "a"), (TEXT, None)], TEXT, None),
    ("replace", [(TEXT, "a-b-c"), (TEXT, "-"), (TEXT, "")], TEXT, "abc"),
    ("replace", [(TEXT, "abc"), (TEXT, ""), (TEXT, "x")], TEXT, "abc"),
    ("left_text", [(TEXT, "北京市"), (INTEGER, 2)], TEXT, "北京"),
    ("left_text", [(TEXT, "北京市"), (INTEGER, -1)], TEXT, ""),
    ("right_text", [(TEXT, "北京市"), (INTEGER, 2)], TEXT, "京市"),
    ("right_text", [(TEXT, "北京市"), (INTEGER, 9)], TEXT, "北京市"),
    ("right_text", [(TEXT, "北京市"), (INTEGER, -2)], TEXT, ""),
    ("year", [(DATE, day("0001-01-01"))], INTEGER, 1),
    ("quarter", [(DATE, day("2026-10-01"))], INTEGER, 4),
    ("month", [(DATE, day("1969-12-31"))], INTEGER, 12),
    ("day", [(DATE, day("2024-02-29"))], INTEGER, 29),
    ("weekday", [(DATE, day("2026-11-23"))], INTEGER, 1),
    ("weekday", [(DATE, day("1969-12-28"))], INTEGER, 7),
    ("day", [(TIMESTAMP, instant("2026-11-20T16:00:00"))], INTEGER, 21),
    ("days_since", [(DATE, day("2026-12-01"))], INTEGER, -10),
    ("weeks_since", [(DATE, day("2026-12-01"))], INTEGER, -1),
    ("months_since", [(DATE, day("2026-10-22"))], INTEGER, 0),
    ("months_since", [(DATE, day("2026-10-21"))], INTEGER, 1),
    ("years_since", [(DATE, day("2000-11-22"))], INTEGER, 25),
    ("years_since", [(DATE, day("2027-10-20"))], INTEGER, 0),
    ("days_between", [(DATE, day("2026-11-01")), (DATE, day("2026-11-21"))], INTEGER, 20),
    ("next_anniversary", [(DATE, day("2000-02-29"))], DATE, day("2027-03-01")),
    ("next_anniversary", [(DATE, day("1990-11-21"))], DATE, day("2026-11-21")),
    ("next_anniversary", [(DATE, day("1990-11-20"))], DATE, day("2027-11-20")),
    ("date", [(TIMESTAMP, instant("2026-11-20T15:59:59"))], DATE, day("2026-11-20")),
    ("date", [(DATE, 17)], DATE, 17),
    ("count_items", [(LIST, ("a", "b", "a"))], INTEGER, 3),
    ("count_items", [(LIST, None)], INTEGER, None),
    ("band", [(INTEGER, 9), (INTEGER, 10), (INTEGER, 20)], INTEGER, 0),
    ("band", [(INTEGER, 10), (INTEGER, 10), (INTEGER, 20)], INTEGER, 1),
    ("band", [(TWO, 1001), (Decimal(3), 10005), (INTEGER, 20)], INTEGER, 1),
    ("band", [(TWO, 1000), (Decimal(3), 10005)], INTEGER, 0),
    ("band", [(NUMBER, 0.1), (Decimal(1), 1)], INTEGER, 1),
    ("default", [(INTEGER, None), (INTEGER, 3)], INTEGER, 3),
    ("default", [(TEXT, None), (TEXT, "x")], TEXT, "x"),
    ("default", [(UNTYPED, None), (LIST, ("x",))], LIST, ("x",)),
    ("hash_bucket", [(TEXT, "c1"), (INTEGER, 100), (TEXT, "salt")], INTEGER, 38),
    ("hash_bucket", [(TEXT, "c1"), (INTEGER, 0), (TEXT, "salt")], INTEGER, None),
    ("contains", [(TEXT, "北京市"), (TEXT, "京")], BOOL, True),
    ("starts_with", [(TEXT, "北京市"), (TEXT, "京")], BOOL, False),
    ("ends_with", [(TEXT, "北京市"), (TEXT, "")], BOOL, True),
    ("matches", [(TEXT, "13800000000"), (TEXT, r"^1\d{10}$")], BOOL, True),
    ("matches", [(TEXT, "x\n13800000000"), (TEXT, r"^1\d{10}$")], BOOL, False),
    ("contains_any", [(TEXT, "abc"), (TEXT, "x"), (TEXT, "b")], BOOL, True),
    ("contains_any", [(TEXT, "abc"), (TEXT, None), (TEXT, "x")], BOOL, None),
    ("contains_any", [(TEXT, "abc"), (TEXT, None), (TEXT, "b")], BOOL, True),
    ("contains_any", [(TEXT, None)], BOOL, False),
    ("has_any", [(LIST, ("a", "b")), (TEXT, "b"), (UNTYPED, None)], BOOL, True),
    ("has_any", [(LIST, ()), (TEXT, "b")], BOOL, False),
    ("has_all", [(LIST, ("a", "b")), (TEXT, "b"), (TEXT, "c")], BOOL, False),
    ("has_all", [(LIST, ("a", "b")), (TEXT, "b"), (TEXT, None)], BOOL, None),
    ("has_all", [(LIST, ("a", "b")), (TEXT, None), (TEXT, "c")], BOOL, False),
]


@pytest.mark.parametrize(("function", "args", "result", "expected"), KNOWN)
def test_known_answer(function: str, args: list[tuple[Type, Value]], result: Type, expected: Value) -> None:
    columns = tuple(column_of(type_, [value] * 3, spare=["spare"]) for type_, value in args)
    assert values_of(call(function, columns, result, SCOPE)) == [expected] * 3


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("abs", [[1, INT64_MIN]]),
        ("div", [[1, INT64_MIN], [0, -1]]),
        ("round", [[1, INT64_MAX], [-1, -1]]),
        ("round", [[1, INT64_MAX], [-19, -19]]),
    ],
)
def test_overflow_names_the_row(function: str, args: list[list[int]]) -> None:
    with pytest.raises(Overflow) as raised:
        call(function, tuple(column_of(INTEGER, list(values)) for values in args), INTEGER, SCOPE)
    assert raised.value.row == 1


def test_overflow_in_a_missing_row_is_none() -> None:
    hidden = column_of(INTEGER, [None, 5])
    hidden.values[0] = INT64_MIN
    assert values_of(call("abs", (hidden,), INTEGER, SCOPE)) == [None, 5]


SIGNATURES: list[tuple[str, tuple[Type, ...], Type, frozenset[int]]] = [
    *(("abs", (t,), t, frozenset()) for t in (INTEGER, TWO, NUMBER)),
    *((name, (t,), r, frozenset()) for name in ("floor", "ceil") for t, r in ((Decimal(9), INTEGER), (NUMBER, NUMBER))),
    *((name, (t, t, t), t, frozenset()) for name in ("least", "greatest") for t in (INTEGER, NUMBER, TEXT, DATE, BOOL)),
    *((name, (t,), NUMBER, frozenset()) for name in ("sqrt", "ln", "exp") for t in (NUMBER, TWO, INTEGER)),
    ("power", (NUMBER, NUMBER), NUMBER, frozenset()),
    ("div", (INTEGER, INTEGER), INTEGER, frozenset()),
    ("mod", (INTEGER, INTEGER), INTEGER, frozenset()),
    *((name, (TEXT,), TEXT, frozenset()) for name in ("lower", "upper", "trim")),
    ("length", (TEXT,), INTEGER, frozenset()),
    ("concat", (TEXT, TEXT, TEXT), TEXT, frozenset()),
    ("concat", (TEXT, TEXT), TEXT, frozenset({1})),
    ("replace", (TEXT, TEXT, TEXT), TEXT, frozenset()),
    ("replace", (TEXT, TEXT, TEXT), TEXT, frozenset({1, 2})),
    ("left_text", (TEXT, INTEGER), TEXT, frozenset()),
    ("right_text", (TEXT, INTEGER), TEXT, frozenset({1})),
    *(
        (name, (t,), INTEGER, frozenset())
        for name in ("year", "quarter", "month", "day", "weekday")
        for t in (DATE, TIMESTAMP)
    ),
    *(
        (name, (t,), INTEGER, frozenset())
        for name in ("days_since", "weeks_since", "months_since", "years_since")
        for t in (DATE, TIMESTAMP)
    ),
    ("days_between", (DATE, TIMESTAMP), INTEGER, frozenset()),
    ("next_anniversary", (DATE,), DATE, frozenset()),
    ("date", (TIMESTAMP,), DATE, frozenset()),
    ("count_items", (LIST,), INTEGER, frozenset()),
    ("band", (TWO, Decimal(4), INTEGER, Decimal(1)), INTEGER, frozenset({1, 2, 3})),
    ("band", (NUMBER, NUMBER, TWO), INTEGER, frozenset({1, 2})),
    *(("default", (t, t), t, frozenset()) for t in (BOOL, INTEGER, TWO, NUMBER, TEXT, DATE, TIMESTAMP, LIST)),
    ("default", (INTEGER, UNTYPED), INTEGER, frozenset()),
    ("default", (UNTYPED, TEXT), TEXT, frozenset()),
    *((name, (TEXT, TEXT), BOOL, frozenset()) for name in ("contains", "starts_with", "ends_with")),
    *((name, (TEXT, TEXT), BOOL, frozenset({1})) for name in ("contains", "starts_with", "ends_with")),
    ("contains_any", (TEXT, TEXT, TEXT, UNTYPED), BOOL, frozenset({1})),
    *((name, (LIST, TEXT, TEXT), BOOL, frozenset()) for name in ("has_any", "has_all")),
    *((name, (LIST, TEXT, UNTYPED), BOOL, frozenset({1})) for name in ("has_any", "has_all")),
]  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(SIGNATURES), st.integers(0, 12), st.sampled_from(ZONES), st.data())
def test_equals_the_reference(
    signature: tuple[str, tuple[Type, ...], Type, frozenset[int]], rows: int, zone: str, data: st.DataObject
) -> None:
    function, types, result, constant = signature
    as_of = data.draw(st.just(AS_OF) | st.integers(MIN_DAY + 400, MAX_DAY))
    given_values = [
        [data.draw(st.none() | stored(t))] * rows if i in constant else data.draw(rows_of(t, rows))
        for i, t in enumerate(types)
    ]
    compare_with_reference(function, types, result, given_values, Scope(as_of, zone))


@settings(max_examples=400, deadline=None)
@given(st.integers(-25, 25) | st.integers(-400, 400), st.sampled_from([INTEGER, TWO, NUMBER, Decimal(9)]), st.data())
def test_round_equals_the_reference(digits: int, type_: Type, data: st.DataObject) -> None:
    if isinstance(type_, Decimal):
        digits = min(digits, 9)
    result = Decimal(max(digits, 0)) if isinstance(type_, Decimal) else type_
    values = data.draw(rows_of(type_, 8))
    compare_with_reference("round", (type_, INTEGER), result, [values, [digits] * 8], SCOPE)


def compare_with_reference(
    function: str, types: tuple[Type, ...], result: Type, given_values: list[list[Value]], scope: Scope
) -> None:
    node = Call(function, tuple(Constant(None, t) for t in types), result)
    columns = tuple(column_of(t, values, spare=["spare"]) for t, values in zip(types, given_values, strict=True))
    expected: list[Value] = []
    for row, values in enumerate(zip(*given_values, strict=True)):
        try:
            expected.append(reference.call(node, list(values), scope.as_of, scope.timezone))
        except OutOfRange:
            with pytest.raises(Overflow) as raised:
                call(function, columns, result, scope)
            assert raised.value.row == row
            return
    found = call(function, columns, result, scope)
    assert found.type == result
    assert values_of(found) == expected


@settings(max_examples=400, deadline=None)
@given(st.lists(doubles, min_size=1), st.integers(0, 22))
def test_round_of_doubles_is_exact(values: list[float], digits: int) -> None:
    column = column_of(NUMBER, list(values))
    found = call("round", (column, column_of(INTEGER, [digits] * len(values))), NUMBER, SCOPE)
    unit = Exact(1).scaleb(-digits)
    expected = [float(_quantized(Exact(value), unit)) for value in values]
    assert values_of(found) == expected


def _quantized(value: Exact, unit: Exact) -> Exact:
    return value.quantize(unit, rounding=ROUND_HALF_UP, context=Context(prec=1000))


UNITS = st.sampled_from(["day", "week", "month", "quarter", "year"])


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([DATE, TIMESTAMP]), st.integers(-40, 40) | st.integers(-(10**5), 10**5), UNITS,
    st.sampled_from(ZONES), st.data(),
)  # fmt: skip
def test_shift_equals_the_reference(type_: Type, amount: int, unit: str, zone: str, data: st.DataObject) -> None:
    values = data.draw(rows_of(type_, 6))
    found = shift(column_of(type_, values), amount, unit, Scope(AS_OF, zone))  # type: ignore[arg-type]
    assert values_of(found) == [reference.moved(value, type_, amount, unit, zone) for value in values]  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", ZONES)
def test_days_and_moves_around_every_change_of_the_clock(zone: str) -> None:
    """For each change of offset from 1970 to 2040: the instants around it, and shifts that land in its gap."""
    hours = np.arange(instant("1970-01-01T00:00:00"), instant("2040-01-01T00:00:00"), 12 * 3_600_000_000)
    offsets = [to_local(int(h), zone).utcoffset() for h in hours]
    near = [
        int(hours[i]) + minutes * 60_000_000 + extra
        for i in range(len(hours) - 1) if offsets[i] != offsets[i + 1]
        for minutes in range(-90, 810, 15) for extra in (-1, 0)
    ] or [0]  # fmt: skip
    scope = Scope(AS_OF, zone)
    column = column_of(TIMESTAMP, list(near))
    assert values_of(to_local_day(column, scope)) == [reference.local_day(v, TIMESTAMP, zone) for v in near]
    for amount in (-1, 1):
        found = shift(column, amount, "day", scope)
        assert values_of(found) == [reference.moved(v, TIMESTAMP, amount, "day", zone) for v in near]


def test_shift_into_a_gap_and_into_a_repeated_hour() -> None:
    scope = Scope(AS_OF, "Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    early = from_local(datetime(2026, 3, 28, 2, 30), "Europe/Berlin")
    into_gap = shift(column_of(TIMESTAMP, [early]), 1, "day", scope).at(0)
    assert datetime.fromtimestamp(into_gap / 1e6, zone).isoformat() == "2026-03-29T03:30:00+02:00"  # type: ignore[operator]
    before = from_local(datetime(2026, 10, 24, 2, 30), "Europe/Berlin")
    repeated = shift(column_of(TIMESTAMP, [before]), 1, "day", scope).at(0)
    assert datetime.fromtimestamp(repeated / 1e6, zone).isoformat() == "2026-10-25T02:30:00+02:00"  # type: ignore[operator]


@settings(max_examples=200, deadline=None)
@given(st.lists(instants, max_size=8), st.sampled_from(ZONES))
@example([MIN_DAY * MICROSECONDS_PER_DAY, (MAX_DAY + 1) * MICROSECONDS_PER_DAY - 1], "America/New_York")
@example([MIN_DAY * MICROSECONDS_PER_DAY, (MAX_DAY + 1) * MICROSECONDS_PER_DAY - 1], "Pacific/Apia")
def test_local_day_equals_the_reference(values: list[int], zone: str) -> None:
    found = to_local_day(column_of(TIMESTAMP, list(values)), Scope(AS_OF, zone))
    assert values_of(found) == [reference.local_day(value, TIMESTAMP, zone) for value in values]


def test_many_rows_take_the_table_of_days() -> None:
    days = list(range(AS_OF - 700, AS_OF + 700)) * 3
    column = column_of(DATE, list(days))
    for function in ("year", "day", "months_since", "years_since", "next_anniversary"):
        result = DATE if function == "next_anniversary" else INTEGER
        assert values_of(call(function, (column,), result, SCOPE)) == [
            reference.date_function(function, [one], AS_OF) for one in days
        ]


def test_simple_case_mappings_give_one_code_point_for_each() -> None:
    letters = "".join(chr(code) for code in range(0x1F000) if not 0xD800 <= code < 0xE000)
    for mapped, reference_one in ((lower(letters), reference.simple_lower), (upper(letters), reference.simple_upper)):
        assert mapped == "".join(map(reference_one, letters))
        assert len(mapped) == len(letters)


def test_white_space_is_the_unicode_property() -> None:
    assert sorted(map(ord, WHITE_SPACE)) == [
        *range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000
    ]  # fmt: skip


@pytest.mark.parametrize("constant", [True, False])
def test_matches_with_one_pattern_and_with_many(constant: bool) -> None:
    texts = ["13800000000", "a.c", "abc", None, "", "北京"]
    patterns = ["^a.c$"] * 6 if constant else ["^1", "a\\.c", None, "x", "^$", "京"]
    columns = (column_of(TEXT, texts, spare=["z"]), column_of(TEXT, patterns))
    expected = [
        None if t is None or p is None else reference.matches(t, p) for t, p in zip(texts, patterns, strict=True)
    ]
    assert values_of(call("matches", columns, BOOL, SCOPE)) == expected


def test_a_block_of_rows_uses_only_its_part_of_a_large_dictionary() -> None:
    dictionary = tuple(f"text {i}" for i in range(5000))
    column = column_of(TEXT, ["text 17", None, "text 4999"], spare=dictionary)
    found = call("upper", (column,), TEXT, SCOPE)
    assert values_of(found) == ["TEXT 17", None, "TEXT 4999"]
    assert len(found.dictionary) < 10


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["a", ""]), st.integers(0, 9))
def test_hash_bucket_equals_the_reference(text: str, n: int) -> None:
    compare_with_reference(
        "hash_bucket", (TEXT, INTEGER, TEXT), INTEGER, [[text, None, "京"], [n] * 3, ["盐"] * 3], SCOPE
    )
