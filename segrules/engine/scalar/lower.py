"""Checked expressions as generated code.

In: a checked expression and the scope that it stands in.  Out: a `Val` of the writer.  Always: the meaning of
`engine/reference/expressions.py`, node by node, in the same order; every operand that can leave 64 bits is worked out,
whatever else is true.

    Lowering(writer, contracts, names, …).value(segment.when, Scope("customers"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from segrules.engine.scalar.aggregates import aggregate
from segrules.engine.scalar.calls import call
from segrules.engine.scalar.logic import all_of, any_of, choice, negation
from segrules.engine.scalar.population import population
from segrules.engine.scalar.writer import FALSE, MISSING, Level, Scope, Site, Val, Writer, times
from segrules.model.expr import (
    Aggregate,
    And,
    Arithmetic,
    AsOf,
    Call,
    Case,
    Column,
    Compare,
    CompareOp,
    Constant,
    Convert,
    Expr,
    In,
    IsMissing,
    Lookup,
    Not,
    Or,
    Population,
    Reference,
    Shift,
    WindowEdge,
)
from segrules.schema.calendar import Unit
from segrules.schema.contract import Contracts
from segrules.schema.types import Date, Decimal, Integer, Number, Timestamp, Type, Value, scale_of

OPERATORS: Mapping[CompareOp, str] = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

MIRRORED: Mapping[CompareOp, str] = {">": "<", ">=": "<="}


@dataclass(slots=True)
class Lowering:
    """`names`: the values of definitions. `places`: of every table, where a column stands in a row. `tables` and
    `lookups`: the tables that were asked for, in the order in which the function takes them. `thresholds`: of the
    functions of the population, by group."""

    writer: Writer
    contracts: Contracts[Expr]
    places: Mapping[str, Mapping[str, int]]
    thresholds: Mapping[Population, Mapping[tuple[Value, ...], Sequence[int | float]]] = field(default_factory=dict)
    names: dict[str, Val] = field(default_factory=dict)
    made: dict[str, Val] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)
    read: set[tuple[str, str]] = field(default_factory=set)
    definition: str = ""

    def value(self, node: Expr, scope: Scope) -> Val:
        match node:
            case Constant(value):
                return self.writer.constant(value)
            case Column(table, name):
                return self.column(table, name, node.can_be_missing, scope)
            case Reference(name):
                return self.names[name]
            case Lookup(key, table, name):
                return self.lookup(self.value(key, scope), table, name)
            case AsOf():
                return self.writer.given("as_of", Level.DAY, False)
            case WindowEdge(kind, amount, unit, edge):
                end = 0 if edge == "first" else 1
                text = f"window({kind!r}, {amount}, {unit!r}, as_of)[{end}]"
                return self.writer.given(text, Level.DAY, False)
            case Shift(operand, amount, unit):
                return self.moved(self.value(operand, scope), operand.type, amount, unit)
            case Arithmetic():
                return self.arithmetic(node, scope)
            case Convert(operand, type_):
                return self.converted(self.value(operand, scope), operand.type, type_, node, scope)
            case Compare(op, left, right):
                return self.compared(op, self.value(left, scope), left.type, self.value(right, scope), right.type)
            case In(operand, options):
                found = [(self.value(option, scope), option.type) for option in options]
                return self.contained(self.value(operand, scope), operand.type, found)
            case IsMissing(operand):
                return self.is_missing(self.value(operand, scope))
            case Not(operand):
                return negation(self.writer, self.value(operand, scope))
            case And(operands):
                return all_of(self.writer, self.conditions(operands, scope))
            case Or(operands):
                return any_of(self.writer, [self.value(operand, scope) for operand in operands])
            case Case(branches, otherwise):
                pairs = [(self.value(condition, scope), self.value(value, scope)) for condition, value in branches]
                last = MISSING if otherwise is None else self.value(otherwise, scope)
                return choice(self.writer, pairs, last)
            case Call():
                return call(self, node, [self.value(arg, scope) for arg in node.args], scope)
            case Aggregate():
                return aggregate(self, node, scope)
            case Population():
                return population(self, node, scope)
            case _:
                assert_never(node)

    def checked(
        self, template: str, *args: Val, node: Expr, scope: Scope, nullable: bool = False, strict: bool = True
    ) -> Val:
        """A value that must fit in 64 bits."""
        site = Site(node, self.definition)
        return self.writer.apply(template, *args, nullable=nullable, strict=strict, site=site, guard=scope.guard)

    def column(self, table: str, name: str, can_be_missing: bool, scope: Scope) -> Val:
        if not scope.rows and name in self.made:
            return self.made[name]
        self.read.add((table, name))
        place = self.places[table][name]
        if not scope.rows or table == self.contracts.customers:
            return self.writer.given(f"c[{place}]", Level.ONE, can_be_missing)
        own = self.writer.given(f"[r[{place}] for r in {self.rows(table)}]", Level.ROWS, can_be_missing)
        chain = self.contracts.chain(scope.table)
        for below in reversed(chain[: chain.index(table)]):
            self.rows(below)
            position = self.tables.index(below)
            own = self.writer.given(f"[{own.name}[p] for p in p{position}]", Level.ROWS, can_be_missing)
        return own

    def rows(self, table: str) -> str:
        """The name of the list of the customer's rows of *table*; asks for the tables above it too."""
        for each in self.contracts.chain(table):
            if each not in self.tables and each != self.contracts.customers:
                self.tables.append(each)
        return f"r{self.tables.index(table)}"

    def lookup(self, key: Val, table: str, name: str) -> Val:
        if table not in self.lookups:
            self.lookups.append(table)
        self.read.add((table, name))
        template = f"l{self.lookups.index(table)}({{0}})"
        row = self.writer.apply(template, key, nullable=True, lowest=Level.ONE)
        return self.writer.apply(f"{{0}}[{self.places[table][name]}]", row, nullable=True)

    def moved(self, value: Val, type_: Type, amount: int, unit: Unit) -> Val:
        if isinstance(type_, Timestamp):
            return self.writer.apply(f"moved({{0}}, {amount}, {unit!r}, zone)", value, nullable=True)
        return self.writer.apply(f"shift({{0}}, {amount}, {unit!r})", value, nullable=True)

    def local_day(self, value: Val, type_: Type) -> Val:
        return self.writer.apply("local_day({0}, zone)", value, nullable=True) if is_instant(type_) else value

    def conditions(self, operands: Sequence[Expr], scope: Scope) -> list[Val]:
        """The operands of `and`; where a lower and an upper bound of one value stand side by side, as in windows, the
        two comparisons become one."""
        found: list[Val] = []
        at = 0
        while at < len(operands):
            pair = self.between(operands[at], operands[at + 1], scope) if at + 1 < len(operands) else None
            found.append(self.value(operands[at], scope) if pair is None else pair)
            at += 1 if pair is None else 2
        return found

    def between(self, low: Expr, high: Expr, scope: Scope) -> Val | None:
        if not (isinstance(low, Compare) and isinstance(high, Compare)):
            return None
        if low.op not in (">", ">=") or high.op not in ("<", "<=") or low.left != high.left:
            return None
        value, first, last = (self.value(each, scope) for each in (low.left, low.right, high.right))
        one, bottom = self.alike(value, low.left.type, first, low.right.type)
        other, top = self.alike(value, high.left.type, last, high.right.type)
        if one != other or bottom.nullable or top.nullable:
            return None
        return self.writer.apply(f"{{1}} {MIRRORED[low.op]} {{0}} {high.op} {{2}}", one, bottom, top)

    def is_missing(self, value: Val) -> Val:
        return self.writer.apply("{0} is None", value, strict=False) if value.nullable else FALSE

    def arithmetic(self, node: Arithmetic, scope: Scope) -> Val:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if node.op == "/":
            if isinstance(node.left.type, Number):
                return self.writer.apply("divided({0}, {1})", left, right, nullable=True)
            above, below = scale_of(node.right.type), scale_of(node.left.type)
            common = min(above, below)
            sides = f"{times('{0}', above - common)}, {times('{1}', below - common)}"
            return self.writer.apply(f"quotient({sides})", left, right, nullable=True)
        template = f"{{0}} {node.op} {{1}}"
        if isinstance(node.type, Number):
            return self.writer.apply(f"finite({template})", left, right, nullable=True)
        if isinstance(node.left.type, Date):
            return self.writer.apply(template, left, right)
        return self.checked(template, left, right, node=node, scope=scope)

    def converted(self, value: Val, source: Type, target: Type, node: Expr, scope: Scope) -> Val:
        if source == target:
            return value
        match target:
            case Date() if is_instant(source):
                return self.local_day(value, source)
            case Number():
                return self.double(value, source)
            case Decimal(scale) if isinstance(source, Integer | Decimal) and scale > scale_of(source):
                return self.checked(times("{0}", scale - scale_of(source)), value, node=node, scope=scope)
            case _:
                return value

    def double(self, value: Val, type_: Type) -> Val:
        """The nearest double; of a double itself, without the sign of zero."""
        if isinstance(type_, Number):
            return self.writer.apply("{0} + 0.0", value)
        return self.writer.apply(f"{{0}} / {10 ** scale_of(type_)}", value)

    def alike(self, left: Val, left_type: Type, right: Val, right_type: Type) -> tuple[Val, Val]:
        """Two numbers as they can be compared: exact ones at one scale, others as doubles."""
        number = isinstance(left_type, Number), isinstance(right_type, Number)
        if any(number):
            return (
                left if number[0] else self.double(left, left_type),
                right if number[1] else self.double(right, right_type),
            )
        scale = max(scale_of(left_type), scale_of(right_type))
        return self.scaled(left, scale - scale_of(left_type)), self.scaled(right, scale - scale_of(right_type))

    def scaled(self, value: Val, digits: int) -> Val:
        return self.writer.apply(times("{0}", digits), value) if digits else value

    def compared(self, op: CompareOp, left: Val, left_type: Type, right: Val, right_type: Type) -> Val:
        if left.is_missing or right.is_missing:
            return MISSING
        a, b = self.alike(left, left_type, right, right_type)
        return self.writer.apply(f"{{0}} {OPERATORS[op]} {{1}}", a, b)

    def contained(self, value: Val, type_: Type, options: Sequence[tuple[Val, Type]]) -> Val:
        """Constants as a set, the others one by one."""
        fixed = [one for one in options if one[0].level is Level.CONSTANT and not one[0].is_missing]
        if len(fixed) < 2 or value.is_missing:
            return any_of(self.writer, [self.compared("=", value, type_, one, own) for one, own in options])
        types = [type_, *(own for _, own in fixed)]
        scale = max(map(scale_of, types))
        if any(isinstance(each, Number) for each in types):
            pairs = [(one, own) for one, own in ((value, type_), *fixed)]
            subject, *members = [one if isinstance(own, Number) else self.double(one, own) for one, own in pairs]
        else:
            subject = self.scaled(value, scale - scale_of(type_))
            members = [self.scaled(one, scale - scale_of(own)) for one, own in fixed]
        known = self.writer.set_of([one.value for one in members])
        found = [self.writer.apply(f"{{0}} in {known}", subject)]
        rest = [one for one in options if one not in fixed]
        return any_of(self.writer, [*found, *(self.compared("=", value, type_, one, own) for one, own in rest)])


def is_instant(type_: Type) -> bool:
    return isinstance(type_, Timestamp)
