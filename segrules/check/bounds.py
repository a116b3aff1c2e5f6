"""The least and greatest value that an expression can have.

In: a checked numeric expression and a scope.  Out: `Bounds`, each end a number or None.  Always: trusted: contracts
(`min`, `max`, `values`), counts, scores and parts of dates; sums and differences of those.

    bounds(6 - qcut(recency, 5), scope)      # Bounds(1, 5)
"""

from __future__ import annotations

from fractions import Fraction

from segrules.check.scope import Bounds, Scope
from segrules.check.widen import exact
from segrules.model.expr import (
    Aggregate,
    Arithmetic,
    Call,
    Case,
    Column,
    Constant,
    Convert,
    Expr,
    Lookup,
    Population,
    Reference,
)  # fmt: skip
from segrules.schema.types import Number, is_numeric

OPEN = Bounds(None, None)
NOT_NEGATIVE = Bounds(Fraction(0), None)
OF_CALLS = {
    "month": Bounds(Fraction(1), Fraction(12)), "quarter": Bounds(Fraction(1), Fraction(4)),
    "day": Bounds(Fraction(1), Fraction(31)), "weekday": Bounds(Fraction(1), Fraction(7)),
    "length": NOT_NEGATIVE, "count_items": NOT_NEGATIVE, "sqrt": NOT_NEGATIVE, "exp": NOT_NEGATIVE,
    "abs": NOT_NEGATIVE,
}  # fmt: skip


def bounds(node: Expr, scope: Scope) -> Bounds:
    """Both ends as far as they are known."""
    match node:
        case Constant(value, type_):
            number = exact(value, type_)
            return Bounds(number, number)
        case Column(table, name) | Lookup(_, table, name):
            column = scope.contracts.tables[table].columns[name]
            return Bounds(exact(column.min, column.type), exact(column.max, column.type))
        case Reference(name):
            fact = scope.facts.get(name)
            return OPEN if fact is None else fact.bounds
        case Convert(operand) if is_numeric(node.type):
            return OPEN if isinstance(node.type, Number) else bounds(operand, scope)
        case Aggregate("count" | "count_distinct"):
            return NOT_NEGATIVE
        case Aggregate("sum", _, value) if value is not None:
            low = bounds(value, scope).low
            return NOT_NEGATIVE if low is not None and low >= 0 else OPEN
        case Aggregate("min" | "max" | "first" | "last", _, value) if value is not None:
            return bounds(value, scope)
        case Aggregate("stddev"):
            return NOT_NEGATIVE
        case Population("qcut" | "ntile", argument=int(n)):
            return Bounds(Fraction(1), Fraction(n))
        case Population("rank"):
            return Bounds(Fraction(1), None)
        case Population("percent_rank"):
            return Bounds(Fraction(0), Fraction(1))
        case Call("band", args):
            return Bounds(Fraction(0), Fraction(len(args) - 1))
        case Call("hash_bucket", (_, Constant(int(n)), _)):
            return Bounds(Fraction(0), Fraction(n - 1))
        case Call("default", args):
            return _either([bounds(one, scope) for one in args])
        case Call(function):
            return OF_CALLS.get(function, OPEN)
        case Case(branches, otherwise):
            values = [value for _, value in branches] + ([] if otherwise is None else [otherwise])
            return _either([bounds(one, scope) for one in values])
        case Arithmetic("+" | "-" as op, left, right) if not isinstance(node.type, Number):
            a, b = bounds(left, scope), bounds(right, scope)
            if op == "-":
                b = Bounds(None if b.high is None else -b.high, None if b.low is None else -b.low)
            low = None if a.low is None or b.low is None else a.low + b.low
            high = None if a.high is None or b.high is None else a.high + b.high
            return Bounds(low, high)
        case _:
            return OPEN


def _either(several: list[Bounds]) -> Bounds:
    lows = [one.low for one in several]
    highs = [one.high for one in several]
    low = None if None in lows else min(one for one in lows if one is not None)
    high = None if None in highs else max(one for one in highs if one is not None)
    return Bounds(low, high)
