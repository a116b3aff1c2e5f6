"""Segmentations written as decision tables.

In: tested columns, rows of cells, outputs.  Out: `Segmentation` with further outputs, or None after reports.  Always:
a row is a case, its cells joined by and; each further output has one type, the widest of its cells; an output cell
reads like a parameter's value, `= expr` is an expression, an empty one is missing.

    [">= 10万", "-", gold, 20%]      # CaseRule("gold", when=spend >= 100000, outputs=(Constant(20, Decimal(2)),))
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.check import cells
from segrules.check.comparisons import Operand
from segrules.check.infer import infer
from segrules.check.needs import needs
from segrules.check.outcomes import named, needs_otherwise, outcome
from segrules.check.scope import Args, Scope, any_wrong, is_wrong, wrong
from segrules.check.segmentations import Steps
from segrules.check.values import constant
from segrules.check.widen import common, convert, shown
from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.files.documents import DecisionTable, Scalar, WrittenOutcome, WrittenSegmentation
from segrules.model.expr import Constant, Expr
from segrules.model.ruleset import CaseRule, Segmentation
from segrules.schema.types import INTEGER, ListOfText, Type, Untyped, widest
from segrules.source import NOWHERE, Word
from segrules.syntax import expr as w


def decision_table(written: WrittenSegmentation, body: DecisionTable, scope: Scope) -> Steps:
    """A case per row."""
    tested = len(body.columns)
    width = tested + len(body.outputs)
    rows = [row for row in body.rows if len(row) == width]
    yield needs((column for _, column in body.columns), scope)
    before = len(scope.found)
    subjects = [_subject(name, column, scope) for name, column in body.columns]
    tests = [[cells.parsed(cell, subject, scope) for cell, subject in zip(row, subjects, strict=False)] for row in rows]
    outcomes = [one for one in (written.otherwise, written.unknown) if one is not None]
    grid = [list(row[tested + 1 :]) for row in rows] + [_cells_of(one, len(body.outputs) - 1) for one in outcomes]
    formulas = [[None if cell is None else cells.formula(cell, scope) for cell in row] for row in grid]
    yield needs([test for row in tests for test in row if test is not None], scope)
    yield needs([one for row in formulas for one in row if one is not None], scope)

    values = [
        [_output(cell, formula, one, scope) for cell, formula in zip(row, several, strict=True)]
        for row, several, one in zip(grid, formulas, [None] * len(rows) + [*outcomes], strict=True)
    ]
    types = [_type(output, [row[at] for row in values], scope) for at, output in enumerate(body.outputs[1:])]
    cases = []
    for row, parsed, outputs in zip(rows, tests, values, strict=False):
        name = Word(row[tested].text.strip(), row[tested].span)
        named(name, scope)
        checked = [
            cells.test(test, column, subject, scope)
            for test, (_, column), subject in zip(parsed, body.columns, subjects, strict=True)
            if test is not None
        ]
        when = wrong(name.span) if any_wrong(*(one.checked for one in checked)) else cells.all_of(checked, name.span)
        parts = tuple((one.written, one.checked) for one in checked)
        cases.append(CaseRule(name.text, None, when, _typed(outputs, types), None, parts, span=name.span))
    reached = [
        outcome(one, _typed(outputs, types), scope) for one, outputs in zip(outcomes, values[len(rows) :], strict=True)
    ]
    if any_wrong(*subjects, *(case.when for case in cases)) or len(rows) < len(body.rows) or None in types:
        return None
    needs_otherwise(written, cases, before, scope)
    return Segmentation(
        written.name.text,
        written.label,
        written.hit_policy,
        tuple(cases),
        reached.pop(0) if written.otherwise is not None else None,
        reached.pop(0) if written.unknown is not None else None,
        tuple((output.text, type_) for output, type_ in zip(body.outputs[1:], types, strict=True) if type_ is not None),
        span=written.name.span,
    )


def _subject(name: Word, column: w.Expr, scope: Scope) -> Expr:
    node = infer(column, scope)
    return convert(node, INTEGER) if isinstance(node.type, Untyped) and not is_wrong(node) else node


def _cells_of(one: WrittenOutcome, wanted: int) -> list[Scalar | None]:
    """The further outputs of an outcome; those left out are missing."""
    return [*one.outputs[:wanted], *[None] * (wanted - len(one.outputs))]


def _output(cell: Scalar | None, formula: w.Expr | None, one: WrittenOutcome | None, scope: Scope) -> Operand:
    """What an output cell gives."""
    if cell is None:
        span = NOWHERE if one is None else one.id.span
        return Operand(w.Literal("missing", None, span=span), Constant(None, Untyped(), span=span))
    if formula is not None:
        return Operand(formula, infer(formula, scope))
    quoted = w.Literal("text", cell.text, spelling=cell.text, span=cell.span)
    if not cell.text.strip():
        return Operand(quoted, Constant(None, Untyped(), span=cell.span))
    found = constant(cell, scope.contracts.timezone)
    if isinstance(found, Diagnostic):
        scope.found.append(found)
        return Operand(quoted, wrong(cell.span))
    type_, value = found
    return Operand(quoted, Constant(value, type_, span=cell.span))


def _type(output: Word, column: Sequence[Operand], scope: Scope) -> Type | None:
    """The one type of an output; None after a report (or where a cell is wrong)."""
    nodes = [operand.node for operand in column]
    if any_wrong(*nodes):
        return None
    type_ = common(nodes)
    if type_ is None:
        so_far = column[0]
        for operand in column[1:]:
            both = widest(so_far.node.type, operand.node.type)
            if both is None:
                args: Args = {
                    "what": output.text, "left": shown(so_far.written), "left_type": str(so_far.node.type),
                    "right": shown(operand.written), "right_type": str(operand.node.type),
                }  # fmt: skip
                scope.report("T404", operand.written.span, args)
                return None
            so_far = so_far if both == so_far.node.type else operand
    if isinstance(type_, Untyped):
        scope.report("T422", output.span, {"text": output.text})
        return None
    if isinstance(type_, ListOfText):
        single: Args = {"function": output.text, "expected": Words("kind.single"), "text": output.text}
        scope.report("T405", output.span, {**single, "type": str(type_)})
        return None
    return type_


def _typed(outputs: Sequence[Operand], types: Sequence[Type | None]) -> tuple[Expr, ...]:
    return tuple(
        operand.node if type_ is None or any_wrong(operand.node) else convert(operand.node, type_)
        for operand, type_ in zip(outputs, types, strict=True)
    )
