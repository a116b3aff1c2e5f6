"""`given:`: values that an example fixes, as a rule set in which they are constants.

In: a rule set, fixed values.  Out: a rule set with the same names and types, whose fixed definitions read nothing.
Always: a segmentation that is fixed keeps the outputs of the first row with that case; a fixed output is the same in
every row; the customers are those that the example states, also where real ones are made `from:` a table; columns and
parameters are fixed elsewhere (in the rows, and when the rules are checked).

    with_given(ruleset, [Given(find(ruleset, "star"), True, "")])
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from segrules.model.expr import Constant, Expr
from segrules.model.names import Named
from segrules.model.ruleset import (
    Attribute,
    CaseRule,
    Definition,
    Outcome,
    RuleSet,
    Scorecard,
    Segment,
    Segmentation,
    StaticList,
)  # fmt: skip
from segrules.schema.types import BOOL, Value
from segrules.syntax.expr import Broken
from segrules.testing.examples import Given


def with_given(ruleset: RuleSet, given: Iterable[Given]) -> RuleSet:
    """*ruleset* with the fixed definitions as constants."""
    definitions = dict(ruleset.definitions)
    for each in given:
        if each.name.definition in definitions:
            definitions[each.name.definition] = _fixed(definitions[each.name.definition], each.name, each.value)
    contracts = ruleset.contracts
    stated = replace(contracts.tables[contracts.customers], source=None)
    tables = {**contracts.tables, contracts.customers: stated}
    return replace(ruleset, contracts=replace(contracts, tables=tables), definitions=definitions)


def _fixed(definition: Definition, name: Named, value: Value) -> Definition:
    match definition:
        case Segment():
            return replace(definition, when=Constant(value, BOOL))
        case StaticList():
            return Segment(definition.name, definition.label, Constant(value, BOOL), Broken(), span=definition.span)
        case Attribute():
            return replace(definition, value=Constant(value, name.type))
        case Scorecard():
            constant = Constant(value, definition.type)
            return Attribute(definition.name, definition.label, constant, Broken(), span=definition.span)
        case Segmentation() if name.kind == "output":
            return _fixed_output(definition, name.part, Constant(value, name.type))
        case Segmentation():
            return _fixed_case(definition, str(value))


def _fixed_case(definition: Segmentation, case_id: str) -> Segmentation:
    row = next(each for each in definition.reachable if each.id == case_id)
    case = CaseRule(case_id, row.label, Constant(True, BOOL), row.outputs, Broken(), span=row.span)
    others = tuple(
        CaseRule(each, None, Constant(False, BOOL), row.outputs, Broken()) for each in definition.ids if each != case_id
    )
    return replace(definition, cases=(case, *others), otherwise=None, unknown=None)


def _fixed_output(definition: Segmentation, output: str, constant: Constant) -> Segmentation:
    position = [name for name, _ in definition.outputs].index(output)

    def put(outputs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return (*outputs[:position], constant, *outputs[position + 1 :])

    def outcome(each: Outcome | None) -> Outcome | None:
        return None if each is None or not each.outputs else replace(each, outputs=put(each.outputs))

    return replace(
        definition,
        cases=tuple(replace(each, outputs=put(each.outputs)) for each in definition.cases),
        otherwise=outcome(definition.otherwise),
        unknown=outcome(definition.unknown),
    )
