"""Checked expressions → nodes of the program.

In: expressions of `model.expr`, one after the other, and what their names stand for.  Out: node numbers.  Always:
equal expressions come to one node; parts that are known before the run are computed here; whatever may overflow stays
in the program even where a constant beside it makes its value unwanted.

    lower(expression, "customers", scope)      # 17
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

from segrules.engine.vector import canonical
from segrules.engine.vector.functions import Scope
from segrules.engine.vector.kernels import constant_of
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.program import (
    Aggregated,
    Applied,
    Blockwise,
    Chosen,
    Fixed,
    Gathered,
    Has,
    Inherited,
    IsMissing,
    LocalDay,
    Looked,
    Mapped,
    Matched,
    Math,
    Moved,
    Node,
    Own,
    Present,
    Program,
    Ranked,
    Whole,
    Widened,
    operands,
)  # fmt: skip
from segrules.model import expr as model
from segrules.schema.calendar import window
from segrules.schema.types import (
    BOOL,
    DATE,
    LIST,
    NUMBER,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
)  # fmt: skip

_KLEENE = frozenset({"contains_any", "has_any", "has_all"})
_CALENDAR = frozenset({
    "year", "quarter", "month", "day", "weekday", "days_since", "weeks_since", "months_since", "years_since",
    "days_between",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node was first written: the definition and the expression."""

    definition: str
    node: model.Expr


@dataclass(slots=True)
class Lowering:
    """What grows while a rule set is lowered. `names`: the node of every name of a value so far. `zone`: None where
    some timestamp has no local day. `strangers`: the tables in which some row belongs to nobody."""

    program: Program
    customers: str
    scope: Scope
    zone: str | None
    strangers: frozenset[str] = frozenset()
    names: dict[str, Node] = field(default_factory=dict)
    origins: dict[Node, Origin] = field(default_factory=dict)
    rankings: dict[str, dict[model.Population, Node]] = field(default_factory=dict)
    definition: str = ""


def lower(self: Lowering, node: model.Expr, space: str) -> Node:
    """The node that computes *node* for each row of *space*."""
    if space != self.customers and isinstance(node, model.Reference | model.Population | model.Aggregate):
        return _gathered(self, lower(self, node, self.customers), space)
    made = _lowered(self, node, space)
    self.origins.setdefault(made, Origin(self.definition, node))
    return made


def truth(self: Lowering, node: model.Expr, space: str) -> Node:
    """The node of a predicate; the literal `missing` as one is unknown."""
    return _typed(self.program, lower(self, node, space), BOOL)


def _typed(program: Program, node: Node, type_: Type) -> Node:
    """*node*, or if it is the literal `missing`, a missing value of *type_*."""
    untyped = isinstance(program.types[node], Untyped)
    return program.add(program.spaces[node], Fixed(None), type_) if untyped else node


def add(self: Lowering, space: str, op: Blockwise, type_: Type, checked: bool = False) -> Node:
    """A node, or the constant that it comes to."""
    if all(isinstance(self.program.ops[part], Fixed) for part in operands(op)):
        with suppress(Overflow):
            return self.program.add(space, Fixed(constant_of(self.program, op, type_, self.scope)), type_)
    return self.program.add(space, op, type_, checked)


def _gathered(self: Lowering, operand: Node, space: str) -> Node:
    match self.program.ops[operand]:
        case Fixed() as constant if space not in self.strangers:
            return self.program.add(space, constant, self.program.types[operand])
        case _:
            return self.program.add(space, Gathered(operand), self.program.types[operand])


def _lowered(self: Lowering, node: model.Expr, space: str) -> Node:
    program = self.program
    match node:
        case model.Constant(value, type_):
            return program.add(space, Fixed(value), type_)
        case model.AsOf():
            return program.add(space, Fixed(self.scope.as_of), node.type)
        case model.WindowEdge(kind, amount, unit, edge):
            days = window(kind, amount, unit, self.scope.as_of)
            return program.add(space, Fixed(days[0] if edge == "first" else days[1]), node.type)
        case model.Column(table, name):
            return program.add(space, Own(name) if table == space else Inherited(table, name), node.type)
        case model.Lookup():
            return _looked(self, node, space)
        case model.Reference(name):
            return self.names[name]
        case model.Arithmetic(op, left, right):
            math = Math(op, lower(self, left, space), lower(self, right, space))
            if _any_missing(program, (math.left, math.right)):
                return program.add(space, Fixed(None), node.type)
            return add(self, space, math, node.type, _exact(node.type))
        case model.Shift(operand, amount, unit):
            return add(self, space, Moved(lower(self, operand, space), amount, unit), node.type)
        case model.Convert(operand, type_):
            inner = lower(self, operand, space)
            if program.types[inner] == type_ or program.ops[inner] == Fixed(None):
                return program.add(space, Fixed(None), type_) if program.ops[inner] == Fixed(None) else inner
            if isinstance(program.types[inner], Timestamp) and isinstance(type_, Date):
                return add(self, space, LocalDay(inner), type_)
            return add(self, space, Widened(inner), type_, _exact(type_))
        case model.Compare(op, left, right):
            first, second = _alike(self, lower(self, left, space), lower(self, right, space))
            return canonical.compare(program, op, first, second, self.zone)
        case model.In(operand, options):
            one = lower(self, operand, space)
            parts = [_alike(self, one, lower(self, option, space))[1] for option in options]
            return canonical.member(program, one, parts, self.zone)
        case model.IsMissing(operand):
            return add(self, space, IsMissing(lower(self, operand, space)), BOOL)
        case model.Not(operand):
            return canonical.negation(program, truth(self, operand, space))
        case model.And(parts):
            return canonical.conjunction(program, space, [truth(self, part, space) for part in parts])
        case model.Or(parts):
            return canonical.disjunction(program, space, [truth(self, part, space) for part in parts])
        case model.Call():
            return _call(self, node, space)
        case model.Case(branches, otherwise, type_):
            conditions = tuple(truth(self, condition, space) for condition, _ in branches)
            values = tuple(lower(self, value, space) for _, value in branches)
            last = None if otherwise is None else lower(self, otherwise, space)
            return choose(self, space, conditions, values, last, type_)
        case model.Aggregate(function, table, value, where, type_):
            summed = None if value is None else _typed(program, lower(self, value, table), type_)
            counted = None if where is None else truth(self, where, table)
            return program.add(space, Aggregated(function, table, summed, counted), type_, checked=True)
        case model.Population():
            return _ranked(self, node)
        case _:
            assert_never(node)


def choose(
    self: Lowering, space: str, conditions: tuple[Node, ...], values: tuple[Node, ...], otherwise: Node | None, t: Type
) -> Node:
    """The value beside the first TRUE condition: `case`."""
    if isinstance(t, Untyped):
        return self.program.add(space, Fixed(None), t)
    values = tuple(_typed(self.program, value, t) for value in values)
    otherwise = None if otherwise is None else _typed(self.program, otherwise, t)
    if isinstance(t, ListOfText):
        last = self.program.add(space, Fixed(None), LIST) if otherwise is None else otherwise
        pairs = tuple(part for pair in zip(conditions, values, strict=True) for part in pair)
        return self.program.add(space, Whole("case", (*pairs, last)), t)
    return add(self, space, Chosen(conditions, values, otherwise), t)


def _looked(self: Lowering, node: model.Lookup, space: str) -> Node:
    path: list[tuple[str, str]] = []
    key: model.Expr = node.key
    while isinstance(key, model.Lookup):
        path.append((key.table, key.name))
        key = key.key
    if isinstance(key, model.Column):
        path.append((key.table, key.name))
        return self.program.add(space, Looked(tuple(reversed(path)), node.table, node.name), node.type)
    return self.program.add(space, Matched(lower(self, node.key, space), node.table, node.name), node.type)


def _call(self: Lowering, node: model.Call, space: str) -> Node:
    program = self.program
    args = tuple(lower(self, arg, space) for arg in node.args)
    if node.function == "date":
        instant = isinstance(program.types[args[0]], Timestamp)
        return add(self, space, LocalDay(args[0]), DATE) if instant else _typed(program, args[0], DATE)
    if node.function not in _KLEENE and node.function != "default" and _any_missing(program, args):
        return program.add(space, Fixed(None), node.type)
    if node.function == "default" and not isinstance(node.type, ListOfText):
        return _default(self, space, args, node.type)
    if node.function in ("has_any", "has_all") and not isinstance(program.ops[args[0]], Fixed):
        held = [_held(program, args[0], option) for option in args[1:]]
        if None not in held:
            join = canonical.disjunction if node.function == "has_any" else canonical.conjunction
            return join(program, space, [part for part in held if part is not None])
    if all(isinstance(program.ops[arg], Fixed) for arg in args):
        return add(self, space, Applied(node.function, args), node.type)
    varying = [i for i, arg in enumerate(args) if not isinstance(program.ops[arg], Fixed)]
    types = [program.types[arg] for arg in args]
    missing_spreads = node.function not in _KLEENE or varying == [0]
    if len(varying) == 1 and isinstance(types[varying[0]], Text) and missing_spreads:
        return program.add(space, Mapped(node.function, args, varying[0]), node.type)
    if any(isinstance(t, Text | ListOfText) for t in (*types, node.type)):
        return program.add(space, Whole(node.function, args), node.type)
    may_overflow = _exact(node.type) and node.function not in _CALENDAR
    return add(self, space, Applied(node.function, args), node.type, may_overflow)


def _held(program: Program, lists: Node, option: Node) -> Node | None:
    """Whether *lists* hold a text that is the same in every row; None if it is not."""
    match program.ops[option]:
        case Fixed(None):
            return program.add(program.spaces[lists], Fixed(None), BOOL)
        case Fixed(str() as text):
            return program.add(program.spaces[lists], Has(lists, text), BOOL)
        case _:
            return None


def _default(self: Lowering, space: str, args: tuple[Node, ...], type_: Type) -> Node:
    """The first of *args* that is not missing."""
    wanted: list[Node] = []
    for arg in args:
        op = self.program.ops[arg]
        if op != Fixed(None) and not isinstance(self.program.types[arg], Untyped):
            wanted.append(arg)
        if isinstance(op, Fixed) and op.value is not None:
            break
    if not wanted:
        return self.program.add(space, Fixed(None), type_)
    return wanted[0] if len(wanted) == 1 else add(self, space, Present(tuple(wanted)), type_)


def _ranked(self: Lowering, node: model.Population) -> Node:
    space = self.customers
    value = lower(self, node.value, space)
    by = tuple(lower(self, part, space) for part in node.by)
    among = None if node.among is None else truth(self, node.among, space)
    made = self.program.add(space, Ranked(node, value, by, among), node.type, checked=True)
    self.rankings.setdefault(self.definition, {}).setdefault(node, made)
    return made


def _alike(self: Lowering, left: Node, right: Node) -> tuple[Node, Node]:
    """Operands of a comparison: against a `number`, an exact one as a double."""
    types, space = self.program.types, self.program.spaces[left]
    if isinstance(types[left], Number) and _exact(types[right]):
        return left, add(self, space, Widened(right), NUMBER)
    if isinstance(types[right], Number) and _exact(types[left]):
        return add(self, space, Widened(left), NUMBER), right
    return left, right


def _exact(type_: Type) -> bool:
    return isinstance(type_, Integer | Decimal)


def _any_missing(program: Program, nodes: tuple[Node, ...]) -> bool:
    return any(program.ops[node] == Fixed(None) for node in nodes)
