"""A rule file → `RuleFile`.

In: a tree whose shape has been checked.  Out: the document; diagnostics for what a schema cannot say, and a warning
for every feature that is written but not carried out by this version.  Always: a definition that could not be read at
all is there as an attribute with a `Broken` value, so that its name is known and nobody reports it again.

    read_rules(tree, tables, found).segments[0].when
"""

from __future__ import annotations

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.actions import read_action
from segrules.files.dates import checked_date
from segrules.files.documents import (
    RuleFile,
    WrittenAttribute,
    WrittenList,
    WrittenParameter,
    WrittenSegment,
    WrittenSegmentation,
)  # fmt: skip
from segrules.files.expressions import expression
from segrules.files.scorecards import read_scorecard
from segrules.files.segmentations import ReadTable, read_segmentation
from segrules.syntax.expr import Broken
from segrules.yamltree.nodes import Entry, Map, Node, Scalar, Seq

NOT_CARRIED_OUT = ("use", "assert")


def read_rules(root: Map, read_table: ReadTable, found: list[Diagnostic]) -> RuleFile:
    """The document. *read_table* gives the rows of a decision table that stands in a file of its own."""
    for name in NOT_CARRIED_OUT:
        not_carried_out(root, name, found)
    broken: list[WrittenAttribute] = []

    def unless_broken(entry: Entry, read: object) -> bool:
        if read is None:
            broken.append(WrittenAttribute(fields.key(entry), None, Broken(span=entry.key.span)))
        return read is not None

    parameters = [(entry, _parameter(entry)) for entry in fields.entries(root.get("parameters"))]
    lists = [(entry, _list(entry)) for entry in fields.entries(root.get("lists"))]
    divisions: list[tuple[Entry, WrittenSegmentation | None]] = []
    for entry in fields.entries(root.get("segmentations")):
        not_carried_out(entry.value, "require", found)
        for case in fields.items(fields.get(entry.value, "cases")):
            not_carried_out(case, "require", found)
        divisions.append((entry, read_segmentation(entry, read_table, found)))
    scorecards = [(entry, read_scorecard(entry, found)) for entry in fields.entries(root.get("scorecards"))]
    return RuleFile(
        span=root.entries[0].key.span if root.entries else root.span,
        purpose=fields.text(root.get("purpose")) or "",
        owner=fields.text(root.get("owner")) or "",
        review_by=checked_date(root.get("review_by"), found),
        parameters=tuple(one for entry, one in parameters if unless_broken(entry, one) and one),
        lists=tuple(one for entry, one in lists if unless_broken(entry, one) and one),
        segments=tuple(_segment(entry, found) for entry in fields.entries(root.get("segments"))),
        segmentations=tuple(one for entry, one in divisions if unless_broken(entry, one) and one),
        scorecards=tuple(one for entry, one in scorecards if unless_broken(entry, one) and one),
        actions=tuple(read_action(entry, found) for entry in fields.entries(root.get("actions"))),
        attributes=(*(_attribute(entry, found) for entry in fields.entries(root.get("attributes"))), *broken),
    )


def not_carried_out(node: Node, key: str, found: list[Diagnostic]) -> None:
    """A warning where *node* has the key of a feature that this version checks but does not carry out."""
    if (span := fields.key_span(node, key)) is not None:
        found.append(Diagnostic("R525", span, {"feature": key}))


def _parameter(entry: Entry) -> WrittenParameter | None:
    value = fields.get(entry.value, "value")
    label = fields.text(fields.get(entry.value, "label"))
    if isinstance(value, Seq):
        values = tuple(one for one in fields.scalars(value) or () if one.value is not None)
        return WrittenParameter(fields.key(entry), label, values, True) if values else None
    one = fields.scalar(value)
    return None if one is None or one.value is None else WrittenParameter(fields.key(entry), label, (one,), False)


def _list(entry: Entry) -> WrittenList | None:
    file, key = fields.path(fields.get(entry.value, "file")), fields.word(fields.get(entry.value, "key"))
    if file is None or key is None:
        return None
    return WrittenList(fields.key(entry), fields.text(fields.get(entry.value, "label")), file, key)


def _attribute(entry: Entry, found: list[Diagnostic]) -> WrittenAttribute:
    value = _or_broken(entry, "value")
    return WrittenAttribute(fields.key(entry), fields.text(fields.get(entry.value, "label")), expression(value, found))


def _segment(entry: Entry, found: list[Diagnostic]) -> WrittenSegment:
    not_carried_out(entry.value, "require", found)
    return WrittenSegment(
        name=fields.key(entry),
        label=fields.text(fields.get(entry.value, "label")),
        when=expression(_or_broken(entry, "when"), found),
        previously=fields.words(fields.get(entry.value, "previously")),
    )


def _or_broken(entry: Entry, key: str) -> Node | None:
    return fields.get(entry.value, key) if isinstance(entry.value, Map) else _nothing(entry.value)


def _nothing(node: Node) -> Node | None:
    return None if isinstance(node, Scalar) else node
