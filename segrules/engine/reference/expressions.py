"""The value of a checked expression in one row: the meaning of each node.

In: an expression and a `Scope`, which knows the row.  Out: a stored value.  Always: every operand is evaluated, also
those that cannot change the result (in a branch not taken, after a FALSE in `and`), so that overflow never depends
on what else is true.

    value_of(Compare(">=", spend, fifty), scope)      # True, False or None: unknown
"""

from __future__ import annotations

from typing import NoReturn, Protocol

from segrules.engine.reference.functions import call, local_day, moved
from segrules.engine.reference.values import OutOfRange, all_of, any_of, arithmetic, compare, convert, negation
from segrules.model.expr import (
    Aggregate,
    And,
    Arithmetic,
    AsOf,
    Call,
    Case,
    Column,
    Compare,
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
from segrules.schema.calendar import window
from segrules.schema.types import Date, Timestamp, Value


class Scope(Protocol):
    """One row and everything that an expression in it can see."""

    @property
    def as_of(self) -> int: ...
    @property
    def zone(self) -> str: ...
    def column(self, table: str, name: str) -> Value: ...
    def lookup(self, key: Value, table: str, name: str) -> Value: ...
    def reference(self, name: str) -> Value: ...
    def aggregate(self, node: Aggregate) -> Value: ...
    def population(self, node: Population) -> Value: ...
    def stop(self, node: Expr) -> NoReturn:
        """Raises `RunStopped`: the result of *node* in this row does not fit in 64 bits."""


def value_of(node: Expr, scope: Scope) -> Value:
    """The stored value of *node* in the row of *scope*. Raises `RunStopped` on overflow."""
    match node:
        case Constant(value):
            return value
        case Column(table, name):
            return scope.column(table, name)
        case Reference(name):
            return scope.reference(name)
        case Lookup(key, table, name):
            return scope.lookup(value_of(key, scope), table, name)
        case AsOf():
            return scope.as_of
        case WindowEdge(kind, amount, unit, edge):
            return window(kind, amount, unit, scope.as_of)[0 if edge == "first" else 1]
        case Shift(operand, amount, unit):
            return moved(value_of(operand, scope), operand.type, amount, unit, scope.zone)
        case Arithmetic(op, left, right):
            a, b = value_of(left, scope), value_of(right, scope)
            try:
                return arithmetic(op, a, left.type, b, right.type, node.type)
            except OutOfRange:
                scope.stop(node)
        case Convert(operand, type_):
            found = value_of(operand, scope)
            if isinstance(operand.type, Timestamp) and isinstance(type_, Date):
                return local_day(found, operand.type, scope.zone)
            try:
                return convert(found, operand.type, type_)
            except OutOfRange:
                scope.stop(node)
        case Call(_, args):
            values = [value_of(arg, scope) for arg in args]
            try:
                return call(node, values, scope.as_of, scope.zone)
            except OutOfRange:
                scope.stop(node)
        case Aggregate():
            return scope.aggregate(node)
        case Population():
            return scope.population(node)
        case _:
            return truth_or_choice(node, scope)


def truth_or_choice(node: Compare | In | IsMissing | Not | And | Or | Case, scope: Scope) -> Value:
    """Comparisons, logic, and the choice between values."""
    match node:
        case Compare(op, left, right):
            return compare(op, value_of(left, scope), left.type, value_of(right, scope), right.type)
        case In(operand, options):
            one = value_of(operand, scope)
            return any_of([compare("=", one, operand.type, value_of(other, scope), other.type) for other in options])
        case IsMissing(operand):
            return value_of(operand, scope) is None
        case Not(operand):
            return negation(value_of(operand, scope))
        case And(operands):
            return all_of([value_of(operand, scope) for operand in operands])
        case Or(operands):
            return any_of([value_of(operand, scope) for operand in operands])
        case Case(branches, otherwise):
            choices = [(value_of(condition, scope), value_of(value, scope)) for condition, value in branches]
            last = None if otherwise is None else value_of(otherwise, scope)
            return next((value for truth, value in choices if truth is True), last)
