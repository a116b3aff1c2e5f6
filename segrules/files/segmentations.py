"""A segmentation as written: cases, a matrix or a decision table.

In: its entry in a rule file.  Out: the document, None where nothing of it could be read.  Always: a row of a decision
table has a cell per column and output; a matrix cell names only axes that exist; what is dropped was reported.

    {cases: [{segment: new, when: order_count = 0}], otherwise: {segment: existing}}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.files import fields
from segrules.files.documents import (
    CaseList,
    DecisionTable,
    Matrix,
    Scalar,
    WrittenAxis,
    WrittenCase,
    WrittenMatrixCell,
    WrittenOutcome,
    WrittenSegmentation,
)  # fmt: skip
from segrules.files.expressions import expression
from segrules.files.shape import unknown_key
from segrules.source import Span, Word
from segrules.syntax.expr import Expr
from segrules.yamltree import nodes
from segrules.yamltree.nodes import Entry, Map, Node, Seq

Rows: TypeAlias = "tuple[tuple[tuple[Scalar, ...], Span], ...]"
ReadTable: TypeAlias = "Callable[[Word, tuple[str, ...], list[Diagnostic]], Rows]"
"""File, wanted columns in order → the cells of each row in that order, and the place of the row."""

_CELL_KEYS = ("segment", "label", "previously")


def read_segmentation(entry: Entry, read_table: ReadTable, found: list[Diagnostic]) -> WrittenSegmentation | None:
    """The segmentation that *entry* defines."""
    node = entry.value
    if not isinstance(node, Map):
        return None
    body: CaseList | Matrix | DecisionTable | None
    outputs = 1
    if node.get("cases") is not None:
        body = _cases(node, found)
    elif node.get("axes") is not None:
        body = _matrix(node, found)
    else:
        body = _decision_table(entry, node, read_table, found)
        outputs = max(1, len(body.outputs)) if body is not None else 0
    otherwise, unknown = (_outcome(node.entry(key), outputs, found) for key in ("otherwise", "unknown"))
    if body is None:
        return None
    return WrittenSegmentation(
        name=fields.key(entry),
        label=fields.text(node.get("label")),
        hit_policy=_policy(fields.text(node.get("hit_policy"))),
        body=body,
        otherwise=otherwise,
        unknown=unknown,
    )


def _policy(written: str | None) -> Literal["first", "unique"]:
    return "unique" if written == "unique" else "first"


def _cases(node: Map, found: list[Diagnostic]) -> CaseList | None:
    cases = []
    for item in fields.items(node.get("cases")):
        when = expression(fields.get(item, "when"), found)
        if (name := fields.word(fields.get(item, "segment"))) is not None:
            label = fields.text(fields.get(item, "label"))
            cases.append(WrittenCase(name, label, when, fields.words(fields.get(item, "previously"))))
    return CaseList(tuple(cases)) if cases else None


def _outcome(entry: Entry | None, outputs: int, found: list[Diagnostic]) -> WrittenOutcome | None:
    """The outcome; one called like its key where its id was wrong, so that nobody asks for it."""
    if entry is None:
        return None
    node = entry.value
    nameless = fields.key(entry)
    if isinstance(node, Seq):
        scalars = fields.scalars(node) or ()
        if outputs and len(scalars) == len(node.items) and scalars and len(scalars) != outputs:
            found.append(_length(node, len(scalars), outputs))
        return WrittenOutcome(fields.word(node.items[0]) or nameless if node.items else nameless, None, scalars[1:])
    return WrittenOutcome(fields.word(fields.get(node, "segment")) or nameless, fields.text(fields.get(node, "label")))


def _matrix(node: Map, found: list[Diagnostic]) -> Matrix | None:
    axes: list[WrittenAxis] = []
    whole = True
    for entry in fields.entries(node.get("axes")):
        if entry.name in _CELL_KEYS:
            found.append(Diagnostic("R529", entry.key.span, {"name": entry.name}))
            whole = False
            continue
        bands = tuple(
            (fields.key(band), test)
            for band in fields.entries(fields.get(entry.value, "bands"))
            if (test := fields.scalar(band.value)) is not None
        )
        whole = whole and len(bands) == len(fields.entries(fields.get(entry.value, "bands"))) > 0
        axes.append(WrittenAxis(fields.key(entry), expression(fields.get(entry.value, "of"), found), bands))
    names = [axis.name.text for axis in axes]
    cells = [cell for item in fields.items(node.get("cells")) if (cell := _matrix_cell(item, names, found)) is not None]
    return Matrix(tuple(axes), tuple(cells)) if whole and axes and cells else None


def _matrix_cell(node: Node, axes: list[str], found: list[Diagnostic]) -> WrittenMatrixCell | None:
    bands: dict[str, Word] = {}
    for entry in fields.entries(node):
        if entry.name in _CELL_KEYS:
            continue
        axis = fields.normal(entry.name)
        band = fields.word(entry.value)
        if axis not in axes:
            found.append(unknown_key(entry, [name for name in (*axes, *_CELL_KEYS) if fields.get(node, name) is None]))
        elif band is not None:
            bands[axis] = band
    name = fields.word(fields.get(node, "segment"))
    if name is None:
        return None
    label, earlier = fields.text(fields.get(node, "label")), fields.words(fields.get(node, "previously"))
    return WrittenMatrixCell(bands, name, label, earlier, node.span)


def _decision_table(entry: Entry, node: Map, read_table: ReadTable, found: list[Diagnostic]) -> DecisionTable | None:
    tested = fields.items(node.get("columns"))
    columns: tuple[tuple[Word, Expr], ...] = tuple(
        (Word(fields.normal(item.text.strip()), fields.inside(item)), expression(item, found))
        for item in tested
        if isinstance(item, nodes.Scalar)
    )
    outputs = fields.words(node.get("outputs"))
    if not columns or not outputs:
        return None
    if outputs[0].text != "segment":
        found.append(Diagnostic("R516", outputs[0].span, {"name": outputs[0].text}))
    file, inline = fields.path(node.get("file")), node.get("rows")
    if file is not None and inline is not None:
        found.append(
            Diagnostic("R510", fields.key_span(node, "rows") or node.span, {"first": "file", "second": "rows"})
        )
    if file is None and inline is None:
        found.append(Diagnostic("R503", entry.key.span, {"key": "rows"}))
    rows: list[tuple[Scalar, ...]] = []
    spans: list[Span] = []
    for item in fields.items(inline):
        cells = fields.scalars(item)
        if not cells or len(cells) != len(fields.items(item)):
            continue
        if len(cells) != len(columns) + len(outputs):
            found.append(_length(item, len(cells), len(columns) + len(outputs)))
            continue
        rows.append(cells)
        spans.append(item.span)
    if file is not None:
        wanted = (*(name.text for name, _ in columns), *(name.text for name in outputs))
        for cells, span in read_table(file, wanted, found):
            rows.append(cells)
            spans.append(span)
    return DecisionTable(columns, outputs, tuple(rows), file, tuple(spans)) if rows else None


def _length(node: Node, count: int, wanted: int) -> Diagnostic:
    span = node.span
    first = span.source.text.find("\n", span.start, span.end)
    if first >= 0:
        span = Span(span.source, span.start, first)
    return Diagnostic("R511", span, {"found": count, "expected": wanted}, Help("quote") if count > wanted else None)
