"""Aggregates in bulk: known answers, and the same as the reference evaluator on generated rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segrules.engine.reference import aggregates as reference
from segrules.engine.reference.values import OutOfRange
from segrules.engine.vector.aggregate import aggregate
from segrules.engine.vector.overflow import Overflow
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
from segrules.tables.columns import Bools, Column
from tests.columns_of import column_of, rows_of, values_of

TWO, NINE = Decimal(2), Decimal(9)
BIG = 2**62

KNOWN: list[tuple[str, Type, list[Value], Value]] = [
    ("count", INTEGER, [1, None, 3], 2),
    ("sum", INTEGER, [], 0),
    ("sum", TWO, [100, None, 5], 105),
    ("sum", INTEGER, [BIG, BIG, -BIG, -1], BIG - 1),
    ("sum", INTEGER, [INT64_MAX, 1, -1], INT64_MAX),
    ("sum", INTEGER, [INT64_MIN, -1, 1], INT64_MIN),
    ("sum", NUMBER, [0.5, 0.25], 0.75),
    ("sum", NUMBER, [1e308, 1e308], None),
    ("avg", TWO, [100, 201], 1.505),
    ("avg", INTEGER, [INT64_MAX, INT64_MAX, INT64_MAX], float(INT64_MAX)),
    ("avg", INTEGER, [2**53, 2**53 + 2, 2**53 + 1], float(2**53 + 1)),
    ("avg", NUMBER, [0.25, 0.75], 0.5),
    ("avg", INTEGER, [], None),
    ("min", TEXT, ["\uffff", "\U0001f600", "z"], "z"),
    ("max", TEXT, ["\uffff", "\U0001f600", "z"], "\U0001f600"),
    ("min", DATE, [3, None, -7], -7),
    ("max", TIMESTAMP, [INT64_MIN], INT64_MIN),
    ("min", INTEGER, [INT64_MAX], INT64_MAX),
    ("max", BOOL, [False, True], True),
    ("min", LIST, [("b",), ("a", "z"), ("a",)], ("a",)),
    ("stddev", INTEGER, [2, 4, 4, 4, 5, 5, 7, 9], math.sqrt(32 / 7)),
    ("stddev", INTEGER, [5], None),
    ("stddev", INTEGER, [5, 5, 5], 0.0),
    ("stddev", INTEGER, [INT64_MIN, INT64_MAX], math.sqrt(Fraction((2**64 - 1) ** 2, 2))),
    ("stddev", TWO, [10**17 + 1, 10**17 + 3], math.sqrt(0.0002)),
    ("stddev", NUMBER, [0.1] * 10, 0.0),
    ("median", INTEGER, [3, 1, 2], 2.0),
    ("median", TWO, [1, 2], 0.015),
    ("median", INTEGER, [INT64_MAX, INT64_MAX - 2], float(INT64_MAX - 1)),
    ("median", NUMBER, [1e308, 1.5e308], 1.25e308),
    ("median", NUMBER, [5e-324, 1e-323], 1e-323),
    ("count_distinct", TEXT, ["a", "b", None, "a"], 2),
    ("count_distinct", NUMBER, [0.0, -0.0, 1.5], 2),
    ("count_distinct", LIST, [("a",), ("a", "b"), ("a",), ()], 3),
    ("count_distinct", INTEGER, [INT64_MIN, INT64_MAX, 0], 3),
    ("any", BOOL, [False, None], False),
    ("any", BOOL, [False, True], True),
    ("all", BOOL, [True, None], True),
    ("all", BOOL, [True, False], False),
    ("all", BOOL, [], True),
]


def result_of(function: str, type_: Type) -> Type:
    match function:
        case "count" | "count_distinct":
            return INTEGER
        case "avg" | "stddev" | "median":
            return NUMBER
        case "any" | "all":
            return BOOL
        case _:
            return type_


@pytest.mark.parametrize(("function", "type_", "values", "expected"), KNOWN)
def test_known_answer(function: str, type_: Type, values: list[Value], expected: Value) -> None:
    """For the customer 1 of three, among rows of customer 0 and of nobody."""
    column = column_of(type_, [*values, *values, *values])
    owner = np.repeat([1, 0, -1], len(values))
    found = values_of(aggregate(function, column, None, owner, 3, None, result_of(function, type_)))
    empty = values_of(aggregate(function, column_of(type_, []), None, owner[:0], 1, None, result_of(function, type_)))
    assert found == [expected, expected, *empty]


@pytest.mark.parametrize(
    ("function", "expected"),
    [("count", 0), ("sum", 0), ("any", False), ("all", True), ("avg", None), ("min", None), ("stddev", None),
     ("median", None), ("count_distinct", 0)],
)  # fmt: skip
def test_over_nothing(function: str, expected: Value) -> None:
    type_ = BOOL if function in ("any", "all") else INTEGER
    none = np.zeros(2, np.bool_)
    for column, selected in ((column_of(type_, [1, 1]), none), (column_of(type_, [None, None]), None)):
        found = aggregate(function, column, selected, np.array([0, 1]), 2, None, result_of(function, type_))
        assert values_of(found) == [expected, expected]


def test_rows_are_counted_whatever_their_values() -> None:
    owner, selected = np.array([0, 0, -1, 1]), np.array([True, True, True, False])
    assert values_of(aggregate("count", None, selected, owner, 2, None, INTEGER)) == [2, 0]
    assert values_of(aggregate("any", None, selected, owner, 2, None, BOOL)) == [True, False]
    assert values_of(aggregate("count", None, None, owner, 3, None, INTEGER)) == [2, 1, 0]


@pytest.mark.parametrize("values", [[INT64_MAX, 1], [INT64_MIN, -1], [BIG, BIG], [INT64_MAX] * 9])
def test_a_sum_outside_64_bits_names_the_customer(values: list[Value]) -> None:
    column = column_of(INTEGER, [5, *values])
    owner = np.array([0] + [2] * len(values))
    with pytest.raises(Overflow) as raised:
        aggregate("sum", column, None, owner, 3, None, INTEGER)
    assert raised.value.row == 2


def test_a_value_that_is_the_literal_missing() -> None:
    column = column_of(UNTYPED, [None, None])
    owner = np.array([0, 0])
    assert values_of(aggregate("sum", column, None, owner, 1, None, INTEGER)) == [0]
    assert values_of(aggregate("max", column, None, owner, 1, None, DATE)) == [None]
    assert values_of(aggregate("count_distinct", column, None, owner, 1, None, INTEGER)) == [0]
    assert values_of(aggregate("last", column, None, owner, 1, np.array([1, 0]), TEXT)) == [None]


FUNCTIONS: dict[str, tuple[Type, ...]] = {
    "count": (INTEGER, TEXT),
    "sum": (INTEGER, TWO, NUMBER),
    "avg": (INTEGER, TWO, NINE, NUMBER),
    "stddev": (INTEGER, TWO, NINE, NUMBER),
    "median": (INTEGER, TWO, NINE, NUMBER),
    "min": (INTEGER, TWO, NUMBER, TEXT, DATE, TIMESTAMP, BOOL, LIST),
    "max": (INTEGER, TWO, NUMBER, TEXT, DATE, TIMESTAMP, BOOL, LIST),
    "count_distinct": (INTEGER, TWO, NUMBER, TEXT, DATE, TIMESTAMP, BOOL, LIST),
    "any": (BOOL,),
    "all": (BOOL,),
}
PAIRS = [(function, type_) for function, types in FUNCTIONS.items() for type_ in types]


def groups(
    values: Sequence[Value], owner: Sequence[int], selected: Sequence[bool] | None, customers: int
) -> list[list[int]]:
    """For each customer the rows that count."""
    rows: list[list[int]] = [[] for _ in range(customers)]
    for row, (value, one) in enumerate(zip(values, owner, strict=True)):
        if one >= 0 and value is not None and (selected is None or selected[row]):
            rows[one].append(row)
    return rows


@st.composite
def related_rows(draw: st.DrawFn, type_: Type) -> tuple[list[Value], list[int], list[bool] | None, int]:
    customers = draw(st.integers(1, 4))
    rows = draw(st.integers(0, 14))
    values = draw(rows_of(type_, rows))
    if draw(st.booleans()):
        values = [values[0]] * rows if rows else values
    owner = draw(st.lists(st.integers(-1, customers - 1), min_size=rows, max_size=rows))
    selected = draw(st.none() | st.lists(st.booleans(), min_size=rows, max_size=rows))
    return values, owner, selected, customers


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(PAIRS).flatmap(lambda pair: st.tuples(st.just(pair), related_rows(pair[1]))))
@example((("stddev", NINE), ([2**40, 2**41, -(2**45)], [0, 0, 0], None, 1)))
@example((("stddev", TWO), ([2**62, -(2**62), 3, 4], [0, 0, 1, 1], None, 2)))
def test_equals_the_reference(
    drawn: tuple[tuple[str, Type], tuple[list[Value], list[int], list[bool] | None, int]],
) -> None:
    (function, type_), (values, owner, selected, customers) = drawn
    result = result_of(function, type_)
    counted = groups(values, owner, selected, customers)
    try:
        expected = [
            reference.aggregate(function, [values[row] for row in rows], type_, result)  # type: ignore[arg-type]
            for rows in counted
        ]
    except OutOfRange:
        with pytest.raises(Overflow):
            _aggregate(function, column_of(type_, values), owner, selected, customers, result)
        return
    found = _aggregate(function, column_of(type_, values), owner, selected, customers, result)
    assert found.type == result
    if type_ == NUMBER and function in ("sum", "avg", "stddev"):
        for one, other, rows in zip(values_of(found), expected, counted, strict=True):
            assert_near(one, other, [abs(float(values[row])) for row in rows])  # type: ignore[arg-type]
    else:
        assert values_of(found) == expected


def _aggregate(
    function: str, column: Column, owner: Sequence[int], selected: Sequence[bool] | None, customers: int, result: Type
) -> Column:
    mask: Bools | None = None if selected is None else np.array(selected, np.bool_)
    return aggregate(function, column, mask, np.array(owner, np.int64), customers, None, result)


def assert_near(one: Value, other: Value, sizes: list[float]) -> None:
    """Equal to 1e-12 of what was added up; near the largest double only one of them may have become infinite."""
    total = math.fsum(size / 2**60 for size in sizes) * 2**60
    if one is None or other is None:
        assert one == other or max(sizes) > 1e150
    else:
        assert abs(float(one) - float(other)) <= 1e-12 * max(total, 1e-300)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["first", "last"]), st.sampled_from([INTEGER, TEXT, LIST, NUMBER, BOOL]), st.booleans(), st.data()
)
def test_first_and_last_equal_the_reference(function: str, type_: Type, keyed: bool, data: st.DataObject) -> None:
    values, owner, selected, customers = data.draw(related_rows(type_))
    time = data.draw(st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values)))
    keys = data.draw(st.permutations(range(len(values))))
    order = np.array(sorted(range(len(values)), key=lambda row: (time[row], keys[row])), np.int64)
    choose = reference.first if function == "first" else reference.last
    expected = [
        choose([reference.Seen(time[row], keys[row] if keyed else None, values[row]) for row in rows])
        for rows in groups(values, owner, selected, customers)
    ]
    mask = None if selected is None else np.array(selected, np.bool_)
    found = aggregate(
        function, column_of(type_, values, spare=["spare"]), mask, np.array(owner, np.int64), customers,
        order if keyed else None, type_, time=None if keyed else np.array(time, np.int64),
    )  # fmt: skip
    assert values_of(found) == expected


@pytest.mark.parametrize("function", ["sum", "avg", "stddev"])
def test_many_rows_of_one_customer_keep_their_precision(function: str) -> None:
    """100,000 rows of one customer among single ones: 1e-12 of what is added up, though errors could add up."""
    values = np.tile([0.1, 0.7, 1e6 / 3], 40_000)
    owner = np.zeros(len(values), np.int64)
    owner[-1] = 1
    column = Column(NUMBER, values)
    found = aggregate(function, column, None, owner, 2, None, NUMBER)
    expected = reference.aggregate(function, values[:-1].tolist(), NUMBER, NUMBER)  # type: ignore[arg-type]
    assert found.at(0) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("span", [10, 10**6, 10**17])
def test_distinct_counts_and_medians_whatever_the_range(span: int) -> None:
    """The range decides between flags, one sorted key, and sorting by rank."""
    values = np.random.default_rng(1).integers(-span, span, 3000)
    owner = np.random.default_rng(2).integers(0, 1000, 3000)
    column = Column(INTEGER, values)
    rows = [values[owner == customer].tolist() for customer in range(1000)]
    for function in ("count_distinct", "median"):
        expected = [reference.aggregate(function, one, INTEGER, INTEGER) for one in rows]  # type: ignore[arg-type]
        found = aggregate(function, column, None, owner, 1000, None, result_of(function, INTEGER))
        assert values_of(found) == expected
