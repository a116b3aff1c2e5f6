"""The checked expression: typed, resolved, desugared. What every evaluator reads.

In: nothing.  Out: the node classes of the second of the two trees.  Always: every node has a type; operands already
have the types that the operation needs (`Convert` makes every widening visible); names are resolved to what they
mean; parameters have become constants; windows, `between`, `not in`, case names, cells and bands have become
comparisons; spans (of the text that the author wrote) take no part in equality.

    spend >= 5万   with spend: decimal(2)
    Compare(">=", Column("customers", "spend", Decimal(2)), Constant(50000, Integer()))

An expression is evaluated for a row of a table: a customer, or, inside an aggregate, a row of a related table, which
sees the columns of its parents up the `belongs_to` chain too. `Column.table` names which of them is meant;
`Reference`, `Population` and nested aggregates always mean the customer at the end of the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

from segrules.schema.types import BOOL, DATE, Type, Value
from segrules.source import NOWHERE, Span
from segrules.syntax.expr import Unit, WindowKind

AggregateName = OneOf[
    "count", "sum", "avg", "min", "max", "stddev", "median", "count_distinct", "any", "all", "first", "last"
]
PopulationName = OneOf["qcut", "ntile", "rank", "percent_rank", "quantile"]
CompareOp = OneOf["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known before the run; `value` None is *missing* (of any type)."""

    value: Value
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Column:
    """A declared or computed column of the row at hand or of one of its parents."""

    table: str
    name: str
    type: Type
    can_be_missing: bool
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Lookup:
    """`city.tier`: column `name` of the row of `table` whose key equals `key`; missing where none does."""

    key: Expr
    table: str
    name: str
    type: Type
    can_be_missing: bool
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Reference:
    """The customer's value of an attribute, list, segment, segmentation, scorecard or table output, by its name."""

    name: str
    type: Type
    can_be_missing: bool
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - *`: both operands integer, both decimal or both number. For `+ -` of decimals the scales are equal; for
    `*` the scale of the result is their sum. `/`: the result is number; operands are both exact (integer or decimal,
    any scales: divided exactly, rounded once) or both number. `date - date` has type integer. Missing if an operand
    is, or if the result is not finite; integer and decimal results outside 64 bits stop the run."""

    op: OneOf["+", "-", "*", "/"]
    left: Expr
    right: Expr
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Shift:
    """A date or timestamp moved by calendar units; of a timestamp the local time of day stays. `amount` is signed."""

    operand: Expr
    amount: int
    unit: Unit
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AsOf:
    """`today`: the date of the run."""

    type: Type = DATE
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class WindowEdge:
    """First or last day of a window around the date of the run; `schema.calendar.window` resolves it."""

    kind: WindowKind
    amount: int
    unit: Unit
    edge: OneOf["first", "last"]
    type: Type = DATE
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Convert:
    """Widening, never losing: integer to decimal(s), to a larger scale, exact to number (the nearest double), and
    timestamp to date (its local day in the project's zone). Overflow of a decimal stops the run."""

    operand: Expr
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Compare:
    """Unknown if an operand is missing. Operands are both exact numbers (of any scales: compared exactly, without
    overflow), both number, or of one other type. Text by code point; false < true."""

    op: CompareOp
    left: Expr
    right: Expr
    type: Type = BOOL
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class In:
    """The same as an `or` of equal-comparisons of `operand` with each option (so unknown follows SQL)."""

    operand: Expr
    options: tuple[Expr, ...]
    type: Type = BOOL
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class IsMissing:
    """Whether the operand is missing (of a bool: unknown). Never unknown."""

    operand: Expr
    type: Type = BOOL
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    type: Type = BOOL
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Expr, ...]
    type: Type = BOOL
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Expr, ...]
    type: Type = BOOL
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function of `schema.functions`, by its canonical name. Text and list tests are calls too
    (`contains`, `starts_with`, `ends_with`, `matches`, `contains_any`, `has_any`, `has_all`), as is `default`."""

    function: str
    args: tuple[Expr, ...]
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Case:
    """The value beside the first condition that is TRUE, else `otherwise`, else missing. `if` is one too."""

    branches: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr | None
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Over the rows of `table` that belong to the customer and for which `where` is TRUE; `value` is None for
    `count` and for `any(table where …)`, else an expression of the row, missing results left out."""

    function: AggregateName
    table: str
    value: Expr | None
    where: Expr | None
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Population:
    """A value relative to all customers (docs/language.md gives each formula). `argument` is n for `qcut` and
    `ntile`; for `quantile` it is p as a fraction (numerator, denominator); else None."""

    function: PopulationName
    value: Expr
    descending: bool
    by: tuple[Expr, ...]
    among: Expr | None
    argument: int | tuple[int, int] | None
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


Expr: TypeAlias = (
    Constant | Column | Lookup | Reference | Arithmetic | Shift | AsOf | WindowEdge | Convert | Compare | In
    | IsMissing | Not | And | Or | Call | Case | Aggregate | Population
)  # fmt: skip


def children(node: Expr) -> tuple[Expr, ...]:
    """The operands of *node* in the order they were written, those inside an aggregate too."""
    match node:
        case Constant() | Column() | Reference() | AsOf() | WindowEdge():
            return ()
        case Lookup():
            return (node.key,)
        case Arithmetic() | Compare():
            return (node.left, node.right)
        case Shift() | Convert() | IsMissing() | Not():
            return (node.operand,)
        case In():
            return (node.operand, *node.options)
        case And() | Or():
            return node.operands
        case Call():
            return node.args
        case Case():
            pairs = tuple(part for branch in node.branches for part in branch)
            return pairs if node.otherwise is None else (*pairs, node.otherwise)
        case Aggregate():
            return tuple(part for part in (node.value, node.where) if part is not None)
        case Population():
            return (node.value, *node.by, *(() if node.among is None else (node.among,)))


def nodes(expr: Expr) -> Iterator[Expr]:
    """*expr* and everything in it, parents first, in the order written."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))
