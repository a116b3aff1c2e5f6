"""The checked rules: what `check` gives and every engine reads.

In: built by `check`.  Out: `RuleSet`.  Always: free of errors; `definitions` is in an order in which everything
stands after what it needs; decision tables, matrices, bands and cells have become cases with predicates.

    ruleset.definitions["star"]      # Segment(name="star", when=And(…), …)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never

from segrules.model.campaign import Campaign
from segrules.model.expr import Expr
from segrules.schema.contract import Contracts
from segrules.schema.types import Type, Value
from segrules.source import NOWHERE, Span
from segrules.syntax.expr import Expr as Written


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    label: str | None
    value: Expr
    written: Written
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    label: str | None
    when: Expr
    written: Written
    previously: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StaticList:
    """A boolean name: whether the customer's key stands in `column` of `file`."""

    name: str
    label: str | None
    file: str
    column: str
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class CaseRule:
    """One case of a segmentation. `outputs` belong to `Segmentation.outputs`, in order. `written` is None where the
    predicate was made from a matrix cell or table row: `parts` then holds (written, checked) per tested column."""

    id: str
    label: str | None
    when: Expr
    outputs: tuple[Expr, ...] = ()
    written: Written | None = None
    parts: tuple[tuple[Written, Expr], ...] = ()
    previously: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`otherwise:` and `unknown:` of a segmentation: a case that is reached, not tested."""

    id: str
    label: str | None
    outputs: tuple[Expr, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Ordered cases: the first TRUE one wins; none TRUE and one unknown: `unknown` if given; else `otherwise`.

    With `hit_policy` unique, two TRUE cases for one customer stop the run. Several rows of a decision table may
    share an id. `otherwise` is None only where some case is always TRUE. `outputs` are the names and types of the
    further outputs: `Reference("tier.discount")` reads one; without `unknown:` outputs follow `otherwise`.
    """

    name: str
    label: str | None
    hit_policy: Literal["first", "unique"]
    cases: tuple[CaseRule, ...]
    otherwise: Outcome | None
    unknown: Outcome | None
    outputs: tuple[tuple[str, Type], ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Those of `otherwise` and `unknown` that there are."""
        return tuple(each for each in (self.otherwise, self.unknown) if each is not None)

    @property
    def reachable(self) -> tuple[CaseRule | Outcome, ...]:
        """Everything that a customer can get: the cases in order, then the outcomes."""
        return (*self.cases, *self.outcomes)

    @property
    def ids(self) -> tuple[str, ...]:
        """The case ids in the order written, `otherwise` and `unknown` last, each once."""
        reached = [outcome.id for outcome in (self.otherwise, self.unknown) if outcome is not None]
        return tuple(dict.fromkeys([case.id for case in self.cases] + reached))


@dataclass(frozen=True, slots=True)
class PointRow:
    when: Expr
    points: int
    written: Written
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Characteristic:
    """First TRUE row wins; none TRUE and one unknown: `missing` (None only where no row can be unknown); else
    `otherwise`. Points are stored values of the scorecard's type."""

    name: str
    rows: tuple[PointRow, ...]
    otherwise: int
    missing: int | None
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`base` plus the points of each characteristic: integer, or decimal where a point is one."""

    name: str
    label: str | None
    base: int
    characteristics: tuple[Characteristic, ...]
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`value` is a stored value of `type`, or for a list parameter a tuple of them (then `is_list`)."""

    name: str
    label: str | None
    type: Type
    value: Value | tuple[Value, ...]
    is_list: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


Definition: TypeAlias = Attribute | Segment | StaticList | Segmentation | Scorecard


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    name: str
    language: Literal["en", "zh"]
    folder: str
    contracts: Contracts[Expr]
    parameters: Mapping[str, Parameter]
    definitions: Mapping[str, Definition]
    campaign: Campaign = field(default_factory=Campaign)


def expressions(definition: Definition) -> Iterator[Expr]:
    """Every expression that stands in *definition*, in the order written."""
    match definition:
        case Attribute():
            yield definition.value
        case Segment():
            yield definition.when
        case StaticList():
            return
        case Segmentation():
            for case in definition.cases:
                yield case.when
                yield from case.outputs
            for outcome in (definition.otherwise, definition.unknown):
                if outcome is not None:
                    yield from outcome.outputs
        case Scorecard():
            for characteristic in definition.characteristics:
                yield from (row.when for row in characteristic.rows)
        case _:
            assert_never(definition)
