"""`segrules test` as data: each folder of tests/cases/testing/ is a project, `verdicts.txt` what its tests give."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segrules import pipeline
from segrules.diagnostics.catalogue import Language, message
from segrules.engine.results import Bits, Membership, Results
from segrules.report.diagnostics import as_written
from segrules.report.screen import plain
from segrules.testing import run as running
from segrules.testing.outcome import screen
from segrules.testing.read import read_tests
from segrules.testing.run import Verdict

CASES = Path(__file__).parent / "cases" / "testing"
FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir())


def verdicts(folder: Path) -> list[Verdict]:
    rules = pipeline.load(folder)
    tests = read_tests(rules.ruleset, rules.project.tests)
    assert tests.diagnostics == ()
    return running.run(rules.project, rules.ruleset, tests.tests)


def told(verdict: Verdict) -> str:
    lines = ["passed" if verdict.passed else "FAILED", f" {verdict.example.name}\n"]
    return "".join(lines) + "".join(f"  {one.code} {message(one, 'en')}\n" for one in verdict.diagnostics)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_verdicts(folder: Path, update: bool) -> None:
    said = "".join(map(told, verdicts(folder)))
    file = folder / "verdicts.txt"
    if update:
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


def test_what_passes_and_what_does_not() -> None:
    found = verdicts(CASES / "shop")
    assert {verdict.passed for verdict in found if verdict.example.span.place.file.endswith("passing.yaml")} == {True}
    assert {verdict.passed for verdict in found if verdict.example.span.place.file.endswith("wrong.yaml")} == {False}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_failure_is_explained(language: Language) -> None:
    failed = [verdict for verdict in verdicts(CASES / "shop") if verdict.example.name.text == "true instead of unknown"]
    said = plain(screen(failed, language, as_written))
    assert 'city.tier = "一线"' in said
    assert "tests/wrong.yaml:" in said


def test_engines_that_disagree_fail_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = running.evaluate_existing

    def wrong(*arguments: object) -> Results:
        results = honest(*arguments)  # type: ignore[arg-type]
        if arguments[-1] == "reference":
            return results
        flipped = {
            name: Membership(Bits.of(~each.true.mask() & np.True_), None) for name, each in results.segments.items()
        }
        return replace(results, segments=flipped)

    monkeypatch.setattr(running, "evaluate_existing", wrong)
    found = [one.code for verdict in verdicts(CASES / "from_orders") for one in verdict.diagnostics]
    assert found == ["C952", "C952", "C952"]


def test_data_files_are_not_read(tmp_path: Path) -> None:
    assert not list(CASES.rglob("*.csv")), "the projects of these tests have no data at all"
    shutil.copytree(CASES / "shop", tmp_path / "shop")
    (tmp_path / "shop" / "data").mkdir()
    (tmp_path / "shop" / "data" / "customers.csv").write_bytes(b"\xff\xfe broken")
    assert len(verdicts(tmp_path / "shop")) == len(verdicts(CASES / "shop"))
