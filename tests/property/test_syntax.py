"""Trees as written, at random: what is printed is read as the same tree, and any text gives an answer.

In: Hypothesis strategies for every node that the parser can make, with awkward names and texts, and soups of tokens.
Out: failures, shrunk.  Always: spans lie inside the text, whatever it is.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.diagnostics.catalogue import help_text, message
from segrules.schema.functions import FUNCTIONS
from segrules.source import Source
from segrules.syntax import expr
from segrules.syntax.cells import parse_cell
from segrules.syntax.expr import Expr, Literal, Name
from segrules.syntax.folding import fold, normal_name, trouble
from segrules.syntax.keywords import KEYWORDS, RESERVED_EN, RESERVED_ZH, UNITS_EN, UNITS_ZH, WINDOW_WORDS
from segrules.syntax.parser import children, parse_expression, parse_literal
from segrules.syntax.printer import print_expression

WORDS = [
    *RESERVED_EN, *RESERVED_ZH, *UNITS_EN, *UNITS_ZH, *FUNCTIONS, "days", "null", "NULL", "And", "today", "a b", "`",
    *(word for pair in WINDOW_WORDS.values() for word in pair), "本月", "上季", "上3", "最近30天", "当前余额",
    *(spelling for keyword in KEYWORDS for spelling in (*keyword.en, *keyword.zh)), "x.y", "_", "ﬁ", "½", "ชื่อ",
    "非会员", "城市属于", "1a", "e\u0301",
]  # fmt: skip
TOKENS = [
    *WORDS, *(symbol for keyword in KEYWORDS for symbol in keyword.symbols), "(", ")", "[", "]", ",", "，", "、", ".",
    "..", "+", "-", "*", "/", "??", "&&", "||", "!", "|", "%", "^", "1", "30", "007", "1,000", "5万", "20%", "1.5",
    "2026-11-21", "2026-1-5", "2026-11-21T08:00Z", '"a"', '"', "'", "“", "”", "`", "# no", "\n", "\0", "\u202e",
    "\u200b", "　", "（", "）", "￥", "。", "\\", "{", "é", "orders", "spend", "hours", "小时", "like", "\ud800",
]  # fmt: skip


def _name(text: str) -> bool:
    normal = normal_name(text)
    return (
        bool(normal.strip()) and normal == text and not any(trouble(one) == "control" or one in "\n\r" for one in text)
    )


def _parts() -> st.SearchStrategy[str]:
    letters = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6)
    normal = (letters | st.sampled_from(WORDS)).map(lambda text: unicodedata.normalize("NFKC", text))
    return normal.filter(_name)


PARTS = _parts()
NAMES = st.builds(Name, st.tuples(PARTS) | st.tuples(PARTS, PARTS) | st.tuples(PARTS, PARTS, PARTS))
PARAMETERS = st.builds(Name, st.tuples(PARTS))
INTEGERS = st.builds(Literal, st.just("integer"), st.integers(0, 2**63 - 1))
DECIMALS = st.builds(Literal, st.just("decimal"), st.integers(0, 2**63 - 1), st.integers(1, 9))
TEXTS = st.builds(Literal, st.just("text"), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
DATES = st.builds(Literal, st.just("date"), st.integers(-719162, 2932896))
MOMENTS = st.builds(Literal, st.just("timestamp"), st.integers(-719162 * 86_400_000_000, 2932896 * 86_400_000_000))
LOCALS = st.datetimes().map(lambda moment: Literal("timestamp", moment.isoformat()))
TRUTHS = st.sampled_from([Literal("bool", True), Literal("bool", False), Literal("missing", None)])
UNITS = st.sampled_from(UNITS_EN)
AMOUNTS = INTEGERS | PARAMETERS
AGO = st.builds(expr.Ago, st.sampled_from("+-"), AMOUNTS, UNITS)
FUNCTION_NAMES = st.sampled_from([*FUNCTIONS, "f"]) | PARTS.filter(
    lambda part: all(part.lower() not in (one.name, *one.zh) for one in FUNCTIONS.values())
)


def _several(inner: st.SearchStrategy[Expr], least: int = 1) -> st.SearchStrategy[tuple[Expr, ...]]:
    return st.lists(inner, min_size=least, max_size=3).map(tuple)


def _windows(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    sized = st.builds(
        expr.InWindow, inner, st.sampled_from(["last", "next", "previous"]), AMOUNTS, UNITS, st.booleans()
    )
    whole = st.builds(expr.InWindow, inner, st.sampled_from(["this", "previous"]), st.none(), UNITS, st.booleans())
    return sized | whole


def _calls(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    plain = st.builds(expr.Call, FUNCTION_NAMES, st.lists(inner, max_size=3).map(tuple))
    modified = st.builds(
        expr.Call, FUNCTION_NAMES, _several(inner), st.none() | inner, st.booleans(),
        st.lists(inner, max_size=2).map(tuple), st.none() | inner,
    )  # fmt: skip
    return plain | modified


def _nodes(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    flags = st.booleans()
    one_text = st.sampled_from(["contains", "starts with", "ends with", "matches"])
    lists = st.sampled_from(["has any of", "has all of", "has none of"])
    whens = st.lists(st.builds(expr.When, inner, inner), min_size=1, max_size=2).map(tuple)
    compared = st.builds(expr.Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), inner, inner)
    return st.one_of(
        compared,
        st.builds(expr.Negative, inner),
        st.builds(expr.Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(expr.Shift, inner, st.sampled_from("+-"), AMOUNTS, UNITS),
        st.builds(expr.Coalesce, inner, inner),
        st.builds(expr.Between, inner, inner, inner, flags),
        st.builds(expr.In, inner, _several(inner), flags),
        st.builds(expr.InParameter, inner, NAMES, flags),
        _windows(inner),
        st.builds(expr.IsMissing, inner, flags),
        st.builds(expr.TextTest, one_text, inner, st.tuples(inner), flags),
        st.builds(expr.TextTest, st.just("contains any of"), inner, _several(inner), flags),
        st.builds(expr.ListTest, lists, inner, _several(inner)),
        st.builds(expr.Not, inner),
        st.builds(expr.And, _several(inner, 2)),
        st.builds(expr.Or, _several(inner, 2)),
        _calls(inner),
        st.builds(expr.Case, whens, st.none() | inner),
    )


LEAVES: st.SearchStrategy[Any] = st.one_of(
    NAMES, INTEGERS, DECIMALS, TEXTS, DATES, MOMENTS, LOCALS, TRUTHS, AGO
)  # fmt: skip
TREES: st.SearchStrategy[Expr] = st.recursive(LEAVES, _nodes, max_leaves=12)


@settings(max_examples=400, deadline=None)
@given(TREES)
def test_what_is_printed_is_read_as_the_same_tree(tree: Expr) -> None:
    for language in ("en", "zh"):
        text = print_expression(tree, language)
        again, wrong = parse_expression(Source("again", text))
        assert wrong == (), text
        assert again == tree, text
        assert print_expression(again, language) == text


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=12), st.sampled_from(["", " "]))
def test_a_soup_of_tokens_gives_an_answer(tokens: list[str], between: str) -> None:
    text = between.join(tokens)
    assert len(fold(text)) == len(text)
    source = Source("soup", text)
    parse_literal(source)
    for tree, wrong in (parse_expression(source), parse_cell(source, True), parse_cell(source, False)):
        waiting = [tree]
        while waiting:
            node = waiting.pop()
            assert 0 <= node.span.start <= node.span.end <= len(text)
            waiting += children(node)
        for one in wrong:
            assert one.span.source is source
            for span in (one.span, *one.also):
                assert 0 <= span.start <= span.end <= len(text)
                assert span.start < span.end or not text
            for language in ("en", "zh"):
                assert message(one, language)
                assert one.help is None or help_text(one, language)
        if not wrong and not any(isinstance(node, expr.Subject) for node in _all(tree)):
            for language in ("en", "zh"):
                printed = print_expression(tree, language)
                assert parse_expression(Source("again", printed)) == (tree, ()), printed


def _all(tree: Expr) -> list[Expr]:
    found = [tree]
    for node in found:
        found += children(node)
    return found


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_an_answer(text: str) -> None:
    source = Source("text", text)
    tree, wrong = parse_expression(source)
    assert wrong or not isinstance(tree, expr.Broken)
    for text_column in (False, True):
        parse_cell(source, text_column)
