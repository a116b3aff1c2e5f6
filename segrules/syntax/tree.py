"""What each rule of the grammar makes: nodes of the as-written tree.

In: the alias of a rule, the values of its symbols and the offsets it covers.  Out: a node, or a piece that a rule
above takes up.  Always: a node's span covers exactly its own text (brackets around an operand belong to the node that
holds the operand); a literal or name that is wrong by itself becomes `Broken` with a diagnostic, and the rest of the
tree is still made.

    Build(source, folded).make("negative", [minus, Name(("spend",))], 0, 6)     # Negative(Name(("spend",)))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeAlias

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.schema.functions import by_spelling
from segrules.source import Source, Span
from segrules.syntax import expr, literals
from segrules.syntax.expr import Expr, Literal, Name, Subject
from segrules.syntax.folding import normal_name, trouble
from segrules.syntax.keywords import unit_of
from segrules.syntax.machine import Token

MAX_PARTS = 10

COMPARE: Mapping[str, expr.CompareOp] = {"EQ": "=", "NE": "!=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
ARITHMETIC: Mapping[str, expr.ArithmeticOp] = {"PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/"}
TEXT_OPS: Mapping[str, expr.TextOp] = {
    "CONTAINS": "contains", "STARTS": "starts with", "ENDS": "ends with", "MATCHES": "matches",
    "NOT_CONTAINS": "contains", "NOT_STARTS": "starts with", "NOT_ENDS": "ends with", "NOT_MATCHES": "matches",
}  # fmt: skip
LIST_OPS: Mapping[str, expr.ListOp] = {"HAS_ANY": "has any of", "HAS_ALL": "has all of", "HAS_NONE": "has none of"}
WINDOWS: Mapping[str, expr.WindowKind] = {
    "LAST": "last", "NEXT": "next", "PREVIOUS": "previous", "PREVIOUS_ONE": "previous", "THIS": "this",
}  # fmt: skip

Rule: TypeAlias = "Callable[[Build, list[Any], Span], object]"


@dataclass(frozen=True, slots=True)
class Options:
    """What follows `in`: `members`, a parameter, or a window."""

    members: tuple[Expr, ...] = ()
    parameter: Name | None = None
    window: tuple[expr.WindowKind, Expr | None, expr.Unit] | None = None


@dataclass(frozen=True, slots=True)
class Modifier:
    kind: str
    value: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Modified:
    """The first argument of a call with what follows it: `x desc by city`."""

    value: Expr
    modifiers: tuple[Modifier, ...]


@dataclass(frozen=True, slots=True)
class Bracketed:
    """A `[…]` among the arguments of a call."""

    members: tuple[Expr, ...]
    span: Span


@dataclass(slots=True)
class Build:
    """One parse: its texts, and the diagnostics found on the way."""

    source: Source
    folded: str
    found: list[Diagnostic] = field(default_factory=list)

    def make(self, alias: str, values: list[Any], start: int, end: int) -> object:
        return rules()[alias](self, values, Span(self.source, start, end))

    def broken(self, code: str, span: Span, way_out: Help | None = None, **args: str) -> expr.Broken:
        self.found.append(Diagnostic(code, span, args, way_out))
        return expr.Broken(span=span)

    def literal(self, read: Callable[[str], Literal | literals.Wrong], span: Span) -> Expr:
        match read(self.folded[span.start : span.end]):
            case Literal() as made:
                return replace(made, span=span)
            case literals.Wrong(code, args, way_out):
                self.found.append(Diagnostic(code, span, args, way_out))
                return expr.Broken(span=span)

    def number(self, span: Span) -> Expr:
        """A number; `000` right after a comma was meant as part of `1,000`."""
        before = re.search(r"[0-9]{1,3},\Z", self.folded[max(0, span.start - 4) : span.start])
        if before is not None and re.fullmatch("0[0-9]{2}", self.folded[span.start : span.end]):
            whole = Span(self.source, span.start - len(before[0]), span.end)
            number = self.folded[whole.start : whole.end].replace(",", "")
            return self.broken("S211", whole, Help("plain", {"number": number}), found=whole.text)
        return self.literal(literals.number, span)

    def negative(self, operand: Expr, span: Span) -> Expr:
        """`-operand`; of the one integer that fits 64 bits only with its sign, the literal after all."""
        if isinstance(operand, expr.Broken) and self.found and self.found[-1].span == operand.span:
            least = literals.least(self.folded[operand.span.start : operand.span.end])
            if self.found[-1].code == "S213" and least is not None:
                self.found.pop()
                return expr.Negative(replace(least, span=operand.span), span=span)
        return expr.Negative(operand, span=span)

    def name(self, token: Token) -> Name | expr.Broken:
        """The name of a NAME token: its parts between dots, backquotes undone, NFKC."""
        span = Span(self.source, token.start, token.end)
        if "." not in span.text and "`" not in span.text and "．" not in span.text:
            return Name((normal_name(span.text),), span=span)
        parts = []
        for at, end in _parts(self.folded, token):
            part = self.source.text[at:end]
            if part.startswith("`"):
                part = part[1:-1].replace("``", "`")
                if not part.strip():
                    return self.broken("S231", Span(self.source, at, end), Help("empty"), found=span.text)
                hidden = next((one for one in part if trouble(one) == "control" or one in "\n\r"), None)
                if hidden is not None:
                    where = self.source.text.index(hidden, at)
                    bad = Span(self.source, where, where + 1)
                    return self.broken("S207", bad, Help("remove"), character=f"U+{ord(hidden):04X}")
            parts.append(normal_name(part))
        if len(parts) > MAX_PARTS:
            return self.broken("S231", span, Help("parts"), found=span.text)
        return Name(tuple(parts), span=span)

    def window(self, subject: Expr, options: Options, negated: bool, span: Span) -> Expr:
        if options.parameter is not None:
            return expr.InParameter(subject, options.parameter, negated, span=span)
        if options.window is not None:
            return expr.InWindow(subject, *options.window, negated, span=span)
        return expr.In(subject, options.members, negated, span=span)

    def compare(self, op: str, left: Expr, right: Expr, span: Span) -> Expr:
        for side in (left, right):
            if isinstance(side, Name) and len(side.parts) == 1 and side.parts[0].lower() == "null":
                if side.span.text.startswith("`"):
                    continue
                return self.broken(
                    "S224", side.span, Help("missing" if op == "EQ" else "not_missing"), found=side.span.text
                )
        return expr.Compare(COMPARE[op], left, right, span=span)

    def call(self, token: Token, args: list[Any], span: Span) -> Expr:
        name = self.name(token)
        if isinstance(name, expr.Broken):
            return name
        if len(name.parts) > 1:
            return self.broken("S233", name.span, Help("function"), found=name.span.text)
        written = name.parts[0]
        function = by_spelling().get(written) or by_spelling().get(written.lower()) or written
        made = expr.Call(function, (), function_span=name.span, span=span)
        values: list[Expr] = []
        for arg in args:
            match arg:
                case Modified(value, modifiers):
                    values.append(value)
                    made = self.modified(made, modifiers)
                case Bracketed(members, place):
                    if function != "band":
                        self.found.append(Diagnostic("S229", place, {}, Help("function", {"function": written})))
                    values += members
                case _:
                    values.append(arg)
        return replace(made, args=tuple(values))

    def modified(self, call: expr.Call, modifiers: Sequence[Modifier]) -> expr.Call:
        seen: set[str] = set()
        for one in modifiers:
            if one.kind in seen:
                self.found.append(Diagnostic("S228", one.span, {"word": self.word(one.span)}, Help("once")))
            elif one.kind == "desc":
                call = replace(call, desc=True)
            elif one.kind == "by":
                call = replace(call, by=one.value)
            elif one.kind == "among":
                call = replace(call, among=one.value[0])
            else:
                call = replace(call, where=one.value[0])
            seen.add(one.kind)
        return call

    def word(self, span: Span) -> str:
        found = re.match(r"[A-Za-z]+|其中|限于|降序|按", self.folded[span.start : span.end])
        return found[0] if found else span.text

    def unit(self, token: Token) -> expr.Unit:
        return unit_of(self.folded[token.start : token.end])

    def amount(self, value: Expr) -> Expr:
        match value:
            case Literal(kind="decimal"):
                return self.broken("S236", value.span, Help("whole"), found=value.spelling)
            case Name(parts) if len(parts) > 1:
                return self.broken("S236", value.span, Help("parameter"), found=value.span.text)
            case _:
                return value


def _parts(folded: str, token: Token) -> list[tuple[int, int]]:
    found = re.compile(r"`[^`]*(?:``[^`]*)*`|\w+").finditer(folded, token.start, token.end)
    return [part.span() for part in found]


def _first_when(_: Build, v: list[Any], s: Span) -> object:
    return [expr.When(v[1], v[3])]


def _more(_: Build, v: list[Any], s: Span) -> object:
    v[0].append(v[-1])
    return v[0]


def _next_when(_: Build, v: list[Any], s: Span) -> object:
    v[0].append(expr.When(v[2], v[4]))
    return v[0]


def _list_argument(_: Build, v: list[Any], s: Span) -> object:
    opening, closing = v[2], v[4]
    v[0].append(Bracketed(tuple(v[3]), Span(s.source, opening.start, closing.end)))
    return v[0]


def _subject(s: Span) -> Subject:
    return Subject(span=s)


def _cell_equal(b: Build, v: list[Any], s: Span) -> Expr:
    if isinstance(v[0], Literal) and v[0].kind == "missing":
        return expr.IsMissing(_subject(s), span=s)
    return b.compare("EQ", _subject(s), v[0], s)


def _range(_: Build, v: list[Any], s: Span) -> Expr:
    low, high = v[1], v[3]
    if v[0].kind == "LSQB" and v[4].kind == "RSQB":
        return expr.Between(_subject(s), low, high, span=s)
    above = expr.Compare(">=" if v[0].kind == "LSQB" else ">", _subject(s), low, span=s)
    below = expr.Compare("<=" if v[4].kind == "RSQB" else "<", _subject(s), high, span=s)
    return expr.And((above, below), span=s)


def either(tests: Sequence[Expr], span: Span) -> Expr:
    """The tests of a cell between commas: equalities beside each other are one `in`."""
    found: list[Expr] = []
    run: list[expr.Compare] = []

    def close() -> None:
        if len(run) > 1:
            place = run[0].span.to(run[-1].span)
            found.append(expr.In(_subject(place), tuple(one.right for one in run), span=place))
        else:
            found.extend(run)
        run.clear()

    for test in tests:
        if isinstance(test, expr.Compare) and test.op == "=":
            run.append(test)
        else:
            close()
            found.append(test)
    close()
    return found[0] if len(found) == 1 else expr.Or(tuple(found), span=span)


@cache
def rules() -> Mapping[str, Rule]:
    """What is made for each alias of grammar.lark, from the values of its symbols."""
    table: dict[str, Rule] = {
        "one": lambda b, v, s: [v[0]],
        "chain": lambda b, v, s: [v[0], v[2]],
        "chain_more": _more,
        "pair_more": _more,
        "second": lambda b, v, s: v[1],
        "any_of": lambda b, v, s: expr.Or(tuple(v[0]), span=s),
        "all_of": lambda b, v, s: expr.And(tuple(v[0]), span=s),
        "negation": lambda b, v, s: expr.Not(v[1], span=s),
        "bracketed": lambda b, v, s: v[1],
        "arithmetic": lambda b, v, s: expr.Arithmetic(ARITHMETIC[v[1].kind], v[0], v[2], span=s),
        "shift": lambda b, v, s: expr.Shift(v[0], "+" if v[1].kind == "PLUS" else "-", v[2], b.unit(v[3]), span=s),
        "negative": lambda b, v, s: b.negative(v[1], s),
        "coalesce": lambda b, v, s: expr.Coalesce(v[0], v[2], span=s),
        "number": lambda b, v, s: b.number(s),
        "date": lambda b, v, s: b.literal(literals.date, s),
        "timestamp": lambda b, v, s: b.literal(literals.timestamp, s),
        "text": lambda b, v, s: replace(literals.text(s.text), span=s),
        "true": lambda b, v, s: Literal("bool", True, span=s),
        "false": lambda b, v, s: Literal("bool", False, span=s),
        "missing": lambda b, v, s: Literal("missing", None, span=s),
        "name": lambda b, v, s: b.name(v[0]),
        "amount_number": lambda b, v, s: b.amount(b.literal(literals.number, s)),
        "amount_name": lambda b, v, s: b.amount(b.name(v[0])),
        "ago": lambda b, v, s: expr.Ago("-", v[0], b.unit(v[1]), span=s),
        "from_now": lambda b, v, s: expr.Ago("+", v[0], b.unit(v[1]), span=s),
        "call_empty": lambda b, v, s: b.call(v[0], [], s),
        "call": lambda b, v, s: b.call(v[0], v[2], s),
        "list_argument": _list_argument,
        "modified": lambda b, v, s: [Modified(v[0], tuple(v[1]))],
        "desc": lambda b, v, s: Modifier("desc", (), s),
        "by_name": lambda b, v, s: Modifier("by", (b.name(v[1]),), s),
        "by_list": lambda b, v, s: Modifier("by", tuple(v[2]), s),
        "among": lambda b, v, s: Modifier("among", (v[1],), s),
        "where": lambda b, v, s: Modifier("where", (v[1],), s),
        "first_when": _first_when,
        "next_when": _next_when,
        "case": lambda b, v, s: expr.Case(tuple(v[0]), span=s),
        "case_else": lambda b, v, s: expr.Case(tuple(v[0]), v[2], span=s),
        "set_options": lambda b, v, s: Options(members=tuple(v[1])),
        "set_parameter": lambda b, v, s: _parameter(b.name(v[0])),
        "set_window": lambda b, v, s: Options(window=(WINDOWS[v[0].kind], v[1], b.unit(v[2]))),
        "set_period": lambda b, v, s: Options(window=(WINDOWS[v[0].kind], None, b.unit(v[1]))),
        "group_name": lambda b, v, s: [b.name(v[0])],
        "cell_not": lambda b, v, s: expr.Not(v[1], span=s),
        "cell_anything": lambda b, v, s: Literal("bool", True, span=s),
        "cell_choice": lambda b, v, s: either(v[0], s),
        "cell_equal": _cell_equal,
        "range": _range,
    }
    tests: dict[str, Callable[[Build, Expr, list[Any], Span], Expr]] = {
        "compare": lambda b, x, v, s: b.compare(v[0].kind, x, v[1], s),
        "between": lambda b, x, v, s: expr.Between(x, v[1], v[3], span=s),
        "not_between": lambda b, x, v, s: expr.Between(x, v[1], v[3], True, span=s),
        "member": lambda b, x, v, s: b.window(x, v[1], False, s),
        "not_member": lambda b, x, v, s: b.window(x, v[1], True, s),
        "is_missing": lambda b, x, v, s: expr.IsMissing(x, span=s),
        "is_not_missing": lambda b, x, v, s: expr.IsMissing(x, True, span=s),
        "text_test": lambda b, x, v, s: expr.TextTest(TEXT_OPS[v[0].kind], x, (v[1],), span=s),
        "not_text_test": lambda b, x, v, s: expr.TextTest(TEXT_OPS[v[0].kind], x, (v[1],), True, span=s),
        "text_any": lambda b, x, v, s: expr.TextTest("contains any of", x, tuple(v[1]), span=s),
        "not_text_any": lambda b, x, v, s: expr.TextTest("contains any of", x, tuple(v[1]), True, span=s),
        "list_test": lambda b, x, v, s: expr.ListTest(LIST_OPS[v[0].kind], x, tuple(v[1]), span=s),
    }
    for alias, test in tests.items():
        table[alias] = _of_operand(test)
        table[f"cell_{alias}"] = _of_subject(test)
    return table


def _of_operand(test: Callable[[Build, Expr, list[Any], Span], Expr]) -> Rule:
    return lambda b, v, s: test(b, v[0], v[1:], s)


def _of_subject(test: Callable[[Build, Expr, list[Any], Span], Expr]) -> Rule:
    return lambda b, v, s: test(b, _subject(s), v, s)


def _parameter(name: Name | expr.Broken) -> Options:
    return Options(parameter=name) if isinstance(name, Name) else Options(members=(name,))
