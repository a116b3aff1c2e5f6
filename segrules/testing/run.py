"""Examples run on both evaluators: expected against actual.

In: examples that were read, the rules.  Out: a `Verdict` each.  Always: the reference evaluator and the bulk engine
see the same rows; where they differ the test fails, whatever it expects; a test that stops the run fails with the
reason.

    run(project, ruleset, examples)[0].passed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import TYPE_CHECKING, assert_never

from segrules.check.history import with_history
from segrules.check.rulesets import check
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.engine.results import Membership, Results
from segrules.errors import SegrulesError
from segrules.files.documents import Project
from segrules.model.names import Named
from segrules.model.ruleset import RuleSet
from segrules.pipeline import evaluate_existing
from segrules.schema.types import Number, Type, Value
from segrules.schema.values import shown
from segrules.tables.bind import at
from segrules.tables.columns import Tables
from segrules.testing.deciding import Unmet, unmet
from segrules.testing.examples import Example, Expected, ExpectedStage
from segrules.testing.given import with_given
from segrules.testing.tables import tables_of

if TYPE_CHECKING:
    from segrules.engine.explanation import Explanation

OVERRIDE = "--set"
CLOSE = 1e-9
"""How near, relatively, two values of type number count as equal."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An expectation that was not met: values as text, and why the rules gave what they gave."""

    expected: Expected | ExpectedStage
    wanted: str
    actual: str
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an example ended; it passed when there is no diagnostic."""

    example: Example
    mismatches: tuple[Mismatch, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def passed(self) -> bool:
        return not self.diagnostics


def run(project: Project, ruleset: RuleSet, examples: Sequence[Example]) -> list[Verdict]:
    """A verdict for each of *examples*, in their order."""
    checked: dict[tuple[tuple[str, str], ...], RuleSet | list[Diagnostic]] = {(): ruleset}
    return [_run_one(project, example, checked) for example in examples]


def _run_one(
    project: Project, example: Example, checked: dict[tuple[tuple[str, str], ...], RuleSet | list[Diagnostic]]
) -> Verdict:
    overrides = tuple((each.name.definition, each.text) for each in example.given if each.name.kind == "parameter")
    if overrides not in checked:
        fixed, found = check(project, dict(overrides))
        checked[overrides] = found if fixed is None else fixed
    rules = checked[overrides]
    if not isinstance(rules, RuleSet):
        return Verdict(example, (), tuple(_at_given(one, example) for one in rules))
    ruleset = with_given(replace(rules, contracts=with_history(rules.contracts)), example.given)
    try:
        tables = at(ruleset, tables_of(ruleset, example), example.as_of)
        names = {each.name.definition for each in example.expected if each.name.definition in ruleset.definitions}
        reference = evaluate_existing(ruleset, tables, example.as_of, names, "reference")
        bulk = evaluate_existing(ruleset, tables, example.as_of, names, "vector")
        ends = unmet(ruleset, example, tables) if example.stages else []
    except SegrulesError as stopped:
        return Verdict(example, (), stopped.diagnostics)
    compared = _compared(ruleset, example, tables, reference, bulk)
    return replace(
        compared,
        mismatches=(*compared.mismatches, *map(_stage_mismatch, ends)),
        diagnostics=(*compared.diagnostics, *(_ended(example, each) for each in ends)),
    )


def _stage_mismatch(found: Unmet) -> Mismatch:
    return Mismatch(found.expected, found.expected.stage, found.actual, found.explanation)


def _ended(example: Example, found: Unmet) -> Diagnostic:
    expected = found.expected
    if found.other != found.actual:
        args = {"name": expected.name, "reference": found.actual, "bulk": found.other}
        return Diagnostic("C952", expected.span, args)
    told = {"name": expected.name, "wanted": expected.stage, "actual": found.actual, "test": example.name.text}
    why = None if found.why is None else Help("why", {"why": found.why})
    if example.several:
        return Diagnostic("C954", expected.span, {**told, "customer": str(expected.customer)}, why)
    return Diagnostic("C953", expected.span, told, why)


def _at_given(found: Diagnostic, example: Example) -> Diagnostic:
    """A finding about a parameter's value, at the place in the test that gives it."""
    if found.span.source.name != OVERRIDE:
        return found
    given = found.span.source.text.partition("=")[0]
    spans = [each.span for each in example.given if each.name.definition == given]
    return replace(found, span=spans[0], help=None, also=()) if spans else found


def _compared(ruleset: RuleSet, example: Example, tables: Tables, reference: Results, bulk: Results) -> Verdict:
    keys = {reference.keys.at(row): row for row in range(reference.customers)}
    mismatches: list[Mismatch] = []
    found: list[Diagnostic] = []
    for expected in example.expected:
        row = keys.get(expected.customer)
        if row is None:
            there = ", ".join(str(key) for key in keys)
            found.append(Diagnostic("R578", expected.span, {"key": str(expected.customer), "keys": there}))
            continue
        actual, other = (value_of(each, tables, ruleset, expected.name, row) for each in (reference, bulk))
        if not same(actual, other, expected.name.type):
            found.append(_disagreement(ruleset, expected, actual, other))
        elif not same(actual, expected.value, expected.name.type):
            mismatch = _mismatch(ruleset, tables, reference, expected, actual)
            mismatches.append(mismatch)
            found.append(_unmet(example, mismatch))
    return Verdict(example, tuple(mismatches), tuple(found))


def value_of(results: Results, tables: Tables, ruleset: RuleSet, name: Named, row: int) -> Value:
    """The stored value of a name for one customer; None is missing, of a segment unknown."""
    match name.kind:
        case "segment":
            return _truth(results.segments[name.definition], row)
        case "list":
            found = results.lists.get(name.definition) or results.segments[name.definition]
            return _truth(found, row)
        case "segmentation" | "case":
            assignment = results.segmentations[name.definition]
            case_id = assignment.ids[int(assignment.codes[row])]
            return case_id if name.kind == "segmentation" else case_id == name.part
        case "attribute" | "scorecard" | "output":
            return results.values[str(name)].at(row)
        case "column":
            return tables.tables[ruleset.contracts.customers].columns[name.definition].at(row)
        case "parameter":
            raise LookupError(str(name))
        case _:
            assert_never(name.kind)


def _truth(membership: Membership, row: int) -> bool | None:
    if membership.unknown is not None and membership.unknown.mask()[row]:
        return None
    return bool(membership.true.mask()[row])


def same(one: Value, other: Value, kind: Type) -> bool:
    """Equal as stored; of type number, equal to nine digits."""
    if isinstance(kind, Number) and isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=CLOSE, abs_tol=0.0)
    return one == other


def _text(ruleset: RuleSet, name: Named, value: Value) -> str:
    return shown(value, name.type, ruleset.contracts.timezone, "missing")


def _mismatch(ruleset: RuleSet, tables: Tables, results: Results, expected: Expected, actual: Value) -> Mismatch:
    """What came out instead, with the explanation tree of the rule."""
    explanation = None
    if expected.name.kind not in ("column", "output") and expected.name.definition in ruleset.definitions:
        from segrules.engine.explain import explain

        explanation = explain(ruleset, tables, results, expected.customer, str(expected.name))
    wanted = _text(ruleset, expected.name, expected.value)
    return Mismatch(expected, wanted, _text(ruleset, expected.name, actual), explanation)


def _unmet(example: Example, mismatch: Mismatch) -> Diagnostic:
    expected = mismatch.expected
    args = {"name": str(expected.name), "wanted": mismatch.wanted, "actual": mismatch.actual, "test": example.name.text}
    if example.several:
        return Diagnostic("C951", expected.span, {**args, "customer": str(expected.customer)})
    return Diagnostic("C950", expected.span, args)


def _disagreement(ruleset: RuleSet, expected: Expected, actual: Value, other: Value) -> Diagnostic:
    one, two = (_text(ruleset, expected.name, each) for each in (actual, other))
    return Diagnostic("C952", expected.span, {"name": str(expected.name), "reference": one, "bulk": two})
