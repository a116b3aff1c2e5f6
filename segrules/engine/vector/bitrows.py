"""Which rows of bits a block needs, and how each comes from others: `and`, `or`, `xor`, `not` and nothing else.

In: the nodes of one level in one space, what of them is wanted.  Out: `Plan`.  Always: a row is the TRUE or the FALSE
rail of a predicate, or where a column is known; only rails that somebody reads are rows, equal ones are one; `not` is
the other rail; rows of one operation and depth stand together, so that one numpy call makes them all.

    plan = planned(program, nodes, inputs, outputs, members, nullable)
    plan.stages[0].groups          # (Group("and", 140, inputs), …)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.program import (
    And,
    AtLeast,
    Equal,
    Fixed,
    Has,
    IsMissing,
    IsTrue,
    Labelled,
    Never,
    Node,
    Not,
    Or,
    Program,
    operands,
)  # fmt: skip
from segrules.schema.types import Bool, Text

Row: TypeAlias = int
Kind: TypeAlias = Literal["at_least", "equal", "has"]
Sign: TypeAlias = Literal["and", "or", "xor", "not"]
Logic: TypeAlias = And | Or | Not | IsTrue | IsMissing | Never | Fixed | AtLeast | Equal | Has
ZERO, ONE = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """All comparisons of one kind of one value: row `first + i` is TRUE where they hold for `keys[i]`."""

    operand: Node
    kind: Kind
    keys: tuple[Any, ...]
    first: Row
    known: Row | None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rows `first …` of one operation: `inputs[j]` has operand *j* of those that have so many, which stand first."""

    sign: Sign
    first: Row
    inputs: tuple[NDArray[np.intp], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What can be done before the next kernels: rows of `known` values, of rails that are `given` (true, false), of
    comparisons, of groups in order; then the kernels."""

    known: tuple[tuple[Node, Row], ...]
    given: tuple[tuple[Node, Row | None, Row | None], ...]
    atoms: tuple[Atoms, ...]
    groups: tuple[Group, ...]
    kernels: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`rails`: (true, false) rows of predicates; false None: wherever not TRUE, or read by nobody."""

    rows: int
    stages: tuple[Stage, ...]
    rails: Mapping[Node, tuple[Row, Row | None]]


def is_logic(program: Program, node: Node) -> bool:
    """Whether *node* is made of rows, not by a kernel."""
    match program.ops[node]:
        case And() | Or() | Not() | IsTrue() | IsMissing() | Never() | Equal() | Has():
            return True
        case AtLeast(operand):
            return not isinstance(program.types[operand], Text)
        case Fixed():
            return isinstance(program.types[node], Bool)
        case _:
            return False


@dataclass(slots=True)
class _Planner:
    """`rows`: what each row is: (sign, its inputs) or (kind, node, key); `stage` and `depth` of each."""

    program: Program
    nullable: set[Node]
    needs: tuple[set[Node], set[Node]]
    rows: list[tuple[Any, ...]]
    numbers: dict[tuple[Any, ...], Row]
    stage: list[int]
    depth: list[int]
    made: dict[Node, int]
    true: dict[Node, Row]
    false: dict[Node, Row]

    def add(self, row: tuple[Any, ...], stage: int, depth: int = 0) -> Row:
        if row not in self.numbers:
            self.numbers[row] = len(self.rows)
            self.rows.append(row)
            self.stage.append(stage)
            self.depth.append(depth)
        return self.numbers[row]

    def joined(self, sign: Sign, parts: Iterable[Row]) -> Row:
        """The row of *parts* together, constants and repetitions left out."""
        inputs = tuple(sorted(set(parts))) if sign != "xor" else tuple(parts)
        match sign:
            case "and" | "or":
                absorbing, neutral = (ZERO, ONE) if sign == "and" else (ONE, ZERO)
                if absorbing in inputs:
                    return absorbing
                inputs = tuple(part for part in inputs if part != neutral)
                if len(inputs) < 2:
                    return inputs[0] if inputs else neutral
            case "xor":
                if ZERO in inputs:
                    return inputs[0] + inputs[1]
                if ONE in inputs:
                    return self.joined("not", [part for part in inputs if part != ONE] or [ONE])
            case "not":
                if inputs[0] in (ZERO, ONE):
                    return ONE - inputs[0]
                if self.rows[inputs[0]][0] == "not":
                    return self.rows[inputs[0]][1]  # type: ignore[no-any-return]
        stage = max(self.stage[part] for part in inputs)
        depth = 1 + max(self.depth[part] for part in inputs if self.stage[part] == stage)
        return self.add((sign, *inputs), stage, depth)

    def known(self, node: Node) -> Row:
        return self.add(("known", node), self.made.get(node, 0)) if node in self.nullable else ONE


@lru_cache(maxsize=64)
def planned(
    program: Program, nodes: tuple[Node, ...], inputs: tuple[Node, ...], wanted: frozenset[Node],
    nullable: frozenset[Node],
) -> Plan:  # fmt: skip
    """*nodes* run, in order; *inputs* are there in full, those in *nullable* with missing values or unknown. Both rails
    of the predicates in *wanted* are."""
    bases = _bases(program, nodes)
    nulls = _nullable(program, nodes, set(nullable))
    needs = _needs(program, nodes, [node for node in wanted if _is_bool(program, node)], nulls, bases)
    plan = _Planner(program, nulls, needs, [("zero",), ("one",)], {}, [0, 0], [0, 0], {}, {}, {})
    for node in inputs:
        if _is_bool(program, node):
            _give(plan, node, 0)
    stage_of: dict[Node, int] = {}
    for node in nodes:
        if is_logic(program, node):
            _rails(plan, node, bases)
        else:
            stage_of[node] = max((_ready(plan, stage_of, part) for part in operands(program.ops[node])), default=0)
            plan.made[node] = stage_of[node] + 1
            if _is_bool(program, node):
                _give(plan, node, stage_of[node] + 1)
    return _numbered(plan, stage_of)


def _is_bool(program: Program, node: Node) -> bool:
    return isinstance(program.types[node], Bool)


def _nullable(program: Program, nodes: Sequence[Node], found: set[Node]) -> set[Node]:
    """Which nodes may be missing or unknown; of a kernel's value nobody knows before it has run."""
    for node in nodes:
        match program.ops[node]:
            case Fixed(value):
                unknown = value is None
            case IsMissing() | IsTrue() | Labelled():
                unknown = False
            case op if is_logic(program, node):
                unknown = any(part in found for part in operands(op))
            case _:
                unknown = True
        if unknown:
            found.add(node)
    return found


def _bases(program: Program, nodes: Sequence[Node]) -> dict[Node, Node]:
    """Predicates that are unknown exactly where one value is missing, with that value."""
    found: dict[Node, Node] = {}
    for node in nodes:
        match program.ops[node]:
            case AtLeast(operand) | Equal(operand) | Has(operand) | Never(operand) if not _is_bool(program, operand):
                if is_logic(program, node):
                    found[node] = operand
            case And(parts) | Or(parts):
                bases = {found.get(part) for part in parts}
                if len(bases) == 1 and (base := bases.pop()) is not None:
                    found[node] = base
            case Not(operand) if operand in found:
                found[node] = found[operand]
            case _:
                pass
    return found


def _needs(
    program: Program, nodes: Sequence[Node], wanted: Iterable[Node], nulls: set[Node], bases: Mapping[Node, Node]
) -> tuple[set[Node], set[Node]]:
    """Of which nodes somebody reads the TRUE and the FALSE rail."""
    true, false = set(wanted), set[Node]()
    for node in nodes:
        if not is_logic(program, node):
            true.update(part for part in operands(program.ops[node]) if _is_bool(program, part))
    false.update(node for node in true if node in nulls)
    for node in reversed(nodes):
        if not is_logic(program, node) or (node not in true and node not in false):
            continue
        op = program.ops[node]
        if not isinstance(op, Not) and node in false and (node not in nulls or node in bases):
            true.add(node)
            inner = (True, False)
        else:
            inner = (node in true, node in false)
        match op:
            case Not(operand):
                true.update([operand] if inner[1] else [])
                false.update([operand] if inner[0] else [])
            case And(parts) | Or(parts):
                true.update(parts if inner[0] else ())
                false.update(parts if inner[1] else ())
            case IsTrue(operand):
                true.add(operand)
            case IsMissing(operand) | Never(operand) if _is_bool(program, operand) and operand in nulls:
                true.add(operand)
                false.add(operand)
            case _:
                pass
    return true, false


def _give(plan: _Planner, node: Node, stage: int) -> None:
    """Rows for the rails of a predicate that is there already, or that a kernel makes."""
    if node in plan.needs[0]:
        plan.true[node] = plan.add(("true", node), stage)
    if node in plan.needs[1]:
        plan.false[node] = plan.add(("false", node), stage)


def _ready(plan: _Planner, stage_of: Mapping[Node, int], node: Node) -> int:
    rows = [rails[node] for rails in (plan.true, plan.false) if node in rails]
    return max((plan.stage[row] for row in rows), default=stage_of.get(node, 0))


def _rails(plan: _Planner, node: Node, bases: Mapping[Node, Node]) -> None:
    """The rows of the rails of *node* that somebody reads."""
    op, true, false = plan.program.ops[node], plan.true, plan.false
    needs_true, needs_false = node in plan.needs[0], node in plan.needs[1]
    if isinstance(op, Not):
        if needs_true:
            true[node] = false[op.operand]
        if needs_false:
            false[node] = true[op.operand]
        return
    by_true = node not in plan.nullable or node in bases
    if needs_true or (needs_false and by_true):
        true[node] = _true(plan, op)
    if needs_false:
        if node not in plan.nullable:
            false[node] = plan.joined("not", [true[node]])
        elif node in bases:
            false[node] = plan.joined("xor", sorted((true[node], plan.known(bases[node]))))
        else:
            false[node] = _false(plan, op)


def _true(plan: _Planner, op: object) -> Row:
    match op:
        case Fixed(value):
            return ONE if value else ZERO
        case Never():
            return ZERO
        case AtLeast(operand, key):
            return plan.add(("at_least", operand, key), plan.made.get(operand, 0))
        case Equal(operand, key):
            return plan.add(("equal", operand, key), plan.made.get(operand, 0))
        case Has(operand, key):
            return plan.add(("has", operand, key), plan.made.get(operand, 0))
        case IsTrue(operand):
            return plan.true[operand]
        case IsMissing(operand):
            return plan.joined("not", [_known(plan, operand)])
        case And(parts):
            return plan.joined("and", [plan.true[part] for part in parts])
        case Or(parts):
            return plan.joined("or", [plan.true[part] for part in parts])
        case _:
            raise AssertionError(f"{op} is made by a kernel")


def _false(plan: _Planner, op: object) -> Row:
    match op:
        case Fixed(value):
            return ONE if value is False else ZERO
        case Never(operand):
            return _known(plan, operand)
        case And(parts):
            return plan.joined("or", [plan.false[part] for part in parts])
        case Or(parts):
            return plan.joined("and", [plan.false[part] for part in parts])
        case _:
            raise AssertionError(f"{op} is known or of one value")


def _known(plan: _Planner, node: Node) -> Row:
    if not _is_bool(plan.program, node) or node not in plan.nullable:
        return plan.known(node)
    return plan.joined("or", [plan.true[node], plan.false[node]])


def _numbered(plan: _Planner, stage_of: Mapping[Node, int]) -> Plan:
    """The rows in the order in which they are made."""
    by_stage: defaultdict[int, defaultdict[tuple[Any, ...], list[Row]]] = defaultdict(lambda: defaultdict(list))
    for what in plan.rows[2:]:
        if what[0] in ("at_least", "equal", "has") and what[1] in plan.nullable:
            plan.known(what[1])
    for row, what in list(enumerate(plan.rows))[2:]:
        logic = what[0] in ("and", "or", "xor", "not")
        place = (2, plan.depth[row], what[0]) if logic else (1, what[1], what[0])
        by_stage[plan.stage[row]][(0, 0, what[0]) if what[0] in ("known", "true", "false") else place].append(row)
    number = {ZERO: ZERO, ONE: ONE}
    stages = []
    last = max([*by_stage, *stage_of.values()], default=0)
    for stage in range(last + 1):
        atoms, groups = [], []
        for (kind, _, what), rows in sorted(by_stage[stage].items(), key=lambda item: item[0]):
            if kind == 2:
                rows.sort(key=lambda row: -len(plan.rows[row]))
            elif kind == 1:
                rows.sort(key=lambda row: plan.rows[row][2])
            first = len(number)
            number |= {row: first + place for place, row in enumerate(rows)}
            if kind == 2:
                groups.append(_group(what, first, [plan.rows[row][1:] for row in rows], number))
            elif kind == 1:
                operand = plan.rows[rows[0]][1]
                known = number[plan.known(operand)] if operand in plan.nullable else None
                atoms.append(Atoms(operand, what, tuple(plan.rows[row][2] for row in rows), first, known))
        known_rows = [(plan.rows[row][1], number[row]) for row in by_stage[stage][0, 0, "known"]]
        given: dict[Node, list[Row | None]] = {}
        for rail, name in enumerate(("true", "false")):
            for row in by_stage[stage][0, 0, name]:
                given.setdefault(plan.rows[row][1], [None, None])[rail] = number[row]
        kernels = tuple(node for node, own in stage_of.items() if own == stage)
        given_rows = tuple((node, rails[0], rails[1]) for node, rails in given.items())
        stages.append(Stage(tuple(known_rows), given_rows, tuple(atoms), tuple(groups), kernels))
    rails = {
        node: (number[row], number[plan.false[node]] if node in plan.nullable and node in plan.false else None)
        for node, row in plan.true.items()
    }
    return Plan(len(number), tuple(stages), rails)


def _group(sign: Sign, first: Row, inputs: Sequence[Sequence[Row]], number: Mapping[Row, Row]) -> Group:
    """*inputs* by falling number."""
    places = []
    for place in range(len(inputs[0])):
        places.append(np.array([number[row[place]] for row in inputs if len(row) > place], np.intp))
    return Group(sign, first, tuple(places))
