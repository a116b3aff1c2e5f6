"""An example of a test file, read and checked: values instead of scalars, rows instead of text.

In: built by `testing.read`.  Out: `Example`.  Always: names exist, values have the type and the range of their column
or definition; keys are filled in; a row that a test leaves out is not there.

    example.expected[0]      # Expected(customer="c1", name=Named("segment", "star"), value=True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.model.names import Named
from segrules.schema.types import Value
from segrules.source import NOWHERE, Span, Word


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """A row of a table: the stored values of its columns that are not computed. `named` tells which of them the test
    (or `defaults:`, or a rule for keys) gave; the others are missing where the contract allows it, else only there
    to fill the place. `parent` is the position of its parent row, -1 for nobody."""

    values: Mapping[str, Value]
    named: frozenset[str]
    parent: int = -1
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out for one customer; a `value` of None is *missing*, for a segment unknown."""

    customer: Value
    name: Named
    value: Value
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectedStage:
    """Where the action `name` must end for one customer: a stage, or `not matched`."""

    customer: Value
    name: str
    stage: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """A value that the example fixes for all its customers. Of a parameter, `text` is what `--set` would have."""

    name: Named
    value: Value
    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Example:
    """`rows` has every table of the project and of the ledger, that of the customers in key order; `several` tells
    `customers:` from `customer:`; `also`: what else decides than who may be reached."""

    name: Word
    as_of: int
    several: bool
    rows: Mapping[str, tuple[ExampleRow, ...]]
    given: tuple[Given, ...]
    expected: tuple[Expected, ...]
    stages: tuple[ExpectedStage, ...] = ()
    also: tuple[Literal["holdout", "limits"], ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples that are in order, and what is wrong with the others."""

    tests: tuple[Example, ...]
    diagnostics: tuple[Diagnostic, ...]
