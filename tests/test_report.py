"""What people and machines read: carets under the right characters, escapes, values, privacy."""

from __future__ import annotations

from io import StringIO

import pytest

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.report.diagnostics import github_lines, summary, text_lines
from segrules.report.screen import Piece, line, plain, show, table, visible, width
from segrules.schema.types import BOOL, DATE, INTEGER, LIST, NUMBER, TEXT, TIMESTAMP, Decimal, Type, Value
from segrules.schema.values import json_value, short, shown
from segrules.source import NOWHERE, Source


def finding(text: str, part: str, name: str = "rules/a.yaml") -> Diagnostic:
    source = Source(name, text)
    start = text.index(part)
    return Diagnostic("C903", source.span(start, start + len(part)), {"name": part})


@pytest.mark.parametrize(
    ("text", "part", "caret"),
    [
        ("when: spend > x\n", "spend", "     |       ^^^^^"),
        ("当: 消费额 > 高\n", "消费额", "     |     ^^^^^^"),
        ("当: 消费额 > 高\n", "高", "     |              ^^"),
        ("a: ｆｕｌｌ\n", "ｆｕｌｌ", "     |    ^^^^^^^^"),
        ("a: e\u0301e x\n", "x", "     |       ^"),
        ("\tspend\n", "spend", "     |     ^^^^^"),
    ],
)
def test_the_caret_stands_under_the_characters(text: str, part: str, caret: str) -> None:
    said = plain(text_lines([finding(text, part)], "en")).splitlines()
    assert said[2] == caret
    assert said[0].startswith("rules/a.yaml:1:")


def test_a_place_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    said = plain(text_lines([finding("a: one\n  two\n", "one\n  two")], "en")).splitlines()
    assert said[2] == "     |    ^^^"


def test_an_empty_place_has_one_caret() -> None:
    source = Source("a.yaml", "abc\n")
    said = plain(text_lines([Diagnostic("C903", source.span(3, 3), {"name": "x"})], "en")).splitlines()
    assert said[2] == "     |    ^"


def test_a_long_line_is_an_excerpt_around_the_place() -> None:
    said = plain(text_lines([finding("x" * 500 + " here " + "y" * 500 + "\n", "here")], "en")).splitlines()
    assert max(map(width, said)) < 130
    assert said[1].count("…") == 2
    assert said[1][said[2].index("^") :].startswith("here")


def test_a_finding_without_a_place_is_code_and_message() -> None:
    assert plain(text_lines([Diagnostic("C903", NOWHERE, {"name": "x"})], "en")) == "C903 no value has the name `x`\n"


def test_control_characters_never_reach_the_terminal() -> None:
    said = "a\\u{1b}[31mb\\u{202e}c\\u{a}"
    assert visible("a\x1b[31mb\u202ec\n") == said
    assert plain([line("a\x1b[31mb\u202ec\n", Piece("\t", "bold"))]) == said + "\\u{9}\n"
    assert plain(table([[Piece("a\x1b[31mb\u202ec\n"), "x"], [said, "x"]])) == f"  {said}  x\n" * 2
    said = plain(text_lines([finding("a: \x1b[2J\u202e\n", "\x1b[2J\u202e")], "en"))
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_other_places_are_shown() -> None:
    source = Source("a.yaml", "one: 1\none: 2\n")
    found = Diagnostic("C903", source.span(7, 10), {"name": "one"}, also=(source.span(0, 3),))
    assert "see also: a.yaml:1:1" in plain(text_lines([found], "en"))
    assert "另见：a.yaml:1:1" in plain(text_lines([found], "zh"))


def test_summary() -> None:
    assert summary([finding("a\n", "a")], "en") == "errors: 1, warnings: 0"


def test_github_escapes() -> None:
    (said,) = github_lines([finding("a: 100%::error\n", "100%::error", "ru,les:1/a.yaml")], "en")
    place = "file=ru%2Cles%3A1/a.yaml,line=1,col=4,endLine=1,endColumn=15,title=C903"
    assert said == f"::error {place}::no value has the name `100%25::error`"


def test_tables_align_by_display_width() -> None:
    said = plain(table([["明星", "1"], ["star", "22"], ["e\u0301", "3"]], right={1}))
    assert said == "  明星   1\n  star  22\n  e\u0301      3\n"


def test_colours_only_when_wanted() -> None:
    lines = [line(Piece("no", "red"), " [bold]markup[/bold] :smile:")]
    bare, coloured = StringIO(), StringIO()
    show(lines, bare, colour=False)
    show(lines, coloured, colour=True)
    assert bare.getvalue() == "no [bold]markup[/bold] :smile:\n"
    assert "\x1b[31mno" in coloured.getvalue()
    assert "[bold]markup[/bold] :smile:" in coloured.getvalue()


@pytest.mark.parametrize(
    ("value", "kind", "text", "json"),
    [
        (True, BOOL, "true", True),
        (-5, Decimal(2), "-0.05", "-0.05"),
        (1234500, Decimal(2), "12345.00", "12345.00"),
        (7, Decimal(0), "7", "7"),
        (7, INTEGER, "7", 7),
        (2.0, NUMBER, "2", 2.0),
        (0.1, NUMBER, "0.1", 0.1),
        (20_634, DATE, "2026-06-30", "2026-06-30"),
        (0, TIMESTAMP, "1970-01-01T08:00:00+08:00", "1970-01-01T08:00:00+08:00"),
        (("a", "b"), LIST, "a, b", ["a", "b"]),
        ("女", TEXT, "女", "女"),
        (None, TEXT, "missing", None),
    ],
)
def test_values(value: Value, kind: Type, text: str, json: object) -> None:
    assert shown(value, kind, "Asia/Shanghai", "missing") == text
    assert json_value(value, kind, "Asia/Shanghai") == json


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (627.8233333333334, "627.8233"), (3.0, "3"), (0.1 + 0.2, "0.3"), (-1e-9, "-1e-09"), (2.5, "2.5"),
        (1 / 3e5, "3.333e-06"), (-0.25, "-0.25"), (1e22, "1e+22"), (99999.99996, "100000"), (None, "missing"),
    ],
)  # fmt: skip
def test_numbers_in_tables_are_short(value: Value, said: str) -> None:
    assert short(value, NUMBER, "UTC", "missing") == said


def test_what_is_exact_is_never_shortened() -> None:
    assert short(1234567, Decimal(6), "UTC", "") == "1.234567"


def test_a_very_long_text_of_the_user_is_said_in_part() -> None:
    said = plain(text_lines([Diagnostic("C903", NOWHERE, {"name": "x" * 100_000})], "en"))
    assert len(said) < 1100
    assert said.endswith("x…`\n")
