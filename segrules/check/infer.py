"""Expressions as written become expressions as checked.

In: a written expression and a `Scope`.  Out: a checked expression of `model.expr`; mistakes are in `scope.found`.
Always: the outermost node made for a written node has its span; a part that is wrong has been reported once and makes
the whole `wrong`, quietly.

    infer(parse_expression(Source("", "spend >= 5万"))[0], scope)      # Compare(">=", Column(…), Constant(50000, …))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from segrules.check import arithmetic, comparisons, texts
from segrules.check.advice import beside, case_of, instead_of
from segrules.check.calls import counted, modifiers, scalar
from segrules.check.comparisons import Operand
from segrules.check.parameters import is_given
from segrules.check.populations import population
from segrules.check.related import aggregate, counts_rows, table_of
from segrules.check.resolve import ToParameter, find, is_list_parameter, list_parameter, meaning
from segrules.check.scope import Scope, any_wrong, is_wrong, wrong
from segrules.check.suggest import nearest
from segrules.check.values import stored
from segrules.check.widen import convert, shown
from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help, Words
from segrules.model.expr import And, Constant, Expr, IsMissing, Not, Or
from segrules.model.ruleset import Parameter
from segrules.schema.functions import FUNCTIONS, by_spelling
from segrules.schema.types import BOOL, INT64_MIN, INTEGER, Bool, Integer, ListOfText, Untyped
from segrules.source import Span
from segrules.syntax import expr as w
from segrules.syntax.keywords import keywords_inside

MOST_UNITS = 1_000_000


def infer(written: w.Expr, scope: Scope) -> Expr:
    """The checked form of *written*."""
    span = written.span
    match written:
        case w.Broken():
            return wrong(span)
        case w.Literal():
            return _literal(written, scope)
        case w.Name():
            return meaning(written, scope)
        case w.Subject():
            assert scope.subject is not None
            return scope.subject
        case w.Negative(w.Literal("integer", value)) if value == -INT64_MIN:
            return Constant(INT64_MIN, INTEGER, span=span)
        case w.Negative(operand):
            return arithmetic.negative(_operand(operand, scope), span, scope)
        case w.Arithmetic(op, left, right):
            return arithmetic.arithmetic(op, _operand(left, scope), _operand(right, scope), span, scope)
        case w.Shift(operand, sign, amount, unit):
            moved = _operand(operand, scope)
            units = _amount(amount, 0, scope)
            if units is None:
                return wrong(span)
            return arithmetic.shifted(moved, units if sign == "+" else -units, unit, span, scope)
        case w.Ago(sign, amount, unit):
            units = _amount(amount, 0, scope)
            return wrong(span) if units is None else arithmetic.ago(units if sign == "+" else -units, unit, span, scope)
        case w.Coalesce(left, right):
            return arithmetic.coalesce(_operand(left, scope), _operand(right, scope), span, scope)
        case w.Compare(op, left, right):
            before = len(scope.found)
            a, b = _operand(left, scope), _operand(right, scope)
            beside(op, ((left, a.node), (right, b.node)), before, scope)
            return comparisons.compare(op, a, b, span, scope)
        case w.Between(subject, low, high, negated):
            tested, least, most = _operand(subject, scope), _operand(low, scope), _operand(high, scope)
            return comparisons.between(tested, least, most, negated, span, scope)
        case w.In(subject, options, negated):
            tested = _operand(subject, scope)
            return comparisons.member(tested, [_operand(one, scope) for one in options], negated, span, scope)
        case w.InParameter(subject, parameter, negated):
            tested = _operand(subject, scope)
            items = _items(parameter, scope)
            return wrong(span) if items is None else comparisons.member(tested, items, negated, span, scope)
        case w.InWindow(subject, kind, amount, unit, negated):
            tested = _operand(subject, scope)
            units = 1 if amount is None else _amount(amount, 1, scope)
            return wrong(span) if units is None else comparisons.within(tested, kind, units, unit, negated, span, scope)
        case w.IsMissing(operand, negated):
            node = infer(operand, scope)
            if is_wrong(node):
                return wrong(span)
            test = IsMissing(convert(node, BOOL) if isinstance(node.type, Untyped) else node, span=span)
            return Not(test, span=span) if negated else test
        case w.TextTest(op, subject, operands, negated):
            tested, parts = _operand(subject, scope), _options(operands, scope)
            return wrong(span) if parts is None else texts.text_test(op, tested, parts, negated, span, scope)
        case w.ListTest(op, subject, operands):
            tested, parts = _operand(subject, scope), _options(operands, scope)
            return wrong(span) if parts is None else texts.list_test(op, tested, parts, span, scope)
        case w.Not(operand):
            node = predicate(operand, scope, "not")
            return wrong(span) if is_wrong(node) else Not(node, span=span)
        case w.And(operands):
            nodes = tuple(predicate(one, scope, "and") for one in operands)
            return wrong(span) if any_wrong(*nodes) else And(nodes, span=span)
        case w.Or(operands):
            nodes = tuple(predicate(one, scope, "or") for one in operands)
            return wrong(span) if any_wrong(*nodes) else Or(nodes, span=span)
        case w.Call():
            return _call(written, scope)
        case w.Case(whens, otherwise):
            conditions = [predicate(when.condition, scope, "case") for when in whens]
            values = [_operand(when.value, scope) for when in whens]
            last = None if otherwise is None else _operand(otherwise, scope)
            return arithmetic.choice(conditions, values, last, "case", span, scope)
        case _:
            assert_never(written)


def predicate(written: w.Expr, scope: Scope, what: str | Words) -> Expr:
    """The checked form of *written*, which must be a boolean: `what` needs one."""
    node = infer(written, scope)
    if is_wrong(node):
        return node
    if isinstance(node.type, Untyped):
        return convert(node, BOOL)
    if not isinstance(node.type, Bool):
        args = {"what": what, "text": shown(written), "type": str(node.type)}
        help_ = None if isinstance(node.type, ListOfText) else Help("compare", {"text": shown(written)})
        help_ = case_of(node, scope) or help_
        return scope.refuse("T401", written.span, args, help_)
    return node


def _operand(written: w.Expr, scope: Scope) -> Operand:
    return Operand(written, infer(written, scope))


def _literal(written: w.Literal, scope: Scope) -> Expr:
    found = stored(written, scope.contracts.timezone)
    if found is None:
        return scope.refuse("T409", written.span, {"text": shown(written) or written.spelling})
    type_, value = found
    return Constant(value, type_, span=written.span)


def _amount(written: w.Expr, least: int, scope: Scope) -> int | None:
    """The number of units of a window or shift, a literal or a parameter; None after a report."""
    value: object = None
    given: Parameter | None = None
    if isinstance(written, w.Literal):
        value = written.value if written.kind == "integer" else None
    elif isinstance(written, w.Name):
        target = find(written, scope)
        if isinstance(target, Diagnostic):
            scope.found.append(target)
            return None
        if isinstance(target, ToParameter):
            parameter = scope.parameters.get(target.name)
            if parameter is None:
                return None
            value = parameter.value if isinstance(parameter.type, Integer) and not parameter.is_list else None
            given = parameter if is_given(parameter) else None
    else:
        return None
    if isinstance(value, int) and least <= value <= MOST_UNITS:
        return value
    args: dict[str, Argument] = {"text": shown(written), "least": least, "most": MOST_UNITS}
    if given is None:
        scope.report("T413", written.span, args)
    else:
        args["text"] = shown(given.span)
        help_ = Help("given", {"name": given.name, "least": least})
        scope.found.append(Diagnostic("T413", given.span, args, help_, also=(written.span,)))
    return None


def _items(parameter: w.Name, scope: Scope) -> list[Operand] | None:
    """The items of a list parameter; None after a report."""
    found = list_parameter(parameter, scope)
    if found is None or not isinstance(found.value, tuple):
        return None
    return [Operand(parameter, Constant(value, found.type, span=parameter.span)) for value in found.value]


def _options(operands: Sequence[w.Expr], scope: Scope) -> list[Operand] | None:
    """Bracketed operands, or the items of the one list parameter that stands there."""
    if len(operands) == 1 and isinstance(operands[0], w.Name) and is_list_parameter(operands[0], scope):
        return _items(operands[0], scope)
    return [_operand(one, scope) for one in operands]


def _call(written: w.Call, scope: Scope) -> Expr:
    function = FUNCTIONS.get(written.function)
    if function is None:
        return scope.refuse("N307", _name_span(written), {"name": written.function}, _no_function(written))
    match function.kind:
        case "scalar":
            if not modifiers(written, frozenset(), scope):
                return wrong(written.span)
            return _choice_or_scalar(written, scope)
        case "aggregate":
            if not modifiers(written, frozenset({"where"}), scope):
                return wrong(written.span)
            return _aggregate(written, scope)
        case "population":
            if not modifiers(written, frozenset({"desc", "by", "among"}), scope):
                return wrong(written.span)
            if scope.sight != "customer":
                code = "T418" if scope.sight == "related" else "T420"
                return scope.refuse(code, written.span, {"what": written.function})
            args = [_operand(one, scope) for one in written.args]
            groups = [_operand(one, scope) for one in written.by]
            among = None if written.among is None else predicate(written.among, scope, "among")
            return population(written, args, groups, among, scope)
        case _:
            assert_never(function.kind)


def _no_function(written: w.Call) -> Help | None:
    if (help_ := instead_of(written)) is not None:
        return help_
    if meant := nearest(written.function, by_spelling()):
        return Help("did_you_mean", {"suggestion": meant})
    inside = keywords_inside(written.function)
    return Help("keyword", {"keyword": inside[0]}) if inside else None


def _name_span(call: w.Call) -> Span:
    return call.function_span if call.function_span.text else call.span


def _choice_or_scalar(written: w.Call, scope: Scope) -> Expr:
    if written.function != "if":
        return scalar(written, [_operand(one, scope) for one in written.args], scope)
    if not counted(FUNCTIONS["if"], written, len(written.args), scope):
        return wrong(written.span)
    condition = predicate(written.args[0], scope, "if")
    value, otherwise = _operand(written.args[1], scope), _operand(written.args[2], scope)
    return arithmetic.choice([condition], [value], otherwise, "if", written.span, scope)


def _aggregate(written: w.Call, scope: Scope) -> Expr:
    if scope.sight == "own row":
        return scope.refuse("T420", written.span, {"what": written.function})
    if not counted(FUNCTIONS[written.function], written, len(written.args), scope):
        return wrong(written.span)
    table = table_of(written, scope)
    if table is None:
        return wrong(written.span)
    inside = scope.over(table)
    value = None if counts_rows(written) else _operand(written.args[0], inside)
    where = None if written.where is None else predicate(written.where, inside, "where")
    return aggregate(written, table, value, where, scope)
