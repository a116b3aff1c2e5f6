"""What went wrong where a text could not be parsed: one diagnostic, as specific as can be told.

In: the parser's `Failure` and the text.  Out: a `Diagnostic` on exactly the characters that do not fit, with the way
out for the mistakes that people make often.  Always: the first of the questions below that applies answers; the last
one always does; at the end of a text the last token is marked, with the bracket that waits in `also`.

    diagnose(failure, source, folded)        # S219 for `a < b < c`, on the second `<`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.source import Source, Span
from segrules.syntax.expected import expected_words, is_complete, takes_value
from segrules.syntax.folding import trouble
from segrules.syntax.foreign import HIDDEN_UNITS, NULLS, OPERATORS, STRAY, WORDS, Foreign
from segrules.syntax.keywords import (
    TERMINALS,
    UNITS_EN,
    UNITS_ZH,
    WINDOW_WORDS,
    is_reserved,
    is_unit,
    keywords_inside,
)
from segrules.syntax.machine import Failure, Token
from segrules.syntax.misfit import Here, at_failure, short
from segrules.syntax.repeated import COMPARISONS, repeat

IFS = frozenset({"if", "如果", "若"})
MODIFIERS = frozenset({"DESC", "BY", "AMONG", "WHERE"})
GROUPED = frozenset({"IN", "NOT_IN", "CONTAINS_ANY", "NOT_CONTAINS_ANY", "HAS_ANY", "HAS_ALL", "HAS_NONE"})


def diagnose(failure: Failure, source: Source, text: str) -> Diagnostic:
    """The one diagnostic for *failure*."""
    here = at_failure(failure, source, text)
    for question in QUESTIONS:
        answer = question(here)
        if answer is not None:
            return answer
    return _general(here)


def _general(here: Here) -> Diagnostic:
    expected = expected_words(here.failure.expected)
    found = Words("syntax.found_end") if here.at_end else Words("syntax.found", {"text": short(here.span.text)})
    if not here.at_end and is_reserved(here.piece) and takes_value(here.failure.expected):
        way_out = Help("reserved", {"word": here.piece})
        return Diagnostic("S201", here.span, {"expected": expected, "found": found}, way_out)
    return Diagnostic("S201", here.span, {"expected": expected, "found": found})


def _deep(here: Here) -> Diagnostic | None:
    if here.kind != "DEEP":
        return None
    return here.says("S209", "brackets", limit=len(here.failure.open) - 1)


def _hidden(here: Here) -> Diagnostic | None:
    one = here.source.text[here.start : here.start + 1]
    if here.at_end or not one or trouble(one) != "control":
        return None
    span = here.source.span(here.start, here.start + 1)
    return here.says("S207", "remove", span, character=f"U+{ord(one):04X}")


def _unclosed(here: Here) -> Diagnostic | None:
    first = here.piece[:1]
    if here.kind or len(here.piece) > 1 or first not in "\"'“‘”’`":
        return None
    line = here.text.find("\n", here.start)
    end = len(here.text[: line if line >= 0 else len(here.text)].rstrip())
    span = here.source.span(here.start, max(end, here.start + 1))
    if first == "`":
        return here.says("S231", "unclosed", span, found=short(span.text[1:]))
    if first in "”’":
        return here.says("S203", "opening", quote=first, other={"”": "“", "’": "‘"}[first])
    return here.says("S203", "closing", span, quote=first, other={"“": "”", "‘": "’"}.get(first, first))


def _number(here: Here) -> Diagnostic | None:
    last = here.last()
    touches = last.kind == "NUMBER" and last.end == here.start
    if last.kind == "DATE" and re.compile("[0-9]{1,2}:[0-9]{2}").match(here.text, here.start):
        span = here.place(last).to(here.span)
        return here.says("S218", "timestamp", span, found=f"{span.text}:…")
    if here.kind == "COMMA" and touches:
        rest = re.compile(r"(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?").match(here.text, here.start)
        if rest and re.fullmatch("[0-9]{1,3}", here.written(last)):
            span = here.source.span(last.start, rest.end())
            return here.says(
                "S211", "plain", span, found=span.text, number=span.text.replace(",", "").replace("，", "")
            )
    if here.kind == "" and here.piece == ".":
        digits = re.compile(r"\.[0-9]+").match(here.text, here.start)
        if digits and takes_value(here.failure.expected):
            return here.says("S215", "zero", here.source.span(here.start, digits.end()), found=digits[0])
        if touches:
            return here.says("S215", "point", here.source.span(last.start, here.end), found=f"{here.written(last)}.")
    if here.kind or not here.piece[:1].isdigit() or re.fullmatch(TERMINALS["NUMBER"], here.piece):
        return None
    if re.fullmatch(r"[0-9.]+[eE][0-9]*", here.piece):
        return here.says("S215", "exponent", found=here.piece)
    glued = re.fullmatch(r"([0-9][0-9_.]*(?:万亿|万|亿|%)?)([A-Za-z_]\w*)", here.piece)
    if glued:
        return here.says("S215", "space", found=here.piece, number=glued[1], word=glued[2])
    return here.says("S215", "number", found=short(here.piece))


def _operator(here: Here) -> Diagnostic | None:
    if here.at_end:
        return None
    last = here.last()
    choices = [(here.start, here.span.text), (here.start, here.piece)]
    if last.end == here.start and last.kind in ("EQ", "NE", "LT", "LE", "GT", "GE", "STAR", "SLASH"):
        choices.insert(0, (last.start, here.written(last) + here.piece))
    for start, run in choices:
        found = OPERATORS.get(run)
        if found is not None and not (found.code == "S220" and run == "+" and not takes_value(here.failure.expected)):
            return _foreign(here, found, here.source.span(start, here.end))
    return None


def _foreign(here: Here, found: Foreign, span: Span | None = None) -> Diagnostic:
    span = span or here.span
    return Diagnostic(found.code, span, {"found": span.text}, Help(found.help, {"instead": found.instead}))


def _is(here: Here) -> Diagnostic | None:
    negated = here.last().kind == "NOT" and here.last(2).kind == "IS"
    if not (here.last().kind == "IS" or negated):
        return None
    if here.at_end:
        return here.says("S225", "missing", found=here.written(here.last()))
    if here.piece.lower() in NULLS:
        return here.says("S224", "not_missing" if negated else "missing", found=here.piece)
    return here.says("S225", "not_equals" if negated else "equals", found=short(here.piece))


def _empty_list(here: Here) -> Diagnostic | None:
    if here.kind not in ("RPAR", "RSQB") or here.last().kind not in ("LPAR", "LSQB"):
        return None
    if here.last(2).kind in GROUPED or here.last().kind == "LSQB":
        return here.says("S232", "members", here.place(here.last()).to(here.span))
    return None


def _window(here: Here) -> Diagnostic | None:
    """`in last month`, `in last 30`, `in last 30 hours`, `30 days` alone."""
    last, before = here.last(), here.last(2)
    if here.failure.expected <= {"AGO", "FROM_NOW", "UNIT"} and "AGO" in here.failure.expected:
        first = before if before.kind in ("NUMBER", "NAME") else last
        return here.says("S239", "point", here.place(first).to(here.place(last)),
                         duration=here.text[first.start : last.end])  # fmt: skip
    if before.kind in ("IN", "NOT_IN") and last.kind == "NAME" and _is_window_word(here.written(last)):
        word = here.written(last)
        if here.at_end:
            return None
        if here.piece.lower() in HIDDEN_UNITS:
            return here.says("S234", "days", unit=here.piece)
        if is_unit(here.piece) or here.kind == "MONTH_ZH":
            span = here.place(last).to(here.span)
            return here.says("S222", "amount", span, found=span.text, unit=here.piece, word=word)
        if here.piece[:1].isalpha() and word.lower() not in WINDOW_WORDS["THIS"] and not is_reserved(here.piece):
            span = here.place(last).to(here.span)
            return here.says("S222", "named", span, found=span.text, unit="天" if not word.isascii() else "days")
        return here.says("S222", "shape", here.place(last).to(here.span), found=word)
    if "UNIT" in here.failure.expected and (here.at_end or not here.piece[:1].isalpha() or is_reserved(here.piece)):
        if before.kind in ("LAST", "NEXT", "PREVIOUS"):
            span = here.place(before).to(here.place(last))
            return here.says("S222", "unit", span, found=span.text)
        return None
    return None


def _is_window_word(word: str) -> bool:
    return any(word.lower() in pair for pair in WINDOW_WORDS.values())


def _unit(here: Here) -> Diagnostic | None:
    if "UNIT" not in here.failure.expected or here.at_end or not here.piece[:1].isalpha():
        return None
    last, before = here.last(), here.last(2)
    in_window = before.kind in ("LAST", "NEXT", "PREVIOUS")
    word = here.piece
    if word.startswith("月") and last.kind == "NUMBER":
        return here.says("S223", "month", unit="月")
    if not (in_window or last.kind == "NUMBER") or is_reserved(word):
        return None
    for spelled in sorted(UNITS_ZH, key=len, reverse=True):
        if word.startswith(spelled) and word != spelled and not word[len(spelled) :].startswith(("前", "后")):
            keyword = word[len(spelled) :]
            return here.says("S230", "unit", found=word, unit=spelled, keyword=keyword)
    hidden = next(
        (one for one in HIDDEN_UNITS if word.lower() == one or (not one.isascii() and word.startswith(one))), None
    )
    if hidden is not None:
        return here.says("S234", "days", unit=hidden if not hidden.isascii() else word)
    if word[0] in "千百十":
        return here.says("S223", "thousand", unit=word[0])
    if not in_window and (here.kind or not (last.end == here.start or _resembles_unit(here))):
        return None
    return here.says("S223", "units", unit=short(word))


def _resembles_unit(here: Here) -> bool:
    if re.compile(r"\s+(?ai:ago|from\s+now)(?!\w)|[前后]").match(here.text, here.end) or here.piece[-1] in "前后":
        return True
    return bool(get_close_matches(here.piece.lower(), [f"{unit}s" for unit in UNITS_EN], cutoff=0.7))


def _after_in(here: Here) -> Diagnostic | None:
    last = here.last()
    if last.kind not in GROUPED:
        return None
    word = Words("syntax.found", {"text": here.written(last)})
    if here.at_end:
        return here.says("S221", "list", word=word)
    if (
        here.kind in ("NUMBER", "TEXT", "DATE", "TIMESTAMP", "TRUE", "FALSE", "MISSING")
        or here.piece[0] in "0123456789\"'“‘"
    ):
        return here.says("S221", "bracket", word=word, value=short(here.span.text))
    return here.says("S221", "list", word=word)


def _chain(here: Here) -> Diagnostic | None:
    if here.kind not in COMPARISONS or "PLUS" not in here.failure.expected:
        return None
    if here.failure.start == "cell" and not COMPARISONS & {token.kind for token in _this_test(here)}:
        return here.says("S240", "column", found=here.written(here.last()))
    return here.says("S219", "and", found=here.piece)


def _this_test(here: Here) -> list[Token]:
    """The tokens of the cell's test at hand: those after the last comma."""
    before = here.failure.before
    commas = [at for at, token in enumerate(before) if token.kind == "COMMA"]
    return list(before[commas[-1] + 1 :] if commas else before)


def _cell(here: Here) -> Diagnostic | None:
    if here.failure.start != "cell" or "PLUS" not in here.failure.expected:
        return None
    if here.kind == "DOTS":
        return here.says("S240", "range", found=here.piece)
    return here.says("S240", "and", found=here.piece) if here.kind == "AND" else None


def _word_operator(here: Here) -> Diagnostic | None:
    found = WORDS.get(here.piece.lower())
    if here.at_end or found is None or takes_value(here.failure.expected):
        return None
    if here.last().kind == "NOT" or "PLUS" in here.failure.expected or is_complete(here.failure.expected):
        return _foreign(here, found)
    return None


def _list_test(here: Here) -> Diagnostic | None:
    if here.last().kind == "NOT" and here.kind in ("HAS_ANY", "HAS_ALL", "HAS_NONE"):
        span = here.place(here.last()).to(here.span)
        return here.says("S238", "none", span, found=span.text)
    return None


def _modifier(here: Here) -> Diagnostic | None:
    if here.kind not in MODIFIERS or takes_value(here.failure.expected):
        return None
    return here.says("S228", "first", word=here.piece)


def _brackets(here: Here) -> Diagnostic | None:
    opened = here.failure.open
    closes = {"LPAR": "RPAR", "LSQB": "RSQB"}
    if here.kind in ("RPAR", "RSQB"):
        if not opened:
            return here.says("S205", "unopened", found=here.piece)
        if closes[opened[-1].kind] != here.kind:
            args = {"found": here.piece, "opening": here.written(opened[-1])}
            return Diagnostic("S205", here.span, args, Help("other", args), (here.place(opened[-1]),))
        return None
    if here.at_end and opened and {"RPAR", "RSQB", "DOTS"} & here.failure.expected:
        opening = here.place(opened[-1])
        closing = {"LPAR": ")", "LSQB": "]"}[opened[-1].kind]
        args = {"opening": here.written(opened[-1]), "closing": closing}
        return Diagnostic("S204", here.span, args, Help("close", args), (opening,))
    return None


def _list(here: Here) -> Diagnostic | None:
    if here.kind == "LSQB" and takes_value(here.failure.expected):
        return here.says("S229", "in")
    return None


def _case(here: Here) -> Diagnostic | None:
    if here.last().kind == "CASE":
        return here.says("S237", "searched")
    closing = here.at_end or here.kind in ("ELSE", "END", "WHEN", "WHEN_ZH", "THEN", "RPAR", "COMMA")
    if not closing:
        return None
    if "THEN" in here.failure.expected:
        return here.says("S237", "then")
    if "END" in here.failure.expected:
        return here.says("S237", "end")
    if here.kind in ("ELSE", "THEN") and any(here.written(one).lower() in IFS for one in here.failure.before):
        return here.says("S227", "if", found=here.piece)
    if here.kind in ("ELSE", "END", "THEN", "WHEN", "WHEN_ZH") and is_complete(here.failure.expected):
        return here.says("S237", "whole")
    return None


def _glued(here: Here) -> Diagnostic | None:
    if not is_complete(here.failure.expected) or here.at_end:
        return None
    english = re.match(r"(?ai:and|or|in|between|contains|then|else|where|by)(?=[^\x00-\x7f])", here.piece)
    if english:
        return here.says("S230", "after", found=here.piece, keyword=english[0])
    last = here.last()
    inside = keywords_inside(here.written(last)) if last.kind == "NAME" else ()
    if inside and here.begins_operand:
        longest = max(inside, key=len)
        return here.says("S230", "before", here.place(last), found=here.written(last), keyword=longest)
    return None


def _several(here: Here) -> Diagnostic | None:
    if here.at_end or not is_complete(here.failure.expected):
        return None
    if here.kind == "COMMA":
        return here.says("S227", "comma", found=here.piece)
    if here.last().kind == "NAME" and here.written(here.last()).lower() in IFS:
        return here.says("S227", "if", found=short(here.span.text))
    return here.says("S227", "join", found=short(here.span.text)) if here.begins_operand else None


def _stray(here: Here) -> Diagnostic | None:
    if here.kind or not here.piece or here.piece[0].isalnum() or here.piece[0] in "_\"'“‘`":
        return None
    if here.piece == "." and here.last().kind == "NAME":
        return here.says("S231", "dot", here.place(here.last()).to(here.span), found=f"{here.written(here.last())}.")
    one = here.source.text[here.start]
    if here.piece[0] in "+-*/=<>≠≤≥()[],.?":
        return None
    span = here.source.span(here.start, here.start + 1)
    return here.says("S206", STRAY.get(one, "backquotes"), span, character=one)


def _piece_missing(here: Here) -> Diagnostic | None:
    """`a,,b` and a comma at the end."""
    if here.last().kind == "COMMA" and (here.at_end or here.kind in ("COMMA", "RPAR", "RSQB")):
        return here.says("S235", "comma", here.place(here.last()))
    return None


QUESTIONS: tuple[Callable[[Here], Diagnostic | None], ...] = (
    _deep, _hidden, _unclosed, _number, _operator, _is, _empty_list, _piece_missing, _window, _unit, _list_test,
    _after_in, _chain, _cell, _word_operator, _case, _modifier, _brackets, _list, repeat, _glued, _several, _stray,
)  # fmt: skip
