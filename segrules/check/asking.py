"""Expressions that an action or a policy asks for, and the type that each must have.

In: a written expression, what it is for, the scope of a customer.  Out: the checked expression.  Always: a wrong one
is `wrong` after one report; what is always missing fits nothing.

    asked(parse("clv"), scope, "limit.order_by", "ordered")      # Reference("clv", Decimal(2), …)
"""

from __future__ import annotations

from typing import Literal, assert_never

from segrules.check.facts import finite_values
from segrules.check.infer import infer
from segrules.check.scope import Args, Scope, is_wrong
from segrules.check.widen import shown
from segrules.diagnostics.diagnostic import Words
from segrules.model.expr import Call, Case, Constant, Convert, Expr
from segrules.schema.types import (
    Date,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
    is_numeric,
)  # fmt: skip
from segrules.source import Span
from segrules.syntax.expr import Expr as Written

Wanted = Literal["text", "name", "numeric", "ordered", "single"]


def asked(written: Written, scope: Scope, key: str, wanted: Wanted) -> Expr:
    """The value that *key* needs."""
    node = infer(written, scope)
    if is_wrong(node):
        return node
    if isinstance(node.type, Untyped):
        return scope.refuse("T422", written.span, {"text": shown(written)})
    if not _fits(node.type, wanted):
        args: Args = {"key": key, "expected": Words(f"asks.{wanted}"), "text": shown(written), "type": str(node.type)}
        return scope.refuse("T431", written.span, args)
    return node


def _fits(type_: Type, wanted: Wanted) -> bool:
    match wanted:
        case "text":
            return isinstance(type_, Text)
        case "name":
            return isinstance(type_, Text | Integer)
        case "numeric":
            return is_numeric(type_)
        case "ordered":
            return is_numeric(type_) or isinstance(type_, Date | Timestamp)
        case "single":
            return not isinstance(type_, ListOfText | Number)
        case _:
            assert_never(wanted)


def every_value(node: Expr, scope: Scope) -> dict[Value, Span] | None:
    """The only values that *node* can have, besides missing, through `if`, `case` and `??` too, and where each comes
    from; None if that is not known."""
    match node:
        case Constant(value):
            return {} if value is None else {value: node.span}
        case Convert(operand):
            return every_value(operand, scope)
        case Case():
            parts = [value for _, value in node.branches] + ([] if node.otherwise is None else [node.otherwise])
        case Call("default", args):
            parts = list(args)
        case _:
            values = finite_values(node, scope)
            return None if values is None else dict.fromkeys(values, node.span)
    found: dict[Value, Span] = {}
    for part in parts:
        inner = every_value(part, scope)
        if inner is None:
            return None
        found = inner | found
    return found
