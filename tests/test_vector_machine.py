"""The machine code gives what the calls of numpy give, bit by bit, and is loaded only where that is worth it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs segrules[fast]")

from segrules.engine.results import Membership, Results
from segrules.engine.vector import blocks, fused
from segrules.engine.vector.evaluate import evaluate, evaluate_watched
from segrules.model import expr as m
from segrules.model.ruleset import Attribute, Segment
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
    Decimal,
    Type,
)  # fmt: skip
from segrules.tables.columns import Column, Loaded, Tables
from tests.test_vector import AS_OF, WRITTEN, col, rules, whole, world
from tests.test_vector_bits import assert_same, customers_and_rules

SIZES = [0, 1, 7, 63, 64, 65, 2047, 2048, 2049, 65_536, 70_001]
WIDE = [f"w{n}" for n in range(70)]


def exactly(one: Membership) -> tuple[bytes, bytes | None, int]:
    return one.true.packed.tobytes(), None if one.unknown is None else one.unknown.packed.tobytes(), one.true.count()


def assert_identical(expected: Results, found: Results) -> None:
    assert {name: exactly(one) for name, one in found.segments.items()} == {
        name: exactly(one) for name, one in expected.segments.items()
    }
    for name, column in expected.values.items():
        other = found.values[name]
        assert other.values.tobytes() == column.values.tobytes()
        assert (other.missing is None) == (column.missing is None)
        assert column.missing is None or (other.missing == column.missing).all()


def columns(size: int) -> dict[str, Column]:
    """Columns of every width that is compared, with and without missing values."""
    draw = np.random.default_rng(size)
    gaps = draw.random(size) < 0.1

    def column(type_: Type, values: Any, missing: bool, texts: tuple[str, ...] = ()) -> Column:
        if missing and gaps.any():
            return Column(type_, np.where(gaps, values.dtype.type(0), values), gaps, texts)
        return Column(type_, values, None, texts)

    def listed(words: int, missing: bool = False) -> Column:
        lengths = np.where(gaps & missing, 0, draw.integers(0, 4, size))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        codes = draw.integers(0, words, int(offsets[-1])).astype(np.int32)
        return Column(LIST, codes, gaps if missing and gaps.any() else None, tuple(WIDE[:words]), offsets)

    edges = np.array([INT64_MIN, INT64_MAX, 0, -1])
    return {
        "id": Column(INTEGER, np.arange(size)),
        "byte": column(INTEGER, draw.integers(-100, 100, size), True),
        "short": column(Decimal(2), draw.integers(-1000, 60_000, size), False),
        "int": column(INTEGER, draw.integers(0, 2**31, size), True),
        "long": column(INTEGER, np.where(draw.random(size) < 0.5, edges[draw.integers(0, 4, size)], 7), True),
        "day": column(DATE, draw.integers(0, 30_000, size).astype(np.int32), True),
        "instant": column(TIMESTAMP, draw.integers(0, 2**50, size), False),
        "number": column(NUMBER, draw.integers(-3, 4, size) / 2, True),
        "word": column(TEXT, draw.integers(0, 5, size).astype(np.int32), True, tuple(WIDE[:5])),
        "wide": column(TEXT, draw.integers(0, 70, size).astype(np.int32), False, tuple(WIDE)),
        "flag": column(BOOL, draw.random(size) < 0.5, True),
        "few": listed(9),
        "some": listed(30, True),
        "many": listed(70, True),
    }


def comparisons() -> list[m.Expr]:
    found: list[m.Expr] = []
    points: dict[str, tuple[Type, list[Any]]] = {
        "byte": (INTEGER, [-101, -100, 0, 99, 100, 2**40]),
        "short": (Decimal(2), [-1001, 0, 5, 59_999, 60_000]),
        "int": (INTEGER, [-1, 0, 2**30, 2**31, 2**33]),
        "long": (INTEGER, [INT64_MIN, -1, 0, 7, INT64_MAX]),
        "day": (DATE, [-1, 0, 15_000, 29_999, 30_000]),
        "instant": (TIMESTAMP, [0, 2**49]),
        "number": (NUMBER, [-1.5, -0.0, 0.5, 1.5, 9.0]),
    }
    for name, (type_, keys) in points.items():
        for key in keys:
            for op in (">=", "=", "<", "!="):
                found.append(m.Compare(op, col(name, type_), m.Constant(key, type_)))  # type: ignore[arg-type]
        found.append(m.IsMissing(col(name, type_)))
    for name in ("word", "wide"):
        for text in ("w0", "w4", "w69", "nowhere"):
            found.append(m.Compare("=", col(name, TEXT), m.Constant(text, TEXT)))
    for name in ("few", "some", "many"):
        for text in ("w0", "w8", "w69", "nowhere"):
            found.append(m.Call("has_any", (col(name, LIST), m.Constant(text, TEXT)), BOOL))
    found += [col("flag", BOOL), m.Not(col("flag", BOOL)), m.IsMissing(col("flag", BOOL))]
    return found


def given(size: int) -> tuple[Any, Tables]:
    made = columns(size)
    contracts, _ = world({name: (column.type, []) for name, column in made.items()})
    return contracts, Tables({"customers": Loaded("customers", size, made)})


@pytest.mark.parametrize("size", SIZES)
def test_comparisons_of_every_width(size: int) -> None:
    contracts, tables = given(size)
    atoms = comparisons()
    mixed = [
        m.And((one, m.Or((two, m.Not(three))))) for one, two, three in zip(atoms, atoms[3:], atoms[11:], strict=False)
    ]
    ruleset = rules(contracts, *(Segment(f"s{n}", None, each, WRITTEN) for n, each in enumerate((*atoms, *mixed))))
    expected = evaluate(ruleset, tables, AS_OF, machine=False)
    for threads in (1, 3):
        assert_identical(expected, evaluate(ruleset, tables, AS_OF, machine=True, threads=threads))


@pytest.mark.parametrize("size", SIZES)
def test_kernels_stand_between(size: int) -> None:
    """Values that kernels make are compared, and predicates go into kernels."""
    contracts, tables = given(size)
    total = m.Arithmetic("+", col("byte", INTEGER), col("id", INTEGER), INTEGER)
    half = m.Arithmetic("/", col("byte", INTEGER), whole(2), NUMBER)
    big = m.Compare(">=", total, whole(size // 2))
    chosen = m.Case(((big, col("word", TEXT)),), col("wide", TEXT), TEXT)
    ruleset = rules(
        contracts,
        Attribute("total", None, total, WRITTEN),
        Attribute("chosen", None, chosen, WRITTEN),
        Segment("big", None, big, WRITTEN),
        Segment("same", None, m.Compare("=", total, whole(9)), WRITTEN),
        Segment("half", None, m.Compare("<", half, m.Constant(1.5, NUMBER)), WRITTEN),
        Segment("word", None, m.Compare("=", chosen, m.Constant("w3", TEXT)), WRITTEN),
        Segment("late", None, m.And((m.Not(big), m.Compare(">=", col("day", DATE), m.Constant(9, DATE)))), WRITTEN),
    )
    expected = evaluate(ruleset, tables, AS_OF, machine=False)
    for block in (8, 4096):
        assert_identical(expected, evaluate(ruleset, tables, AS_OF, machine=True, block_rows=block, threads=2))
    assert_identical(expected, evaluate_watched(ruleset, tables, AS_OF, machine=True)[0])


def test_blocks_of_large_programs_begin_where_answers_may_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_WORKSPACE", 1 << 16)
    monkeypatch.setattr(blocks, "_LEAST", 1 << 11)
    contracts, tables = given(13_001)
    atoms = [Segment(f"s{n}", None, each, WRITTEN) for n, each in enumerate(comparisons())]
    doubled = Attribute("doubled", None, m.Arithmetic("+", col("id", INTEGER), col("id", INTEGER), INTEGER), WRITTEN)
    ruleset = rules(contracts, doubled, *atoms)
    found = evaluate(ruleset, tables, AS_OF, machine=True, threads=2)
    assert_identical(evaluate(ruleset, tables, AS_OF, machine=False), found)


def test_a_watched_run_tells_what_each_comparison_took() -> None:
    ruleset, tables = customers_and_rules(5000, 40)
    plainly, (watched, profile) = (
        evaluate(ruleset, tables, AS_OF, machine=False),
        evaluate_watched(ruleset, tables, AS_OF, machine=True),
    )
    assert_same(plainly, watched)
    spent = dict(profile.seconds)
    assert profile.blocks == 1 and min(spent["compare"], spent["combine"], spent["write"]) > 0


def test_it_is_loaded_where_there_is_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fused.machine_code(fused.ONCE, False) is not None
    assert fused.machine_code(1, False) is not None
    assert fused.machine_code(fused.ONCE, True, False) is None
    monkeypatch.delitem(sys.modules, fused._MACHINE)
    assert fused.machine_code(fused.ONCE - 1, False) is None
    assert fused.machine_code(fused.AGAIN, True) is not None
    assert fused.machine_code(fused.AGAIN - 1, True) is None


def test_tables_evaluated_before_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(blocks, "machine_code", lambda work, again, wanted: asked.append(again))
    ruleset, tables = customers_and_rules(100, 20)
    for _ in range(2):
        evaluate(ruleset, tables, AS_OF)
    assert asked == [False, True]


def no_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "find_spec", lambda name: None)


def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.config.DISABLE_JIT", True)


def nowhere_to_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, fused._MACHINE, None)


@pytest.mark.parametrize("hindered", [no_numba, nothing_compiled, nowhere_to_keep_it])
def test_without_it_numpy_does_the_work(hindered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hindered(monkeypatch)
    fused._machine.cache_clear()
    try:
        assert fused.machine_code(fused.ONCE, True, True) is None
        ruleset, tables = customers_and_rules(100, 20)
        found = evaluate(ruleset, tables, AS_OF, machine=True)
        assert_same(evaluate(ruleset, tables, AS_OF, machine=False), found)
    finally:
        fused._machine.cache_clear()
