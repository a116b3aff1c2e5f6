"""Every wrong file in `tests/cases/errors/`: the expected code at the expected line and columns, and nothing else.

In: files of chunks between `---`. A chunk is one rule file in the default project (`default_project.yaml`), or several
files, each after a line `=== path`. What is expected stands on the line that is wrong, after `#!`: codes with their
1-based columns, both ends included. `purpose:` and `owner:` are added to rule files that have neither (not after
`=== path as is`). Behind the columns may stand the key of the help.
Out: `pytest --update` writes the expectations anew.

    rich: {label: 富裕, when: annual_income >= "高"}      #! T403 27-46 number
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from segrules.check.consequences import without_consequences
from segrules.check.rulesets import check
from segrules.diagnostics.catalogue import entries, help_text, message
from segrules.diagnostics.diagnostic import Diagnostic, in_order
from segrules.files.load import load
from segrules.testing.read import read_tests

CASES = Path(__file__).parent / "cases" / "errors"
DEFAULT_PROJECT = (CASES / "default_project" / "segrules.yaml").read_text(encoding="utf-8")
HEADER = ("purpose: test", "owner: test")
FAMILIES = re.compile(r"(?:Y1|S2|N3|T4|R5)\d\d")

_ONE = r"[A-Z]\d{3} \d+-\d+(?: \w+)?"
_EXPECTATION = re.compile(rf"\s*#! *(?P<all>{_ONE}(?:, *{_ONE})*)\s*$")
_PATH = re.compile(r"=== (?P<path>\S+)(?P<raw> as is)?")


@dataclass(frozen=True)
class File:
    """One file of a chunk: `first` is its first line in the case file, `above` how many lines were put before it."""

    path: str
    lines: list[str]
    first: int
    above: int

    @property
    def text(self) -> str:
        bare = [_EXPECTATION.sub("", line) for line in self.lines]
        header = [f"{line}\n" for line in HEADER[: self.above]]
        return "".join(header) + "\n".join(bare) + "\n"


@dataclass(frozen=True)
class Chunk:
    case: Path
    first: int
    files: list[File]

    def __str__(self) -> str:
        return f"{self.case.name}:{self.first + 1}"


def chunks(case: Path) -> list[Chunk]:
    found = []
    start = 0
    lines = case.read_text(encoding="utf-8").split("\n")
    for end in [*(at for at, line in enumerate(lines) if line == "---"), len(lines)]:
        if any(line.strip() and not line.startswith("##") for line in lines[start:end]):
            found.append(Chunk(case, start, list(files(lines, start, end))))
        start = end + 1
    return found


def files(lines: list[str], start: int, end: int) -> list[File]:
    marks = [at for at in range(start, end) if _PATH.fullmatch(lines[at])]
    if not marks:
        return [rule_file("rules/case.yaml", lines[start:end], start, raw=False)]
    found = []
    if any(line.strip() and not line.startswith("##") for line in lines[start : marks[0]]):
        found.append(rule_file("rules/case.yaml", lines[start : marks[0]], start, raw=False))
    for mark, after in zip(marks, [*marks[1:], end], strict=True):
        named = _PATH.fullmatch(lines[mark])
        assert named
        is_rules = named["path"].startswith("rules/") and named["path"].endswith((".yaml", ".yml"))
        found.append(
            rule_file(named["path"], lines[mark + 1 : after], mark + 1, raw=bool(named["raw"]) or not is_rules)
        )
    return found


def rule_file(path: str, lines: list[str], first: int, *, raw: bool) -> File:
    headed = raw or any(line.startswith(("purpose:", "owner:")) for line in lines)
    return File(path, lines, first, 0 if headed else len(HEADER))


def diagnose(chunk: Chunk, folder: Path) -> list[Diagnostic]:
    """Write the files of the chunk, then load and check them, as `segrules validate` does."""
    for file in chunk.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text, encoding="utf-8", newline="")
    if not (folder / "segrules.yaml").exists():
        (folder / "segrules.yaml").write_text(DEFAULT_PROJECT, encoding="utf-8")
    (folder / "rules").mkdir(exist_ok=True)
    project, found = load(folder)
    ruleset, more = check(project)
    examples = read_tests(ruleset, project.tests).diagnostics if ruleset is not None else ()
    return list(in_order([*found, *without_consequences(project, found, [*more, *examples])]))


def columns(one: Diagnostic) -> tuple[int, int]:
    """First and last column on the first line, both included."""
    place = one.span.place
    last = place.end_column - 1
    if place.end_line > place.line:
        last = len(one.span.in_file().source.line_text(place.line))
    return place.column, max(place.column, last)


def observed(chunk: Chunk, found: list[Diagnostic]) -> dict[int, list[str]]:
    """What came out, by line of the case file; what stands nowhere in it by -1."""
    by_path = {file.path: file for file in chunk.files}
    wanted = expected(chunk)
    result: dict[int, list[str]] = {}
    for one in found:
        file = by_path.get(one.span.place.file)
        line = -1 if file is None else file.first + one.span.place.line - 1 - file.above
        if file is None or not file.first <= line < file.first + len(file.lines):
            line = -1
        start, end = columns(one)
        where = f" in {one.span.place}" if line < 0 else ""
        said = f"{one.code} {start}-{end}"
        key = "" if one.help is None else f" {one.help.key}"
        help_ = key if any(each.startswith(one.code) and each.endswith(key) for each in wanted.get(line, ())) else ""
        result.setdefault(line, []).append(f"{said}{help_}{where}")
    return {line: sorted(said) for line, said in result.items()}


def expected(chunk: Chunk) -> dict[int, list[str]]:
    result = {}
    for file in chunk.files:
        for number, line in enumerate(file.lines):
            if found := _EXPECTATION.search(line):
                result[file.first + number] = sorted(part.strip() for part in found["all"].split(","))
    return result


def rewrite(chunk: Chunk, said: dict[int, list[str]]) -> None:
    lines = chunk.case.read_text(encoding="utf-8").split("\n")
    for file in chunk.files:
        for number in range(file.first, file.first + len(file.lines)):
            bare = _EXPECTATION.sub("", lines[number])
            lines[number] = f"{bare}      #! {', '.join(said[number])}" if number in said else bare
    chunk.case.write_text("\n".join(lines), encoding="utf-8")


ALL = [chunk for case in sorted(CASES.glob("*.yaml")) for chunk in chunks(case)]


@pytest.mark.parametrize("chunk", ALL, ids=str)
def test_wrong_file(chunk: Chunk, tmp_path: Path, update: bool) -> None:
    found = diagnose(chunk, tmp_path)
    for one in found:
        for language in ("en", "zh"):
            said = message(one, language)
            assert said and not said.endswith((".", "。")), f"{one.code}: {said}"
            if one.help is not None:
                assert help_text(one, language)
    said = observed(chunk, found)
    if update:
        rewrite(chunk, said)
    else:
        assert said == expected(chunk)


def test_every_chunk_expects_something() -> None:
    assert [str(chunk) for chunk in ALL if not expected(chunk)] == []


def test_there_are_enough_wrong_files() -> None:
    assert len(ALL) >= 120


def test_every_code_has_a_case() -> None:
    """Of the families that files can show; what no text chunk can show is named by another test."""
    shown = {code for chunk in ALL for said in expected(chunk).values() for code in FAMILIES.findall(" ".join(said))}
    others = [*Path(__file__).parent.rglob("*.py"), *(CASES.parent / "cli").rglob("*")]
    elsewhere = {
        code for file in others if file.is_file() for code in FAMILIES.findall(file.read_text("utf-8", "replace"))
    }
    known = {code for code in entries() if FAMILIES.fullmatch(code)}
    assert sorted(known - shown - elsewhere) == []
    assert sorted(shown - known) == []


def test_a_wrong_expectation_is_seen(tmp_path: Path) -> None:
    case = tmp_path / "planted.yaml"
    case.write_text('segments:\n  star: {when: vip, labl: "x"}      #! R501 20-24\n', encoding="utf-8")
    (planted,) = chunks(case)
    said = observed(planted, diagnose(planted, tmp_path / "project"))
    assert said != expected(planted)
    rewrite(planted, said)
    assert expected(chunks(case)[0]) == said == {1: ["R501 21-24"]}
