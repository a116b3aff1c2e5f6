"""The way out where it takes more than a name that is spelled alike.

In: what was written, and what stands beside it.  Out: a `Help`, or None where there is nothing better to say.  Always:
what is proposed is a text of the language that means something in the scope at hand, names in backquotes where they
need them.

    aggregated("amount", scope)      # Help("sum", {"suggestion": "orders.amount"})
    instead_of(Call("coalesce", (age, 1)))      # Help("instead", {"instead": "age ?? 1"})
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from segrules.check.facts import finite_values
from segrules.check.scope import Scope, is_wrong
from segrules.check.suggest import nearest
from segrules.check.widen import shorten, shown
from segrules.diagnostics.diagnostic import Help
from segrules.model.expr import Compare, Constant, Expr, Reference
from segrules.schema.types import Bool, Date, ListOfText, Text, Timestamp, is_numeric
from segrules.syntax import expr as w
from segrules.syntax.keywords import KEYWORDS
from segrules.syntax.printer import print_expression

YES = frozenset({"是", "对", "有", "yes", "y", "on", "t", "1", "true", "真"})
NO = frozenset({"否", "不是", "无", "no", "n", "off", "f", "0", "false", "假"})

OPERATORS = {
    "CONTAINS", "STARTS", "ENDS", "MATCHES", "NOT_CONTAINS", "NOT_STARTS", "NOT_ENDS", "NOT_MATCHES", "EQ", "NE", "LT",
    "LE", "GT", "GE",
}  # fmt: skip
FOREIGN = {
    "startswith": "starts with", "starts_with": "starts with", "beginswith": "starts with", "endswith": "ends with",
    "ends_with": "ends with", "like": "contains", "includes": "contains", "instr": "contains", "charindex": "contains",
    "regexp": "matches", "regexp_like": "matches", "rlike": "matches", "match": "matches", "search": "contains",
    "开始于": "开头为", "结束于": "结尾为", "coalesce": "??", "ifnull": "??",
    "nvl": "??", "isnull": "??", "空值替换": "??",
}  # fmt: skip
MISSING = {"isnull": "is missing", "isblank": "is missing", "isempty": "is missing", "isna": "is missing",
           "为空": "为空", "不为空": "不为空", "是否为空": "为空"}  # fmt: skip
OTHER = {
    "today": "today", "now": "today", "current_date": "today", "getdate": "today", "curdate": "today",
    "iif": "if(…, a, b)", "datediff": "days_between(a, b)", "average": "avg(…)", "mean": "avg(…)",
    "countif": "count(… where …)", "sumif": "sum(… where …)", "substring": "left_text(a, n)",
    "substr": "left_text(a, n)", "len": "length(a)", "in": "in (…)", "between": "between a and b",
    "介于": "介于 a 和 b", "属于": "属于 (…)", "averageif": "avg(… where …)",
}  # fmt: skip


def path(*parts: str) -> str:
    """A name as expressions write it."""
    return print_expression(w.Name(parts), "en")


def aggregated(column: str, scope: Scope) -> Help | None:
    """The aggregate that *column* needs, where only tables below the customers have it."""
    tables = scope.contracts.tables
    if scope.sight != "customer":
        return None
    for table in tables:
        chain = scope.contracts.chain(table)
        if len(chain) > 1 and chain[-1] == scope.contracts.customers and column in tables[table].columns:
            type_ = tables[table].columns[column].type
            args = {"suggestion": path(table, column), "table": path(table), "column": path(column)}
            if is_numeric(type_):
                return Help("sum", args)
            return Help("max" if isinstance(type_, Date | Timestamp) else "any", args)
    return None


def through(table: str, rest: tuple[str, ...], scope: Scope) -> Help | None:
    """The way to *table* by a column in sight that refers to it."""
    for near in scope.chain:
        for name, column in scope.contracts.tables[near].columns.items():
            if column.refers_to == table:
                key = scope.contracts.tables[table].key or next(iter(scope.contracts.tables[table].columns), table)
                return Help("through", {"suggestion": path(name, *(rest or (key,))), "column": path(name)})
    return None


def instead_of(call: w.Call) -> Help | None:
    """How the language writes what functions do elsewhere."""
    name = call.function.lower()
    given = [shown(one) for one in call.args]
    if len(given) == 1 and name in MISSING:
        return Help("instead", {"instead": f"{given[0]} {MISSING[name]}"})
    operator = FOREIGN.get(name) or _operator(name.replace("_", " "))
    if operator is not None and len(given) == 2:
        return Help("instead", {"instead": shorten(f"{given[0]} {operator} {given[1]}")})
    if operator is not None:
        return Help("instead", {"instead": f"a {operator} b"})
    return Help("instead", {"instead": OTHER[name]}) if name in OTHER else None


def _operator(word: str) -> str | None:
    """The spelling of the operator that *word* is."""
    spellings = (each for keyword in KEYWORDS if keyword.terminal in OPERATORS for each in (*keyword.en, *keyword.zh))
    return next((each for each in spellings if each == word), None)


def beside(op: str, sides: Sequence[tuple[w.Expr, Expr]], found_before: int, scope: Scope) -> None:
    """Better help for an unknown name that is compared with a boolean or with something of few values."""
    for (written, node), (other, known) in ((sides[0], sides[1]), (sides[1], sides[0])):
        if not isinstance(written, w.Name) or len(written.parts) > 1 or not is_wrong(node) or is_wrong(known):
            continue
        for at in range(found_before, len(scope.found)):
            one = scope.found[at]
            if one.code == "N301" and one.span == written.span:
                help_ = _compared_with(op, written.parts[0], other, known, scope)
                scope.found[at] = one if help_ is None else replace(one, help=help_)


def _compared_with(op: str, word: str, other: w.Expr, known: Expr, scope: Scope) -> Help | None:
    if isinstance(known.type, Bool):
        return of_bool(op, word, other)
    values = finite_values(known, scope)
    if not isinstance(known.type, Text | ListOfText) or not values:
        return None
    texts = [value for value in values if isinstance(value, str)]
    meant = word if word in texts else nearest(word, texts)
    if meant is not None:
        return Help("value", {"suggestion": f'"{meant}"'})
    return Help("values", {"values": shorten(", ".join(f'"{one}"' for one in texts)), "subject": shown(other)})


def of_bool(op: str, word: str, other: w.Expr) -> Help:
    """What to write instead of comparing the boolean *other* with *word*."""
    plain = word.strip("\"'“”‘’").lower()
    if plain in YES or plain in NO:
        return Help("bool_true" if (plain in YES) == (op != "!=") else "bool_false", {"text": shown(other)})
    return Help("bool", {"text": shown(other)})


def case_as_text(text: Expr, case: Expr, written: w.Expr) -> Help | None:
    """`lifecycle = new` where `new` is the boolean `lifecycle = "new"`."""
    match case:
        case Compare("=", Reference() as segmentation, Constant(str(value))) if segmentation == text and isinstance(
            written, w.Name
        ):
            return Help("case", {"text": f'"{value}"', "dotted": path(segmentation.name, value)})
        case _:
            return None


def case_of(node: Expr, scope: Scope) -> Help | None:
    """A case to name where a segmentation stands for a condition."""
    parts = scope.names.parts.get(node.name) if isinstance(node, Reference) else None
    if parts is None or not parts.cases or not isinstance(node, Reference):
        return None
    return Help("case", {"suggestion": path(node.name, parts.cases[0])})
