"""Files that no text chunk can hold: bad bytes, floods, links in a loop. Always a diagnostic, never an exception.

In: folders built here.  Out: codes and places; both languages render.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from segrules.diagnostics.catalogue import help_text, message
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files.load import load
from segrules.source import Source
from segrules.yamltree.tree import MAX_CHARACTERS, MAX_FOUND, parse_yaml

PROJECT = """\
version: 1
name: hostile
timezone: Asia/Shanghai
customers: customers
tables:
  customers: {source: c.csv, key: id, columns: {id: text, vip: bool}}
"""
RULES = "purpose: p\nowner: o\nsegments:\n  star: {when: vip}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def said(folder: Path) -> list[str]:
    found = load(folder)[1]
    render(found)
    return [f"{one.code} {one.span.place}" for one in found]


def render(found: list[Diagnostic]) -> None:
    for one in found:
        for language in ("en", "zh"):
            assert message(one, language)
            help_text(one, language)


def codes(text: str) -> list[str]:
    tree, found = parse_yaml(Source("f.yaml", text))
    render(found)
    assert tree is not None or found
    return [one.code for one in found]


def test_a_good_folder_has_nothing_wrong(folder: Path) -> None:
    assert said(folder) == []


def test_bytes_that_are_not_utf8_have_a_place(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_bytes("purpose: 测试\nowner: ".encode() + b"\xff\xfe\n")
    assert said(folder) == ["Y101 rules/b.yaml:2:8"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_other_encodings_are_named(folder: Path, encoding: str) -> None:
    (folder / "rules" / "b.yaml").write_bytes("purpose: 客户细分\nowner: 销售\n".encode(encoding))
    found = load(folder)[1]
    assert [one.code for one in found] == ["Y101"]
    assert encoding.upper().replace("_", "-") in str(help_text(found[0], "en"))


def test_bad_byte_after_a_byte_order_mark(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_bytes(b"\xef\xbb\xbfowner: \xe4\xb8\n")
    assert said(folder) == ["Y101 rules/b.yaml:1:8"]


def test_byte_order_mark_counts_for_nothing(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_bytes(b"\xef\xbb\xbf" + RULES.replace("star", "moon").encode())
    (folder / "rules" / "c.yaml").write_bytes(b"\xef\xbb\xbfownr: x\n")
    assert said(folder) == ["R501 rules/c.yaml:1:1", "R503 rules/c.yaml:1:1"]


def test_too_large(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_bytes(b"#" * (MAX_CHARACTERS + 1))
    with (folder / "rules" / "c.yaml").open("wb") as file:
        file.truncate(50 * MAX_CHARACTERS)
    assert said(folder) == ["Y104 rules/b.yaml:1:1", "Y104 rules/c.yaml:1:1"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "- [", "{[", "a: [", '{"a": ', "!x [", "&a [", "[\n"])
def test_fifty_thousand_levels(opening: str) -> None:
    assert codes(opening * 50_000)[-1:] in (["Y105"], ["Y115"], ["Y117"], ["Y121"], ["Y116"])


def test_fifty_thousand_indented_levels() -> None:
    assert codes("\n".join(" " * depth + "a:" for depth in range(3_000))) == ["Y105"]


def test_nested_expression_in_a_value(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_text(RULES.replace("star: {when: vip}", "deep: {when: '" + "(" * 10_000 + "'}"))
    found = said(folder)
    assert found and all(one.startswith("S2") for one in found)


def test_endless_expression(folder: Path) -> None:
    text = RULES.replace("{when: vip}", "\n    when: " + "vip or " * 150_000 + "vip")
    (folder / "rules" / "a.yaml").write_text(text)
    assert [one.split()[0] for one in said(folder)] == ["S208"]


@pytest.mark.parametrize(
    "text",
    [
        "- a\n" * 30_000,
        "a: [" + "x," * 30_000 + "]",
        "{" + "a: 1, " * 20_000 + "}",
        "".join(f"k{at}: 1\n" for at in range(15_000)),
        "a: &a [x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 8)}]\n" for at in range(20)),
    ],
    ids=["items", "flow", "duplicates", "keys", "laughs"],
)
def test_floods_stop(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segrules.yamltree.tree.MAX_NODES", 20_000)
    found = codes(text)
    assert found[-1] in ("Y106", "Y108")
    assert len(found) <= MAX_FOUND


@pytest.mark.parametrize(
    "text",
    [
        "'" * 1_000_001, '"' * 1_000_000, "%" * 1_000_000, "!" * 1_000_000, "&a " * 100_000, ": " * 1_000_000,
        "k" * 1_000_000 + ": 1\n", "a: |" + "9" * 100_000, "a: " + "}" * 100_000, "\n" * 1_000_000 + "\t",
        "[]" * 100_000,
        "\udc80", "a: \x00", "\u202e" * 100_000, "a\rb", "a: " + "9" * 100_000, "a: 1e" + "9" * 90, "? " * 30, "<<: *x",
        "*a", "&a", "!", "|", ">", "%", "@", "`", "-", "?", ":", ",", "[", "]", "{", "}", "#", "'", '"', "---",
        "...", "~",
    ],
)  # fmt: skip
def test_odd_texts(text: str) -> None:
    codes(text)


def test_large_numbers_stay_text() -> None:
    for spelled in ("9" * 5_000, "1e999999999", "-1E-99999"):
        tree, found = parse_yaml(Source("f.yaml", spelled))
        assert not found
        assert getattr(tree, "value", None) == spelled


def test_links_in_a_loop(folder: Path) -> None:
    (folder / "rules" / "again").symlink_to(folder / "rules")
    (folder / "rules" / "self").symlink_to(folder / "rules" / "self")
    (folder / "rules" / "self.yaml").symlink_to(folder / "rules" / "self.yaml")
    (folder / "rules" / "nowhere.yaml").symlink_to(folder / "not there")
    assert said(folder) == ["R522 rules/again:1:1", "R524 rules/nowhere.yaml:1:1", "R524 rules/self.yaml:1:1"]


def test_many_ways_to_one_folder(folder: Path) -> None:
    here = folder / "rules"
    for _ in range(12):
        (here / "deep").mkdir()
        (here / "one").symlink_to(here / "deep")
        (here / "two").symlink_to(here / "deep")
        here = here / "deep"
    assert {one.split()[0] for one in said(folder)} == {"R522"}


def test_no_files(folder: Path) -> None:
    (folder / "rules" / "folder.yaml").mkdir()
    os.mkfifo(folder / "rules" / "pipe.yaml")
    assert said(folder) == ["R521 rules/folder.yaml:1:1", "R521 rules/pipe.yaml:1:1"]


def test_folders_where_files_are_expected(folder: Path) -> None:
    (folder / "policies.yaml").mkdir()
    assert said(folder) == ["R521 policies.yaml:1:1"]
    (folder / "segrules.yaml").unlink()
    (folder / "segrules.yaml").mkdir()
    assert said(folder) == ["R521 policies.yaml:1:1", "R521 segrules.yaml:1:1"]


def test_name_that_is_not_utf8(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder / "rules") + b"/\xff\xfe.yaml")).write_text(RULES)
    assert said(folder) == ["R523 rules/\ufffd\ufffd.yaml:1:1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden(folder: Path) -> None:
    (folder / "rules" / "a.yaml").chmod(0)
    assert said(folder) == ["R524 rules/a.yaml:1:1"]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda folder: None, ["R519 segrules.yaml:1:1", "R520 "]),
        (lambda folder: (folder / "rules").mkdir(), ["R519 segrules.yaml:1:1"]),
        (lambda folder: (folder / "segrules.yaml").write_text(PROJECT), ["R520 segrules.yaml:1:1"]),
        (lambda folder: (folder / "segrules.yaml").symlink_to("segrules.yaml"), ["R520 ", "R524 segrules.yaml:1:1"]),
    ],
)
def test_missing_parts(tmp_path: Path, build: Callable[[Path], object], expected: list[str]) -> None:
    build(tmp_path)
    assert sorted(said(tmp_path)) == expected


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    assert [one.split()[0] for one in said(tmp_path / "nowhere")] == ["R520", "R519"]


def test_decision_table_in_a_strange_place(folder: Path) -> None:
    for number, path in enumerate(
        ["/dev/zero.csv", "../" * 30 + "etc/passwd", "a\\0b.csv", "rules", "x" * 5_000 + ".csv"]
    ):
        (folder / "rules" / f"t{number}.yaml").write_text(
            "purpose: p\nowner: o\nsegmentations:\n"
            f'  t{number}: {{columns: [vip], outputs: [segment], file: "{path}", otherwise: [a]}}\n'
        )
    assert {one.split()[0] for one in said(folder)} <= {"R524", "R512", "R521"}
    assert len(said(folder)) == 5


@pytest.mark.parametrize(
    "text", ['"', '""', '"a"b', ",,,\n,,", "\t\t", "a" * 100_000, '"' + '""' * 100_000 + '"', "," * 30_000]
)
def test_odd_decision_tables(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segrules.files.grid.MAX_CELLS", 20_000)
    (folder / "t.csv").write_text(text)
    (folder / "rules" / "t.yaml").write_text(
        "purpose: p\nowner: o\nsegmentations:\n  t: {columns: [vip], outputs: [segment], file: t.csv, otherwise: [a]}\n"
    )
    assert said(folder)
