"""Exact arithmetic of columns against the reference's, value by value, near the ends of 64 bits too."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.engine.reference import values as plain
from segrules.engine.vector import exact
from segrules.engine.vector.overflow import Overflow
from segrules.schema.types import INT64_MAX, INT64_MIN, INTEGER, NUMBER, Decimal, Type, Value, scale_of
from segrules.tables.columns import Column
from tests.columns_of import column_of, rows_of, values_of

around_doubles = st.integers(-3, 3).flatmap(lambda d: st.sampled_from([2**53 + d, -(2**53) + d, 2**54 + d, 10**15 + d]))
exact_types = st.sampled_from([INTEGER, *map(Decimal, range(10))])
fixed = settings(max_examples=300, deadline=None)


@st.composite
def pairs(draw: st.DrawFn, left: st.SearchStrategy[Type], right: st.SearchStrategy[Type]) -> tuple[Column, Column]:
    types = draw(left), draw(right)
    rows = draw(st.integers(0, 4))
    edges = st.lists(st.none() | around_doubles, min_size=rows, max_size=rows)
    values = [draw(rows_of(type_, rows) | edges) for type_ in types]
    return column_of(types[0], values[0]), column_of(types[1], values[1])


def compared(found: Callable[[], Column], expected: Callable[[], list[Value]]) -> None:
    """The same values, or both out of range."""
    try:
        wanted = expected()
    except plain.OutOfRange:
        try:
            found()
        except Overflow:
            return
        raise AssertionError("the bulk engine gave a value out of range") from None
    assert values_of(found()) == wanted


@fixed
@given(exact_types.flatmap(lambda t: pairs(st.just(t), st.just(t))), st.sampled_from("+-"))
def test_sums_and_differences(columns: tuple[Column, Column], op: str) -> None:
    left, right = columns
    compared(
        lambda: exact.arithmetic(op, left, right, left.type),  # type: ignore[arg-type]
        lambda: [
            plain.arithmetic(op, a, left.type, b, right.type, left.type)
            for a, b in zip(values_of(left), values_of(right), strict=True)
        ],
    )


@fixed
@given(pairs(exact_types, exact_types))
def test_products(columns: tuple[Column, Column]) -> None:
    left, right = columns
    result = Decimal(scale_of(left.type) + scale_of(right.type))
    compared(
        lambda: exact.arithmetic("*", left, right, result),
        lambda: [
            plain.arithmetic("*", a, left.type, b, right.type, result)
            for a, b in zip(values_of(left), values_of(right), strict=True)
        ],
    )


@fixed
@given(pairs(exact_types, exact_types))
def test_quotients_are_rounded_once(columns: tuple[Column, Column]) -> None:
    left, right = columns
    compared(
        lambda: exact.arithmetic("/", left, right, NUMBER),
        lambda: [
            plain.arithmetic("/", a, left.type, b, right.type, NUMBER)
            for a, b in zip(values_of(left), values_of(right), strict=True)
        ],
    )


@fixed
@given(pairs(exact_types, exact_types))
def test_comparisons_of_any_scales(columns: tuple[Column, Column]) -> None:
    left, right = columns
    at_least, equal = exact.at_least(left, right), exact.equal(left, right)
    for row, (a, b) in enumerate(zip(values_of(left), values_of(right), strict=True)):
        if a is not None and b is not None:
            assert bool(at_least[row]) == plain.compare(">=", a, left.type, b, right.type)
            assert bool(equal[row]) == plain.compare("=", a, left.type, b, right.type)


@fixed
@given(exact_types.flatmap(lambda t: pairs(st.just(t), st.just(t))), st.integers(0, 9))
def test_widening(columns: tuple[Column, Column], scale: int) -> None:
    column, _ = columns
    for result in (Decimal(max(scale, scale_of(column.type))), NUMBER):
        compared(
            lambda result=result: exact.widen(column, result),  # type: ignore[misc]
            lambda result=result: [plain.convert(value, column.type, result) for value in values_of(column)],  # type: ignore[misc]
        )


@fixed
@given(st.lists(st.sampled_from([INT64_MIN, INT64_MAX, 1, -1, 0]), min_size=1, max_size=6))
def test_a_total_is_checked_at_its_end(points: list[int]) -> None:
    columns = [column_of(INTEGER, [1, value]) for value in points]
    compared(
        lambda: exact.total(columns, INTEGER),
        lambda: [len(points), plain.within(sum(points))],
    )
