"""Comparisons, rows of bits and aggregates, many by one call: against one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import numpy as np
import pytest

from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.results import Results
from segrules.engine.vector import tallies
from segrules.engine.vector.aggregate import aggregate
from segrules.engine.vector.atoms import compared, holding
from segrules.engine.vector.bitrows import Atoms, Kind, planned
from segrules.engine.vector.evaluate import evaluate
from segrules.engine.vector.program import And, AtLeast, Not, Own, Program
from segrules.model import expr as m
from segrules.model.expr import CompareOp
from segrules.model.ruleset import Segment
from segrules.schema.types import (
    BOOL,
    DATE,
    INT64_MAX,
    INT64_MIN,
    INTEGER,
    LIST,
    NUMBER,
    TEXT,
    Decimal,
    Type,
    Value,
)  # fmt: skip
from segrules.tables.columns import Column
from segrules.tables.dense import dense
from tests.columns_of import column_of, values_of
from tests.test_vector import AS_OF, WRITTEN, col, rules, world

FAR = [INT64_MIN, -(2**31) - 1, -32_769, -129, -1, 0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32, INT64_MAX]
RANGES = [(0, 9), (-5, 5), (0, 300), (-300, 10), (0, 70_000), (-70_000, 0), (0, 2**40), (INT64_MIN, INT64_MAX)]


def answers(atoms: Atoms, fill: Any, rows: int, *given: Any) -> list[list[bool]]:
    width = (rows + 7) // 8
    matrix = np.full((atoms.first + len(atoms.keys) + 1, width), 0xAA, np.uint8)
    fill(given[0], matrix, width, *given[1:])
    assert (matrix[: atoms.first] == 0xAA).all()
    assert (matrix[atoms.first + len(atoms.keys) :] == 0xAA).all()
    found = np.unpackbits(matrix[atoms.first : atoms.first + len(atoms.keys)], axis=1, count=rows)
    return found.astype(bool).tolist()  # type: ignore[no-any-return]


def compare(atoms: Atoms, column: Column, scratch_rows: int, narrow: bool) -> list[list[bool]]:
    """The rows of *atoms*, by the column as it is, or in few bits."""
    own = dense(column) if narrow else None
    scratch = np.empty((scratch_rows, -(-len(column) // 8) * 8), np.bool_)
    made = compared(atoms, column.type, own, column.dictionary)
    return answers(atoms, made.fill, len(column), column.values if own is None else own.values, scratch)


@pytest.mark.parametrize("kind", ["at_least", "equal"])
@pytest.mark.parametrize("scratch", [1, 3, 100])
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("bounds", RANGES)
def test_whole_numbers_are_compared_at_the_width_they_need(
    kind: Kind, scratch: int, narrow: bool, bounds: tuple[int, int]
) -> None:
    random = Random(7)
    low, high = bounds
    values = [low, high, *(random.randint(low, high) for _ in range(18))]
    near = {*values[:5], low + 1, high - 1}
    keys = tuple(sorted({*FAR, *near}))
    found = compare(Atoms(0, kind, keys, 2, None), column_of(INTEGER, values), scratch, narrow)
    assert found == [[value >= key if kind == "at_least" else value == key for value in values] for key in keys]


@pytest.mark.parametrize(
    ("bounds", "dtype"),
    [((1_000, 1_255), "u1"), ((1_000, 1_256), "u2"), ((-9, 65_526), "u2"), ((-9, 65_527), "u4"), ((0, 2**32), "i8")],
)
def test_whole_numbers_stand_in_the_fewest_bytes(bounds: tuple[int, int], dtype: str) -> None:
    own = dense(column_of(INTEGER, [*bounds, None]))
    assert own is not None and own.known is not None
    low = min(bounds[0], 0)
    assert dense(column_of(INTEGER, list(bounds))).values.dtype == dtype  # type: ignore[union-attr]
    assert (own.values[:2].astype(np.int64) + own.base).tolist() == list(bounds) and own.base in (low, 0)
    assert np.unpackbits(own.known, count=3).tolist() == [1, 1, 0]


@pytest.mark.parametrize("kind", ["at_least", "equal"])
@pytest.mark.parametrize("narrow", [False, True])
def test_days_are_compared_with_keys_beyond_32_bits(kind: Kind, narrow: bool) -> None:
    days = [-5, 0, 20_000]
    keys = (-(2**40), -5, 1, 20_000, 20_001, 2**40)
    found = compare(Atoms(0, kind, keys, 0, None), column_of(DATE, days), 4, narrow)
    assert found == [[day >= key if kind == "at_least" else day == key for day in days] for key in keys]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("size", [1, 255, 256, 65_535, 65_536])
def test_texts_are_compared_by_codes_of_every_width(size: int, narrow: bool) -> None:
    texts = tuple(f"t{n}" for n in range(size))
    column = Column(TEXT, np.array([0, size - 1, size // 2], np.int32), None, texts)
    keys = ("", "nowhere", "t0", f"t{size - 1}")
    found = compare(Atoms(0, "equal", keys, 1, None), column, 2, narrow)
    assert found == [[column.at(row) == key for row in range(3)] for key in keys]


@pytest.mark.parametrize("longest", [2, 8, 9, 30])
@pytest.mark.parametrize("keys", [1, 8, 9, 17, 40, 64, 65, 140])
def test_lists_hold_texts(longest: int, keys: int) -> None:
    random = Random(longest * keys)
    words = [f"w{n}" for n in range(150)]
    lists: list[Value] = [tuple(random.sample(words, random.randint(0, longest))) for _ in range(43)]
    lists[0] = lists[17] = lists[-1] = ()
    column = column_of(LIST, lists)
    atoms = Atoms(0, "has", (*words[: keys - 1], "nowhere"), 1, None)
    found = answers(atoms, holding(atoms, None, column.dictionary).fill, 43, column)
    assert found == [[key in one for one in lists] for key in atoms.keys]  # type: ignore[operator]
    assert column.offsets is not None
    part = Column(LIST, column.values, None, column.dictionary, column.offsets[9:30])
    assert answers(atoms, holding(atoms, None, part.dictionary).fill, 20, part) == [row[9:29] for row in found]


@pytest.mark.parametrize("size", [1, 8, 9, 16, 17, 64])
def test_lists_of_few_texts_are_flags(size: int) -> None:
    random = Random(size)
    words = [f"w{n}" for n in range(size)]
    lists: list[Value] = [tuple(words), (), *(tuple(random.sample(words, random.randint(0, size))) for _ in range(31))]
    column = column_of(LIST, lists)
    own = dense(column)
    assert own is not None
    atoms = Atoms(0, "has", (*words[::-1], "nowhere"), 1, None)
    found = answers(atoms, holding(atoms, own, column.dictionary).fill, len(lists), own.values)
    assert found == [[key in one for one in lists] for key in atoms.keys]  # type: ignore[operator]


def predicate(random: Random, depth: int) -> m.Expr:
    """A predicate over columns with and without missing values."""
    if depth and random.random() < 0.6:
        parts = tuple(predicate(random, depth - 1) for _ in range(random.randint(2, 5)))
        return random.choice((m.And, m.Or))(parts)
    if depth and random.random() < 0.3:
        return m.Not(predicate(random, depth - 1))
    match random.randrange(6):
        case 0:
            op: CompareOp = random.choice((">=", "<", "="))
            return m.Compare(op, col("n", INTEGER), m.Constant(random.randint(0, 9), INTEGER))
        case 1:
            op = random.choice((">=", "<", "="))
            return m.Compare(op, col("d", Decimal(2)), m.Constant(random.randint(0, 900), Decimal(2)))
        case 2:
            options = tuple(m.Constant(f"c{n}", TEXT) for n in random.sample(range(12), random.randint(1, 11)))
            return m.In(col("city", TEXT), options)
        case 3:
            name, type_ = random.choice((("d", Decimal(2)), ("flag", BOOL), ("tags", LIST)))
            return m.IsMissing(col(name, type_))
        case 4:
            return col("flag", BOOL)
        case _:
            options = tuple(m.Constant(f"t{n}", TEXT) for n in random.sample(range(6), random.randint(1, 4)))
            return m.Call(random.choice(("has_any", "has_all")), (col("tags", LIST), *options), BOOL)


def customers_and_rules(size: int, count: int) -> tuple[Any, Any]:
    """Customers with every type of column, and *count* rules about them."""
    random = Random(11)

    def drawn(draw: Any) -> list[Value]:
        return [None if random.random() < 0.2 else draw() for _ in range(size)]

    columns: dict[str, tuple[Type, list[Value]]] = {
        "id": (INTEGER, list(range(size))),
        "n": (INTEGER, [random.randint(0, 9) for _ in range(size)]),
        "d": (Decimal(2), drawn(lambda: random.randint(0, 900))),
        "city": (TEXT, drawn(lambda: f"c{random.randrange(12)}")),
        "flag": (BOOL, drawn(lambda: random.random() < 0.5)),
        "tags": (LIST, drawn(lambda: tuple(f"t{n}" for n in random.sample(range(6), random.randint(0, 3))))),
    }
    contracts, tables = world(columns)
    return rules(contracts, *(Segment(f"s{n}", None, predicate(random, 3), WRITTEN) for n in range(count))), tables


def assert_same(expected: Results, found: Results) -> None:
    for name, membership in expected.segments.items():
        other = found.segments[name]
        assert other.true.ordinals().tolist() == membership.true.ordinals().tolist()
        assert other.true.count() == membership.true.count()
        unknown = [] if membership.unknown is None else membership.unknown.ordinals().tolist()
        assert ([] if other.unknown is None else other.unknown.ordinals().tolist()) == unknown


@pytest.mark.parametrize("machine", [False, True])
def test_hundreds_of_rules_in_one_program(machine: bool) -> None:
    ruleset, tables = customers_and_rules(45, 400)
    found = evaluate(ruleset, tables, AS_OF, block_rows=16, threads=2, machine=machine)
    assert_same(reference(ruleset, tables, AS_OF), found)


def test_rows_of_one_operation_are_made_together() -> None:
    program = Program()
    n = program.add("customers", Own("n"), INTEGER)
    atoms = [program.add("customers", AtLeast(n, key), BOOL) for key in (1, 2, 3)]
    denied = program.add("customers", Not(atoms[0]), BOOL)
    both = [program.add("customers", And((denied, atom)), BOOL) for atom in atoms[1:]]
    plan = planned(program, (*atoms, denied, *both), (n,), frozenset(both), frozenset())
    (stage,) = plan.stages
    assert [(one.kind, one.keys, one.known) for one in stage.atoms] == [("at_least", (1, 2, 3), None)]
    assert [(group.sign, len(group.inputs[0])) for group in stage.groups] == [("not", 1), ("and", 2)]
    (stage,) = planned(program, (*atoms, denied, *both), (n,), frozenset(both), frozenset([n])).stages
    assert [(group.sign, len(group.inputs[0])) for group in stage.groups] == [
        ("xor", 1),
        ("and", 2),
        ("xor", 2),
    ]


@pytest.mark.parametrize("strangers", [False, True])
def test_aggregates_that_share_their_work(strangers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_CHUNK", 16)
    monkeypatch.setattr(tallies, "_WORTH", 1000)
    random = np.random.default_rng(3)
    size, customers = 203, 9
    owner = random.integers(-1 if strangers else 0, customers - 1, size)
    age = random.integers(0, 100, size)
    whole = [None if draw < 0.2 else int(draw * 1000) - 500 for draw in random.random(size)]
    columns = {
        100: column_of(Decimal(2), whole),
        101: column_of(INTEGER, random.integers(-9, 9, size).tolist()),
        102: column_of(DATE, [None if one is None else one + 20_000 for one in whole]),
        103: column_of(NUMBER, [None if one is None else one / 7 for one in whole]),
    }
    filters = {200 + days: age < days for days in (0, 7, 30, 31, 99, 100)} | {
        500: (age < 30) & (random.random(size) < 0.5)
    }
    asked: list[tallies.Asked] = []
    for where in (None, *filters):
        for value, column in columns.items():
            for function in ("count", "sum", "avg", "min", "max"):
                if tallies.shares(function, column.type):
                    result: Type = INTEGER if function == "count" else NUMBER if function == "avg" else column.type
                    asked.append(tallies.Asked(len(asked), function, value, where, result))
        asked.append(tallies.Asked(len(asked), "count", None, where, INTEGER))
    truths = {where: np.packbits(mask) for where, mask in filters.items()}
    with ThreadPoolExecutor(2) as pool:
        found = dict(tallies.tallied(asked, columns, truths, owner, customers, pool))
    for one in asked:
        mask = None if one.where is None else filters[one.where]
        values = None if one.value is None else columns[one.value]
        expected = aggregate(one.function, values, mask, owner, customers, None, one.type)
        assert values_of(found[one.node]) == values_of(expected), one
        assert found[one.node].type == expected.type


def test_sums_that_might_not_fit_are_not_shared() -> None:
    assert tallies.sums_fit(column_of(INTEGER, [INT64_MAX // 2, 1]))
    assert not tallies.sums_fit(column_of(INTEGER, [INT64_MAX // 2 + 1, 1]))
    assert not tallies.sums_fit(column_of(INTEGER, [INT64_MIN, 0]))
    assert not tallies.sums_fit(column_of(NUMBER, [1.0]))
