"""YAML trees: values by YAML 1.2 core, and every character's exact place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.source import Source
from segrules.yamltree import scalars
from segrules.yamltree.nodes import Map, Node, Scalar, Seq
from segrules.yamltree.tree import parse_yaml


def tree(text: str) -> Node:
    root, found = parse_yaml(Source("f.yaml", text))
    assert root is not None and not found
    return root


def scalars_of(root: Node) -> Iterator[Scalar]:
    waiting = [root]
    while waiting:
        match waiting.pop():
            case Map(entries=entries):
                waiting.extend(node for entry in entries for node in (entry.key, entry.value))
            case Seq(items=items):
                waiting.extend(items)
            case Scalar() as scalar:
                yield scalar
            case _:
                pass


def value(text: str) -> Scalar:
    root = tree(text)
    assert isinstance(root, Map)
    found = root.entries[0].value
    assert isinstance(found, Scalar)
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True), ("false", False), ("True", "True"), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"),
        ("null", None), ("~", None), ("", None), ("Null", "Null"), ("5", 5), ("-5", -5), ("+5", 5), ("007", 7),
        ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"), ("1_000", "1_000"), ("1:30", "1:30"), ("12:30:45", "12:30:45"),
        ("1.5", Decimal("1.5")), ("1.50", Decimal("1.50")), (".5", Decimal("0.5")), ("5.", Decimal(5)),
        ("1e3", Decimal(1000)), ("-1.5E-2", Decimal("-0.015")), (".inf", ".inf"), (".nan", ".nan"),
        ("2026-11-21", "2026-11-21"), ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z"), ("20%", "20%"), ("5万", "5万"),
        ("=", "="), ("'5'", "5"), ('"true"', "true"), ("'~'", "~"), ("1.2.3", "1.2.3"), (".", "."), ("1e", "1e"),
    ],
)  # fmt: skip
def test_values_are_those_of_yaml_1_2(written: str, meant: object) -> None:
    got = value(f"a: {written}\n").value
    assert got == meant
    assert type(got) is type(meant)


@pytest.mark.parametrize(
    ("text", "at", "line", "column"),
    [
        ("a: spend > x\n", 8, 1, 12),
        ("𝕏中é: spend > x\n", 8, 1, 14),
        ("a: 'it''s x'\n", 5, 1, 11),
        ('a: "\\u4e2d\\t\\U0001F600 x"\n', 4, 1, 24),
        ("a: spend\n   > x\n", 8, 2, 6),
        ("a: spend\n\n   > x\n", 8, 3, 6),
        ('a: "spend \\\n   > x"\n', 8, 2, 6),
        ("a: |\n  spend\n    > x\n", 10, 3, 7),
        ("a: >\n  spend\n  > x\n", 8, 3, 5),
        ("a: >-\n  spend\n\n  > x\n", 8, 4, 5),
        ("a: >\n  spend\n    more\n  > x\n", 15, 4, 5),
        ("a: |2\n    x\n", 2, 2, 5),
        ("a: |\r\n  spend\r\n  x\r\n", 6, 3, 3),
        ("a: spend\r\n  x\r\n", 6, 2, 3),
        ("a: &anchor x\n", 0, 1, 12),
        ("- {b: [c,\n  d > x]}\n", 4, 2, 7),
    ],
)
def test_places_are_exact(text: str, at: int, line: int, column: int) -> None:
    found = next(scalar for scalar in scalars_of(tree(text)) if scalar.text[at : at + 1] == "x")
    place = found.source.span(at, at + 1).place
    assert (place.line, place.column, place.end_line, place.end_column) == (line, column, line, column + 1)


def refuse(*_: object) -> None:
    raise AssertionError("an offset was guessed")


_PIECES = [
    "x",
    "y",
    "中",
    "𝕏",
    " ",
    "  ",
    "\t",
    "\n",
    "\n  ",
    "\n\n ",
    "''",
    "\\n",
    "\\x41",
    "\\u4e2d",
    '\\"',
    "\\\n ",
    "#",
    ",",
]


@st.composite
def documents(draw: st.DrawFn) -> str:
    style = draw(st.sampled_from(["plain", "'", '"', "|", "|-", "|+", ">", ">-", ">+", "|2", ">1-"]))
    body = "".join(draw(st.lists(st.sampled_from(_PIECES), max_size=14)))
    match style:
        case "plain":
            text = "a:\n  b: x" + body.replace("\n", "\n   ")
        case "'" | '"':
            text = f"a: {style}" + body.replace("\n", "\n  ") + style
        case _:
            text = f"a:\n  b: {style}\n    x" + body.replace("\n", draw(st.sampled_from(["\n    ", "\n     "])))
    text += draw(st.sampled_from(["", "\n", "\n\n", "\n# end\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=600, deadline=None)
@given(documents())
def test_offsets_name_every_character(text: str) -> None:
    """What libyaml made of a scalar is rebuilt from its raw stretch, so each offset is known, not guessed."""
    root, _ = parse_yaml(Source("f.yaml", text))
    if root is None:
        return
    for scalar in scalars_of(root):
        end = len(scalar.text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scalars, "_nearest", refuse)
            places = [scalar.source.in_parent(at) for at in range(end + 1)]
        assert places == sorted(places)
        for character, place in zip(scalar.text, places, strict=False):
            assert text[place] == character or (character in " \n" and text[place] in "\r\n") or text[place] == "\\"


def test_a_guess_is_never_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalars, "_nearest", refuse)
    for text in (
        "a: |\n   x\n    y\n\n  \n   z\n",
        "a: >+\n  x\n   y\n\n  z\n\n\n",
        'a: "x \\\n\n y"\n',
        "a: 'x\n\n\n  y'\n",
    ):
        for scalar in scalars_of(tree(text)):
            scalar.source.in_parent(0)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#, \n\t0.~<=\\中：，　", max_size=40))
def test_any_text_gives_a_tree_or_says_why(text: str) -> None:
    root, found = parse_yaml(Source("f.yaml", text))
    assert root is not None or found
    for one in found:
        assert 0 <= one.span.start <= one.span.end <= len(text)
        assert one.span.place.line >= 1


def test_an_alias_is_the_same_node() -> None:
    root = tree("a: &x [1, 2]\nb: *x\n")
    assert isinstance(root, Map)
    assert root.get("a") is root.get("b")
