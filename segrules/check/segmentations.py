"""Segmentations written as a list of cases or as a matrix.

In: a written segmentation.  Out: `Segmentation`, or None after reports.  Always: a generator in steps (see `order`):
it yields the definitions it needs before it looks at their types; bands of an axis are disjoint and leave no value
out; cells become cases.

    case_list(written, scope), matrix(written, scope)
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from segrules.check import cells
from segrules.check.coverage import covered
from segrules.check.infer import infer, predicate
from segrules.check.needs import needs
from segrules.check.outcomes import ids_once, named, needs_otherwise, outcome
from segrules.check.previously import earlier_ids
from segrules.check.regions import Line, lines
from segrules.check.scope import Args, Scope, any_wrong, is_wrong
from segrules.check.suggest import nearest
from segrules.check.widen import convert, shown
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files.documents import (
    CaseList,
    Matrix,
    WrittenAxis,
    WrittenMatrixCell,
    WrittenSegmentation,
)  # fmt: skip
from segrules.model.expr import Expr
from segrules.model.ruleset import CaseRule, Segmentation
from segrules.schema.types import INTEGER, ListOfText, Untyped
from segrules.source import Word
from segrules.syntax import expr as w

Steps: TypeAlias = "Generator[Iterable[str], None, Segmentation | None]"


def case_list(written: WrittenSegmentation, body: CaseList, scope: Scope) -> Steps:
    """Ordered cases with a predicate each."""
    yield needs((case.when for case in body.cases), scope)
    before = len(scope.found)
    ids_once([case.id for case in body.cases], scope)
    cases = []
    for case in body.cases:
        when = predicate(case.when, scope, Words("needs.case"))
        earlier = earlier_ids(case.previously, written.name.text)
        cases.append(CaseRule(case.id.text, case.label, when, (), case.when, (), earlier, span=case.id.span))
    otherwise, unknown = outcome(written.otherwise, (), scope), outcome(written.unknown, (), scope)
    if any_wrong(*(case.when for case in cases)):
        return None
    needs_otherwise(written, cases, before, scope)
    return Segmentation(
        written.name.text, written.label, written.hit_policy, tuple(cases), otherwise, unknown, span=written.name.span
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """A checked axis: the test of each band by name; `line` is None where a band could not be placed."""

    written: WrittenAxis
    value: Expr
    bands: Mapping[str, cells.Test]
    line: Line | None


def matrix(written: WrittenSegmentation, body: Matrix, scope: Scope) -> Steps:
    """Bands along two or more axes, and a cell for each combination that is a case."""
    yield needs((axis.of for axis in body.axes), scope)
    values = [_value(axis, scope) for axis in body.axes]
    tests = [
        [(band, cells.parsed(test, value, scope)) for band, test in axis.bands]
        for axis, value in zip(body.axes, values, strict=True)
    ]
    yield needs((test for axis in tests for _, test in axis if test is not None), scope)
    axes = [_axis(axis, value, parsed, scope) for axis, value, parsed in zip(body.axes, values, tests, strict=True)]
    placed = _cells(body, scope)
    _apart(body, placed, written, scope)
    if any(is_wrong(axis.value) or any_wrong(*(band.checked for band in axis.bands.values())) for axis in axes):
        return None
    if len(placed) < len(body.cells):
        return None
    cases = [_case(cell, axes, written.name.text) for cell in body.cells]
    otherwise, unknown = outcome(written.otherwise, (), scope), outcome(written.unknown, (), scope)
    for cell in body.cells:
        named(cell.id, scope)
    if written.otherwise is None and all(axis.line is not None for axis in axes) and not _full(body, axes):
        scope.report("R551", written.name.span, {"name": written.name.text}, _left_over(body, axes))
    return Segmentation(
        written.name.text, written.label, written.hit_policy, tuple(cases), otherwise, unknown, span=written.name.span
    )


def _value(axis: WrittenAxis, scope: Scope) -> Expr:
    node = infer(axis.of, scope)
    if is_wrong(node):
        return node
    if isinstance(node.type, ListOfText):
        args: Args = {"function": axis.name.text, "expected": Words("kind.single"), "text": shown(axis.of)}
        return scope.refuse("T405", axis.of.span, {**args, "type": str(node.type)})
    return convert(node, INTEGER) if isinstance(node.type, Untyped) else node


def _axis(axis: WrittenAxis, value: Expr, parsed: list[tuple[Word, w.Expr | None]], scope: Scope) -> _Axis:
    bands: dict[str, cells.Test] = {}
    before = len(scope.found)
    for (band, test), (_, scalar) in zip(parsed, axis.bands, strict=True):
        anything: w.Expr = w.Literal("bool", True, span=scalar.span)
        bands.setdefault(band.text, cells.test(test or anything, axis.of, value, scope))
    checked = [band.checked for band in bands.values()]
    line = None
    if not is_wrong(value) and not any_wrong(*checked) and len(scope.found) == before:
        line = _placed(axis, value, checked, scope)
    return _Axis(axis, value, bands, line)


def _placed(axis: WrittenAxis, value: Expr, tests: list[Expr], scope: Scope) -> Line | None:
    """The line of the axis, its bands disjoint and without gap, or None after a report."""
    found = lines(value, tests, scope)
    if found is None:
        opaque = [pair for pair, test in zip(axis.bands, tests, strict=False) if lines(value, [test], scope) is None]
        band, scalar = (opaque or [axis.bands[0]])[0]
        scope.report("R556", scalar.span, {"band": band.text, "axis": axis.name.text})
        return None
    for line in found:
        taken = 0
        for at, ((band, scalar), true) in enumerate(zip(axis.bands, line.true, strict=False)):
            both = taken & true & (line.possible | line.missing)
            if both:
                earlier, place = next(
                    one for one, other in zip(axis.bands[:at], line.true, strict=False) if other & both
                )
                args = {"first": earlier.text, "second": band.text, "value": line.describe(both)}
                scope.found.append(Diagnostic("R552", scalar.span, args, also=(place.span,)))
                return None
            taken |= true
        gap = line.possible & ~taken
        if gap:
            scope.report("R553", axis.name.span, {"axis": axis.name.text, "value": line.describe(gap)})
            return None
    return found[0]


def _cells(body: Matrix, scope: Scope) -> list[tuple[WrittenMatrixCell, tuple[str | None, ...]]]:
    """The cells with a band, or None for any, per axis; those that name an unknown band are reported and left out."""
    placed = []
    for cell in body.cells:
        found: list[str | None] = []
        wrong = False
        for axis in body.axes:
            names = [band.text for band, _ in axis.bands]
            word = cell.bands.get(axis.name.text)
            if word is None or word.text == "-":
                found.append(None)
                continue
            if word.text not in names:
                meant = nearest(word.text, names)
                key = (
                    Help("did_you_mean", {"suggestion": meant}) if meant else Help("bands", {"bands": ", ".join(names)})
                )
                scope.report("R554", word.span, {"band": word.text, "axis": axis.name.text}, key)
                wrong = True
            found.append(word.text)
        if not wrong:
            placed.append((cell, tuple(found)))
    return placed


def _apart(
    body: Matrix,
    placed: list[tuple[WrittenMatrixCell, tuple[str | None, ...]]],
    written: WrittenSegmentation,
    scope: Scope,
) -> None:
    """Report a cell that is there twice; with `unique` also one that shares a combination with another."""
    first: dict[tuple[str | None, ...], WrittenMatrixCell] = {}
    for cell, bands in placed:
        earlier = first.setdefault(bands, cell)
        if earlier is not cell:
            text = " × ".join(band or "-" for band in bands)
            scope.found.append(Diagnostic("R555", cell.id.span, {"cell": text}, also=(earlier.id.span,)))
    if written.hit_policy != "unique":
        return
    wide = [(cell, bands) for bands, cell in first.items() if None in bands]
    for cell, bands in wide:
        for other, others in placed:
            if other is not cell and bands != others and _meet(bands, others) and other.id.text != cell.id.text:
                text = " × ".join(a or b or "-" for a, b in zip(bands, others, strict=True))
                later = max((cell, other), key=lambda one: one.span.start)
                earlier = other if later is cell else cell
                scope.found.append(Diagnostic("R555", later.id.span, {"cell": text}, also=(earlier.id.span,)))
                return


def _meet(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _case(cell: WrittenMatrixCell, axes: list[_Axis], segmentation: str) -> CaseRule:
    tests = []
    for axis in axes:
        word = cell.bands.get(axis.written.name.text)
        if word is not None and word.text != "-":
            tests.append(axis.bands[word.text])
    when = cells.all_of(tests, cell.id.span)
    parts = tuple((test.written, test.checked) for test in tests)
    earlier = earlier_ids(cell.previously, segmentation)
    return CaseRule(cell.id.text, cell.label, when, (), None, parts, earlier, span=cell.id.span)


def _boxes(body: Matrix, axes: list[_Axis]) -> list[dict[int, int]]:
    return [
        {
            at: 1 << list(axis.bands).index(word.text)
            for at, axis in enumerate(axes)
            if (word := cell.bands.get(axis.written.name.text)) is not None and word.text != "-"
        }
        for cell in body.cells
    ]


def _full(body: Matrix, axes: list[_Axis]) -> bool:
    """Whether each combination of bands, and of a missing value that has no band, has a cell."""
    return covered(_boxes(body, axes), [_pieces(axis) for axis in axes])


def _pieces(axis: _Axis) -> int:
    assert axis.line is not None
    line = axis.line
    lost = line.missing and not any(true & line.missing for true in line.true)
    return (1 << len(axis.bands) + bool(lost)) - 1


def _left_over(body: Matrix, axes: list[_Axis]) -> Help:
    """An example of a combination without a cell."""
    boxes = _boxes(body, axes)
    limits = [_pieces(axis) for axis in axes]
    chosen: list[str] = []
    for at, axis in enumerate(axes):
        names = [*axis.bands, "missing"]
        for piece in range(limits[at].bit_length()):
            rest = [box for box in boxes if box.get(at, ~0) & (1 << piece)]
            if not covered([{k - at - 1: v for k, v in box.items() if k > at} for box in rest], limits[at + 1 :]):
                chosen.append(names[piece])
                boxes = rest
                break
    return Help("cell", {"cell": " × ".join(chosen)})
