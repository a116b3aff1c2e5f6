"""Population functions in bulk: known answers, and the same as the reference evaluator on generated customers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segrules.engine.reference import population as reference
from segrules.engine.results import Cuts
from segrules.engine.vector.population import population
from segrules.model.expr import Constant, Population
from segrules.schema.types import BOOL, DATE, INT64_MAX, INT64_MIN, INTEGER, NUMBER, TEXT, Decimal, Type, Value
from segrules.tables.columns import Column
from tests.columns_of import column_of, rows_of, values_of

TWO = Decimal(2)


def node(
    function: str, type_: Type, argument: int | tuple[int, int] | None = None, descending: bool = False,
    by: tuple[Type, ...] = (),
) -> Population:  # fmt: skip
    result: Type = INTEGER
    if function == "percent_rank" or function == "quantile":
        result = DATE if function == "quantile" and type_ == DATE else NUMBER
    among = None
    names = tuple(Constant(None, one) for one in by)
    return Population(function, Constant(None, type_), descending, names, among, argument, result)  # type: ignore[arg-type]


N = None
KNOWN: list[tuple[str, Type, int | tuple[int, int] | None, bool, list[Value], list[Value]]] = [
    ("qcut", INTEGER, 2, False, [1, 2, 3, 4], [1, 1, 2, 2]),
    ("qcut", INTEGER, 2, False, [3, 1, N, 2], [2, 1, N, 1]),
    ("qcut", INTEGER, 2, True, [3, 1, N, 2], [1, 2, N, 2]),
    ("qcut", INTEGER, 4, False, [5, 5, 5, 5], [1, 1, 1, 1]),
    ("qcut", INTEGER, 4, True, [5, 5, 5, 5], [4, 4, 4, 4]),
    ("qcut", INTEGER, 1, False, [5, 6], [1, 1]),
    ("qcut", TWO, 5, False, [100, 100, 100, 100, 100, 200], [1, 1, 1, 1, 1, 5]),
    ("qcut", NUMBER, 2, False, [-1.5e308, 1.5e308, 1e308], [1, 2, 1]),
    ("qcut", INTEGER, 3, False, [INT64_MIN, INT64_MAX, 0], [1, 3, 2]),
    ("ntile", INTEGER, 3, False, [10, 10, 10, 10, 10], [1, 1, 2, 2, 3]),
    ("ntile", INTEGER, 3, True, [10, 10, 10, 10, 20], [1, 2, 2, 3, 1]),
    ("ntile", INTEGER, 5, False, [3, 1, N], [2, 1, N]),
    ("ntile", INTEGER, 2, True, [INT64_MIN, INT64_MAX], [2, 1]),
    ("rank", INTEGER, N, False, [10, 20, 10, N, 30], [1, 3, 1, N, 4]),
    ("rank", INTEGER, N, True, [10, 20, 10, N, 30], [3, 2, 3, N, 1]),
    ("rank", NUMBER, N, False, [0.0, -0.0, 1.0], [1, 1, 3]),
    ("percent_rank", DATE, N, False, [5, 7, 7, 9, 1], [0.25, 0.5, 0.5, 1.0, 0.0]),
    ("percent_rank", DATE, N, False, [5], [0.0]),
    ("quantile", INTEGER, (1, 2), False, [1, N, 2], [1.5, N, 1.5]),
    ("quantile", INTEGER, (9, 10), True, [0, 10], [1.0, 1.0]),
    ("quantile", TWO, (1, 3), False, [100, 200], [Fraction(4, 3), Fraction(4, 3)]),
    ("quantile", DATE, (1, 2), False, [-3, 0], [-2, -2]),
    ("quantile", INTEGER, (0, 1), False, [4, 7], [4.0, 4.0]),
    ("quantile", INTEGER, (1, 1), False, [4, 7], [7.0, 7.0]),
    ("quantile", INTEGER, (1, 2), False, [INT64_MAX, INT64_MAX - 2], [float(INT64_MAX - 1)] * 2),
    ("quantile", NUMBER, (1, 4), False, [-1.5e308, 1.5e308], [-7.5e307, -7.5e307]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "type_", "argument", "descending", "values", "expected"), KNOWN)
def test_known_answer(
    function: str, type_: Type, argument: int | tuple[int, int] | None, descending: bool, values: list[Value],
    expected: list[Value],
) -> None:  # fmt: skip
    found, _, _ = population(node(function, type_, argument, descending), column_of(type_, values), (), None)
    wanted = [float(one) if isinstance(one, Fraction) else one for one in expected]
    assert values_of(found) == wanted


def test_cut_points_are_reported_in_the_order_of_the_groups() -> None:
    value = column_of(TWO, [100, 300, 500, 700, None, 900])
    city = column_of(TEXT, ["京", "京", "a", "a", "a", None], spare=["z"])
    found, groups, coincide = population(node("qcut", TWO, 2, by=(TEXT,)), value, (city,), None)
    assert values_of(found) == [1, 2, 1, 2, None, None]
    assert groups == (Cuts(("a",), 2, (6.0,), 7.0, (600,)), Cuts(("京",), 2, (2.0,), 3.0, (200,)))
    assert not coincide


@pytest.mark.parametrize(
    ("values", "parts", "coincide"),
    [([1, 1, 1, 2], 4, True), ([1, 2, 3, 4], 4, False), ([1], 2, False), ([1], 3, True)],
)
def test_coinciding_cuts_are_noticed(values: list[Value], parts: int, coincide: bool) -> None:
    assert population(node("qcut", INTEGER, parts), column_of(INTEGER, values), (), None)[2] is coincide


@pytest.mark.parametrize("function", ["qcut", "ntile", "rank", "percent_rank", "quantile"])
def test_nobody_is_ranked(function: str) -> None:
    argument = {"qcut": 3, "ntile": 3, "quantile": (1, 2)}.get(function)
    for values in ([], [None, None]):
        found, groups, coincide = population(node(function, INTEGER, argument), column_of(INTEGER, values), (), None)  # type: ignore[arg-type]
        assert values_of(found) == values
        assert (groups, coincide) == ((), False)


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(["qcut", "ntile", "rank", "percent_rank", "quantile"]),
    st.sampled_from([INTEGER, TWO, NUMBER, DATE]), st.booleans(), st.integers(0, 12),
    st.lists(st.sampled_from([TEXT, BOOL, DATE, TWO]), max_size=2), st.data(),
)  # fmt: skip
def test_equals_the_reference(
    function: str, type_: Type, descending: bool, customers: int, by: list[Type], data: st.DataObject
) -> None:
    argument: int | tuple[int, int] | None = None
    if function in ("qcut", "ntile"):
        argument = data.draw(st.integers(1, 7))
    elif function == "quantile":
        argument = data.draw(st.integers(1, 100).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    values = data.draw(_with_ties(type_, customers))
    groups = [data.draw(_with_ties(one, customers)) for one in by]
    among = data.draw(st.none() | st.lists(st.booleans(), min_size=customers, max_size=customers))
    compare(node(function, type_, argument, descending, tuple(by)), type_, values, groups, among)


def _with_ties(type_: Type, rows: int) -> st.SearchStrategy[list[Value]]:
    few = st.lists(rows_of(type_, 3).map(tuple), min_size=1, max_size=1).flatmap(
        lambda pool: st.lists(st.sampled_from(pool[0]), min_size=rows, max_size=rows)
    )
    return rows_of(type_, rows) | few


def compare(
    one: Population, type_: Type, values: list[Value], groups: list[list[Value]], among: list[bool] | None
) -> None:
    standing = [
        reference.Standing(i, value, tuple(group[i] for group in groups), among is None or among[i])
        for i, value in enumerate(values)
    ]
    expected = reference.population(one, standing)
    by = tuple(column_of(name.type, group) for name, group in zip(one.by, groups, strict=True))
    mask = None if among is None else np.array(among, np.bool_)
    found, cuts, coincide = population(one, column_of(type_, values), by, mask)
    assert found.type == one.type
    assert tuple(values_of(found)) == expected.values
    if one.function in ("qcut", "quantile"):
        assert tuple(cuts) == tuple(expected.groups)
        assert list(cuts) == sorted(cuts, key=_by)
    if one.function == "qcut":
        assert coincide == any(len(set(group.cuts)) < len(group.cuts) for group in cuts)


def _by(cuts: Cuts) -> tuple[Value, ...]:
    return cuts.by


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 9), st.integers(1, 20), st.booleans())
@example(3, 7, True)
def test_ntile_gives_the_first_groups_one_more(parts: int, customers: int, descending: bool) -> None:
    column = Column(INTEGER, np.zeros(customers, np.int64))
    found, _, _ = population(node("ntile", INTEGER, parts, descending), column, (), None)
    sizes = np.bincount(found.values.astype(np.int64), minlength=parts + 1)[1:]
    larger = customers % parts
    assert sizes.tolist() == [customers // parts + 1] * larger + [customers // parts] * (parts - larger)
    assert (np.diff(found.values.astype(np.int64)) >= 0).all()


@pytest.mark.parametrize("function", ["qcut", "ntile", "rank", "quantile"])
@pytest.mark.parametrize("type_", [INTEGER, NUMBER])
def test_many_groups(function: str, type_: Type) -> None:
    """More than a few groups take another way than a search per group."""
    random = np.random.default_rng(3)
    values: list[Value] = [int(x) if type_ == INTEGER else float(x) for x in random.integers(0, 50, 600)]
    city: list[Value] = [f"c{x}" for x in random.integers(0, 150, 600)]
    argument = {"qcut": 4, "ntile": 4, "quantile": (1, 3)}.get(function)
    compare(node(function, type_, argument, by=(TEXT,)), type_, values, [city], None)  # type: ignore[arg-type]
