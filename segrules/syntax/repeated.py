"""A second comparison that leaves out what it compares.

In: the place where a text stopped making sense.  Out: a diagnostic that says what to write again, or None where this
is not what went wrong.  Always: it is told by what stands there: a comparison right after `and` or `or`, with another
comparison before.

    repeat(here)        # S201 for `age >= 18 and <= 30`, on `<=`: say `and age <= …`
"""

from __future__ import annotations

import re

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help, Words
from segrules.syntax.keywords import is_comparison
from segrules.syntax.misfit import Here, short

COMPARISONS = frozenset(
    {"EQ", "NE", "LT", "LE", "GT", "GE", "IN", "NOT_IN", "BETWEEN", "NOT_BETWEEN", "CONTAINS", "CONTAINS_ANY", "STARTS"}
    | {"ENDS", "MATCHES", "NOT_CONTAINS", "NOT_CONTAINS_ANY", "NOT_STARTS", "NOT_ENDS", "NOT_MATCHES", "IS"}
    | {"IS_MISSING", "IS_NOT_MISSING", "HAS_ANY", "HAS_ALL", "HAS_NONE"}
)


def repeat(here: Here) -> Diagnostic | None:
    """`age >= 18 and <= 30`: the second comparison has nothing at its left."""
    before = here.failure.before
    if here.failure.start == "cell" or here.at_end:
        return None
    joined, span = here.last(), here.span
    if not re.match("[=<>!≠≤≥]", here.piece):
        joined, span = here.last(2), here.place(here.last())
        if here.last().kind != "NAME" or not is_comparison(here.written(here.last())) or not here.begins_operand:
            return None
    if joined.kind not in ("AND", "OR"):
        return None
    sides = before[: before.index(joined)]
    tests = [at for at, token in enumerate(sides) if token.kind in COMPARISONS]
    if not tests:
        return None
    begin = tests[-1]
    while begin > 0 and sides[begin - 1].kind not in ("AND", "OR", "NOT", "LPAR", "COMMA", "WHERE", "WHEN", "WHEN_ZH"):
        begin -= 1
    subject = here.text[sides[begin].start : sides[tests[-1]].start].strip()
    if not subject:
        return None
    args: dict[str, Argument] = {"subject": short(subject), "word": here.written(joined), "test": short(span.text)}
    found = Words("syntax.found", {"text": short(span.text)})
    key = "range" if span.text[0] in "<>≤≥＜＞" else "repeat"
    return Diagnostic("S201", span, {"expected": Words("syntax.value"), "found": found}, Help(key, args))
