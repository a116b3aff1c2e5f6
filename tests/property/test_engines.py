"""The bulk engine gives what the reference gives, on generated rule sets and tables.

Four thousand definitions a test, in rule sets of ten that use each other; `SEGRULES_EXAMPLES` multiplies the number of
rule sets and then tries other ones each time (`make fuzz`).
"""

from __future__ import annotations

import math
import os
from importlib.util import find_spec
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules.diagnostics.diagnostic import Argument, Diagnostic
from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.results import CutPoints, Membership, Results
from segrules.engine.vector.evaluate import evaluate as vector
from segrules.errors import RunStopped
from segrules.model.ruleset import Attribute, RuleSet
from segrules.schema.types import Number
from segrules.tables.columns import Column, Loaded, Tables
from tests.property.generators import AS_OF, World, is_approximate, world
from tests.property.rulesets import ruleset

EXAMPLES = 400 * int(os.environ.get("SEGRULES_EXAMPLES", "1"))
DEFINITIONS = 10
MACHINES = (False, True) if find_spec("numba") else (False,)
slow = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="SEGRULES_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
seeds = st.integers(0, 2**48)


def generated(seed: int) -> tuple[World, RuleSet]:
    random = Random(seed)
    made = world(random)
    return made, ruleset(random, made, DEFINITIONS)


@slow
@given(seeds)
def test_bulk_equals_reference(seed: int) -> None:
    made, rules = generated(seed)
    try:
        expected = reference(rules, made.tables, AS_OF)
    except RunStopped as stopped:
        for machine in MACHINES:
            with pytest.raises(RunStopped) as caught:
                vector(rules, made.tables, AS_OF, machine=machine)
            assert [told(one) for one in caught.value.diagnostics] == [told(one) for one in stopped.diagnostics]
        return
    for machine in MACHINES:
        assert_equal(rules, expected, vector(rules, made.tables, AS_OF, machine=machine), exactly=False)


def told(diagnostic: Diagnostic) -> Argument | None:
    """The definition that stopped the run. In one that overflows and is not unique either may be told first."""
    assert diagnostic.code in ("D850", "D851", "D852")
    return diagnostic.args.get("definition", diagnostic.args.get("segmentation"))


def assert_equal(rules: RuleSet, expected: Results, found: Results, exactly: bool) -> None:
    """Every part of two results. What is rounded more than once agrees to 1e-12, unless *exactly*."""
    rows = range(expected.customers)
    for name, membership in (*expected.segments.items(), *expected.lists.items()):
        other = found.lists[name] if name in found.lists else found.segments[name]
        assert bits(other) == bits(membership), (name, rules.definitions[name])
    for name, assignment in expected.segmentations.items():
        other_assignment = found.segmentations[name]
        assert other_assignment.ids == assignment.ids, name
        assert other_assignment.codes.dtype == np.uint16
        assert other_assignment.codes.tolist() == assignment.codes.tolist(), rules.definitions[name]
        assert other_assignment.passed_unknown == assignment.passed_unknown, rules.definitions[name]
    assert found.values.keys() == expected.values.keys()
    for name, column in expected.values.items():
        definition = rules.definitions[name.partition(".")[0]]
        loosely = not exactly and isinstance(definition, Attribute) and is_approximate(definition.value)
        other_column = found.values[name]
        assert other_column.type == column.type
        assert len(other_column) == len(column)
        for row in rows:
            assert same(other_column, column, row, loosely), (
                name, row, other_column.at(row), column.at(row), definition,
            )  # fmt: skip
    assert [cuts(points) for points in found.cut_points] == [cuts(points) for points in expected.cut_points]
    assert sorted(map(repr, found.warnings)) == sorted(map(repr, expected.warnings))
    assert found.population.keys() == expected.population.keys()


def cuts(points: CutPoints) -> tuple[object, ...]:
    groups = {group.by: group for group in points.groups}
    return points.definition, points.function, points.type, groups, points.coincide


def bits(membership: Membership) -> tuple[list[int], list[int]]:
    unknown = membership.unknown
    if unknown is not None:
        assert unknown.count(), "no unknown bits are None"
    return membership.true.ordinals().tolist(), [] if unknown is None else unknown.ordinals().tolist()


def same(found: Column, expected: Column, row: int, loosely: bool) -> bool:
    a, b = found.at(row), expected.at(row)
    if not loosely or not isinstance(expected.type, Number) or a is None or b is None:
        return a == b and type(a) is type(b)
    assert isinstance(a, float) and isinstance(b, float)
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-9)


@slow
@given(seeds)
def test_blocks_and_threads_change_nothing(seed: int) -> None:
    made, rules = generated(seed)
    try:
        whole = vector(rules, made.tables, AS_OF, threads=1)
    except RunStopped as stopped:
        with pytest.raises(RunStopped) as caught:
            vector(rules, made.tables, AS_OF, block_rows=8, threads=3)
        assert caught.value.diagnostics == stopped.diagnostics
        return
    assert_equal(rules, whole, vector(rules, made.tables, AS_OF, block_rows=8, threads=3), exactly=True)


@slow
@given(seeds)
def test_order_of_rows_changes_nothing(seed: int) -> None:
    """Rows of related tables in another order; customers always stand in key order."""
    made, rules = generated(seed)
    try:
        before = vector(rules, made.tables, AS_OF)
    except RunStopped:
        return
    assert_equal(rules, before, vector(rules, reordered(made.tables, seed), AS_OF), exactly=False)


def reordered(tables: Tables, seed: int) -> Tables:
    random = np.random.default_rng(seed)
    order = {name: random.permutation(tables.tables[name].rows) for name in ("orders", "lines", "cities", "regions")}
    place = {name: np.argsort(rows) for name, rows in order.items()}
    above = {"orders": "customers", "lines": "orders"}
    refers = {"city": "cities", "shop": "cities", "region": "regions"}
    found = {}
    for name, loaded in tables.tables.items():
        rows = order.get(name, np.arange(loaded.rows))
        parent = loaded.parent
        if parent is not None:
            parent = moved(parent[rows], place.get(above[name]))
        links = {each: moved(ordinals[rows], place[refers[each]]) for each, ordinals in loaded.references.items()}
        columns = {each: column.take(rows) for each, column in loaded.columns.items()}
        found[name] = Loaded(name, loaded.rows, columns, parent, links)
    return Tables(found, lists=tables.lists)


def moved(ordinals: np.ndarray, place: np.ndarray | None) -> np.ndarray:
    if place is None or not len(place):
        return ordinals
    return np.where(ordinals < 0, -1, place[ordinals])


@slow
@given(seeds)
def test_only_gives_the_same(seed: int) -> None:
    made, rules = generated(seed)
    name = f"d{seed % DEFINITIONS}"
    try:
        expected = reference(rules, made.tables, AS_OF, only=[name])
    except RunStopped:
        return
    assert_equal(rules, expected, vector(rules, made.tables, AS_OF, only=[name]), exactly=False)
