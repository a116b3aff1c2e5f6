"""Expressions are read and printed; the tables are those of the grammar; any text gives an answer.

In: `cases/syntax/*.txt`: chunks between `---`, each an input, then `=> ` and its canonical English, `=> ` and its
canonical Chinese; in `cells_*.txt` the input is a cell, of a text column in `cells_text.txt`.  Out: `pytest --update`
writes the canonical lines anew.  Always: what is printed reads as the same tree.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import UnexpectedInput

from segrules.schema.functions import FUNCTIONS
from segrules.source import Source
from segrules.syntax import build, expr
from segrules.syntax.cells import parse_cell
from segrules.syntax.expr import Expr, Literal
from segrules.syntax.folding import fold
from segrules.syntax.keywords import KEYWORDS, keywords_inside
from segrules.syntax.machine import tables
from segrules.syntax.parser import children, parse_expression, parse_literal
from segrules.syntax.printer import print_expression
from segrules.syntax.tree import rules

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).parent / "cases" / "syntax"


@dataclass(frozen=True)
class Case:
    file: Path
    number: int
    text: str
    printed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file.stem}:{self.number}"


def cases(file: Path) -> list[Case]:
    found = []
    for number, chunk in enumerate(file.read_text(encoding="utf-8").split("\n---\n"), 1):
        lines = [line for line in chunk.strip("\n").split("\n") if not line.startswith("## ")]
        text = "\n".join(line for line in lines if not line.startswith("=> "))
        found.append(Case(file, number, text, tuple(line[3:] for line in lines if line.startswith("=> "))))
    return found


def read(case: Case) -> Expr:
    source = Source("case", case.text)
    if case.file.stem.startswith("cells"):
        tree, wrong = parse_cell(source, case.file.stem == "cells_text")
    else:
        tree, wrong = parse_expression(source)
    assert wrong == ()
    return tree


ALL = [case for file in sorted(CASES.glob("*.txt")) for case in cases(file)]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_canonical(case: Case, update: bool) -> None:
    tree = read(case)
    printed = (print_expression(tree, "en"), print_expression(tree, "zh"))
    if not case.file.stem.startswith("cells"):
        for again in printed:
            assert parse_expression(Source("again", again)) == (tree, ())
    if update:
        chunk = "\n".join([case.text, *(f"=> {line}" for line in printed)])
        chunks = case.file.read_text(encoding="utf-8").split("\n---\n")
        above = [line for line in chunks[case.number - 1].split("\n") if line.startswith("## ")]
        chunks[case.number - 1] = "\n".join([*above, chunk])
        case.file.write_text("\n---\n".join(part.strip("\n") for part in chunks) + "\n", encoding="utf-8")
    else:
        assert printed == case.printed


@pytest.mark.parametrize("case", ALL, ids=str)
def test_spans_cover_the_text_of_their_node(case: Case) -> None:
    """An operand's span is inside that of what holds it, and reads again as that operand."""
    waiting = [read(case)]
    while waiting:
        node = waiting.pop()
        assert 0 <= node.span.start <= node.span.end <= len(case.text)
        for child in children(node):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end
            waiting.append(child)
        if not case.file.stem.startswith("cells") and not isinstance(node, Literal | expr.Name):
            assert parse_expression(Source("part", node.span.text)) == (node, ())


def test_every_keyword_function_and_rule_has_a_case() -> None:
    written = "\n".join(case.text for case in ALL if not case.file.stem.startswith("cells")).lower()
    spellings = [s for keyword in KEYWORDS for s in (*keyword.en, *keyword.zh, *keyword.symbols)]
    assert [spelling for spelling in spellings if spelling not in written] == []
    names = [name for function in FUNCTIONS.values() for name in (function.name, *function.zh)]
    assert [name for name in names if f"{name}(" not in written] == []
    aliases = {alias for _, _, alias in tables().rules if alias is not None}
    assert aliases == set(rules()), "each alias of the grammar makes something, and nothing else is made"


def test_no_keyword_hides_a_longer_one() -> None:
    spelled = [(at, one) for at, keyword in enumerate(KEYWORDS) for one in (*keyword.zh, *keyword.symbols)]
    hidden = [
        (first, second)
        for at, first in spelled
        for later, second in spelled
        if at < later and second.startswith(first) and first != second
    ]
    assert hidden == []


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    shipped = (ROOT / "segrules" / "syntax" / "tables.json").read_text(encoding="utf-8")
    assert shipped == build.render(), "run python -m segrules.syntax.build"


def test_a_conflict_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    ambiguous = build.grammar_text().replace("primary: NUMBER ", "primary: sum PLUS sum -> arithmetic\n    | NUMBER ")
    assert ambiguous != build.grammar_text()
    monkeypatch.setattr(build, "grammar_text", lambda: ambiguous)
    with pytest.raises(Exception, match=r"conflict|collision"):
        build.build()


def test_lark_itself_reads_the_same_language() -> None:
    """The grammar run by Lark's own parser and contextual lexer accepts what ours accepts, and refuses what it does."""
    lark = Lark(build.grammar_text(), parser="lalr", lexer="contextual", start=build.STARTS)
    wrong = ["a b", "a >", "x in 5", "(a", "a < b < c", "case when a then b", "x in last 30", "f(a,)", "and", "30 days"]
    for text in [case.text for case in ALL if not case.file.stem.startswith("cells")] + wrong:
        ours = not isinstance(parse_expression(Source("ours", text))[0], expr.Broken)
        try:
            lark.parse(fold(text), start="expression")
            theirs = True
        except UnexpectedInput:
            theirs = False
        assert ours == theirs, text


def test_reading_needs_no_lark_and_no_numpy() -> None:
    code = (
        "import sys; from segrules.source import Source; from segrules.syntax.parser import parse_expression; "
        "parse_expression(Source('', 'spend > 5万 and (a')); "
        "print([m for m in ('lark', 'numpy', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "kind", "value", "scale"),
    [
        ("5万", "integer", 50_000, 0), ("５．５万", "integer", 55_000, 0), ("1.2亿", "integer", 120_000_000, 0),
        ("3万亿", "integer", 3 * 10**12, 0), ("5_000", "integer", 5000, 0), ("20%", "decimal", 20, 2),
        ("1.50", "decimal", 150, 2), ("-3", "integer", -3, 0), ("- 0.5%", "decimal", -5, 3),
        ("2026-01-01", "date", 20454, 0), ("1970-01-01T08:00:00.5+08:00", "timestamp", 500_000, 0),
        ("2026-11-21T08:00", "timestamp", "2026-11-21T08:00:00", 0), ("true", "bool", True, 0),
        ("假", "bool", False, 0), ('"20%"', "text", "20%", 0), (" “北京” ", "text", "北京", 0),
        ("-9223372036854775808", "integer", -(2**63), 0), ("9223372036854775807", "integer", 2**63 - 1, 0),
    ],
)  # fmt: skip
def test_literal(text: str, kind: str, value: object, scale: int) -> None:
    literal = parse_literal(Source("parameter", text))
    assert literal is not None
    assert (literal.kind, literal.value, literal.scale) == (kind, value, scale)
    assert literal.span.text == text.strip()


@pytest.mark.parametrize(
    "text",
    ["", "北京", "007", "2026-1-5", "2026-02-30", "5 6", "-x", "missing", "1,000", "-", "9223372036854775808", "1e5",
     "-2026-01-01", "x" * 20_000, '"a', "5万 # high", "true false", "-9223372036854775809"],
)  # fmt: skip
def test_plain_text_is_no_literal(text: str) -> None:
    assert parse_literal(Source("parameter", text)) is None


def test_text_may_hold_line_breaks() -> None:
    tree, wrong = parse_expression(Source("text", 'a = "one\ntwo"'))
    assert wrong == ()
    assert isinstance(tree, expr.Compare)
    assert tree.right == Literal("text", "one\ntwo")
    assert parse_expression(Source("again", print_expression(tree, "zh"))) == (tree, ())


def test_keywords_inside() -> None:
    assert keywords_inside("城市属于") == ("属于",)
    assert keywords_inside("金额大于消费额") == ("大于",)
    assert keywords_inside("spend") == ()


HOSTILE = {
    "brackets": "(" * 10_000, "square": "[" * 10_000, "closing": ")" * 10_000, "calls": "f(" * 40_000,
    "megabyte": "a or " * 200_000, "not": "not " * 20_000 + "a", "minus": "-" * 99_999 + "a",
    "plus": "+".join("a" * 40_000), "coalesce": "??".join("a" * 30_000), "quotes": '"' * 99_999,
    "curly": "“" * 99_999, "backquotes": "`" * 99_999, "digits": "1" * 99_999, "points": "1." * 49_999,
    "dots": "a." * 49_999, "cases": "case when " * 9_999, "nul": "\0" * 50_000, "bidi": "\u202e" * 50_000,
    "surrogates": "\ud800" * 50_000, "blanks": " " * 99_998 + "?", "hashes": "#" * 99_999, "commas": "," * 99_999,
    "windows": "x in " + "last " * 19_000, "gaps": "x in last" + " " * 90_000 + "y", "dates": "2026-11-" * 12_000,
    "mixed quotes": "'\"" * 40_000, "when": "当 " * 40_000,
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_a_diagnostic(text: str) -> None:
    tree, wrong = parse_expression(Source("hostile", text))
    assert isinstance(tree, expr.Broken)
    assert wrong
    assert all(re.fullmatch(r"S2\d\d", one.code) for one in wrong)
    for text_column in (False, True):
        parse_cell(Source("hostile", text), text_column)


def test_limits() -> None:
    def code(text: str) -> list[str]:
        return [one.code for one in parse_expression(Source("limit", text))[1]]

    many = " or ".join(f"a = {n}" for n in range(5000))
    tree, wrong = parse_expression(Source("limit", many))
    assert isinstance(tree, expr.Or)
    assert (len(tree.operands), wrong) == (5000, ())
    assert code("+".join(["a"] * 100)) == []
    assert code("+".join(["a"] * 101)) == ["S209"]
    assert code("not " * 99 + "a") == []
    assert code("not " * 100 + "a") == ["S209"]
    assert code("-" * 99 + "a") == []
    assert code("(" * 100 + "a" + ")" * 100) == []
    assert code("(" * 101 + "a" + ")" * 101) == ["S209"]
    assert code("a" + " " * 99_999) == []
    assert code("a" + " " * 100_000) == ["S208"]
