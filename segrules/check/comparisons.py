"""Comparisons, sets, ranges and windows over operands that are already checked.

In: checked operands.  Out: checked booleans: `between` and windows as two comparisons, `not in` as `not`.  Always:
both sides of a comparison have one type afterwards, or both are exact numbers; a timestamp beside a date is its local
day; a literal beside a column with `values:` is one of them.

    between(spend, 1, 5, negated=True)      # Not(And((spend >= 1, spend <= 5)))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from segrules.check.advice import case_as_text, of_bool
from segrules.check.facts import constant_value, finite_values
from segrules.check.scope import Scope, any_wrong, is_wrong, wrong
from segrules.check.suggest import nearest
from segrules.check.widen import convert, exact, shorten, shown, spell
from segrules.diagnostics.diagnostic import Help
from segrules.model.expr import And, Compare, CompareOp, Constant, Expr, In, Not, Or, WindowEdge
from segrules.schema.calendar import WindowKind
from segrules.schema.types import (
    DATE,
    NUMBER,
    TEXT,
    Bool,
    Date,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    is_numeric,
)  # fmt: skip
from segrules.source import Span
from segrules.syntax.expr import Expr as Written
from segrules.syntax.expr import Literal, Negative, Unit


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand as written and as checked: messages quote the one, comparisons use the other."""

    written: Written
    node: Expr


def compare(op: CompareOp, left: Operand, right: Operand, span: Span, scope: Scope) -> Expr:
    """`left op right`, or a reported mistake."""
    if any_wrong(left.node, right.node):
        return wrong(span)
    pair = comparable(left.node, right.node)
    if pair is None:
        return _incomparable(op, left, right, span, scope)
    if op in ("=", "!=") or isinstance(pair[0].type, Text):
        among_values(left, right, scope)
        among_values(right, left, scope)
    return Compare(op, *pair, span=span)


def comparable(left: Expr, right: Expr) -> tuple[Expr, Expr] | None:
    """Both sides with the types in which they are compared, or None if they cannot be."""
    match left.type, right.type:
        case (ListOfText(), _) | (_, ListOfText()):
            return None
        case (Untyped(), Untyped()):
            return convert(left, TEXT), convert(right, TEXT)
        case (Untyped(), other) | (other, Untyped()):
            return convert(left, other), convert(right, other)
        case (Number(), other) | (other, Number()) if is_numeric(other):
            return convert(left, NUMBER), convert(right, NUMBER)
        case (a, b) if is_numeric(a) and is_numeric(b):
            return left, right
        case (Timestamp(), Date()):
            return convert(left, DATE), right
        case (Date(), Timestamp()):
            return left, convert(right, DATE)
        case (a, b):
            return (left, right) if a == b else None


def between(subject: Operand, low: Operand, high: Operand, negated: bool, span: Span, scope: Scope) -> Expr:
    """Inclusive; both comparisons carry the span of the whole."""
    found = len(scope.found)
    parts = (compare(">=", subject, low, span, scope), compare("<=", subject, high, span, scope))
    if any_wrong(*parts):
        del scope.found[found + 1 :]
        return wrong(span)
    _not_empty(low, high, span, scope)
    whole = And(parts, span=span)
    return Not(whole, span=span) if negated else whole


def _not_empty(low: Operand, high: Operand, span: Span, scope: Scope) -> None:
    """Warn of a range whose ends are known and stand the wrong way round."""
    least, most = constant_value(low.node), constant_value(high.node)
    if least is None or most is None:
        return
    first, last = (_number_or_itself(one.value, one.type) for one in (least, most))
    turned = isinstance(first, Fraction) and isinstance(last, Fraction) and first > last
    if turned or (isinstance(first, str) and isinstance(last, str) and first > last):
        args = {"low": shown(low.written), "high": shown(high.written)}
        scope.report("T430", span, args, Help("turn", args))


def member(subject: Operand, options: Sequence[Operand], negated: bool, span: Span, scope: Scope) -> Expr:
    """`subject in (…)`. Options that are compared in another type (days, doubles) make a second set, joined by `or`."""
    if any_wrong(subject.node, *(option.node for option in options)):
        return wrong(span)
    groups: dict[Type, tuple[Expr, list[Expr]]] = {}
    for option in options:
        pair = comparable(subject.node, option.node)
        if pair is None:
            return _incomparable("=", subject, option, option.written.span, scope)
        among_values(subject, option, scope)
        groups.setdefault(pair[0].type, (pair[0], []))[1].append(pair[1])
    sets = tuple(In(operand, tuple(members), span=span) for operand, members in groups.values())
    whole: Expr = sets[0] if len(sets) == 1 else Or(sets, span=span)
    return Not(whole, span=span) if negated else whole


def within(
    subject: Operand, kind: WindowKind, amount: int, unit: Unit, negated: bool, span: Span, scope: Scope
) -> Expr:
    """`subject in last 30 days`: the local day from the first to the last day of the window."""
    if is_wrong(subject.node):
        return wrong(span)
    if not isinstance(subject.node.type, Date | Timestamp | Untyped):
        args = {"text": shown(subject.written), "type": str(subject.node.type)}
        return scope.refuse("T414", subject.written.span, args)
    if scope.sight == "own row":
        return scope.refuse("T420", span, {"what": shown(span)})
    day = convert(subject.node, DATE)
    first = WindowEdge(kind, amount, unit, "first", span=span)
    last = WindowEdge(kind, amount, unit, "last", span=span)
    whole = And((Compare(">=", day, first, span=span), Compare("<=", day, last, span=span)), span=span)
    return Not(whole, span=span) if negated else whole


def among_values(subject: Operand, option: Operand, scope: Scope) -> None:
    """Report a literal that is none of the values that *subject* can have."""
    literal = option.written.operand if isinstance(option.written, Negative) else option.written
    if not isinstance(literal, Literal) or not isinstance(option.node, Constant) or option.node.value is None:
        return
    values = finite_values(subject.node, scope)
    if values is None or isinstance(subject.node.type, Bool):
        return
    kind: Type = TEXT if isinstance(subject.node.type, ListOfText) else subject.node.type
    same = [_number_or_itself(value, kind) for value in values]
    if _number_or_itself(option.node.value, option.node.type) in same:
        return
    spelled = [spell(value, kind) for value in values]
    text = spell(option.node.value, option.node.type)
    meant = nearest(text.strip('"'), [one.strip('"') for one in spelled])
    help_ = Help("did_you_mean", {"suggestion": f'"{meant}"' if isinstance(kind, Text) else meant}) if meant else None
    args = {"text": shorten(text), "subject": shown(subject.written), "values": shorten(", ".join(spelled))}
    scope.report("T407", option.written.span, args, help_)


def _number_or_itself(value: object, type_: Type) -> object:
    if isinstance(value, int | float) and not isinstance(type_, Bool):
        return exact(value, type_)
    return value


def _incomparable(op: str, left: Operand, right: Operand, span: Span, scope: Scope) -> Expr:
    args = {
        "left": shown(left.written), "left_type": str(left.node.type),
        "right": shown(right.written), "right_type": str(right.node.type),
    }  # fmt: skip
    return scope.refuse("T403", span, args, _way_out(op, left, right))


def _way_out(op: str, left: Operand, right: Operand) -> Help | None:
    types = left.node.type, right.node.type
    for this, that in ((left, right), (right, left)):
        if isinstance(this.node.type, Text) and (meant := case_as_text(this.node, that.node, that.written)):
            return meant
    for this, that in ((left, right), (right, left)):
        if isinstance(this.node.type, Bool) and not isinstance(that.node.type, ListOfText):
            return of_bool(op, shown(that.written), this.written)
    text = left if isinstance(types[0], Text) else right
    other = types[1] if text is left else types[0]
    if any(isinstance(one, ListOfText) for one in types):
        return Help("list", {"text": shown((left if isinstance(types[0], ListOfText) else right).written)})
    if not any(isinstance(one, Text) for one in types):
        dated = any(isinstance(one, Date | Timestamp) for one in types)
        return Help("days") if dated and any(is_numeric(one) for one in types) else None
    if is_numeric(other):
        return Help("number", {"text": shown(text.written)})
    if isinstance(other, Date | Timestamp):
        return Help("date", {"text": shown(text.written)})
    return None
