"""Making widenings visible, and showing values and expressions to people.

In: checked nodes.  Out: nodes of a wider type, common types, texts for messages.  Always: a constant is widened here
and now, anything else by a `Convert` with the span of what it widens; what is always missing takes any type.

    convert(Constant(3, INTEGER), Decimal(2))      # Constant(300, Decimal(2))
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import reduce
from typing import assert_never

from segrules.model.expr import Constant, Convert, Expr
from segrules.schema.calendar import to_date
from segrules.schema.types import (
    INT64_MAX,
    INT64_MIN,
    UNTYPED,
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
    scale_of,
    widest,
)  # fmt: skip
from segrules.source import Span
from segrules.syntax.expr import Expr as Written

SHOWN = 60


def convert(node: Expr, target: Type) -> Expr:
    """*node* as a value of *target*, to which its type must widen."""
    if node.type == target:
        return node
    if isinstance(node.type, Untyped):
        return Constant(None, target, span=node.span)
    if isinstance(node, Constant):
        if node.value is None:
            return Constant(None, target, span=node.span)
        if isinstance(node.value, int) and not isinstance(node.type, Bool):
            match target:
                case Number():
                    return Constant(node.value / 10 ** scale_of(node.type), target, span=node.span)
                case Decimal(scale):
                    value = node.value * 10 ** (scale - scale_of(node.type))
                    if in_64_bits(value):
                        return Constant(value, target, span=node.span)
    return Convert(node, target, span=node.span)


def in_64_bits(value: int) -> bool:
    return INT64_MIN <= value <= INT64_MAX


def common(nodes: Iterable[Expr]) -> Type | None:
    """The type that all *nodes* widen to; None if there is none."""

    def step(so_far: Type | None, node: Expr) -> Type | None:
        return None if so_far is None else widest(so_far, node.type)

    first: Type | None = UNTYPED
    return reduce(step, nodes, first)


def exact(value: Value, type_: Type) -> Fraction | None:
    """The number that a stored value of a numeric or time type stands for; None for other types and for missing."""
    match type_:
        case Integer() | Decimal() | Date() | Timestamp() if isinstance(value, int):
            return Fraction(value, 10 ** scale_of(type_))
        case Number() if isinstance(value, int | float):
            return Fraction(value)
        case _:
            return None


def spell(value: Value, type_: Type) -> str:
    """A stored value as the language writes it; instants in UTC."""
    if value is None:
        return "missing"
    match type_:
        case Bool():
            return "true" if value else "false"
        case Decimal(scale) if isinstance(value, int):
            digits = str(abs(value)).rjust(scale + 1, "0")
            whole = digits[:-scale] + "." + digits[-scale:] if scale else digits
            return f"-{whole}" if value < 0 else whole
        case Date() if isinstance(value, int):
            return to_date(value).isoformat()
        case Timestamp() if isinstance(value, int):
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")
        case Text():
            return f'"{value}"'
        case Integer() | Decimal() | Date() | Timestamp() | Number() | ListOfText() | Untyped():
            return str(value)
        case _:
            assert_never(type_)


def shown(what: Expr | Written | Span) -> str:
    """The author's own text of something, on one line and not too long."""
    span = what if isinstance(what, Span) else what.span
    return shorten(span.text)


def shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
