"""The nearest way in: the fewest single conditions that would have to come out otherwise.

In: a predicate and the truth of its conditions for one customer.  Out: the conditions to turn.  Always: the answer is
a complete reason: with these turned and the others as they are, the predicate is TRUE; no two of them contradict
(`spend >= 50` and `spend < 20`); fewest first, then the smallest distance.

A *way* is a set of demands (condition, wanted truth) that together make the predicate TRUE.  Ways are built bottom-up
over and/or/not/case: an `or` has those of its operands, an `and` joins one of each; only the `KEPT` cheapest survive
each step, so a large rule costs little.

    nearest(And((spend_high, city_is_beijing)), lambda atom: False, …)      # ((spend_high, "true"), …)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from segrules.engine.needs import nodes
from segrules.model.expr import (
    And,
    Arithmetic,
    AsOf,
    Case,
    Compare,
    CompareOp,
    Constant,
    Convert,
    Expr,
    In,
    Not,
    Or,
    Reference,
    Shift,
    WindowEdge,
)  # fmt: skip
from segrules.model.ruleset import Attribute, RuleSet, Segment, Segmentation
from segrules.schema.types import BOOL, Date, Decimal, Integer, Number, Timestamp, Type, Value, scale_of

Want = Literal["true", "false", "not true", "not false"]
Way: TypeAlias = Mapping[Expr, Want]

KEPT = 32
DEEPEST = 8
MOST_NODES = 4000

TURNED: dict[Want, Want] = {"true": "false", "false": "true", "not true": "not false", "not false": "not true"}
NEGATED: dict[CompareOp, CompareOp] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED: dict[CompareOp, CompareOp] = {"=": "=", "!=": "!=", "<": ">", ">=": "<=", ">": "<", "<=": ">="}


def nearest(
    predicate: Expr, truth: Callable[[Expr], Value], distance: Callable[[Expr], float], ruleset: RuleSet
) -> tuple[tuple[Expr, bool], ...] | None:
    """The conditions to turn, each with the truth it must have, in the order of the predicate; None where no way is
    found. *truth* and *distance* (0 … 1, how far a condition is from turning) are for one customer."""
    search = _Search(truth, distance, ruleset)
    ways = search.ways(predicate, "true", 0)
    if not ways:
        return None
    return tuple(
        (atom, want in ("true", "not false")) for atom, want in ways[0].items() if not search.holds(atom, want)
    )


def case_predicate(segmentation: Segmentation, case_id: str) -> Expr:
    """When *segmentation* gives *case_id*: its case is TRUE and none before it."""
    otherwise: Expr = Constant(False, BOOL)
    if segmentation.otherwise is not None and segmentation.otherwise.id == case_id:
        all_false = And(tuple(Not(case.when) for case in segmentation.cases))
        otherwise = Constant(True, BOOL) if segmentation.unknown is None or not segmentation.cases else all_false
    branches = tuple((case.when, Constant(case.id == case_id, BOOL)) for case in segmentation.cases)
    return Case(branches, otherwise, BOOL)


@dataclass(slots=True)
class _Search:
    truth: Callable[[Expr], Value]
    distance: Callable[[Expr], float]
    ruleset: RuleSet
    visited: int = 0
    known: dict[Expr, Value] = field(default_factory=dict)

    def holds(self, atom: Expr, want: Want) -> bool:
        if atom not in self.known:
            self.known[atom] = self.truth(atom)
        now = self.known[atom]
        match want:
            case "true":
                return now is True
            case "false":
                return now is False
            case "not true":
                return now is not True
            case "not false":
                return now is not False

    def ways(self, node: Expr, want: Want, depth: int) -> list[Way]:
        """The cheapest ways to make *node* come out as wanted."""
        self.visited += 1
        if self.visited > MOST_NODES:
            return [{node: want}]
        match node:
            case Constant(value):
                fits = {"true": value is True, "false": value is False, "not true": value is not True}
                return [{}] if fits.get(want, value is not False) else []
            case Not(operand):
                return self.ways(operand, TURNED[want], depth)
            case And(operands):
                every = want in ("true", "not false")
                return self._every(operands, want, depth) if every else self._some(operands, want, depth)
            case Or(operands):
                some = want in ("true", "not false")
                return self._some(operands, want, depth) if some else self._every(operands, want, depth)
            case Case(branches, otherwise):
                return self._case(branches, otherwise, want, depth)
            case _:
                meaning = self._meaning(node) if depth < DEEPEST else None
                return [{node: want}] if meaning is None else self.ways(meaning, want, depth + 1)

    def _meaning(self, node: Expr) -> Expr | None:
        """The predicate behind a name: of a segment, a boolean attribute, a case."""
        match node:
            case Reference(name):
                match self.ruleset.definitions.get(name):
                    case Segment(when=predicate) | Attribute(value=predicate) if predicate.type == BOOL:
                        return predicate
            case Compare("=", Reference(name), Constant(str() as case_id)):
                definition = self.ruleset.definitions.get(name)
                if isinstance(definition, Segmentation):
                    return case_predicate(definition, case_id)
        return None

    def _some(self, operands: Iterable[Expr], want: Want, depth: int) -> list[Way]:
        return self._cheapest(way for operand in operands for way in self.ways(operand, want, depth))

    def _every(self, operands: Iterable[Expr], want: Want, depth: int) -> list[Way]:
        found: list[Way] = [{}]
        for operand in operands:
            found = self._joined(found, self.ways(operand, want, depth))
        return found

    def _joined(self, left: list[Way], right: list[Way]) -> list[Way]:
        pairs = (merged(one, other) for one in left for other in right)
        return self._cheapest(way for way in pairs if way is not None)

    def _case(
        self, branches: tuple[tuple[Expr, Expr], ...], otherwise: Expr | None, want: Want, depth: int
    ) -> list[Way]:
        """One branch is taken, none before it, and its value comes out as wanted."""
        found: list[Way] = []
        before: list[Way] = [{}]
        for condition, value in branches:
            values = self.ways(value, want, depth)
            if values:
                taken = self._joined(before, self.ways(condition, "true", depth))
                found += self._joined(taken, values)
            before = self._joined(before, self.ways(condition, "not true", depth))
        last = self.ways(otherwise or Constant(None, BOOL), want, depth)
        return self._cheapest([*found, *self._joined(before, last)])

    def _cheapest(self, ways: Iterable[Way]) -> list[Way]:
        seen: dict[frozenset[tuple[Expr, Want]], Way] = {}
        for way in ways:
            seen.setdefault(frozenset(way.items()), way)
        return sorted((way for way in seen.values() if consistent(way, self.truth)), key=self._cost)[:KEPT]

    def _cost(self, way: Way) -> tuple[int, float, int]:
        turned = [atom for atom, want in way.items() if not self.holds(atom, want)]
        return len(turned), sum(map(self.distance, turned)), len(way)


def merged(one: Way, other: Way) -> Way | None:
    """Both ways at once; None where they want one condition to be two things."""
    found = dict(one)
    for atom, want in other.items():
        before = found.get(atom, want)
        if before == want:
            found[atom] = want
        elif {before, want} == {"true", "not false"}:
            found[atom] = "true"
        elif {before, want} == {"false", "not true"}:
            found[atom] = "false"
        else:
            return None
    return found


@dataclass(slots=True)
class _Allowed:
    """What the demands on one value leave: bounds, texts it may be, texts and numbers it must not be."""

    low: tuple[Fraction, bool] | None = None
    high: tuple[Fraction, bool] | None = None
    among: frozenset[Value | Fraction] | None = None
    not_among: frozenset[Value | Fraction] = frozenset()

    def possible(self) -> bool:
        if self.among is not None:
            left = {one for one in self.among - self.not_among if self._inside(one)}
            return bool(left)
        if self.low is None or self.high is None:
            return True
        return self.low[0] < self.high[0] or (self.low[0] == self.high[0] and not (self.low[1] or self.high[1]))

    def _inside(self, one: Value | Fraction) -> bool:
        if not isinstance(one, Fraction):
            return True
        above = self.low is None or one > self.low[0] or (one == self.low[0] and not self.low[1])
        below = self.high is None or one < self.high[0] or (one == self.high[0] and not self.high[1])
        return above and below

    def add(self, op: CompareOp, value: Value | Fraction) -> None:
        match op:
            case "=":
                self.restrict(frozenset({value}))
            case "!=":
                self.not_among |= {value}
            case ">" | ">=" if isinstance(value, Fraction):
                bound = value, op == ">"
                self.low = bound if self.low is None else max(self.low, bound)
            case "<" | "<=" if isinstance(value, Fraction):
                bound = value, op == "<"
                known = self.high
                tighter = known is None or value < known[0] or (value == known[0] and op == "<")
                self.high = bound if tighter else known
            case _:
                pass

    def restrict(self, values: frozenset[Value | Fraction]) -> None:
        self.among = values if self.among is None else self.among & values


def consistent(way: Way, value: Callable[[Expr], Value]) -> bool:
    """Whether one value can meet every demand on it, as far as its comparisons with fixed bounds tell."""
    allowed: dict[Expr, _Allowed] = {}
    for atom, want in way.items():
        if want not in ("true", "false"):
            continue
        match atom:
            case Compare():
                subject, op, bound = sides(atom)
                if is_fixed(bound) and (limit := value(bound)) is not None:
                    demand = op if want == "true" else NEGATED[op]
                    allowed.setdefault(bare(subject), _Allowed()).add(demand, _measure(limit, bound.type))
            case In(operand, options):
                values = [option for option in options if isinstance(option, Constant)]
                if len(values) == len(options):
                    known = frozenset(_measure(option.value, option.type) for option in values)
                    entry = allowed.setdefault(bare(operand), _Allowed())
                    if want == "true":
                        entry.restrict(known)
                    else:
                        entry.not_among |= known
            case _:
                pass
    return all(one.possible() for one in allowed.values())


def sides(compare: Compare) -> tuple[Expr, CompareOp, Expr]:
    """The value that a comparison asks about, the operator, and the bound: what is fixed goes right."""
    if is_fixed(compare.left) and not is_fixed(compare.right):
        return compare.right, MIRRORED[compare.op], compare.left
    return compare.left, compare.op, compare.right


def is_fixed(node: Expr) -> bool:
    """Whether *node* is the same for every customer: a constant, or a day counted from the date of the run."""
    return all(isinstance(part, Constant | AsOf | WindowEdge | Shift | Convert | Arithmetic) for part in nodes(node))


def bare(node: Expr) -> Expr:
    """*node* without widenings."""
    while isinstance(node, Convert):
        node = node.operand
    return node


def _measure(value: Value, type_: Type) -> Value | Fraction:
    match type_, value:
        case ((Integer() | Decimal() | Number() | Date() | Timestamp()), int() | float()):
            return Fraction(value) / Fraction(10) ** scale_of(type_)
        case _:
            return value
