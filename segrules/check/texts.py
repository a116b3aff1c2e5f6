"""Tests of text and of lists: `contains`, `starts with`, `matches`, `has any of` and their kin.

In: checked operands.  Out: checked calls, `not …` and `has none of` as `not`.  Always: the subject is text (of
`has …` a list), operands are text; a pattern is known before the run and one that RE2 takes.

    list_test("has none of", tags, (…))      # Not(Call("has_any", …))
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.check.calls import known
from segrules.check.comparisons import Operand, among_values
from segrules.check.patterns import fault
from segrules.check.scope import Args, Scope, any_wrong, wrong
from segrules.check.widen import convert, shorten, shown
from segrules.diagnostics.diagnostic import Help, Words
from segrules.model.expr import Call, Expr, Not
from segrules.schema.types import BOOL, LIST, TEXT, ListOfText, Text, Untyped
from segrules.source import Span
from segrules.syntax.expr import ListOp, TextOp

TEXT_CALLS: dict[TextOp, str] = {
    "contains": "contains", "starts with": "starts_with", "ends with": "ends_with", "matches": "matches",
    "contains any of": "contains_any",
}  # fmt: skip


def text_test(
    op: TextOp, subject: Operand, operands: Sequence[Operand], negated: bool, span: Span, scope: Scope
) -> Expr:
    """`subject contains "…"` and so on."""
    nodes = [subject.node, *(one.node for one in operands)]
    fits = [_is_text(op, one, scope) for one in (subject, *operands)]
    if any_wrong(*nodes) or not all(fits):
        return wrong(span)
    if op == "matches" and not _is_pattern(operands[0], scope):
        return wrong(span)
    call = Call(TEXT_CALLS[op], tuple(convert(node, TEXT) for node in nodes), BOOL, span=span)
    return Not(call, span=span) if negated else call


def list_test(op: ListOp, subject: Operand, operands: Sequence[Operand], span: Span, scope: Scope) -> Expr:
    """`subject has any of (…)` and so on."""
    fits = [_is_text(op, one, scope) for one in operands]
    if not any_wrong(subject.node) and not isinstance(subject.node.type, ListOfText | Untyped):
        args: Args = {"function": op, "expected": Words("kind.list"), "text": shown(subject.written)}
        help_ = Help("in") if isinstance(subject.node.type, Text) else None
        return scope.refuse("T405", subject.written.span, {**args, "type": str(subject.node.type)}, help_)
    if any_wrong(subject.node, *(one.node for one in operands)) or not all(fits):
        return wrong(span)
    for one in operands:
        among_values(subject, one, scope)
    nodes = (convert(subject.node, LIST), *(convert(one.node, TEXT) for one in operands))
    call = Call("has_all" if op == "has all of" else "has_any", nodes, BOOL, span=span)
    return Not(call, span=span) if op == "has none of" else call


def _is_text(op: str, operand: Operand, scope: Scope) -> bool:
    if any_wrong(operand.node) or isinstance(operand.node.type, Text | Untyped):
        return True
    args: Args = {"function": op, "expected": Words("kind.text"), "text": shown(operand.written)}
    help_ = Help("list", {"text": shown(operand.written)}) if isinstance(operand.node.type, ListOfText) else None
    scope.report("T405", operand.written.span, {**args, "type": str(operand.node.type)}, help_)
    return False


def _is_pattern(operand: Operand, scope: Scope) -> bool:
    constant = known("matches", operand, scope)
    if constant is None:
        return False
    if isinstance(constant.value, str) and (found := fault(constant.value)) is not None:
        scope.report("T412", operand.written.span, {"pattern": shorten(constant.value), "fault": Words(found)})
        return False
    return True
