"""The expression as written: what the parser gives and the printer takes.

In: nothing.  Out: the node classes of the first of the two trees.  Always: frozen and slotted; the span takes no part
in equality, so `parse(print(e)) == e`; names are NFKC-normalised; keywords and function names are canonical (the
English spelling) whatever language they were written in; nothing is resolved: `today`, a column and a segment are all
a `Name`, and `count(orders where …)` is a `Call`.

    spend >= 5万 and city in ("北京", "上海")
    And((Compare(">=", Name(("spend",)), Literal("integer", 50000, spelling="5万")), In(Name(("city",)), (…))))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

from segrules.source import NOWHERE, Span

LiteralKind = OneOf["integer", "decimal", "text", "bool", "date", "timestamp", "missing"]
CompareOp = OneOf["=", "!=", "<", "<=", ">", ">="]
ArithmeticOp = OneOf["+", "-", "*", "/"]
Unit = OneOf["day", "week", "month", "quarter", "year"]
WindowKind = OneOf["last", "next", "this", "previous"]
TextOp = OneOf["contains", "starts with", "ends with", "matches", "contains any of"]
ListOp = OneOf["has any of", "has all of", "has none of"]


@dataclass(frozen=True, slots=True)
class Literal:
    """`5万`, `20%`, `"text"`, `true`, `2026-11-21`, `missing`.

    `value` is stored as `schema.types` says: a decimal as the integer scaled by 10**scale, a date as days and a
    timestamp as microseconds since 1970 UTC (local ones are resolved by the checker: `value` is then the ISO text and
    `scale` is 0). `spelling` is what the author wrote, half-width.
    """

    kind: LiteralKind
    value: bool | int | str | None
    scale: int = 0
    spelling: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Name:
    """`spend`, `city.tier`, `lifecycle.new`, also in backquotes."""

    parts: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a unary test in a cell or band is about: the value of its column or axis."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Negative:
    """`-operand`."""

    operand: Expr
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` and so on."""

    op: ArithmeticOp
    left: Expr
    right: Expr
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Shift:
    """`operand + 7 days`, `operand - n months`: amount is a `Literal` integer or the `Name` of a parameter."""

    operand: Expr
    sign: OneOf["+", "-"]
    amount: Expr
    unit: Unit
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ago:
    """`30 days ago` (sign -) or `90 days from now` (sign +): a date."""

    sign: OneOf["+", "-"]
    amount: Expr
    unit: Unit
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Coalesce:
    """`left ?? right`."""

    left: Expr
    right: Expr
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Compare:
    """`left >= right`."""

    op: CompareOp
    left: Expr
    right: Expr
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Between:
    """`subject between low and high`: inclusive, and the same as its two comparisons joined by `and`."""

    subject: Expr
    low: Expr
    high: Expr
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class In:
    """`subject in (a, b)`: the options are expressions."""

    subject: Expr
    options: tuple[Expr, ...]
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class InParameter:
    """`subject in parameter_name`."""

    subject: Expr
    parameter: Name
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class InWindow:
    """`subject in last 30 days`; `amount` is None for `in this month` and for `in previous quarter`."""

    subject: Expr
    kind: WindowKind
    amount: Expr | None
    unit: Unit
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class IsMissing:
    """`operand is missing`."""

    operand: Expr
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TextTest:
    """`subject contains "…"`; `contains any of` has several operands, the others one."""

    op: TextOp
    subject: Expr
    operands: tuple[Expr, ...]
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ListTest:
    """`tags has any of ("a", "b")`; operands may be one `InParameter`-like `Name` of a list parameter."""

    op: ListOp
    subject: Expr
    operands: tuple[Expr, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class And:
    """Two or more operands, none of them an unbracketed `And`."""

    operands: tuple[Expr, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more operands, none of them an unbracketed `Or`."""

    operands: tuple[Expr, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b)` and `f(value [desc] [by …] [among …] [where …], more)`: scalar, aggregate and population functions.

    `function` is the canonical English lower-case name when known, else what was written. `desc`, `by`, `among` and
    `where` follow the first argument. `if(c, a, b)` is a Call too. `function_span` is the name alone.
    """

    function: str
    args: tuple[Expr, ...]
    where: Expr | None = None
    desc: bool = False
    by: tuple[Expr, ...] = ()
    among: Expr | None = None
    function_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class When:
    """`when condition then value` inside a `Case`."""

    condition: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class Case:
    """`case when … then … else … end`."""

    whens: tuple[When, ...]
    otherwise: Expr | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Broken:
    """What could not be parsed; it has been reported, and later passes are quiet about it."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


Expr: TypeAlias = (
    Literal | Name | Subject | Negative | Arithmetic | Shift | Ago | Coalesce | Compare | Between | In | InParameter
    | InWindow | IsMissing | TextTest | ListTest | Not | And | Or | Call | Case | Broken
)  # fmt: skip
