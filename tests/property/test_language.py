"""Whole rule files as people write them, from text to results: what holds for every one of them.

In: generated rule files (`rulefiles`, `writing`) and tables that keep their contract (`projects`).  Out: failures.
Always: parser, checker, binding and both engines are the real ones. `SEGRULES_EXAMPLES` multiplies the number of files
and then tries other ones each time (`make fuzz`).
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules import pipeline
from segrules.check.missing import can_be_missing
from segrules.check.rulesets import check
from segrules.diagnostics.catalogue import help_text, message
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.engine.needs import expressions
from segrules.engine.reference.evaluate import evaluate as by_rows
from segrules.engine.results import CutPoints, Membership, Results
from segrules.engine.vector.evaluate import evaluate as in_bulk
from segrules.errors import RunStopped
from segrules.files.load import load
from segrules.model import expr as m
from segrules.model.ruleset import Definition, RuleSet, Segment
from segrules.schema.calendar import from_date
from segrules.schema.types import BOOL
from segrules.source import Source
from segrules.syntax.keywords import Language
from segrules.syntax.parser import parse_expression
from segrules.syntax.printer import print_expression
from segrules.tables.bind import at
from segrules.tables.columns import Tables
from tests.property.damage import damaged
from tests.property.laws import equals, laws
from tests.property.partitions import covering
from tests.property.projects import DAYS, ZONES, data, project
from tests.property.rulefiles import File, rules, whole

FACTOR = int(os.environ.get("SEGRULES_EXAMPLES", "1"))
DEFINITIONS = 8
seeds = st.integers(0, 2**48)


def several(examples: int) -> settings:
    return settings(
        max_examples=examples * FACTOR, deadline=None, derandomize="SEGRULES_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip


class Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(body: Mapping[str, Any]) -> str:
    return str(yaml.dump(body, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10_000))


@contextmanager
def folder_of(zone: str, text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "segrules.yaml").write_text(as_yaml(project(zone)), encoding="utf-8")
        (folder / "rules" / "rules.yaml").write_text(text, encoding="utf-8")
        yield folder


def examined(zone: str, text: str) -> tuple[RuleSet | None, list[Diagnostic]]:
    with folder_of(zone, text) as folder:
        read, found = load(folder)
        ruleset, more = check(read)
    return ruleset, [*found, *more]


def checked(zone: str, body: Mapping[str, Any]) -> RuleSet:
    ruleset, found = examined(zone, as_yaml(body))
    found = [one for one in found if one.code != "T430"]
    shown = [f"{one.code} {message(one, 'en')}: {one.span.source.text[:600]}" for one in found]
    assert ruleset is not None and not found, "\n".join(["rules that mean something are refused:", *shown])
    return ruleset


@dataclass(frozen=True, slots=True)
class World:
    """`approximate`: attributes whose values are rounded more than once."""

    zone: str
    day: int
    body: dict[str, Any]
    approximate: set[str]
    ruleset: RuleSet
    given: dict[str, pa.Table]
    bound: Tables

    @property
    def existing(self) -> Tables:
        return at(self.ruleset, self.bound, self.day)


def world(seed: int) -> World:
    random = Random(seed)
    body, approximate = rules(random, DEFINITIONS)
    return world_of(random, body, approximate)


def world_of(random: Random, body: dict[str, Any], approximate: set[str]) -> World:
    zone = random.choice(ZONES)
    day = from_date(pd.Timestamp(random.choice(DAYS)).date())
    ruleset = checked(zone, body)
    given = data(random, zone)
    return World(zone, day, body, approximate, ruleset, given, pipeline.bind(ruleset, given))


@several(150)
@given(seeds)
def test_engines_agree_on_rules_as_written(seed: int) -> None:
    """Both engines: the same sets, values and cut points; or both stop, which only overflow and `unique` may do."""
    made = world(seed)
    try:
        expected = by_rows(made.ruleset, made.existing, made.day)
    except RunStopped as stopped:
        with pytest.raises(RunStopped) as caught:
            in_bulk(made.ruleset, made.existing, made.day)
        assert {one.code for one in (*stopped.diagnostics, *caught.value.diagnostics)} <= {"D850", "D851", "D852"}
        return
    assert_equal(made, expected, in_bulk(made.ruleset, made.existing, made.day))


def assert_equal(made: World, expected: Results, found: Results, exactly: bool = False) -> None:
    definitions = made.ruleset.definitions
    assert [found.keys.at(row) for row in range(found.customers)] == [
        expected.keys.at(row) for row in range(expected.customers)
    ]
    for name, membership in expected.segments.items():
        assert bits(found.segments[name]) == bits(membership), definitions[name]
    for name, assignment in expected.segmentations.items():
        other = found.segmentations[name]
        assert (other.ids, other.codes.tolist()) == (assignment.ids, assignment.codes.tolist()), definitions[name]
        assert other.passed_unknown == assignment.passed_unknown, definitions[name]
    assert found.values.keys() == expected.values.keys()
    for name, column in expected.values.items():
        loosely = not exactly and name in made.approximate
        for row in range(expected.customers):
            a, b = found.values[name].at(row), column.at(row)
            assert same(a, b, loosely), (name, row, a, b, made.ruleset.definitions[name.partition(".")[0]])
    assert [cuts(one) for one in found.cut_points] == [cuts(one) for one in expected.cut_points]
    assert sorted(one.code for one in found.warnings) == sorted(one.code for one in expected.warnings)


def same(a: object, b: object, loosely: bool) -> bool:
    if loosely and isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-9)
    return a == b and type(a) is type(b)


def bits(membership: Membership) -> tuple[list[int], list[int]]:
    unknown = membership.unknown
    return membership.true.ordinals().tolist(), [] if unknown is None else unknown.ordinals().tolist()


def cuts(points: CutPoints) -> tuple[object, ...]:
    return points.definition, points.function, points.type, {one.by: one for one in points.groups}, points.coincide


def results(made: World) -> Results | None:
    try:
        return in_bulk(made.ruleset, made.existing, made.day)
    except RunStopped:
        return None


@several(60)
@given(seeds)
def test_what_is_never_missing_never_is(seed: int) -> None:
    """Every part of every expression of which the checker says so; inside aggregates for the rows of each customer."""
    made = world(seed)
    if results(made) is None:
        return
    promised: dict[str, Definition] = {}

    def promise(node: m.Expr, table: str) -> None:
        if not can_be_missing(node):
            test: m.Expr = m.IsMissing(node)
            if table != "customers":
                test = m.Aggregate("any", table, None, test, BOOL)
            name = f"promise {len(promised)}"
            promised[name] = Segment(name, None, test, node)  # type: ignore[arg-type]
        for child in m.children(node):
            promise(child, node.table if isinstance(node, m.Aggregate) else table)

    for definition in made.ruleset.definitions.values():
        for one in expressions(definition):
            promise(one, "customers")
    both = replace(made.ruleset, definitions={**made.ruleset.definitions, **promised})
    found = in_bulk(both, made.existing, made.day)
    for name in promised:
        assert bits(found.segments[name]) == ([], []), promised[name]


@several(60)
@given(seeds)
def test_order_of_rows_blocks_and_threads_change_nothing(seed: int) -> None:
    made = world(seed)
    expected = results(made)
    order = np.random.default_rng(seed)
    given = {name: table.take(order.permutation(table.num_rows)) for name, table in made.given.items()}
    if seed % 2:
        given = {name: table.to_pandas(types_mapper=pd.ArrowDtype) for name, table in given.items()}
    again = replace(made, bound=pipeline.bind(made.ruleset, given))
    if expected is None:
        assert results(again) is None
        return
    found = results(again)
    assert found is not None
    assert_equal(made, expected, found)
    in_blocks = in_bulk(made.ruleset, made.existing, made.day, block_rows=8, threads=3)
    assert_equal(made, expected, in_blocks, exactly=True)


@several(40)
@given(seeds)
def test_the_other_language_says_the_same(seed: int) -> None:
    made = world(seed)
    expected = results(made)
    for language in ("en", "zh"):
        body = printed(made.body, language)
        again = replace(made, body=body, ruleset=checked(made.zone, body))
        found = results(again)
        assert (found is None) == (expected is None)
        if expected is not None and found is not None:
            assert_equal(again, expected, found, exactly=True)


def printed(body: Any, language: Language, key: str = "") -> Any:
    """*body* with every expression in one language; cells and parameters as they are."""
    if isinstance(body, dict):
        kept = ("parameters", "bands", "rows")
        return {name: one if name in kept else printed(one, language, name) for name, one in body.items()}
    if isinstance(body, list):
        return [printed(one, language, key) for one in body]
    if isinstance(body, str) and key in ("value", "when", "of", "columns"):
        tree, found = parse_expression(Source("", body))
        assert not found, body
        return print_expression(tree, language)
    return body


@several(100)
@given(seeds)
def test_laws(seed: int) -> None:
    """Different ways to say the same give the same: for customers who are in, out, and for whom it is unknown."""
    random = Random(seed)
    file = File(random)
    pairs = [*laws(file), equals(file)]
    for number, (one, other) in enumerate(pairs):
        file.add("attributes", f"one{number}", {"value": one})
        file.add("attributes", f"other{number}", {"value": other})
    made = world_of(random, whole(random, file.body), set())
    found = results(made)
    if found is None:
        return
    for number, pair in enumerate(pairs):
        left, right = found.values[f"one{number}"], found.values[f"other{number}"]
        for row in range(found.customers):
            a, b = left.at(row), right.at(row)
            assert same(a, b, loosely=True), (pair, row, a, b)


@several(150)
@given(seeds)
def test_damaged_rules_give_diagnostics(seed: int) -> None:
    """Tokens lost, doubled, swapped or put in from elsewhere: a meaning, or findings at places inside the files."""
    random = Random(seed)
    body, _ = rules(random, 4)
    text = as_yaml(damaged(random, body) if random.random() < 0.8 else body)
    if random.random() < 0.4:
        place = random.randrange(len(text))
        text = text[:place] + random.choice(("", "'", "\n", ": ", "[", "  ", "#", "\t", "&a ")) + text[place + 1 :]
    ruleset, found = examined(random.choice(ZONES), text)
    assert ruleset is not None or found
    for one in found:
        for span in (one.span, *one.also):
            file = span.in_file()
            assert 0 <= file.start <= file.end <= len(file.source.text), one
            assert file.source.name in ("segrules.yaml", "rules/rules.yaml"), one
            assert span.place.line >= 1
        for language in ("en", "zh"):
            said = message(one, language)
            assert said and "\n" not in said and not re.search(r"Untyped\(|Decimal\(|Literal\(|\bNone\b", said), said
            help_text(one, language)


def test_what_findings_quote_is_short_and_on_one_line() -> None:
    body = {"segments": {"a": {"when": "kind = 'A\nB" + "C" * 5000 + "'"}}}
    ruleset, found = examined("UTC", as_yaml(whole(Random(1), body)))
    assert ruleset is None and [one.code for one in found] == ["T407"]
    said = message(found[0], "en")
    assert len(said) < 300 and len(said.splitlines()) == 1


@several(60)
@given(seeds)
def test_what_leaves_nobody_over_leaves_nobody_over(seed: int) -> None:
    """Segmentations without `otherwise` that the checker accepts: everybody ends in a case."""
    random = Random(seed)
    segmentations: dict[str, Any] = {}
    for number in range(8):
        axes = [covering(random) for _ in range(random.choice((1, 1, 2)))]
        if random.random() < 0.5 and len(axes) == 2:
            bands = [{f"b{at}": cell for at, cell in enumerate(cells)} for _, cells in axes]
            spots = [{"one": a, "two": b, "segment": "in"} for a in bands[0] for b in bands[1]]
            named = zip(("one", "two"), axes, bands, strict=True)
            body = {"axes": {name: {"of": of, "bands": each} for name, (of, _), each in named}, "cells": spots}
        else:
            rows = [[cell] for cell in axes[0][1]]
            for _, cells in axes[1:]:
                rows = [[*row, cell] for row in rows for cell in cells]
            body = {"columns": [of for of, _ in axes], "outputs": ["segment"], "rows": [[*row, "in"] for row in rows],
                    "hit_policy": "first"}  # fmt: skip
        segmentations[f"s{number}"] = body
    text = as_yaml(whole(random, {"segmentations": segmentations}))
    _, found = examined(random.choice(ZONES), text)
    assert {one.code for one in found} <= {"R551", "R552", "R553", "R556"}, found
    refused = {re.findall(r"(?m)^  (s\d):$", text[: one.span.in_file().start + 3])[-1] for one in found}
    kept = {name: body for name, body in segmentations.items() if name not in refused}
    made = world_of(random, whole(random, {"segmentations": kept}), set())
    found_by_rows = by_rows(made.ruleset, made.existing, made.day)
    found_in_bulk = in_bulk(made.ruleset, made.existing, made.day)
    assert_equal(made, found_by_rows, found_in_bulk)
    for assignment in found_in_bulk.segmentations.values():
        assert assignment.ids == ("in",) and not assignment.codes.any()
