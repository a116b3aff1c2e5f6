"""Different ways to say the same.

In: a rule file in the making.  Out: pairs of expressions.  Always: both of a pair give the same value for every
customer, or both are missing (of a boolean: unknown).

    laws(File(Random(1)))      # [("flag", "not not flag"), …]
"""

from __future__ import annotations

from segrules.schema.types import BOOL, DATE, INTEGER, NUMBER, TEXT, Decimal
from tests.property.rulefiles import File
from tests.property.spelling import NEGATIVE, NOT, PRIMARY, SUM, Piece, enclosed, written
from tests.property.writing import at, make

Law = tuple[str, str]


def laws(file: File) -> list[Law]:
    """Pairs of expressions that say the same, of generated parts."""
    random, writer = file.random, file.writer()

    def said(*tokens: str | tuple[str, ...]) -> str:
        flat = [token for one in tokens for token in ((one,) if isinstance(one, str) else one)]
        return written(random, Piece(tuple(flat)))

    p, q = make(writer, BOOL, 2), make(writer, BOOL, 2)
    type_ = random.choice((INTEGER, Decimal(2), NUMBER, TEXT, DATE))
    x, a, b = (make(writer, type_, depth) for depth in (2, 1, 1))
    tight = [at(writer, one, SUM) for one in (x, a, b)]
    day = make(writer, DATE, 1)
    count, unit = random.choice((("1", "month"), ("3", "months"), ("12", "个月"), ("24", "month")))
    ranked = make(writer, random.choice((INTEGER, Decimal(2), NUMBER, DATE)), 1).tokens
    inner = writer.inside(random.choice(("orders", "lines", "visits")))
    row = make(inner, BOOL, 2)
    rows = f"count({inner.table} where"
    deep = at(writer, day, SUM)
    loose, not_p, not_q = at(writer, p, NOT), at(writer, p, NOT), at(writer, q, NOT)
    return [
        (said(p.tokens), said("not", "not", loose)),
        (said("not", enclosed(Piece((*not_p, "and", *not_q))).tokens), said("not", not_p, "or", "not", not_q)),
        (said("not", enclosed(Piece((*not_p, "or", *not_q))).tokens), said("not", not_p, "and", "not", not_q)),
        (said(tight[0], "between", tight[1], "and", tight[2]),
         said(tight[0], ">=", tight[1], "and", tight[0], "<=", tight[2])),
        (said(deep, "<=", "today", "and", deep, "in", "last", count, unit),
         said(deep, "<=", "today", "and", "months_since", "(", day.tokens, ")", "<", count)),
        (said("if", "(", p.tokens, ",", x.tokens, ",", a.tokens, ")"),
         said("case", "when", p.tokens, "then", x.tokens, "else", a.tokens, "end")),
        (said(at(writer, x, PRIMARY), "??", at(writer, a, NEGATIVE)),
         said("if", "(", at(writer, x, SUM), "is missing", ",", a.tokens, ",", x.tokens, ")")),
        (said("qcut", "(", ranked, "desc", ",", "4", ")"), said("5", "-", "qcut", "(", ranked, ",", "4", ")")),
        (said("quantile", "(", ranked, "desc", ",", "0.2", ")"), said("quantile", "(", ranked, ",", "80%", ")")),
        (said("count", "(", inner.table, ")"),
         said(rows, row.tokens, ")", "+", rows, "not", at(inner, row, NOT), ")", "+", rows,
              at(inner, row, SUM), "is missing", ")")),
        (said("any", "(", inner.table, "where", row.tokens, ")"), said(rows, row.tokens, ")", ">", "0")),
        (said(p.tokens),
         said("if", "(", p.tokens, ",", "true", ",", "if", "(", "not", loose, ",", "false", ",", "missing", ")", ")")),
        (said(deep, "in", "this", "month"),
         said("year", "(", day.tokens, ")", "=", "year(today)", "and",
              "month", "(", day.tokens, ")", "=", "month(today)")),
    ]  # fmt: skip


def equals(file: File) -> Law:
    """`in` and the `or` of equals, over columns whose values literals are not held to."""
    writer = file.writer()
    type_ = file.random.choice((INTEGER, Decimal(2), NUMBER, DATE, TEXT))
    x = {INTEGER: "n", NUMBER: "x", DATE: "born", TEXT: "name"}.get(type_, "money")
    options = [make(writer, type_, 1) for _ in range(file.random.choice((1, 2, 3, 10)))]
    some = [token for one in options for token in (",", *one.tokens)][1:]
    tests = [token for one in options for token in ("or", x, "=", *at(writer, one, SUM))][1:]
    return written(file.random, Piece((x, "in", "(", *some, ")"))), written(file.random, Piece(tuple(tests)))
