"""What an expression may see while it is checked.

In: contracts, the top-level names, the parameters, what is known of definitions so far.  Out: `Scope`, given to every
pass over an expression.  Always: a mistake is reported once, into `Scope.found`, and its node becomes `wrong(span)`,
which every later pass leaves alone; `Fact` of a definition is there before anything that needs it is checked.

    scope.found.append(Diagnostic(...)); return wrong(written.span)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help
from segrules.model.expr import Constant, Expr
from segrules.model.ruleset import Parameter
from segrules.schema.contract import Contracts
from segrules.schema.types import UNTYPED, Type, Untyped, Value
from segrules.source import NOWHERE, Span

Args: TypeAlias = "dict[str, Argument]"
EntryKind = Literal["column", "parameter", "list", "attribute", "segment", "segmentation", "scorecard"]
Sight: TypeAlias = Literal["customer", "related", "own row"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of the project's namespace and the place that defines it."""

    name: str
    kind: EntryKind
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands behind the dot of a segmentation: its case ids and its further outputs."""

    cases: tuple[str, ...]
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """The one namespace. `bare` maps a case id to the segmentations that have it."""

    entries: Mapping[str, Entry]
    parts: Mapping[str, Parts]
    bare: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and greatest number a value can be; None: not known."""

    low: Fraction | None = None
    high: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What the rest may know of a checked definition or output. `type` None: it is wrong, and that was reported."""

    type: Type | None
    can_be_missing: bool = False
    values: tuple[Value, ...] | None = None
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class Scope:
    """`chain` holds the tables whose columns are in sight, the row at hand first; `subject` is what a cell tests;
    `inside` is the segmentation that is being checked, whose own cases have no bare ids there; `lost` are the tables
    that are unknown or belong to nobody, which has been reported."""

    contracts: Contracts[Expr]
    names: Names
    parameters: Mapping[str, Parameter | None]
    facts: Mapping[str, Fact]
    found: list[Diagnostic]
    chain: tuple[str, ...]
    sight: Sight = "customer"
    subject: Expr | None = None
    inside: str | None = None
    lost: frozenset[str] = frozenset()

    def about(self, subject: Expr) -> Scope:
        """The same scope inside a cell or band that tests *subject*."""
        return replace(self, subject=subject)

    def over(self, table: str) -> Scope:
        """The scope of a row of a related table, inside an aggregate."""
        return replace(self, chain=self.contracts.chain(table), sight="related")

    def report(
        self, code: str, span: Span, args: Mapping[str, Argument] | None = None, way_out: Help | None = None
    ) -> None:
        self.found.append(Diagnostic(code, span, args or {}, way_out))

    def refuse(
        self, code: str, span: Span, args: Mapping[str, Argument] | None = None, way_out: Help | None = None
    ) -> Expr:
        """Report, and give the node that stands for the mistake."""
        self.report(code, span, args, way_out)
        return wrong(span)


def wrong(span: Span) -> Expr:
    """The node of something that has been reported."""
    return Constant("", UNTYPED, span=span)


def is_wrong(node: Expr) -> bool:
    return isinstance(node, Constant) and isinstance(node.type, Untyped) and node.value is not None


def any_wrong(*nodes: Expr | None) -> bool:
    return any(node is not None and is_wrong(node) for node in nodes)


def absent(span: Span) -> Expr:
    """The node of what is always missing and has no type yet."""
    return Constant(None, UNTYPED, span=span)
