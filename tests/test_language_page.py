"""docs/language.md and its chapters: what stands there runs, and lists every keyword and function.

In: the pages.  Out: its `yaml` and `csv` blocks make projects that check without findings and whose tests pass; its
`segrules` blocks are expressions.  Its `semantics` blocks run in `test_semantics.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from segrules import pipeline
from segrules.diagnostics.catalogue import entries
from segrules.schema.functions import FUNCTIONS
from segrules.source import Source
from segrules.syntax.keywords import KEYWORDS, RESERVED_EN, RESERVED_ZH, TERMINALS, UNITS_EN, UNITS_ZH
from segrules.syntax.parser import parse_expression
from segrules.testing.read import read_tests
from segrules.testing.run import run

DOCS = Path(__file__).parents[1] / "docs"
FIRST = DOCS / "language.md"
CHAPTERS = tuple(DOCS / "language" / f"{name}.md" for name in ("data", "rules", "actions"))
PAGE = "".join(path.read_text(encoding="utf-8") for path in (FIRST, *CHAPTERS))
FILES = re.findall(r"^```(?:yaml|csv) (\S+)\n(.*?)^```$", PAGE, re.M | re.S)
PROJECTS = sorted({path.partition("/")[0] for path, _ in FILES})


def test_every_block_is_of_a_kind_that_runs() -> None:
    openings = re.findall(r"^```(.*)\n", PAGE, re.M)[::2]
    kinds = Counter(opening.partition(" ")[0] for opening in openings)
    assert set(kinds) == {"", "yaml", "csv", "segrules", "semantics"}
    assert kinds[""] == 1
    assert kinds["yaml"] + kinds["csv"] == len(FILES) == len({path for path, _ in FILES})


@pytest.mark.parametrize("name", PROJECTS)
def test_projects_are_right_and_their_tests_pass(name: str, tmp_path: Path) -> None:
    for path, text in FILES:
        if path.startswith(f"{name}/"):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    rules = pipeline.load(tmp_path / name)
    assert list(rules.warnings) == []
    tests = read_tests(rules.ruleset, rules.project.tests)
    assert tests.diagnostics == ()
    verdicts = run(rules.project, rules.ruleset, tests.tests)
    assert [verdict.example.name.text for verdict in verdicts if not verdict.passed] == []
    assert verdicts


@cache
def expressions() -> list[str]:
    return [line for block in re.findall(r"```segrules\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


def test_expressions_are_read() -> None:
    assert len(expressions()) >= 35
    wrong = {line: [one.code for one in parse_expression(Source("page", line))[1]] for line in expressions()}
    assert {line: codes for line, codes in wrong.items() if codes} == {}


def section(title: str) -> str:
    found = re.search(rf"^#+ [0-9.]+ {title}\n(.*?)(?=^#+ )", PAGE, re.M | re.S)
    assert found, title
    return found[1]


def test_every_keyword_is_listed() -> None:
    table = section("Keywords")
    spellings = [spelling for keyword in KEYWORDS for spelling in (*keyword.en, *keyword.zh, *keyword.symbols)]
    assert [spelling for spelling in spellings if f"`{spelling}`" not in table] == []
    assert [unit for unit in (*UNITS_EN, *UNITS_ZH) if unit not in table] == []
    reserved = section("Names and reserved words").split()
    words = {word.strip("`;,、.") for word in reserved}
    assert [word for word in (*RESERVED_EN, *RESERVED_ZH) if word not in words] == []
    assert set(TERMINALS) >= {keyword.terminal for keyword in KEYWORDS}


def test_every_function_is_listed_once_in_both_languages() -> None:
    listed: dict[str, str] = {}
    for line in section("Functions").splitlines():
        cells = [cell.strip() for cell in line.split(" | ")]
        if line.startswith("| `"):
            names, zh = re.findall(r"`(\w+)`", cells[0]), re.findall(r"`(\w+)`", cells[1])
            assert not set(names) & set(listed), line
            listed |= dict.fromkeys(names, " ".join(zh))
    assert listed == {name: listed.get(name) for name in FUNCTIONS}
    for function in FUNCTIONS.values():
        assert set(function.zh) <= set(listed[function.name].split()), function.name
    zh = [spelling for spellings in set(listed.values()) for spelling in spellings.split()]
    assert sorted(zh) == sorted(spelling for function in FUNCTIONS.values() for spelling in function.zh)


def test_codes_and_sections_exist() -> None:
    assert {code for code in re.findall(r"\b[A-Z]\d{3}\b", PAGE) if code not in entries()} == set()
    numbers = re.findall(r"^##+ (\d+(?:\.\d+)?)", PAGE, re.M)
    assert len(numbers) == len(set(numbers))
    named = re.findall(r"\((\d+\.\d+)\)|section (\d+)", PAGE)
    assert {one or other for one, other in named} <= set(numbers)
    assert {int(number) for number in numbers if "." not in number} == set(range(1, 21))


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_table_of_contents_links_every_section() -> None:
    links = set(re.findall(r"\]\(([^)#]*)#([^)]+)\)", FIRST.read_text(encoding="utf-8")))
    there = {("", anchor) for anchor in anchors(FIRST)}
    there |= {(f"language/{path.name}", anchor) for path in CHAPTERS for anchor in anchors(path)}
    assert links == there
    assert set((DOCS / "language").glob("*.md")) == set(CHAPTERS)


MADE = {"diagnostics.md"}
"""Pages that `make docs` writes."""


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8"))
    for file, anchor in links:
        target = page if file == "" else (page.parent / file).resolve()
        if target.name not in MADE:
            assert target.exists(), file
            assert anchor == "" or anchor in anchors(target), anchor
