"""The files of a project as written: typed, with places, nothing resolved.

In: built by `files.read_*` from YAML trees that keep their JSON Schema.  Out: frozen documents that `check` turns
into contracts and a rule set, and `testing` into test cases.  Always: every expression is parsed (or `Broken`, and
reported); every name carries its span; order is as in the file; a document whose file was wrong may lack parts, and
the diagnostics then say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from segrules.source import NOWHERE, Span, Word
from segrules.syntax.expr import Expr

if TYPE_CHECKING:
    from segrules.files.campaign import WrittenAction, WrittenPolicies


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar: its value by the YAML 1.2 core schema (a float as the exact Decimal of its spelling, null as
    None) and its text; `plain` is False for quoted and block scalars. `span` is the whole of its own embedded source,
    so `span.source` is what a cell or literal is parsed from."""

    value: str | int | Decimal | bool | None
    text: str
    plain: bool
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Cells: TypeAlias = Scalar | tuple[Scalar, ...]
Row: TypeAlias = Mapping[str, Cells]


@dataclass(frozen=True, slots=True)
class WrittenColumn:
    """`type` is empty for a computed column whose type follows from `value`."""

    name: Word
    type: Word
    can_be_missing: bool = False
    values: tuple[Scalar, ...] | None = None
    min: Scalar | None = None
    max: Scalar | None = None
    pii: bool = False
    clean: tuple[Word, ...] = ()
    separator: str | None = None
    yes: tuple[str, ...] | None = None
    no: tuple[str, ...] | None = None
    zone: Word | None = None
    date_format: Word | None = None
    refers_to: Word | None = None
    unmatched_is_missing: bool = False
    label: str | None = None
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class WrittenSource:
    """`path` for a file (with `sheet` for a workbook), or `url` with `table` or `query`."""

    path: Word | None = None
    sheet: str | None = None
    url: Word | None = None
    table: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenFormat:
    encoding: Word | None = None
    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    strip: tuple[str, ...] = ()
    date: Word | None = None
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class WrittenTable:
    name: Word
    source: WrittenSource | None
    from_: Word | None
    columns: tuple[WrittenColumn, ...]
    key: Word | None = None
    parent: Word | None = None
    parent_by: Word | None = None
    time: Word | None = None
    rows: Expr | None = None
    format: WrittenFormat = WrittenFormat()
    duplicates_keep: Literal["first", "last"] | None = None
    duplicates_by: Word | None = None
    quarantine: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ProjectFile:
    span: Span
    name: str
    timezone: Word
    keywords: Literal["en", "zh"] | None
    requires: Word | None
    customers: Word
    tables: tuple[WrittenTable, ...]
    rules: Word
    tests: Word


@dataclass(frozen=True, slots=True)
class WrittenParameter:
    """`values` has one scalar, or those of a list parameter."""

    name: Word
    label: str | None
    values: tuple[Scalar, ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class WrittenList:
    name: Word
    label: str | None
    file: Word
    key: Word


@dataclass(frozen=True, slots=True)
class WrittenAttribute:
    name: Word
    label: str | None
    value: Expr


@dataclass(frozen=True, slots=True)
class WrittenSegment:
    name: Word
    label: str | None
    when: Expr
    previously: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenOutcome:
    """`{segment: id, label: …}`; in a decision table with the scalars of the further outputs."""

    id: Word
    label: str | None
    outputs: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenCase:
    id: Word
    label: str | None
    when: Expr
    previously: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenAxis:
    """An axis of a matrix: bands in order, each a cell text or scalar (a unary test, parsed by the checker, which
    knows the type of `of`)."""

    name: Word
    of: Expr
    bands: tuple[tuple[Word, Scalar], ...]


@dataclass(frozen=True, slots=True)
class WrittenMatrixCell:
    """`bands` names a band (or `-`) per axis name; an axis left out matches every band."""

    bands: Mapping[str, Word]
    id: Word
    label: str | None
    previously: tuple[Word, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CaseList:
    cases: tuple[WrittenCase, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    axes: tuple[WrittenAxis, ...]
    cells: tuple[WrittenMatrixCell, ...]


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """`columns`: the tested expressions (names); `outputs`: the first is the case id (`segment`). Rows are inline, or
    stand in `file`, whose header names columns and outputs. A column with an output's name is an output."""

    columns: tuple[tuple[Word, Expr], ...]
    outputs: tuple[Word, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    file: Word | None = None
    row_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenSegmentation:
    name: Word
    label: str | None
    hit_policy: Literal["first", "unique"]
    body: CaseList | Matrix | DecisionTable
    otherwise: WrittenOutcome | None
    unknown: WrittenOutcome | None


@dataclass(frozen=True, slots=True)
class WrittenPoints:
    """A row of a characteristic; `when` is None for `otherwise`."""

    when: Expr | None
    points: Scalar


@dataclass(frozen=True, slots=True)
class WrittenCharacteristic:
    name: Word
    points: tuple[WrittenPoints, ...]
    missing: Scalar | None


@dataclass(frozen=True, slots=True)
class WrittenScorecard:
    name: Word
    label: str | None
    base: Scalar | None
    characteristics: tuple[WrittenCharacteristic, ...]


@dataclass(frozen=True, slots=True)
class RuleFile:
    span: Span
    purpose: str
    owner: str
    review_by: Scalar | None
    parameters: tuple[WrittenParameter, ...] = ()
    lists: tuple[WrittenList, ...] = ()
    attributes: tuple[WrittenAttribute, ...] = ()
    segments: tuple[WrittenSegment, ...] = ()
    segmentations: tuple[WrittenSegmentation, ...] = ()
    scorecards: tuple[WrittenScorecard, ...] = ()
    actions: tuple[WrittenAction, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenStage:
    """Where an action must end for a customer, by key; None for the one of `customer:`."""

    customer: Word | None
    action: Word
    stage: Word


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """One example. `customers` has one row for `customer:`; `expect` is by customer key, or under None for the one
    of `customer:`. `several` tells `customers:` from `customer:`; `also` is `with:`. `names` has the place of what
    `given` and `expect` name, by the name, and of the columns of rows, as `table.column`."""

    name: Word
    as_of: Scalar
    customers: tuple[Row, ...]
    several: bool
    tables: Mapping[str, tuple[Row, ...]]
    given: Mapping[str, Cells]
    expect: Mapping[str | None, Mapping[str, Cells]]
    stages: tuple[WrittenStage, ...] = ()
    also: tuple[Literal["holdout", "limits"], ...] = ()
    names: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TestFile:
    """`defaults` fills required columns that a test leaves out, by table name."""

    span: Span
    defaults: Mapping[str, Row]
    tests: tuple[WrittenTest, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """Everything in the folder. `policies` is None where there is no policies.yaml."""

    folder: str
    file: ProjectFile | None
    rules: tuple[RuleFile, ...]
    tests: tuple[TestFile, ...]
    policies: WrittenPolicies | None = None
