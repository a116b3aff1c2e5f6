"""As-written tree → canonical text, in English or Chinese.

In: a tree and a language.  Out: one line.  Always: `parse(print(e)) == e` for every tree that the parser gives;
brackets only where the tree needs them; a literal keeps the author's spelling while it still denotes its value; text
stands in `"…"`; names that are no plain names stand in backquotes.

    print_expression(tree, "zh")       # 近一年消费额 >= 5万 且 城市 属于 ("北京", "上海")
"""

from __future__ import annotations

from functools import partial
from typing import assert_never

from segrules.schema.functions import FUNCTIONS
from segrules.syntax import expr
from segrules.syntax.expr import Expr, Literal, Name, Unit
from segrules.syntax.folding import keeps_shape
from segrules.syntax.keywords import WINDOW_WORDS, Language, is_like_window, is_plain_name, spelling
from segrules.syntax.literals import canonical, denotes

OR, AND, NOT, TEST, SUM, PRODUCT, UNARY, COALESCE, PRIMARY = range(1, 10)

_TEXT_OPS = {"contains": "CONTAINS", "starts with": "STARTS", "ends with": "ENDS", "matches": "MATCHES",
             "contains any of": "CONTAINS_ANY"}  # fmt: skip
_LIST_OPS = {"has any of": "HAS_ANY", "has all of": "HAS_ALL", "has none of": "HAS_NONE"}
_UNITS_ZH: dict[Unit, str] = {"day": "天", "week": "周", "month": "个月", "quarter": "季度", "year": "年"}
_PERIODS_ZH: dict[Unit, str] = {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年"}


def print_expression(tree: Expr, language: Language, subject: Expr | None = None) -> str:
    """*tree* in the keywords of *language*.

    A test of a cell or band is about a `Subject`: it is written as *subject* where one is given, else as `_`.
    """
    return _text(tree, language, subject)


def _text(node: Expr, language: Language, subject: Expr | None, least: int = OR) -> str:
    """*node*, in brackets if it binds more loosely than *least*."""
    level = _level(node, subject)
    written = _write(node, language, subject)
    return written if level >= least else f"({written})"


def _level(node: Expr, subject: Expr | None) -> int:
    match node:
        case expr.Or():
            return OR
        case expr.And():
            return AND
        case expr.Not():
            return NOT
        case expr.Compare() | expr.Between() | expr.In() | expr.InParameter() | expr.InWindow() | expr.IsMissing():
            return TEST
        case expr.TextTest() | expr.ListTest():
            return TEST
        case expr.Shift():
            return SUM
        case expr.Arithmetic(op):
            return SUM if op in "+-" else PRODUCT
        case expr.Negative():
            return UNARY
        case expr.Coalesce():
            return COALESCE
        case Literal("integer" | "decimal", int(value)):
            return UNARY if value < 0 else PRIMARY
        case expr.Subject():
            return PRIMARY if subject is None else _level(subject, None)
        case Literal() | Name() | expr.Ago() | expr.Call() | expr.Case() | expr.Broken():
            return PRIMARY
        case _:
            assert_never(node)


def _write(node: Expr, language: Language, subject: Expr | None) -> str:
    put = partial(_text, language=language, subject=subject)
    word = partial(spelling, language=language)
    match node:
        case Literal():
            return _literal(node, language)
        case Name(parts):
            return ".".join(map(quoted, parts))
        case expr.Subject():
            return "_" if subject is None else _text(subject, language, None)
        case expr.Broken():
            return node.span.text
        case expr.Negative(operand):
            return f"-{put(operand, least=UNARY)}"
        case expr.Arithmetic(op, left, right):
            level = SUM if op in "+-" else PRODUCT
            return f"{put(left, least=level)} {op} {put(right, least=level + 1)}"
        case expr.Shift(operand, sign, amount, unit):
            return f"{put(operand, least=SUM)} {sign} {_amount(amount, unit, language)}"
        case expr.Ago(sign, amount, unit):
            ending = word("AGO" if sign == "-" else "FROM_NOW")
            return f"{_amount(amount, unit, language)}{'' if language == 'zh' else ' '}{ending}"
        case expr.Coalesce(left, right):
            return f"{put(left, least=PRIMARY)} ?? {put(right, least=UNARY)}"
        case expr.Compare(op, left, right):
            return f"{put(left, least=SUM)} {op} {put(right, least=SUM)}"
        case expr.Between(inner, low, high, negated):
            verb = word("NOT_BETWEEN" if negated else "BETWEEN")
            return f"{put(inner, least=SUM)} {verb} {put(low, least=SUM)} {word('TO')} {put(high, least=SUM)}"
        case expr.In(inner, options, negated):
            return f"{put(inner, least=SUM)} {word('NOT_IN' if negated else 'IN')} ({', '.join(map(put, options))})"
        case expr.InParameter(inner, parameter, negated):
            name = put(parameter)
            if is_like_window(parameter.parts[0]) and not name.startswith("`"):
                first = parameter.parts[0]
                name = f"`{first}`{name[len(first) :]}"
            return f"{put(inner, least=SUM)} {word('NOT_IN' if negated else 'IN')} {name}"
        case expr.InWindow(inner, kind, size, unit, negated):
            return f"{put(inner, least=SUM)} {_window(kind, size, unit, negated, language)}"
        case expr.IsMissing(operand, negated):
            return f"{put(operand, least=SUM)} {word('IS_NOT_MISSING' if negated else 'IS_MISSING')}"
        case expr.TextTest(op, inner, operands, negated):
            verb = word(("NOT_" if negated else "") + _TEXT_OPS[op])
            tested = _group(operands, language, subject) if op == "contains any of" else put(operands[0], least=SUM)
            return f"{put(inner, least=SUM)} {verb} {tested}"
        case expr.ListTest(op, inner, operands):
            return f"{put(inner, least=SUM)} {word(_LIST_OPS[op])} {_group(operands, language, subject)}"
        case expr.Not(operand):
            return f"{word('NOT')} {put(operand, least=NOT)}"
        case expr.And(operands):
            return f" {word('AND')} ".join(put(operand, least=NOT) for operand in operands)
        case expr.Or(operands):
            return f" {word('OR')} ".join(put(operand, least=AND) for operand in operands)
        case expr.Call():
            return _call(node, language, subject)
        case expr.Case(whens, otherwise):
            opening = "当" if language == "zh" else "case when"
            again = "当" if language == "zh" else "when"
            branches = [
                f"{opening if at == 0 else again} {put(when.condition)} {word('THEN')} {put(when.value)}"
                for at, when in enumerate(whens)
            ]
            last = [] if otherwise is None else [f"{word('ELSE')} {put(otherwise)}"]
            return " ".join([*branches, *last, word("END")])
        case _:
            assert_never(node)


def quoted(part: str) -> str:
    """One part of a name, in backquotes where it needs them."""
    shape = keeps_shape(part)
    if shape is not None and is_plain_name(shape):
        return part
    return f"`{part.replace('`', '``')}`"


def _literal(literal: Literal, language: Language) -> str:
    match literal.kind, literal.value:
        case "text", str(value):
            doubled = value.replace('"', '""')
            return f'"{doubled}"'
        case "bool", value:
            return spelling("TRUE" if value else "FALSE", language)
        case "missing", _:
            return spelling("MISSING", language)
        case _:
            return literal.spelling if denotes(literal.spelling, literal) else canonical(literal)


def _amount(amount: Expr, unit: Unit, language: Language) -> str:
    number = _text(amount, language, None)
    if language == "zh":
        return f"{number} {_UNITS_ZH[unit]}"
    one = isinstance(amount, Literal) and amount.value == 1
    return f"{number} {unit}{'' if one else 's'}"


def _window(kind: expr.WindowKind, size: Expr | None, unit: Unit, negated: bool, language: Language) -> str:
    english, chinese = WINDOW_WORDS[kind.upper()]
    if language == "en":
        verb = f"{'not ' if negated else ''}in {english}"
        return f"{verb} {unit}" if size is None else f"{verb} {_amount(size, unit, language)}"
    verb = f"{'不' if negated else ''}在{chinese}"
    return f"{verb}{_PERIODS_ZH[unit]}" if size is None else f"{verb} {_amount(size, unit, language)}"


def _group(operands: tuple[Expr, ...], language: Language, subject: Expr | None) -> str:
    written = ", ".join(_text(operand, language, subject) for operand in operands)
    return written if len(operands) == 1 and _is_simple(operands[0]) else f"({written})"


def _is_simple(operand: Expr) -> bool:
    return isinstance(operand, Name)


def _call(call: expr.Call, language: Language, subject: Expr | None) -> str:
    known = FUNCTIONS.get(call.function)
    if known is None:
        name = quoted(call.function)
    else:
        name = known.zh[0] if language == "zh" else known.name
    put = partial(_text, language=language, subject=subject)
    args = [put(arg) for arg in call.args]
    if args:
        args[0] += _modifiers(call, language, subject)
    if call.function == "band" and len(args) > 1:
        return f"{name}({args[0]}, [{', '.join(args[1:])}])"
    return f"{name}({', '.join(args)})"


def _modifiers(call: expr.Call, language: Language, subject: Expr | None) -> str:
    put = partial(_text, language=language, subject=subject)
    found = f" {spelling('DESC', language)}" if call.desc else ""
    if call.by:
        several = ", ".join(map(put, call.by))
        plain = len(call.by) == 1 and isinstance(call.by[0], Name)
        found += f" {spelling('BY', language)} {several if plain else f'({several})'}"
    if call.among is not None:
        found += f" {spelling('AMONG', language)} {put(call.among)}"
    if call.where is not None:
        found += f" {spelling('WHERE', language)} {put(call.where)}"
    return found
