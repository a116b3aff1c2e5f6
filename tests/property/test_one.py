"""One customer at a time gives what the reference gives, on generated rule sets and tables.

The customers and their rows go in as Python values, as a service has them; functions of the population are placed by
the cut points of the reference's run. `SEGRULES_EXAMPLES` multiplies the number of rule sets.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules.engine.needs import needed
from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.results import Results
from segrules.engine.scalar.population import CUT, thresholds
from segrules.engine.vector.evaluate import evaluate as vector
from segrules.errors import RunStopped, WrongUsage
from segrules.schema.types import LIST, TEXT, Value
from segrules.tables.bind import at
from segrules.tables.columns import Column, Loaded, Tables
from tests.columns_of import column_of
from tests.one_by_one import RANKS, Rows, evaluator, without
from tests.property.generators import AS_OF, World, world
from tests.property.rulesets import ruleset

EXAMPLES = 300 * int(os.environ.get("SEGRULES_EXAMPLES", "1"))
slow = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="SEGRULES_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def joined(tables: Tables) -> Tables:
    """The tables with columns that say what the ordinals of parents say, and without empty items of lists."""
    found = {name: replace(one, columns=filled(one.columns)) for name, one in tables.tables.items()}
    for name, by, up, key in (("orders", "cid", "customers", "id"), ("lines", "of", "orders", "oid")):
        own = found[name]
        assert own.parent is not None
        keys = [None if row < 0 else found[up].columns[key].at(row) for row in own.parent.tolist()]
        columns = {**own.columns, by: column_of(TEXT, keys)}
        found[name] = Loaded(name, own.rows, columns, own.parent, own.references)
    return Tables(found, lists=tables.lists)


def filled(columns: Mapping[str, Column]) -> dict[str, Column]:
    found = dict(columns)
    for name, one in columns.items():
        if one.type == LIST:
            items = [one.at(row) for row in range(len(one))]
            kept = [tuple(item for item in each if item) if isinstance(each, tuple) else None for each in items]
            found[name] = column_of(LIST, kept)
    return found


@slow
@given(st.integers(0, 2**48))
def test_one_equals_reference(seed: int) -> None:
    random = Random(seed)
    made: World = world(random)
    rules, tables = ruleset(random, made, 10), joined(made.tables)
    existing = at(rules, tables, AS_OF)
    names = without(rules, rules.definitions, RANKS)
    try:
        results: Results | None = reference(rules, existing, AS_OF, only=names)
    except RunStopped:
        results = None
        names = without(rules, rules.definitions, (*RANKS, *CUT))
    one = evaluator(rules, tables, names, results)
    rows = Rows(rules, tables)
    keys = made.tables.tables["customers"].columns["id"]
    try:
        results = results or reference(rules, existing, AS_OF, only=names)
    except RunStopped as stopped:
        (expected,) = stopped.diagnostics
        if expected.code == "D851":
            return
        ordinal = [keys.at(row) for row in range(len(keys))].index(expected.args["customer"])
        own, related = rows.customer(ordinal)
        with pytest.raises(RunStopped) as caught:
            one.one(own, AS_OF, **related)
        (found,) = caught.value.diagnostics
        told = ("definition", "segmentation", "first", "second", "customer")
        assert (found.code, *map(found.args.get, told)) == (expected.code, *map(expected.args.get, told))
        return
    for ordinal in range(results.customers):
        own, related = rows.customer(ordinal)
        answer = one.one(own, AS_OF, **related)
        assert plain(answer) == wanted(results, ordinal), one.source


def plain(answer: Any) -> dict[str, tuple[type, Value]]:
    found = {**answer.segments, **answer.lists, **answer.cases, **answer.stored}
    return {name: (type(value), value) for name, value in found.items()}


def wanted(results: Results, ordinal: int) -> dict[str, tuple[type, Value]]:
    found: dict[str, Value] = {name: column.at(ordinal) for name, column in results.values.items()}
    for name, one in (*results.segments.items(), *results.lists.items()):
        unknown = one.unknown is not None and bool(one.unknown.mask()[ordinal])
        found[name] = None if unknown else bool(one.true.mask()[ordinal])
    for name, assignment in results.segmentations.items():
        found[name] = assignment.ids[int(assignment.codes[ordinal])]
    return {name: (type(value), value) for name, value in found.items()}


@settings(slow, max_examples=EXAMPLES // 5)
@given(st.integers(0, 2**48))
def test_what_needs_everybody_is_refused_by_name(seed: int) -> None:
    random = Random(seed)
    made = world(random)
    rules = ruleset(random, made, 10)
    refused = [name for name in rules.definitions if name not in without(rules, rules.definitions, (*RANKS, *CUT))]
    for name in refused:
        with pytest.raises(WrongUsage) as stopped:
            evaluator(rules, made.tables, [name], None)
        told = {one.args["definition"] for one in stopped.value.diagnostics}
        assert told <= set(needed(rules, [name])) and told
        assert {one.code for one in stopped.value.diagnostics} <= {"D880", "D881"}


@settings(slow, max_examples=EXAMPLES // 5)
@given(st.integers(0, 2**48))
def test_both_engines_cut_at_the_same_thresholds(seed: int) -> None:
    random = Random(seed)
    made = world(random)
    rules = ruleset(random, made, 10)
    try:
        results = reference(rules, made.tables, AS_OF)
    except RunStopped:
        return
    assert thresholds(rules, vector(rules, made.tables, AS_OF)) == thresholds(rules, results)
