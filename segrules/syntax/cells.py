"""Text of a cell or band → the test of its column or axis.

In: the text of a cell, and whether its column is text.  Out: a boolean tree over `Subject()`, and what was wrong.
Always: as for `parse_expression`; `-` and an empty cell are `true`, for missing values too; `not` at the start
negates the whole cell; a comma (or `、`) is *or*.

    parse_cell(Source("", ">= 5万"), False)          # Compare(">=", Subject(), 50000)
    parse_cell(Source("", "一线, 二线"), True)        # In(Subject(), ("一线", "二线"))

In a column that is not text, a keyword at the start of a test is a keyword; a column of that name goes in backquotes
or after `=`. In a text column a piece between commas is text as it stands, unless it is one of these: a comparison
sign before an expression; `missing`; a quoted text; `in`, `contains any of` with a bracket; `between`, `contains`,
`starts with`, `ends with`, `matches` (also their Chinese and negated forms) before a quoted text.
"""

from __future__ import annotations

import re
from functools import cache

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.source import Source
from segrules.syntax import expr
from segrules.syntax.expr import Expr, Literal, Subject
from segrules.syntax.folding import fold, trouble
from segrules.syntax.keywords import TERMINALS
from segrules.syntax.parser import run, too_long
from segrules.syntax.tree import either

_QUOTED = re.compile(TERMINALS["TEXT"])
_COMMAS = ",，、"
_OPENING = "([（［【"
_CLOSING = ")]）］】"


def parse_cell(source: Source, text_column: bool) -> tuple[Expr, tuple[Diagnostic, ...]]:
    """The test that a cell of a band or decision table holds, over `Subject()`."""
    long = too_long(source)
    if long is not None:
        return long
    if source.text.strip() in ("", "-", "－"):
        return Literal("bool", True, span=source.whole()), ()
    if text_column:
        return _text_cell(source)
    folded = fold(source.text)
    if not folded.strip():
        return Literal("bool", True, span=source.whole()), ()
    return run(source, folded, "cell")


def _text_cell(source: Source) -> tuple[Expr, tuple[Diagnostic, ...]]:
    start = 0
    negation = _patterns()["not"].match(source.text)
    if negation is not None and _patterns()["test"].match(source.text) is None:
        start = negation.end()
    tests: list[Expr] = []
    found: list[Diagnostic] = []
    for begin, end in _pieces(source.text, start):
        test, wrong = _piece(source, begin, end)
        tests.append(test)
        found += wrong
        if any(one.code == "S235" for one in wrong):
            break
    span = source.span(tests[0].span.start, tests[-1].span.end)
    tree = either(tests, span)
    if start:
        tree = expr.Not(tree, span=source.span(len(source.text) - len(source.text.lstrip()), span.end))
    return tree, tuple(found)


def _pieces(text: str, start: int) -> list[tuple[int, int]]:
    """The stretches between the commas that stand outside quotes and brackets."""
    found = []
    begin = at = start
    depth = 0
    while at < len(text):
        if text[at] in "\"'“‘":
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                break
            at = quoted.end()
            continue
        if text[at] in _OPENING:
            depth += 1
        elif text[at] in _CLOSING:
            depth = max(0, depth - 1)
        elif text[at] in _COMMAS and not depth:
            found.append((begin, at))
            begin = at + 1
        at += 1
    found.append((begin, len(text)))
    return found


def _piece(source: Source, begin: int, end: int) -> tuple[Expr, tuple[Diagnostic, ...]]:
    while begin < end and source.text[begin].isspace():
        begin += 1
    while begin < end and source.text[end - 1].isspace():
        end -= 1
    span = source.span(begin, end)
    if begin == end:
        near = source.span(max(0, begin - 1), min(len(source.text), max(begin, 1)))
        return expr.Broken(span=near), (Diagnostic("S235", near, {}, Help("comma")),)
    if _patterns()["test"].match(source.text, begin, end) is not None:
        blank = " " * begin + source.text[begin:end] + " " * (len(source.text) - end)
        return run(source, fold(blank), "cell")
    hidden = next((at for at in range(begin, end) if trouble(source.text[at]) == "control"), None)
    if hidden is not None:
        bad = source.span(hidden, hidden + 1)
        args = {"character": f"U+{ord(source.text[hidden]):04X}"}
        return expr.Broken(span=bad), (Diagnostic("S207", bad, args, Help("remove")),)
    value = Literal("text", span.text, span=span)
    return expr.Compare("=", Subject(span=span), value, span=span), ()


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """`not`: a negation before something; `test`: the start of a piece of a text column that is no plain text."""
    texts = ("BETWEEN", "NOT_BETWEEN", "CONTAINS", "NOT_CONTAINS", "STARTS", "NOT_STARTS", "ENDS", "NOT_ENDS",
             "MATCHES", "NOT_MATCHES")  # fmt: skip
    before_text = "|".join(TERMINALS[name] for name in texts)
    before_bracket = "|".join(TERMINALS[name] for name in ("IN", "NOT_IN", "CONTAINS_ANY", "NOT_CONTAINS_ANY"))
    alone = "|".join(TERMINALS[name] for name in ("MISSING", "IS_MISSING", "IS_NOT_MISSING"))
    is_missing = rf"(?:{TERMINALS['IS']})\s+(?:(?:{TERMINALS['NOT']})\s+)?(?:{TERMINALS['MISSING']})"
    test = (
        rf"\s*(?:[=<>≠≤≥＝＜＞]|[!！][=＝]|[\"'“‘]|(?:{before_text})\s*[\"'“‘]"
        rf"|(?:{before_bracket})\s*[(\[（［【]|(?:{alone}|{is_missing})\s*(?:\Z|[,，、]))"
    )
    return {"not": re.compile(rf"\s*(?:{TERMINALS['NOT']})\s*(?=\S)"), "test": re.compile(test)}
