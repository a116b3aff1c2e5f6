"""Comparisons, rows of bits and aggregates, many by one call: against one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import numpy as np
import pytest

from segrules.engine.reference.evaluate import evaluate as reference
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
from tests.columns_of import column_of, values_of
from tests.test_vector import AS_OF, WRITTEN, col, rules, world

FAR = [INT64_MIN, -(2**31) - 1, -32_769, -129, -1, 0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32, INT64_MAX]
RANGES = [(0, 9), (-5, 5), (0, 300), (-300, 10), (0, 70_000), (-70_000, 0), (0, 2**40), (INT64_MIN, INT64_MAX)]


def answers(atoms: Atoms, fill: Any, column: Column, scratch_rows: int) -> list[list[bool]]:
    rows = len(column)
    width = (rows + 7) // 8
    matrix = np.full((atoms.first + len(atoms.keys) + 1, width), 0xAA, np.uint8)
    fill(column, matrix, width, np.empty((scratch_rows, -(-rows // 8) * 8), np.bool_))
    assert (matrix[: atoms.first] == 0xAA).all()
    assert (matrix[atoms.first + len(atoms.keys) :] == 0xAA).all()
    found = np.unpackbits(matrix[atoms.first : atoms.first + len(atoms.keys)], axis=1, count=rows)
    return found.astype(bool).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["at_least", "equal"])
@pytest.mark.parametrize("scratch", [1, 3, 100])
@pytest.mark.parametrize("bounds", [*RANGES, None])
def test_whole_numbers_are_compared_at_the_width_they_need(
    kind: Kind, scratch: int, bounds: tuple[int, int] | None
) -> None:
    random = Random(7)
    low, high = bounds or (-1000, 1000)
    values = [low, high, *(random.randint(low, high) for _ in range(18))]
    near = {*values[:5], low + 1, high - 1}
    keys = tuple(sorted({*FAR, *near}))
    atoms = Atoms(0, kind, keys, 2, None)
    found = answers(atoms, compared(atoms, INTEGER, bounds, ()).fill, column_of(INTEGER, values), scratch)
    assert found == [[value >= key if kind == "at_least" else value == key for value in values] for key in keys]


@pytest.mark.parametrize("kind", ["at_least", "equal"])
def test_days_are_compared_with_keys_beyond_32_bits(kind: Kind) -> None:
    days = [-5, 0, 20_000]
    keys = (-(2**40), -5, 1, 20_000, 20_001, 2**40)
    for bounds in (None, (-5, 20_000)):
        atoms = Atoms(0, kind, keys, 0, None)
        found = answers(atoms, compared(atoms, DATE, bounds, ()).fill, column_of(DATE, days), 4)
        assert found == [[day >= key if kind == "at_least" else day == key for day in days] for key in keys]


@pytest.mark.parametrize("size", [1, 255, 256, 65_535, 65_536])
def test_texts_are_compared_by_codes_of_every_width(size: int) -> None:
    texts = tuple(f"t{n}" for n in range(size))
    column = Column(TEXT, np.array([0, size - 1, size // 2], np.int32), None, texts)
    keys = ("", "nowhere", "t0", f"t{size - 1}")
    atoms = Atoms(0, "equal", keys, 1, None)
    found = answers(atoms, compared(atoms, TEXT, None, texts).fill, column, 2)
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
    found = answers(atoms, holding(atoms, column.dictionary).fill, column, 1)
    assert found == [[key in one for one in lists] for key in atoms.keys]  # type: ignore[operator]
    assert column.offsets is not None
    part = Column(LIST, column.values, None, column.dictionary, column.offsets[9:30])
    assert answers(atoms, holding(atoms, part.dictionary).fill, part, 1) == [row[9:29] for row in found]


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


def test_hundreds_of_rules_in_one_program() -> None:
    random = Random(11)
    size = 45

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
    ruleset = rules(contracts, *(Segment(f"s{n}", None, predicate(random, 3), WRITTEN) for n in range(400)))
    expected, found = reference(ruleset, tables, AS_OF), evaluate(ruleset, tables, AS_OF, block_rows=16, threads=2)
    for name, membership in expected.segments.items():
        other = found.segments[name]
        assert other.true.ordinals().tolist() == membership.true.ordinals().tolist()
        assert other.true.count() == membership.true.count()
        unknown = [] if membership.unknown is None else membership.unknown.ordinals().tolist()
        assert ([] if other.unknown is None else other.unknown.ordinals().tolist()) == unknown


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
