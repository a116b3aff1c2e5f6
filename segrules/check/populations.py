"""Values relative to all customers: `qcut`, `ntile`, `rank`, `percent_rank`, `quantile`.

In: a written call and its checked parts.  Out: a checked `Population`.  Always: the value is a number or a date, `n`
is a whole number from 1, `p` lies in 0 … 1 and is exact; never inside an aggregate or over a table's own row.

    population(quantile(spend, 0.9))      # Population("quantile", …, argument=(9, 10))
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.check.calls import counted, kind_fits, known, known_integer
from segrules.check.comparisons import Operand
from segrules.check.scope import Args, Scope, any_wrong, wrong
from segrules.check.widen import convert, exact, shown
from segrules.diagnostics.diagnostic import Help, Words
from segrules.model.expr import Expr, Population, PopulationName
from segrules.schema.functions import FUNCTIONS
from segrules.schema.types import INTEGER, NUMBER, Date, ListOfText, Timestamp, Type, Untyped
from segrules.syntax.expr import Call as WrittenCall

MOST_BANDS = 1_000_000


def population(
    call: WrittenCall, args: Sequence[Operand], by: Sequence[Operand], among: Expr | None, scope: Scope
) -> Expr:
    """The checked call, or a reported mistake."""
    name = _population_name(call.function)
    if not counted(FUNCTIONS[name], call, len(args), scope):
        return wrong(call.span)
    value = args[0].node
    if not any_wrong(value) and not kind_fits("ordered", value.type):
        found: Args = {"function": name, "expected": Words("kind.ordered"), "text": shown(args[0].written)}
        help_ = Help("date", {"text": shown(args[0].written)}) if isinstance(value.type, Timestamp) else None
        scope.report("T405", args[0].written.span, {**found, "type": str(value.type)}, help_)
        return wrong(call.span)
    for operand in by:
        if isinstance(operand.node.type, ListOfText):
            several: Args = {"function": name, "expected": Words("kind.single"), "text": shown(operand.written)}
            return scope.refuse("T405", operand.written.span, {**several, "type": str(operand.node.type)})
    if any_wrong(*(one.node for one in (*args, *by)), among):
        return wrong(call.span)
    argument: int | tuple[int, int] | None = None
    if name in ("qcut", "ntile"):
        argument = known_integer(name, "n", args[1], 1, MOST_BANDS, scope)
    elif name == "quantile":
        argument = _fraction(args[1], scope)
    if len(args) == 2 and argument is None:
        return wrong(call.span)
    if isinstance(value.type, Untyped):
        value = convert(value, INTEGER)
    groups = tuple(convert(one.node, INTEGER) if isinstance(one.node.type, Untyped) else one.node for one in by)
    return Population(name, value, call.desc, groups, among, argument, _result(name, value.type), span=call.span)


def _fraction(arg: Operand, scope: Scope) -> tuple[int, int] | None:
    constant = known("quantile", arg, scope)
    if constant is None:
        return None
    p = exact(constant.value, constant.type)
    if p is None or not 0 <= p <= 1:
        args: Args = {"function": "quantile", "limit": Words("limit.fraction"), "text": shown(arg.written)}
        scope.report("T411", arg.written.span, args)
        return None
    return p.numerator, p.denominator


def _result(name: PopulationName, value: Type) -> Type:
    match name:
        case "qcut" | "ntile" | "rank":
            return INTEGER
        case "percent_rank":
            return NUMBER
        case "quantile":
            return value if isinstance(value, Date) else NUMBER


def _population_name(function: str) -> PopulationName:
    match function:
        case "qcut" | "ntile" | "rank" | "percent_rank" | "quantile":
            return function
        case _:
            raise AssertionError(function)
