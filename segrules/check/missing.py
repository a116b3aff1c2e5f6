"""Whether an expression can be missing: of a boolean one, whether it can be unknown.

In: a checked expression.  Out: `can_be_missing`.  Always: False is a promise for every row that keeps its contract
and every date of a run between the years 1000 and 9000; True may be too careful, except that what
`is missing` guards in the same `and`, `or`, `if` or `case` counts as present.

    can_be_missing(phone is not missing and phone starts with "1")      # False
"""

from __future__ import annotations

from typing import assert_never

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
)  # fmt: skip
from segrules.schema.types import Number, Untyped

Present = frozenset[Expr]
NOTHING: Present = frozenset()
DAYS_IN_REACH = {"day": 360_000, "week": 52_000, "month": 12_000, "quarter": 4_000, "year": 1_000}
MAY_BE_UNDEFINED = frozenset({"sqrt", "ln", "exp", "power"})


def can_be_missing(node: Expr, present: Present = NOTHING) -> bool:
    """Whether some row that keeps the contract gives no value; *present* are known to have one."""
    if present and node in present:
        return False
    match node:
        case Constant():
            return node.value is None or isinstance(node.type, Untyped)
        case Column() | Lookup() | Reference():
            return node.can_be_missing
        case AsOf() | WindowEdge() | IsMissing():
            return False
        case Arithmetic():
            if isinstance(node.type, Number) and not _always_finite(node):
                return True
            return can_be_missing(node.left, present) or can_be_missing(node.right, present)
        case Shift():
            near = isinstance(node.operand, AsOf) and abs(node.amount) <= DAYS_IN_REACH[node.unit]
            return not near
        case Convert() | Not():
            return can_be_missing(node.operand, present)
        case Compare():
            return can_be_missing(node.left, present) or can_be_missing(node.right, present)
        case In():
            return can_be_missing(node.operand, present) or any(can_be_missing(one, present) for one in node.options)
        case And():
            return _any(node.operands, present | _false_if_missing(node))
        case Or():
            return _any(node.operands, present | _true_if_missing(node))
        case Call("default", args):
            return all(can_be_missing(one, present) for one in args)
        case Call():
            if node.function in MAY_BE_UNDEFINED:
                return True
            if node.function in ("div", "mod") and not _is_nonzero(node.args[1]):
                return True
            return _any(node.args, present)
        case Case():
            return _case(node, present)
        case Aggregate():
            match node.function:
                case "count" | "any" | "all" | "count_distinct":
                    return False
                case "sum":
                    return isinstance(node.type, Number)
                case _:
                    return True
        case Population():
            return node.among is not None or _any((node.value, *node.by), present)
        case _:
            assert_never(node)


def _any(nodes: tuple[Expr, ...], present: Present) -> bool:
    return any(can_be_missing(one, present) for one in nodes)


def _case(node: Case, present: Present) -> bool:
    for condition, value in node.branches:
        if can_be_missing(value, present | _present_if_true(condition)):
            return True
        present |= _true_if_missing(condition)
    return node.otherwise is None or can_be_missing(node.otherwise, present)


def _present_if_true(condition: Expr) -> Present:
    """What must have a value where *condition* is TRUE."""
    match condition:
        case And(operands):
            return NOTHING.union(*map(_present_if_true, operands))
        case Compare(left=left, right=right):
            return frozenset(_leaves(left) + _leaves(right))
        case _:
            return _false_if_missing(condition)


def _false_if_missing(condition: Expr) -> Present:
    """What makes *condition* FALSE, not unknown, by being missing."""
    match condition:
        case Not(IsMissing(operand)):
            return frozenset((operand,))
        case And(operands):
            return NOTHING.union(*map(_false_if_missing, operands))
        case _:
            return NOTHING


def _true_if_missing(condition: Expr) -> Present:
    """What makes *condition* TRUE by being missing, so has a value where it is not TRUE."""
    match condition:
        case IsMissing(operand):
            return frozenset((operand,))
        case Or(operands):
            return NOTHING.union(*map(_true_if_missing, operands))
        case _:
            return NOTHING


def _leaves(operand: Expr) -> tuple[Expr, ...]:
    match operand:
        case Column() | Lookup() | Reference():
            return (operand,)
        case Convert(inner):
            return _leaves(inner)
        case _:
            return ()


def _is_nonzero(node: Expr) -> bool:
    match node:
        case Constant(value):
            return value is not None and bool(value)
        case Convert(inner):
            return _is_nonzero(inner)
        case _:
            return False


def _always_finite(node: Arithmetic) -> bool:
    """Whether arithmetic that gives a double cannot leave its range: a quotient of exact numbers."""
    exact = not isinstance(node.left.type, Number) and not isinstance(node.right.type, Number)
    return node.op == "/" and exact and _is_nonzero(node.right)
