"""Cells of decision tables and bands of matrices: unary tests of one value.

In: a scalar, the written and the checked value that it tests.  Out: `Test`: the test as an expression that people
can read, and checked.  Always: a YAML number or boolean means equality; nothing, `-` and an empty text test nothing;
in a text column an unquoted piece is text.

    parsed(Scalar(">= 5万"), spend)      # Compare(">=", Subject(), Literal("integer", 50000))
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal as Exact
from typing import cast

from segrules.check.infer import predicate
from segrules.check.needs import with_subject
from segrules.check.scope import Scope
from segrules.check.values import constant
from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.files.documents import Scalar
from segrules.model.expr import And, Constant, Expr
from segrules.schema.types import BOOL, Decimal, Integer, Text
from segrules.source import Source, Span
from segrules.syntax import expr as w
from segrules.syntax.cells import parse_cell
from segrules.syntax.parser import parse_expression


@dataclass(frozen=True, slots=True)
class Test:
    """`written` has the tested value in its place."""

    written: w.Expr
    checked: Expr


def source_of(scalar: Scalar) -> Source:
    """The text of a scalar as a source whose places lead to its file."""
    source = scalar.span.source
    return source if source.text == scalar.text else Source(source.name, scalar.text)


def parsed(scalar: Scalar, subject: Expr, scope: Scope) -> w.Expr | None:
    """The test over `Subject()`; None for a cell that tests nothing."""
    span = scalar.span
    match scalar.value:
        case None:
            return None
        case bool() if not isinstance(subject.type, Text):
            return w.Compare("=", w.Subject(span=span), w.Literal("bool", scalar.value, span=span), span=span)
        case int() | Exact() if not isinstance(subject.type, Text):
            return _equal(scalar, scope)
        case _:
            cell, found = parse_cell(source_of(scalar), isinstance(subject.type, Text))
            scope.found.extend(found)
            return None if isinstance(cell, w.Literal) and cell.value is True else cell


def _equal(scalar: Scalar, scope: Scope) -> w.Expr:
    found = constant(scalar, scope.contracts.timezone)
    if isinstance(found, Diagnostic):
        scope.found.append(found)
        return w.Broken(span=scalar.span)
    type_, value = found
    scale = type_.scale if isinstance(type_, Decimal) else 0
    kind: w.LiteralKind = "integer" if isinstance(type_, Integer) else "decimal"
    literal = w.Literal(kind, cast(int, value), scale, scalar.text, span=scalar.span)
    positive = literal if cast(int, value) >= 0 else w.Negative(_absolute(literal), span=scalar.span)
    return w.Compare("=", w.Subject(span=scalar.span), positive, span=scalar.span)


def _absolute(literal: w.Literal) -> w.Literal:
    return w.Literal(literal.kind, -cast(int, literal.value), literal.scale, literal.spelling[1:], span=literal.span)


def test(cell: w.Expr, subject: w.Expr, checked: Expr, scope: Scope) -> Test:
    """The checked test of a parsed cell about *checked*, which people write as *subject*."""
    return Test(cast(w.Expr, with_subject(cell, subject)), predicate(cell, scope.about(checked), Words("needs.cell")))


def all_of(tests: list[Test], span: Span) -> Expr:
    """All tests of a row; TRUE where there is none."""
    nodes = tuple(one.checked for one in tests)
    if not nodes:
        return Constant(True, BOOL, span=span)
    return nodes[0] if len(nodes) == 1 else And(nodes, span=span)


def formula(scalar: Scalar, scope: Scope) -> w.Expr | None:
    """The expression of an output cell `= expr`; None if the cell is a value."""
    if not isinstance(scalar.value, str) or not scalar.text.lstrip().startswith("="):
        return None
    source = source_of(scalar)
    start = scalar.text.index("=") + 1
    inner = Source(source.name, scalar.text[start:], source, lambda: range(start, len(scalar.text) + 1))
    written, found = parse_expression(inner)
    scope.found.extend(found)
    return written
