"""Scalar functions: what each takes and gives.

In: a written call and its checked arguments.  Out: a checked `Call`, or a reported mistake.  Always: an argument has
the type that its function needs (dates: a local day; doubles where only doubles make sense); an argument that must be
known before the run is a `Constant`.

    scalar(round(amount / 3, 1))      # Call("round", (…, Constant(1)), NUMBER)
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.check.arithmetic import unified
from segrules.check.comparisons import Operand
from segrules.check.facts import constant_value
from segrules.check.scope import Args, Scope, absent, any_wrong, wrong
from segrules.check.widen import convert, exact, shown
from segrules.diagnostics.diagnostic import Help, Words
from segrules.model.expr import Call, Constant, Expr
from segrules.schema.functions import FUNCTIONS, Function
from segrules.schema.types import (
    BOOL,
    DATE,
    INTEGER,
    LIST,
    MAX_SCALE,
    NUMBER,
    TEXT,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    is_numeric,
)  # fmt: skip
from segrules.source import Span
from segrules.syntax.expr import Call as WrittenCall

OF_DATE = frozenset(
    {"year", "quarter", "month", "day", "weekday", "days_since", "weeks_since", "months_since", "years_since",
     "days_between", "next_anniversary", "date"}
)  # fmt: skip
RELATIVE = frozenset({"days_since", "weeks_since", "months_since", "years_since", "next_anniversary"})
OF_NUMBER = frozenset({"sqrt", "ln", "exp", "power"})
GIVES: dict[str, Type] = {
    "div": INTEGER, "mod": INTEGER, "lower": TEXT, "upper": TEXT, "trim": TEXT, "length": INTEGER, "concat": TEXT,
    "replace": TEXT, "left_text": TEXT, "right_text": TEXT, "year": INTEGER, "quarter": INTEGER, "month": INTEGER,
    "day": INTEGER, "weekday": INTEGER, "days_since": INTEGER, "weeks_since": INTEGER, "months_since": INTEGER,
    "years_since": INTEGER, "days_between": INTEGER, "next_anniversary": DATE, "date": DATE, "count_items": INTEGER,
    "band": INTEGER, "hash_bucket": INTEGER, "sqrt": NUMBER, "ln": NUMBER, "exp": NUMBER, "power": NUMBER,
}  # fmt: skip


def scalar(call: WrittenCall, args: Sequence[Operand], scope: Scope) -> Expr:
    """The checked call of a scalar function other than `if`."""
    function = FUNCTIONS[call.function]
    if not counted(function, call, len(args), scope):
        return wrong(call.span)
    if call.function in RELATIVE and scope.sight == "own row":
        return scope.refuse("T420", call.span, {"what": shown(call)})
    wanted = _wanted(function, len(args))
    fits = [_fits(call, word, arg, scope) for word, arg in zip(wanted, args, strict=True)]
    nodes = tuple(arg.node for arg in args)
    if any_wrong(*nodes) or not all(fits):
        return wrong(call.span)
    match call.function:
        case "least" | "greatest" | "default":
            return _widest(call, args, scope)
        case "band":
            return _band(call, args, scope)
        case "hash_bucket":
            return _hash_bucket(call, args, scope)
        case "round":
            return _round(call, args, scope)
        case "abs":
            return absent(call.span) if isinstance(nodes[0].type, Untyped) else _made(call, nodes, nodes[0].type)
        case "floor" | "ceil":
            return _made(call, nodes, NUMBER if isinstance(nodes[0].type, Number) else INTEGER)
        case name:
            if name in OF_DATE:
                nodes = tuple(convert(node, DATE) for node in nodes)
            elif name in OF_NUMBER:
                nodes = tuple(convert(node, NUMBER) for node in nodes)
            else:
                nodes = tuple(_typed(node, word) for node, word in zip(nodes, wanted, strict=True))
            return _made(call, nodes, GIVES[name])


def counted(function: Function, call: WrittenCall, given: int, scope: Scope) -> bool:
    """Whether a call has as many arguments as its function takes; a wrong number is reported."""
    words = function.parameters
    if words[-1] == "…":
        least, most = max(2, len(words) - 1) if function.name != "concat" else 1, None
    elif words[-1].endswith("[]"):
        least, most = len(words), None
    else:
        least, most = sum(not word.endswith("?") for word in words), len(words)
    if given >= least and (most is None or given <= most):
        return True
    expected = least if most == least else f"{least} … {most}" if most is not None else f"{least} …"
    scope.report("T406", call.span, {"function": function.name, "expected": expected, "found": given})
    return False


def _wanted(function: Function, given: int) -> list[str]:
    """The kind of each argument, repetition unrolled, without marks."""
    words = [word for word in function.parameters if word != "…"]
    words += [words[-1]] * (given - len(words))
    return [word.removeprefix("const:").removesuffix("?").removesuffix("[]") for word in words[:given]]


def _fits(call: WrittenCall, word: str, arg: Operand, scope: Scope) -> bool:
    """Whether an argument has the kind of type that *word* names; if not, it is reported."""
    if any_wrong(arg.node) or kind_fits(word, arg.node.type):
        return True
    args: Args = {
        "function": call.function, "expected": Words(f"kind.{word}"), "text": shown(arg.written),
        "type": str(arg.node.type),
    }  # fmt: skip
    scope.report("T405", arg.written.span, args)
    return False


def kind_fits(word: str, type_: Type) -> bool:
    """Whether *type_* is of the kind that a signature of `schema.functions` calls *word*."""
    if isinstance(type_, Untyped):
        return True
    match word:
        case "any":
            return True
        case "numeric" | "fraction":
            return is_numeric(type_)
        case "exact":
            return isinstance(type_, Integer | Decimal)
        case "integer":
            return isinstance(type_, Integer)
        case "text":
            return isinstance(type_, Text)
        case "date":
            return isinstance(type_, Date | Timestamp)
        case "bool":
            return type_ == BOOL
        case "list":
            return isinstance(type_, ListOfText)
        case "ordered":
            return is_numeric(type_) or isinstance(type_, Date)
        case _:
            return False


def _typed(node: Expr, word: str) -> Expr:
    """*node*, given the type of its parameter if it is always missing."""
    types: dict[str, Type] = {"text": TEXT, "integer": INTEGER, "list": LIST, "numeric": NUMBER, "bool": BOOL}
    return convert(node, types[word]) if isinstance(node.type, Untyped) else node


def _made(call: WrittenCall, nodes: tuple[Expr, ...], type_: Type) -> Expr:
    if call.function in ("floor", "ceil") and isinstance(nodes[0].type, Untyped):
        return Constant(None, type_, span=call.span)
    return Call(call.function, nodes, type_, span=call.span)


def _widest(call: WrittenCall, args: Sequence[Operand], scope: Scope) -> Expr:
    for arg in args:
        if isinstance(arg.node.type, ListOfText) and call.function != "default":
            expected: Args = {"function": call.function, "expected": Words("kind.ordered"), "text": shown(arg.written)}
            return scope.refuse("T405", arg.written.span, {**expected, "type": str(arg.node.type)})
    nodes = unified(args, call.function, call.span, scope)
    if nodes is None:
        return wrong(call.span)
    if isinstance(nodes[0].type, Untyped):
        return absent(call.span)
    return Call(call.function, tuple(nodes), nodes[0].type, span=call.span)


def _round(call: WrittenCall, args: Sequence[Operand], scope: Scope) -> Expr:
    value = args[0].node
    digits = 0
    if len(args) == 2:
        known = known_integer(call.function, "n", args[1], 0, MAX_SCALE, scope)
        if known is None:
            return wrong(call.span)
        digits = known
    if isinstance(value.type, Untyped):
        return absent(call.span)
    type_ = Decimal(digits) if isinstance(value.type, Decimal) else value.type
    second = (Constant(digits, INTEGER, span=args[1].written.span),) if len(args) == 2 else ()
    return Call("round", (value, *second), type_, span=call.span)


def _band(call: WrittenCall, args: Sequence[Operand], scope: Scope) -> Expr:
    cuts: list[Constant] = []
    for arg in args[1:]:
        cut = known(call.function, arg, scope)
        if cut is None:
            return wrong(call.span)
        cuts.append(cut)
    numbers = [exact(cut.value, cut.type) for cut in cuts]
    for before, after, arg in zip(numbers, numbers[1:], args[2:], strict=False):
        if before is None or after is None or before >= after:
            return scope.refuse("T411", arg.written.span, _limits(call.function, Words("limit.ascending"), arg))
    value = args[0].node
    nodes: tuple[Expr, ...] = (convert(value, INTEGER) if isinstance(value.type, Untyped) else value, *cuts)
    if any(isinstance(node.type, Number) for node in nodes):
        nodes = tuple(convert(node, NUMBER) for node in nodes)
    return Call("band", nodes, INTEGER, span=call.span)


def _hash_bucket(call: WrittenCall, args: Sequence[Operand], scope: Scope) -> Expr:
    buckets = known_integer(call.function, "n", args[1], 1, 2**52, scope)
    salt = known(call.function, args[2], scope)
    if buckets is None or salt is None:
        return wrong(call.span)
    count = Constant(buckets, INTEGER, span=args[1].written.span)
    return Call("hash_bucket", (convert(args[0].node, TEXT), count, salt), INTEGER, span=call.span)


def known(function: str, arg: Operand, scope: Scope) -> Constant | None:
    """The constant that an argument must be; None after a report."""
    constant = constant_value(arg.node)
    if constant is None or constant.value is None:
        scope.report("T410", arg.written.span, {"function": function, "text": shown(arg.written)}, Help("parameter"))
        return None
    return constant


def known_integer(function: str, name: str, arg: Operand, least: int, most: int, scope: Scope) -> int | None:
    """The whole number in bounds that an argument must be; None after a report."""
    constant = known(function, arg, scope)
    if constant is None:
        return None
    if isinstance(constant.value, int) and isinstance(constant.type, Integer) and least <= constant.value <= most:
        return constant.value
    limit = Words("limit.whole", {"least": least, "most": most})
    scope.report("T411", arg.written.span, _limits(function, limit, arg))
    return None


def _limits(function: str, limit: Words, arg: Operand) -> dict[str, str | Words]:
    return {"function": function, "limit": limit, "text": shown(arg.written)}


def modifiers(call: WrittenCall, allowed: frozenset[str], scope: Scope) -> bool:
    """Whether a call has only modifiers that its kind of function takes; the first other one is reported."""
    given: list[tuple[str, Span]] = []
    if call.where is not None:
        given.append(("where", call.where.span))
    if call.desc:
        given.append(("desc", call.span))
    if call.by:
        given.append(("by", call.by[0].span))
    if call.among is not None:
        given.append(("among", call.among.span))
    for word, span in given:
        if word not in allowed:
            scope.report("T419", span, {"function": call.function, "word": word})
            return False
    return True
