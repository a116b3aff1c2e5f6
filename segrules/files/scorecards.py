"""A scorecard as written.

In: its entry in a rule file.  Out: the document, None where it has no characteristic.  Always: each characteristic
says what everybody else gets, or a diagnostic says so.

    - name: income
      points: [{when: income >= 10万, points: 20}, {otherwise: 5}]
"""

from __future__ import annotations

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.documents import Scalar, WrittenCharacteristic, WrittenPoints, WrittenScorecard
from segrules.files.expressions import expression
from segrules.source import Word
from segrules.yamltree.nodes import Entry, Map, Node


def read_scorecard(entry: Entry, found: list[Diagnostic]) -> WrittenScorecard | None:
    """The scorecard that *entry* defines."""
    rows = [_characteristic(item, found) for item in fields.items(fields.get(entry.value, "characteristics"))]
    characteristics = tuple(one for one in rows if one is not None)
    if not characteristics:
        return None
    base = fields.get(entry.value, "base")
    return WrittenScorecard(
        name=fields.key(entry),
        label=fields.text(fields.get(entry.value, "label")),
        base=_points(base),
        characteristics=characteristics,
    )


def _characteristic(node: Node, found: list[Diagnostic]) -> WrittenCharacteristic | None:
    if not isinstance(node, Map):
        return None
    listed = node.entry("points")
    rows = fields.items(None if listed is None else listed.value)
    points: list[WrittenPoints] = []
    if listed is not None and rows and all(isinstance(row, Map) and not row.entry("otherwise") for row in rows):
        found.append(Diagnostic("R528", listed.key.span))
    for row in rows:
        when, otherwise = fields.get(row, "when"), fields.get(row, "otherwise")
        value = _points(fields.get(row, "points") if otherwise is None else otherwise)
        predicate = None if when is None else expression(when, found)
        if value is not None and (when is None) != (otherwise is None):
            points.append(WrittenPoints(predicate, value))
    name = fields.word(node.get("name")) or Word("", node.span)
    return WrittenCharacteristic(name, tuple(points), _points(node.get("missing")))


def _points(node: Node | None) -> Scalar | None:
    scalar = fields.scalar(node)
    return None if scalar is None or scalar.value is None else scalar
