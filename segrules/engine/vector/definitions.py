"""Definitions → nodes: attributes, segments, lists, segmentations and scorecards of a rule set.

In: the definitions in their order, each after what it needs.  Out: `Compiled`, a program and the nodes of every
definition's answers.  Always: a case of a segmentation is won by who matches it and none before it, so membership
stays bits; the codes of a segmentation are made only where somebody wants them.

    compiled = compile_definitions(ruleset, ("spend", "star"), scope, zone, strangers)
    compiled.lowering.names["star"]       # the node whose TRUE rail has the members
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from segrules.engine.vector import canonical
from segrules.engine.vector.dates import Scope
from segrules.engine.vector.lower import Lowering, Origin, add, choose, lower, truth
from segrules.engine.vector.program import (
    Chosen,
    Fixed,
    IsMissing,
    IsTrue,
    Labelled,
    Listed,
    Node,
    Or,
    Program,
    Total,
)
from segrules.model import expr as model
from segrules.model.ruleset import Attribute, Definition, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.types import BOOL, TEXT


@dataclass(frozen=True, slots=True)
class CaseNodes:
    """The nodes of a segmentation. `won` and `passed` by case id: who ends there; who passed one of its predicates
    while that was unknown and ended elsewhere. `truths`: the predicates, in order. `twice`: who matches two cases, for
    `unique` ones."""

    codes: Node
    won: dict[str, Node]
    passed: dict[str, Node]
    truths: tuple[Node, ...]
    twice: Node | None


@dataclass(slots=True)
class Compiled:
    lowering: Lowering
    cases: dict[str, CaseNodes] = field(default_factory=dict)

    def answers(self, definition: Definition) -> tuple[Node, ...]:
        """The nodes of everything that *definition* gives."""
        names, name = self.lowering.names, definition.name
        if not isinstance(definition, Segmentation):
            return (names[name],)
        cases = self.cases[name]
        outputs = (names[f"{name}.{output}"] for output, _ in definition.outputs)
        return (cases.codes, *cases.passed.values(), *outputs)


def compile_definitions(
    ruleset: RuleSet, order: Iterable[str], scope: Scope, zone: str | None, strangers: frozenset[str]
) -> Compiled:
    """The program of the definitions in *order*. *zone* and *strangers* as `Lowering` has them."""
    lowering = Lowering(Program(), ruleset.contracts.customers, scope, zone, strangers)
    compiled = Compiled(lowering)
    space = lowering.customers
    for name in order:
        lowering.definition = name
        match ruleset.definitions[name]:
            case Attribute(value=expr):
                lowering.names[name] = lower(lowering, expr, space)
            case Segment(when=expr):
                lowering.names[name] = truth(lowering, expr, space)
            case StaticList():
                lowering.names[name] = lowering.program.add(space, Listed(name), BOOL)
            case Segmentation() as segmentation:
                _segmentation(compiled, segmentation)
            case Scorecard() as scorecard:
                lowering.names[name] = _scorecard(lowering, scorecard)
            case unknown:
                assert_never(unknown)
    return compiled


def _segmentation(compiled: Compiled, segmentation: Segmentation) -> None:
    lowering = compiled.lowering
    program, space = lowering.program, lowering.customers
    truths, outputs = [], []
    for case in segmentation.cases:
        truths.append(truth(lowering, case.when, space))
        outputs.append([lower(lowering, output, space) for output in case.outputs])
    taken = program.add(space, Fixed(False), BOOL)
    won: dict[str, list[Node]] = {id_: [] for id_ in segmentation.ids}
    passed: dict[str, list[Node]] = {case.id: [] for case in segmentation.cases}
    twice: list[Node] = []
    for case, predicate in zip(segmentation.cases, truths, strict=True):
        true = add(lowering, space, IsTrue(predicate), BOOL)
        won[case.id].append(_without(lowering, true, taken))
        unknown = add(lowering, space, IsMissing(predicate), BOOL)
        passed[case.id].append(_without(lowering, unknown, taken))
        twice.append(canonical.conjunction(program, space, [true, taken]))
        taken = _either(lowering, taken, true)
    some_unknown = canonical.disjunction(program, space, [x for parts in passed.values() for x in parts])
    rest = canonical.negation(program, taken)
    reached = []
    for outcome in (segmentation.unknown, segmentation.otherwise):
        if outcome is not None:
            is_last = outcome is segmentation.otherwise or segmentation.otherwise is None
            here = rest if is_last else canonical.conjunction(program, space, [rest, some_unknown])
            rest = canonical.conjunction(program, space, [rest, canonical.negation(program, here)])
            won[outcome.id].append(here)
            reached.append((here, [lower(lowering, output, space) for output in outcome.outputs]))
    winners = {id_: canonical.disjunction(program, space, parts) for id_, parts in won.items()}
    codes = program.add(space, Labelled(tuple(winners), tuple(winners.values())), TEXT)
    lowering.names[segmentation.name] = codes
    for place, (output, type_) in enumerate(segmentation.outputs):
        conditions = (*truths, *(here for here, _ in reached))
        values = (*(row[place] for row in outputs), *(row[place] for _, row in reached))
        lowering.names[f"{segmentation.name}.{output}"] = choose(lowering, space, conditions, values, None, type_)
    compiled.cases[segmentation.name] = CaseNodes(
        codes,
        winners,
        {
            id_: _without(lowering, canonical.disjunction(program, space, parts), winners[id_])
            for id_, parts in passed.items()
        },
        tuple(truths),
        canonical.disjunction(program, space, twice) if segmentation.hit_policy == "unique" else None,
    )


def _without(lowering: Lowering, node: Node, excluded: Node) -> Node:
    """node & ~excluded, both never unknown."""
    program, space = lowering.program, lowering.customers
    return canonical.conjunction(program, space, [node, canonical.negation(program, excluded)])


def _either(lowering: Lowering, left: Node, right: Node) -> Node:
    """left | right, not flattened: a chain of these shares its beginnings."""
    program, space = lowering.program, lowering.customers
    if program.ops[left] == Fixed(False):
        return right
    if left == right or program.ops[right] == Fixed(False):
        return left
    return program.add(space, Or((left, right)), BOOL)


def _scorecard(lowering: Lowering, scorecard: Scorecard) -> Node:
    program, space, type_ = lowering.program, lowering.customers, scorecard.type
    parts = [program.add(space, Fixed(scorecard.base), type_)]
    for characteristic in scorecard.characteristics:
        truths = [truth(lowering, row.when, space) for row in characteristic.rows]
        conditions = list(truths)
        points = [program.add(space, Fixed(row.points), type_) for row in characteristic.rows]
        if characteristic.missing is not None:
            unknown = [add(lowering, space, IsMissing(one), BOOL) for one in truths]
            conditions.append(canonical.disjunction(program, space, unknown))
            points.append(program.add(space, Fixed(characteristic.missing), type_))
        otherwise = program.add(space, Fixed(characteristic.otherwise), type_)
        parts.append(add(lowering, space, Chosen(tuple(conditions), tuple(points), otherwise), type_))
    total = add(lowering, space, Total(tuple(parts)), type_, checked=True)
    lowering.origins.setdefault(total, Origin(scorecard.name, model.Constant(None, type_, span=scorecard.span)))
    return total
