"""An expression as its author wrote it, with the value of every part for one customer.

In: an as-written tree beside its checked form.  Out: `Part`s.  Always: the two trees meet by span, since a checked
node carries the span of the text that it came from; what is private is left out.

    Reader(evaluator, ordinal).part(segment.written, segment.when)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from segrules.check.walk import parts_of
from segrules.engine.explanation import Bounds, Condition, Note, Part, Standing, Tally
from segrules.engine.nearest import bare
from segrules.engine.needs import nodes, owner
from segrules.engine.reference.customers import Evaluator
from segrules.engine.results import CutPoints
from segrules.engine.stops import one_line
from segrules.model.expr import (
    Aggregate,
    And,
    Compare,
    Constant,
    Convert,
    Expr,
    In,
    Not,
    Or,
    Population,
    Reference,
    WindowEdge,
)
from segrules.model.privacy import is_private, private_names
from segrules.model.ruleset import Attribute, Segment, Segmentation
from segrules.schema.calendar import window
from segrules.schema.spelling import spelled
from segrules.schema.types import LIST, UNTYPED, Type, Value
from segrules.source import NOWHERE, Span
from segrules.syntax import expr as syntax
from segrules.syntax.expr import Expr as Written

Index = Mapping[Span, Expr]


@dataclass(frozen=True, slots=True)
class Reader:
    """One customer's values. `cut_points`: those of the run."""

    evaluator: Evaluator
    ordinal: int
    cut_points: tuple[CutPoints, ...] = ()
    private: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "private", private_names(self.evaluator.ruleset))

    def part(self, written: Written, checked: Expr, meanings: bool = True) -> Part:
        """The whole expression; *meanings*: with the expression behind every name that the rules define."""
        return self._part(written, checked, spans(checked), True, meanings)

    def cell(self, written: Written, checked: Expr) -> Part:
        """A cell or band of a decision table or matrix: the column's text goes before that of the cell."""
        found = self._part(written, checked, spans(checked), True, False)
        about = next((node for node in nodes(checked) if not isinstance(node, _TESTS)), None)
        if about is None:
            return found
        subject = self._plain(about, about.span)
        others = tuple(part for part in found.parts if part.text != subject.text and not part.parts)
        return replace(found, text=f"{subject.text}: {found.text}", parts=(subject, *others))

    def named(self, name: str, text: str, type_: Type) -> Part:
        """An output of a decision table."""
        value, private = self.public(Reference(name, type_, True))
        return Part(text, type_, value, private)

    def public(self, node: Expr) -> tuple[Value, bool]:
        """The value of *node*, or missing and True where it is private."""
        value = self.evaluator.value(node, self.ordinal)
        if value is not None and is_private(self.evaluator.ruleset, node, self.private):
            return None, True
        return value, False

    def text(self, node: Expr) -> str:
        """The author's text of *node*, or of the name that it reads."""
        if node.span is not NOWHERE:
            return one_line(node.span.text)
        return next((str(getattr(part, "name", "")) for part in nodes(node) if getattr(part, "name", "")), "")

    def _part(self, written: Written, checked: Expr | None, index: Index, decides: bool, meanings: bool) -> Part:
        if isinstance(written, syntax.Name) and checked is None and (listed := self._list(written)) is not None:
            return listed
        node = index.get(written.span) or self._parameter(written) if checked is None else bare(checked)
        if node is None:
            return Part(one_line(written.span.text), UNTYPED, None)
        here = self._plain(node, written.span, meanings)
        parts: list[Part] = []
        if not isinstance(node, Aggregate):
            for operand in parts_of(written):
                if isinstance(operand, syntax.Literal | syntax.Subject | syntax.Broken):
                    continue
                value = self._truth(index.get(operand.span))
                parts.append(
                    self._part(operand, None, index, decides and _decides(written, here.value, value), meanings)
                )
        note = self._note(node, written)
        return replace(here, decides=decides, note=note, parts=tuple(parts))

    def _parameter(self, written: Written) -> Expr | None:
        """The value of a parameter that stands where the checked form has a plain number: `last n days`."""
        found = self.evaluator.ruleset.parameters.get(str(written)) if isinstance(written, syntax.Name) else None
        return Constant(found.value, found.type) if found and not isinstance(found.value, tuple) else None

    def _list(self, written: syntax.Name) -> Part | None:
        """A list parameter with its values as texts."""
        found = self.evaluator.ruleset.parameters.get(str(written))
        if found is None or not isinstance(found.value, tuple):
            return None
        zone = self.evaluator.ruleset.contracts.timezone
        texts = tuple(spelled(value, found.type, zone) for value in found.value if not isinstance(value, tuple))
        return Part(one_line(written.span.text), LIST, texts, label=found.label)

    def _plain(self, node: Expr, span: Span, meanings: bool = False, text: str = "") -> Part:
        value, private = self.public(node)
        label, meaning = self._meaning(node) if meanings else (None, None)
        return Part(text or one_line(span.text), node.type, value, private, label=label, meaning=meaning)

    def _truth(self, node: Expr | None) -> Value:
        return None if node is None else self.evaluator.value(node, self.ordinal)

    def _meaning(self, node: Expr) -> tuple[str | None, Part | None]:
        """The label of the definition that *node* names, and the expression behind it."""
        name = node.left if isinstance(node, Compare) else node
        if not isinstance(name, Reference):
            return None, None
        definition = self.evaluator.ruleset.definitions.get(owner(self.evaluator.ruleset, name.name) or "")
        match definition:
            case Attribute(value=expr) | Segment(when=expr) if isinstance(node, Reference):
                return definition.label, self.part(definition.written, expr, meanings=False)
            case None:
                return None, None
            case Segmentation() if isinstance(node, Compare):
                return None, self._plain(name, name.span, text=definition.name)
            case _:
                return (definition.label if isinstance(node, Reference) else None), None

    def _note(self, node: Expr, written: Written) -> Note | None:
        match node:
            case Aggregate():
                return self._tally(node, written)
            case Population():
                return self._standing(node)
            case _ if isinstance(written, syntax.InWindow):
                return self._bounds(node)
            case _:
                return None

    def _bounds(self, node: Expr) -> Bounds | None:
        edge = next((part for part in nodes(node) if isinstance(part, WindowEdge)), None)
        if edge is None:
            return None
        return Bounds(*window(edge.kind, edge.amount, edge.unit, self.evaluator.as_of))

    def _tally(self, node: Aggregate, written: Written) -> Tally:
        rows = self.evaluator.rows(node.table, self.ordinal)
        kept = [row for row in rows if node.where is None or self._in_row(node.where, node.table, row) is True]
        filled = [row for row in kept if node.value is None or self._in_row(node.value, node.table, row) is not None]
        where = written.where if isinstance(written, syntax.Call) else None
        listed = () if where is None else where.operands if isinstance(where, syntax.And) else (where,)
        index = spans(node)
        conditions = []
        for each in listed:
            condition = index.get(each.span)
            if condition is not None:
                holds = sum(1 for row in rows if self._in_row(condition, node.table, row) is True)
                bounds = self._bounds(condition) if isinstance(each, syntax.InWindow) else None
                conditions.append(Condition(one_line(each.span.text), holds, bounds))
        return Tally(node.table, len(rows), len(kept), len(filled), tuple(conditions))

    def _in_row(self, expr: Expr, table: str, row: int) -> Value:
        return self.evaluator.row_value(expr, table, row)

    def _standing(self, node: Population) -> Standing | None:
        by = tuple(self.evaluator.value(part, self.ordinal) for part in node.by)
        type_ = node.value.type
        if self.evaluator.value(node, self.ordinal) is None:
            return Standing(by, 0, (), type_)
        for points in self.cut_points:
            if points.span == node.span:
                for group in points.groups:
                    if group.by == by:
                        return Standing(by, group.customers, group.cuts, type_)
        return None


_TESTS = And | Or | Not | Compare | In | Constant | Convert


def spans(checked: Expr) -> Index:
    """The outermost node of each span, widenings left out."""
    found: dict[Span, Expr] = {}
    for node in nodes(checked):
        if not isinstance(node, Convert) and node.span is not NOWHERE:
            found.setdefault(node.span, node)
    return found


def _decides(written: Written, whole: Value, part: Value) -> bool:
    """Whether an operand with the value *part* is why the whole came out as it did."""
    match written:
        case syntax.And() | syntax.Or():
            return part is whole
        case _:
            return whole is not None or part is None
