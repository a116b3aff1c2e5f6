"""Arithmetic, choice between values, and shifts of dates, over operands that are already checked.

In: checked operands.  Out: checked nodes with every widening visible.  Always: exact numbers stay exact; only `/`,
and a double beside them, gives a double.

    arithmetic("*", price, quantity)      # decimal(2) * decimal(0): decimal(2)
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.check.comparisons import Operand
from segrules.check.scope import Args, Scope, absent, any_wrong, is_wrong, wrong
from segrules.check.widen import common, convert, in_64_bits, shown
from segrules.diagnostics.diagnostic import Help
from segrules.model.expr import Arithmetic, AsOf, Call, Case, Constant, Expr, Shift
from segrules.schema.types import (
    DATE,
    INTEGER,
    MAX_SCALE,
    NUMBER,
    Date,
    Decimal,
    Integer,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
    is_numeric,
    scale_of,
    widest,
)  # fmt: skip
from segrules.source import Span
from segrules.syntax.expr import ArithmeticOp, Unit


def arithmetic(op: ArithmeticOp, left: Operand, right: Operand, span: Span, scope: Scope) -> Expr:
    """`left op right`, or a reported mistake."""
    a, b = left.node, right.node
    if any_wrong(a, b):
        return wrong(span)
    match a.type, b.type:
        case (Untyped(), Untyped()):
            return absent(span)
        case (Date(), Date()) | (Date(), Untyped()) | (Untyped(), Date()) if op == "-":
            return Arithmetic("-", convert(a, DATE), convert(b, DATE), INTEGER, span=span)
        case (Untyped(), other) | (other, Untyped()) if is_numeric(other):
            return _numeric(op, convert(a, other), convert(b, other), span, scope)
        case (x, y) if is_numeric(x) and is_numeric(y):
            return _numeric(op, a, b, span, scope)
    bad = left if not is_numeric(a.type) else right
    args: Args = {"op": op, "text": shown(bad.written), "type": str(bad.node.type)}
    return scope.refuse("T402", span, args, _way_out(a.type, b.type, op))


def negative(operand: Operand, span: Span, scope: Scope) -> Expr:
    """`-operand`: of a literal the negative constant, else `0 - operand`."""
    node = operand.node
    if is_wrong(node):
        return wrong(span)
    if isinstance(node.type, Untyped):
        return absent(span)
    if not is_numeric(node.type):
        args = {"op": "-", "text": shown(operand.written), "type": str(node.type)}
        return scope.refuse("T402", span, args)
    if isinstance(node, Constant) and (isinstance(node.value, float) or _has_opposite(node.value)):
        assert isinstance(node.value, int | float)
        return Constant(-node.value, node.type, span=span)
    zero = Constant(0.0 if isinstance(node.type, Number) else 0, node.type, span=span)
    return Arithmetic("-", zero, node, node.type, span=span)


def _has_opposite(value: Value) -> bool:
    return isinstance(value, int) and in_64_bits(-value)


def _numeric(op: ArithmeticOp, a: Expr, b: Expr, span: Span, scope: Scope) -> Expr:
    if isinstance(a.type, Number) or isinstance(b.type, Number):
        return Arithmetic(op, convert(a, NUMBER), convert(b, NUMBER), NUMBER, span=span)
    if op == "/":
        return Arithmetic(op, a, b, NUMBER, span=span)
    if isinstance(a.type, Integer) and isinstance(b.type, Integer):
        return Arithmetic(op, a, b, INTEGER, span=span)
    if op == "*":
        scale = scale_of(a.type) + scale_of(b.type)
        if scale > MAX_SCALE:
            args: Args = {"left": str(a.type), "right": str(b.type), "scale": scale}
            return scope.refuse("T408", span, args, Help("round", {"text": shown(a)}))
        a, b = convert(a, Decimal(scale_of(a.type))), convert(b, Decimal(scale_of(b.type)))
        return Arithmetic(op, a, b, Decimal(scale), span=span)
    wide = Decimal(max(scale_of(a.type), scale_of(b.type)))
    return Arithmetic(op, convert(a, wide), convert(b, wide), wide, span=span)


def _way_out(a: Type, b: Type, op: ArithmeticOp) -> Help | None:
    if isinstance(a, Text) and isinstance(b, Text) and op == "+":
        return Help("concat")
    if isinstance(a, Date | Timestamp) and isinstance(b, Integer) and op in ("+", "-"):
        return Help("unit", {"op": op})
    if isinstance(a, Date | Timestamp) and isinstance(b, Date | Timestamp) and op == "-":
        return Help("days_between")
    return None


def shifted(operand: Operand, amount: int, unit: Unit, span: Span, scope: Scope) -> Expr:
    """A date or timestamp moved by *amount* units."""
    node = operand.node
    if is_wrong(node):
        return wrong(span)
    if isinstance(node.type, Untyped):
        return Constant(None, DATE, span=span)
    if not isinstance(node.type, Date | Timestamp):
        return scope.refuse("T414", operand.written.span, {"text": shown(operand.written), "type": str(node.type)})
    return Shift(node, amount, unit, node.type, span=span)


def ago(amount: int, unit: Unit, span: Span, scope: Scope) -> Expr:
    if scope.sight == "own row":
        return scope.refuse("T420", span, {"what": shown(span)})
    return Shift(AsOf(span=span), amount, unit, DATE, span=span)


def unified(values: Sequence[Operand], what: str, span: Span, scope: Scope) -> list[Expr] | None:
    """The values in the widest of their types; None after a report (or if one is wrong)."""
    nodes = [value.node for value in values]
    if any_wrong(*nodes):
        return None
    wide = common(nodes)
    if wide is not None:
        return [convert(node, wide) for node in nodes]
    first = values[0]
    for other in values[1:]:
        both = widest(first.node.type, other.node.type)
        if both is None:
            times = isinstance(first.node.type, Date | Timestamp) and isinstance(other.node.type, Date | Timestamp)
            args = {
                "what": what, "left": shown(first.written), "left_type": str(first.node.type),
                "right": shown(other.written), "right_type": str(other.node.type),
            }  # fmt: skip
            scope.report("T404", span, args, Help("date") if times else None)
            return None
        if isinstance(first.node.type, Untyped):
            first = other
    return None


def coalesce(left: Operand, right: Operand, span: Span, scope: Scope) -> Expr:
    """`left ?? right`."""
    nodes = unified((left, right), "??", span, scope)
    if nodes is None:
        return wrong(span)
    if isinstance(nodes[0].type, Untyped):
        return absent(span)
    return Call("default", (nodes[0], nodes[1]), nodes[0].type, span=span)


def choice(
    conditions: Sequence[Expr],
    values: Sequence[Operand],
    otherwise: Operand | None,
    what: str,
    span: Span,
    scope: Scope,
) -> Expr:
    """`if` and `case`: the conditions are checked booleans."""
    nodes = unified([*values, *([] if otherwise is None else [otherwise])], what, span, scope)
    if nodes is None or any_wrong(*conditions):
        return wrong(span)
    if isinstance(nodes[0].type, Untyped):
        return absent(span)
    branches = tuple(zip(conditions, nodes, strict=False))
    return Case(branches, nodes[-1] if otherwise is not None else None, nodes[0].type, span=span)
