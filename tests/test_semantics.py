"""The meaning of the language, case by case, on every engine.

`tests/cases/semantics/*.yaml` and the fenced `semantics` blocks of docs/language.md and its chapters hold the cases;
several documents a file.  A document gives tables and what must come out:

    table: {id: [1, 2, 3], spend: [100, missing, 20]}                  # the customers; the first column is the key
    types: {spend: decimal(2)}                                         # else by what the values look like
    tables: {orders: {key: …, belongs_to: …, time: …, types: …, rows: {order_id: […], …}}}
    cases: {spend > 50: {true: [1], unknown: [2]}}                     # keys of the customers
    values: {spend + 1: [101, missing, 21]}                            # a value per customer
    stops: {spend * big: D850}                                         # the run stops with this code
    run_stops: {lifecycle: D852}                                       # the same for a definition of `rules`
    rules: {segmentations: …}                                          # the body of a rule file
    expect: {lifecycle: [new, old, old]}                               # a value per customer for each name
    passed_unknown: {lifecycle: {new: 1}}
    cuts: {score: [[20, 40]]}                                          # cut points per group
    warnings: [D853]
    empty_bands: {score: [2, 3]}                                       # those that D853 names
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.engine.results import Results
from segrules.errors import RunStopped
from segrules.model.ruleset import Attribute, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.functions import FUNCTIONS
from segrules.schema.types import BOOL, TEXT, Number, Type, Value
from segrules.source import Source
from segrules.syntax.expr import Call
from segrules.syntax.expr import Expr as Written
from segrules.syntax.parser import parse_expression
from tests import building

HERE = Path(__file__).parent
CASES = HERE / "cases" / "semantics"
PAGES = (HERE.parent / "docs" / "language.md", *sorted((HERE.parent / "docs" / "language").glob("*.md")))
ENGINES = {
    "reference": "segrules.engine.reference.evaluate",
    "vector": "segrules.engine.vector.evaluate",
    "one by one": "tests.one_by_one",
}
ROUNDED_TWICE = re.compile(r"\b(sum|avg|stddev|sqrt|ln|exp|power)\(")


def scenarios() -> dict[str, building.Scenario]:
    found: dict[str, building.Scenario] = {}
    for file in sorted(CASES.glob("*.yaml")):
        for number, text in enumerate(re.split(r"^---\n", file.read_text(encoding="utf-8"), flags=re.M), start=1):
            if text.strip():
                found[f"{file.stem}-{number}"] = building.Scenario.read(text)
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = re.findall(r"^```semantics\n(.*?)^```", pages, re.M | re.S)
    return found | {f"docs-{number}": building.Scenario.read(text) for number, text in enumerate(blocks, start=1)}


SCENARIOS = scenarios()
Evaluate = Callable[..., Results]


@pytest.fixture(params=ENGINES)
def evaluate(request: pytest.FixtureRequest) -> Evaluate:
    found: Evaluate = import_module(ENGINES[request.param]).evaluate
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    @cache
    def build(name: str) -> Any:
        scenario = SCENARIOS[name]
        ruleset = building.ruleset(scenario, tmp_path_factory.mktemp(name), rules_of(scenario))
        return ruleset, building.tables(scenario, ruleset)

    return build


def rules_of(scenario: building.Scenario) -> dict[str, Any]:
    """The rule file: the case's own rules, and a definition for every expression."""
    rules = dict(scenario.typed.get("rules", {}))
    segments, attributes = dict(rules.get("segments", {})), dict(rules.get("attributes", {}))
    segments |= {name: {"when": expression} for name, expression in numbered(scenario, "cases")}
    attributes |= {name: {"value": expression} for name, expression in numbered(scenario, "values")}
    attributes |= {name: {"value": expression} for name, expression in numbered(scenario, "stops")}
    parameters = scenario.typed.get("parameters", {})
    wanted = rules | {"segments": segments, "attributes": attributes}
    if parameters:
        wanted["parameters"] = {name: {"value": value} for name, value in parameters.items()}
    return {key: value for key, value in wanted.items() if value}


def numbered(scenario: building.Scenario, key: str) -> list[tuple[str, str]]:
    return [(f"{key}_{number}", text) for number, text in enumerate(scenario.plain.get(key, {}))]


@pytest.mark.parametrize("name", SCENARIOS)
def test_case(name: str, evaluate: Evaluate, built: Callable[[str], Any]) -> None:
    scenario = SCENARIOS[name]
    ruleset, tables = built(name)
    stops = {definition: scenario.plain["stops"][text] for definition, text in numbered(scenario, "stops")}
    stops |= scenario.plain.get("run_stops", {})
    results = evaluate(ruleset, tables, scenario.as_of, only=[one for one in ruleset.definitions if one not in stops])
    wrong = [
        *wrong_truths(scenario, results),
        *wrong_values(scenario, ruleset, results),
        *wrong_rest(scenario, results),
    ]
    assert not wrong, "\n".join(["", *wrong])
    for definition, code in stops.items():
        with pytest.raises(RunStopped) as stopped:
            evaluate(ruleset, tables, scenario.as_of, only=[definition])
        assert [one.code for one in stopped.value.diagnostics] == [code], definition


def wrong_truths(scenario: building.Scenario, results: Results) -> Iterator[str]:
    keys = scenario.tables()["customers"]["rows"]
    written = keys[next(iter(keys))]
    order = building.file_order(scenario)
    for name, expression in numbered(scenario, "cases"):
        expected = scenario.plain["cases"][expression]
        membership = results.segments[name]
        true = membership.true.mask()
        unknown = None if membership.unknown is None else membership.unknown.mask()
        got_true = [key for key, row in zip(written, order, strict=True) if true[row]]
        got_unknown = [key for key, row in zip(written, order, strict=True) if unknown is not None and unknown[row]]
        if got_true != list(expected.get("true", [])) or got_unknown != list(expected.get("unknown", [])):
            yield f"{expression}: true {got_true}, unknown {got_unknown}; expected {expected}"


def wrong_values(scenario: building.Scenario, ruleset: Any, results: Results) -> Iterator[str]:
    order = building.file_order(scenario)
    wanted = [
        (name, expression, scenario.plain["values"][expression]) for name, expression in numbered(scenario, "values")
    ]
    wanted += [(name, name, expected) for name, expected in scenario.plain.get("expect", {}).items()]
    for name, expression, expected in wanted:
        type_ = type_of(ruleset, name)
        got = [value_at(results, name, row) for row in order]
        right = [building.stored(text, type_, scenario.zone) for text in expected]
        close = bool(ROUNDED_TWICE.search(expression))
        if len(got) != len(right) or not all(same(a, b, type_, close) for a, b in zip(got, right, strict=True)):
            yield f"{expression} ({type_}): got {got}, expected {right}"


def same(got: Value, expected: Value, type_: Type, close: bool) -> bool:
    if isinstance(type_, Number) and isinstance(got, float) and isinstance(expected, float):
        return math.isclose(got, expected, rel_tol=1e-12, abs_tol=1e-300) if close else got == expected
    return got == expected and type(got) is type(expected)


def type_of(ruleset: Any, name: str) -> Type:
    match ruleset.definitions.get(name):
        case Attribute(value=value):
            return value.type  # type: ignore[no-any-return]
        case Segment() | StaticList():
            return BOOL
        case Segmentation():
            return TEXT
        case Scorecard(type=type_):
            return type_  # type: ignore[no-any-return]
        case _:
            segmentation, _, output = name.rpartition(".")
            return dict(ruleset.definitions[segmentation].outputs)[output]  # type: ignore[no-any-return]


def value_at(results: Results, name: str, row: int) -> Value:
    if name in results.values:
        return results.values[name].at(row)
    if name in results.segmentations:
        assignment = results.segmentations[name]
        return assignment.ids[int(assignment.codes[row])]
    membership = results.segments.get(name) or results.lists[name]
    unknown = membership.unknown is not None and bool(membership.unknown.mask()[row])
    return None if unknown else bool(membership.true.mask()[row])


def wrong_rest(scenario: building.Scenario, results: Results) -> Iterator[str]:
    for name, expected in scenario.plain.get("passed_unknown", {}).items():
        got = {case: count for case, count in results.segmentations[name].passed_unknown.items() if count}
        if got != {case: int(count) for case, count in expected.items()}:
            yield f"{name} passed unknown: {got}, expected {expected}"
    for name, groups in scenario.plain.get("cuts", {}).items():
        found = [points for points in results.cut_points if points.definition == name]
        got_cuts = [[*group.cuts] for points in found for group in points.groups]
        right = [[float(cut) for cut in group] for group in groups]
        if got_cuts != right:
            yield f"{name} cuts: {got_cuts}, expected {right}"
    if "empty_bands" in scenario.plain:
        named = {str(one.args["definition"]): str(one.args["bands"]).split(", ") for one in results.warnings}
        if named != scenario.plain["empty_bands"]:
            yield f"empty bands: {named}, expected {scenario.plain['empty_bands']}"
    if "warnings" in scenario.plain:
        codes = [one.code for one in results.warnings]
        if codes != list(scenario.plain["warnings"]):
            yield f"warnings: {codes}, expected {scenario.plain['warnings']}"


def calls(node: object) -> Iterator[str]:
    """The canonical names of the functions called anywhere in a written expression."""
    match node:
        case Call(function=function):
            yield function
    for field in getattr(node, "__dataclass_fields__", {}):
        value = getattr(node, field)
        for part in value if isinstance(value, tuple) else (value,):
            if hasattr(part, "__dataclass_fields__") and not isinstance(part, Diagnostic):
                yield from calls(part)


def expressions(scenario: building.Scenario) -> Iterator[Written]:
    for key in ("cases", "values"):
        for text in scenario.plain.get(key, {}):
            yield parse_expression(Source("case", text))[0]


def test_every_function_has_a_case() -> None:
    called = {name for scenario in SCENARIOS.values() for one in expressions(scenario) for name in calls(one)}
    assert set(FUNCTIONS) - called == set()


def test_a_wrong_expectation_is_noticed(tmp_path: Path, evaluate: Evaluate) -> None:
    text = "table: {id: [1, 2]}\nvalues: {id + 1: [2, 4]}\ncases: {id = 1: {true: [2]}}\nwarnings: [D853]"
    scenario = building.Scenario.read(text)
    ruleset = building.ruleset(scenario, tmp_path, rules_of(scenario))
    results = evaluate(ruleset, building.tables(scenario, ruleset), scenario.as_of)
    assert len(list(wrong_truths(scenario, results))) == 1
    assert len(list(wrong_values(scenario, ruleset, results))) == 1
    assert len(list(wrong_rest(scenario, results))) == 1
