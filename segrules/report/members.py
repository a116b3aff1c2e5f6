"""`members`: who is in a segment or case, with what values; who just misses it; what it overlaps with.

In: a rule set, the rows that exist on a date, a name.  Out: `Members`.  Always: keys in key order; the sample is
spread evenly over them, so it is the same in every run; private columns are masked; a near miss fails exactly one
part of the rule.

    members(ruleset, existing, as_of, find(ruleset, "star"), sample=10).count
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segrules.engine.results import Bits, Membership, Results
from segrules.model.expr import (
    Aggregate,
    And,
    Column,
    Compare,
    Constant,
    Expr,
    Lookup,
    Or,
    Population,
    Reference,
    children,
)
from segrules.model.names import Named, as_written, of_definition, parts
from segrules.model.ruleset import Attribute, RuleSet, Segment, Segmentation
from segrules.pipeline import evaluate_existing
from segrules.report.privacy import is_private, private_names
from segrules.schema.types import Date, Decimal, Integer, Number, Type, Value, scale_of
from segrules.schema.values import MASK, json_value
from segrules.syntax.expr import Broken
from segrules.tables.columns import Tables

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shown:
    """A customer of a sample: the key and a value per input of the rule, private ones masked."""

    key: Value
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """Something the rule reads: as written, its type."""

    text: str
    type: Type


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Customers for whom everything but *part* holds; the nearest first where *part* compares with a number.
    `part` None: everything holds, and an earlier case came first."""

    part: str | None
    count: int
    sample: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    name: str
    label: str | None
    both: int


@dataclass(frozen=True, slots=True)
class Members:
    name: Named
    label: str | None
    customers: int
    count: int
    unknown: int
    inputs: tuple[Input, ...]
    sample: tuple[Shown, ...]
    near_misses: tuple[NearMiss, ...]
    overlaps: tuple[Overlap, ...]


def members(ruleset: RuleSet, existing: Tables, as_of: int, name: Named, sample: int) -> Members:
    """Everything `segrules members` says about a segment, list or case."""
    alternatives = [conjuncts(when) for when in predicates(ruleset, name)]
    leaves = dict.fromkeys(leaf for each in alternatives for part in each for leaf in _leaves(part))
    sides = {part: side for each in alternatives for part in each if (side := _measured(part)) is not None}
    probes = _Probes.of([*leaves, *(part for each in alternatives for part in each), *sides.values()])
    results = evaluate_existing(probes.added_to(ruleset), existing, as_of)
    member = membership(results, name)
    picture = _Picture(ruleset, results, probes, tuple(leaves))
    inside = member.true.ordinals()
    return Members(
        name,
        _label(ruleset, name),
        results.customers,
        member.true.count(),
        _unknown(results, name, member),
        tuple(Input(_written(leaf), leaf.type) for leaf in leaves),
        picture.of(_spread(inside, sample)),
        tuple(_near_misses(picture, alternatives, sides, member.true.mask(), name, sample)),
        tuple(_overlaps(ruleset, results, name, member)),
    )


def _spread(ordinals: NDArray[np.intp], sample: int) -> NDArray[np.intp]:
    """At most *sample* of the ordinals, evenly spaced, the first and last among them."""
    if len(ordinals) <= sample:
        return ordinals
    chosen: NDArray[np.intp] = ordinals[np.unique(np.linspace(0, len(ordinals) - 1, sample).astype(np.intp))]
    return chosen


def membership(results: Results, name: Named) -> Membership:
    """Who is in a segment, list or case."""
    if name.kind == "case":
        return Membership(results.segmentations[name.definition].members(name.part))
    return results.lists[name.definition] if name.kind == "list" else results.segments[name.definition]


def predicates(ruleset: RuleSet, name: Named) -> list[Expr]:
    """The ways into a segment or case: the operands of a top `or`, the rows of a case."""
    match ruleset.definitions[name.definition]:
        case Segment(when=when):
            return list(when.operands) if isinstance(when, Or) else [when]
        case Segmentation(cases=cases):
            return [case.when for case in cases if case.id == name.part]
        case _:
            return []


def conjuncts(when: Expr) -> tuple[Expr, ...]:
    """The parts that must all hold."""
    return when.operands if isinstance(when, And) else (when,)


def _leaves(expression: Expr) -> Iterator[Expr]:
    if isinstance(expression, Column | Lookup | Reference | Aggregate | Population):
        yield expression
    else:
        for child in children(expression):
            yield from _leaves(child)


def _measured(part: Expr) -> Expr | None:
    """The measured side of a comparison with a number or date."""
    if isinstance(part, Compare) and isinstance(part.left.type, Integer | Decimal | Number | Date):
        match part.left, part.right:
            case (_, Constant()):
                return part.left
            case (Constant(), _):
                return part.right
            case _:
                return None
    return None


def _written(expression: Expr) -> str:
    match expression:
        case Column(_, name) | Reference(name):
            return name
        case _:
            return " ".join(expression.span.text.split())


def _part_text(part: Expr) -> str:
    """A part as written; a cell of a decision table or matrix with what it is about."""
    text = " ".join(part.span.text.split())
    subject = next((_written(leaf) for leaf in _leaves(part)), "")
    return text if subject in text else f"{subject}: {text}"


@dataclass(frozen=True, slots=True)
class _Probes:
    """Expressions evaluated beside the rules, under names that no file can have."""

    names: dict[Expr, str]

    @staticmethod
    def of(expressions: Sequence[Expr]) -> _Probes:
        return _Probes({each: f"\0{index}" for index, each in enumerate(dict.fromkeys(expressions))})

    def added_to(self, ruleset: RuleSet) -> RuleSet:
        probes = {name: Attribute(name, None, expression, Broken()) for expression, name in self.names.items()}
        return replace(ruleset, definitions={**ruleset.definitions, **probes})


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """What the probes found, for any customers."""

    ruleset: RuleSet
    results: Results
    probes: _Probes
    leaves: tuple[Expr, ...]

    def of(self, ordinals: NDArray[np.intp]) -> tuple[Shown, ...]:
        private = private_names(self.ruleset)
        masked = [is_private(self.ruleset, leaf, private) for leaf in self.leaves]
        columns = [self.results.values[self.probes.names[leaf]] for leaf in self.leaves]
        key = self.ruleset.contracts.tables[self.ruleset.contracts.customers]
        hide_key = key.key is not None and key.key in key.columns and key.columns[key.key].pii
        return tuple(
            Shown(
                MASK if hide_key else self.results.keys.at(row),
                tuple(
                    MASK if hide and column.at(row) is not None else column.at(row)
                    for column, hide in zip(columns, masked, strict=True)
                ),
            )
            for row in map(int, ordinals)
        )

    def true(self, part: Expr) -> Mask:
        column = self.results.values[self.probes.names[part]]
        truth = column.values.astype(np.bool_)
        return truth if column.missing is None else truth & ~column.missing

    def distance(self, part: Compare, side: Expr) -> NDArray[np.float64]:
        """How far each customer is from the border, infinite where the value is missing."""
        column = self.results.values[self.probes.names[side]]
        border = part.right if side is part.left else part.left
        assert isinstance(border, Constant)
        if border.value is None:
            return np.full(len(column), np.inf)
        assert isinstance(border.value, int | float)
        values = column.values.astype(np.float64) / 10.0 ** scale_of(side.type)
        found: NDArray[np.float64] = np.abs(values - border.value / 10.0 ** scale_of(border.type))
        return found if column.missing is None else np.where(column.missing, np.inf, found)


def _near_misses(
    picture: _Picture,
    alternatives: Sequence[tuple[Expr, ...]],
    sides: dict[Expr, Expr],
    inside: Mask,
    name: Named,
    sample: int,
) -> Iterator[NearMiss]:
    earlier = np.zeros(len(inside), np.bool_)
    for each in alternatives:
        true = [picture.true(part) for part in each]
        failing = len(each) - np.sum(true, axis=0)
        earlier |= (failing == 0) & ~inside
        for part, holds in zip(each, true, strict=True):
            near = np.flatnonzero((failing == 1) & ~holds & ~inside)
            if not len(near) or (len(each) == 1 and part not in sides):
                continue
            if part in sides:
                assert isinstance(part, Compare)
                distance = picture.distance(part, sides[part])[near]
                near = near[np.argsort(distance, kind="stable")]
            yield NearMiss(_part_text(part), len(near), picture.of(near[:sample]))
    if name.kind == "case" and earlier.any():
        rows = np.flatnonzero(earlier)
        yield NearMiss(None, len(rows), picture.of(rows[:sample]))


def _overlaps(ruleset: RuleSet, results: Results, name: Named, member: Membership) -> Iterator[Overlap]:
    """Every other segment and case that shares members, the largest share first."""
    others = [each for definition in as_written(ruleset) for each in (of_definition(definition), *parts(definition))]
    found = []
    for other in others:
        if other.kind not in ("segment", "list", "case") or other.definition == name.definition:
            continue
        both: Bits = member.true & membership(results, other).true
        if count := both.count():
            found.append(Overlap(str(other), _label(ruleset, other), count))
    return iter(sorted(found, key=lambda each: -each.both))


def _label(ruleset: RuleSet, name: Named) -> str | None:
    definition = ruleset.definitions[name.definition]
    if name.kind == "case" and isinstance(definition, Segmentation):
        return next((each.label for each in definition.reachable if each.id == name.part and each.label), None)
    return definition.label


def _unknown(results: Results, name: Named, member: Membership) -> int:
    if name.kind == "case":
        return results.segmentations[name.definition].passed_unknown.get(name.part, 0)
    return 0 if member.unknown is None else member.unknown.count()


def as_json(found: Members, key_type: Type, timezone: str) -> dict[str, object]:
    """The JSON value, without the header that the command adds."""

    def customers(shown: Sequence[Shown]) -> list[dict[str, object]]:
        return [
            {
                "key": json_value(each.key, key_type, timezone),
                "values": {
                    reads.text: value if value == MASK else json_value(value, reads.type, timezone)
                    for reads, value in zip(found.inputs, each.values, strict=True)
                },
            }
            for each in shown
        ]

    return {
        "name": str(found.name),
        "kind": found.name.kind,
        "label": found.label,
        "customers": found.customers,
        "members": found.count,
        "unknown": found.unknown,
        "sample": customers(found.sample),
        "near_misses": [
            {"failing": each.part, "customers": each.count, "sample": customers(each.sample)}
            for each in found.near_misses
        ],
        "overlap": [{"name": each.name, "label": each.label, "both": each.both} for each in found.overlaps],
    }
