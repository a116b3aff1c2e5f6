"""What `--profile` shows: how large the program is, where its time goes, which definitions cost most."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from segrules.engine.profile import PHASES
from segrules.engine.vector.evaluate import evaluate_watched
from segrules.engine.vector.program import AtLeast, Own, Program
from segrules.engine.vector.watch import Watch, profiled
from segrules.model import expr as m
from segrules.model.ruleset import Attribute, Segment
from segrules.report.profile import as_json, screen
from segrules.report.screen import plain
from segrules.schema.types import BOOL, INTEGER
from tests.test_cli import Case, check_schema, make_project, run
from tests.test_vector import AS_OF, WRITTEN, col, rules, whole, world


def test_shared_costs_are_shared_out() -> None:
    program = Program()
    n, other = (program.add("customers", Own(name), INTEGER) for name in ("n", "other"))
    low, high = (program.add("customers", AtLeast(n, key), BOOL) for key in (1, 9))
    watch = Watch({("gather", n): 2.0, ("gather", other): 5.0, ("compare", n): 6.0, ("compile", None): 1.0}, 4)
    found = profiled(program, [n, other, low, high], watch, {"low": [low], "both": [low, high], "other": [other]})
    assert (found.nodes, found.atoms, found.blocks) == (4, 2, 4)
    assert [(one.name, one.seconds, one.nodes) for one in found.costliest] == [
        ("both", 1.0 + 1.5 + 3.0, 3), ("other", 5.0, 1), ("low", 1.0 + 1.5, 2),
    ]  # fmt: skip
    assert dict(found.seconds) == dict.fromkeys(PHASES, 0.0) | {"compile": 1.0, "gather": 7.0, "compare": 6.0}


def test_a_watched_run_counts_what_it_runs() -> None:
    contracts, tables = world({"id": (INTEGER, list(range(20))), "n": (INTEGER, list(range(20)))})
    column = col("n", INTEGER)
    twice = Attribute("twice", None, m.Arithmetic("+", column, column, INTEGER), WRITTEN)
    big = Segment("big", None, m.Compare(">=", column, whole(7)), WRITTEN)
    ruleset = rules(contracts, big, twice)
    results, profile = evaluate_watched(ruleset, tables, AS_OF)
    assert results.segments["big"].true.count() == 13
    assert (profile.nodes, profile.atoms, profile.blocks) == (3, 1, 1)
    assert {one.name: one.nodes for one in profile.costliest} == {"big": 2, "twice": 2}
    spent = dict(profile.seconds)
    assert spent["compare"] > 0 and spent["compute"] > 0 and spent["aggregate"] >= 0
    assert as_json(profile)["seconds"] == spent


@pytest.mark.parametrize(("language", "words"), [("en", "costliest definitions"), ("zh", "用时最多的定义")])
def test_it_is_shown_in_both_languages(language: str, words: str) -> None:
    contracts, tables = world({"id": (INTEGER, [1, 2])})
    ruleset = rules(contracts, Segment("s", None, m.Compare(">=", col("id", INTEGER), whole(2)), WRITTEN))
    shown = plain(screen(evaluate_watched(ruleset, tables, AS_OF)[1], language))  # type: ignore[arg-type]
    assert words in shown and " s  s  (" in shown


def test_the_command_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_project(Case(tmp_path, "start-en", ()), tmp_path)
    monkeypatch.chdir(tmp_path)
    command = ("evaluate", "--as-of", "2026-06-30", "--only", "dormant", "--profile")
    code, plainly, _ = run((*command[:-1], "--lang", "en"), capsys)
    assert code == 0
    for language, words in (("en", "seconds, of all threads together:"), ("zh", "各步骤用时（所有线程合计）：")):
        code, out, _ = run((*command, "--lang", language), capsys)
        assert code == 0
        shown = re.sub(r"\d+\.\d{3} s", "SECONDS", out)
        assert words in shown and shown.count("SECONDS  ") == len(PHASES) + 1
        assert language == "zh" or shown.startswith(plainly)
    code, out, _ = run((*command, "--format", "json"), capsys)
    found = json.loads(out)
    check_schema(Case(tmp_path, "", command), found)
    assert [one["name"] for one in found["profile"]["costliest"]] == ["dormant"]
    assert found["profile"]["blocks"] >= 1
    code, _, err = run((*command, "--stream"), capsys)
    assert (code, err.split()[0]) == (2, "C929")
