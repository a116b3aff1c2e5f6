"""What is known of an expression beyond its type.

In: a checked expression and a scope.  Out: its finite values, its constant.  Always: None where nothing is known.

    finite_values(Reference("lifecycle"), scope)      # ("new", "existing")
"""

from __future__ import annotations

from segrules.check.scope import Scope
from segrules.check.widen import in_64_bits
from segrules.model.expr import Aggregate, Arithmetic, Column, Constant, Convert, Expr, Lookup, Reference
from segrules.schema.types import Bool, Decimal, Integer, Value, scale_of


def finite_values(node: Expr, scope: Scope) -> tuple[Value, ...] | None:
    """The only values that *node* can have, besides missing, or None if they are not known."""
    if isinstance(node.type, Bool):
        return (False, True)
    match node:
        case Column(table, name) | Lookup(_, table, name):
            return scope.contracts.tables[table].columns[name].values
        case Reference(name):
            fact = scope.facts.get(name)
            return None if fact is None else fact.values
        case Aggregate("min" | "max" | "first" | "last", _, Column() | Lookup() | Reference() as value):
            return finite_values(value, scope)
        case _:
            return None


def constant_value(node: Expr) -> Constant | None:
    """*node* as a constant, if literals, parameters and exact `+ - *` of them make it one."""
    match node:
        case Constant():
            return node
        case Arithmetic(op, left, right) if op != "/":
            a, b = constant_value(left), constant_value(right)
            if a is None or b is None or not isinstance(node.type, Integer | Decimal):
                return None
            if not isinstance(a.value, int) or not isinstance(b.value, int):
                return None
            value = a.value + b.value if op == "+" else a.value - b.value if op == "-" else a.value * b.value
            return Constant(value, node.type, span=node.span) if in_64_bits(value) else None
        case Convert(operand, Decimal(scale)):
            inner = constant_value(operand)
            if inner is None or not isinstance(inner.value, int):
                return None
            value = inner.value * 10 ** (scale - scale_of(inner.type))
            return Constant(value, node.type, span=node.span) if in_64_bits(value) else None
        case _:
            return None
