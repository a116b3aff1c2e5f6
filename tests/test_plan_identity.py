"""What a plan was made from is known again: any edit that could change a decision changes the hash of the model.

The project is that of tests/cases/plans/shop; git is really run, in a folder of its own.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from segrules import pipeline
from segrules.errors import Conflict
from segrules.plan import identity
from segrules.state import ledger
from tests.test_plan import CASES, made_project, microseconds, with_ledger

EXAMPLE = "tests: [{name: a, as_of: 2026-06-30, customer: {name: x, spend: 600}, expect: {big: true}}]\n"
TABLE = "segment,spend\nrich,>= 100\npoor,-\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    made_project(CASES / "shop", tmp_path)
    (tmp_path / "rules" / "30_table.yaml").write_text(
        "purpose: a table\nowner: x\nsegmentations:\n  wealth: {columns: [spend], outputs: [segment], "
        "file: rules/wealth.csv, otherwise: [poor]}\n",
        encoding="utf-8",
    )
    (tmp_path / "rules" / "wealth.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def model(folder: Path, **overrides: str) -> str:
    rules = pipeline.load(folder, overrides)
    return identity.model_hash(rules.project, rules.files, rules.overrides)


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


EDITS = [
    ("segrules.yaml", "timezone: Asia/Shanghai", "timezone: Asia/Tokyo"),
    ("segrules.yaml", "spend: {type: decimal(2), missing: allowed}", "spend: {type: decimal(3), missing: allowed}"),
    ("rules/10_segments.yaml", "value: 500", "value: 501"),
    ("rules/20_actions.yaml", "every 90 days", "every 91 days"),
    ("rules/20_actions.yaml", "Dear", "Hello"),
    ("rules/20_actions.yaml", "a: 50%, b: 50%", "a: 60%, b: 40%"),
    ("rules/20_actions.yaml", "cost: 1.5", "cost: 1.6"),
    ("rules/wealth.csv", ">= 100", ">= 101"),
    ("policies.yaml", "at_most: 2", "at_most: 3"),
    ("policies.yaml", "suppress: [blocked]", "suppress: []"),
    ("policies.yaml", "folder: out", "folder: elsewhere"),
    ("policies.yaml", "max_contacted: 100", "max_contacted: 101"),
    ("data/friends.csv", "c15", "c14"),
]


@pytest.mark.parametrize(("file", "old", "new"), EDITS, ids=lambda part: part)
def test_an_edit_changes_the_model(shop: Path, file: str, old: str, new: str) -> None:
    before = model(shop)
    assert model(shop) == before
    edited(shop / file, old, new)
    assert model(shop) != before


def test_a_file_more_and_a_file_less_change_the_model(shop: Path) -> None:
    before = model(shop)
    more = shop / "rules" / "more.yaml"
    more.write_text("purpose: more\nowner: x\nsegments: {more: {when: blocked}}\n", encoding="utf-8")
    with_more = model(shop)
    more.rename(shop / "rules" / "other.yaml")
    renamed = model(shop)
    (shop / "policies.yaml").unlink()
    (shop / "rules" / "20_actions.yaml").unlink()
    assert len({before, with_more, renamed, model(shop)}) == 4


def test_the_model_is_that_of_the_rules_as_they_were_read(shop: Path) -> None:
    """However much later a plan is made."""
    rules = pipeline.load(shop)
    before = identity.model_hash(rules.project, rules.files, rules.overrides)
    edited(shop / "policies.yaml", "suppress: [blocked]", "suppress: []")
    edited(shop / "rules" / "wealth.csv", ">= 100", ">= 101")
    edited(shop / "rules" / "10_segments.yaml", "value: 500", "value: 501")
    assert identity.model_hash(rules.project, rules.files, rules.overrides) == before
    assert model(shop) != before


def test_set_changes_the_model(shop: Path) -> None:
    assert len({model(shop), model(shop, threshold="500"), model(shop, threshold="600")}) == 3


def test_what_belongs_to_data_tests_and_ledgers_does_not(shop: Path) -> None:
    before = model(shop)
    edited(shop / "data" / "customers.csv", "900.00", "901.00")
    (shop / "tests").mkdir()
    (shop / "tests" / "a.yaml").write_text(EXAMPLE, encoding="utf-8")
    with_ledger(shop)
    assert model(shop) == before
    lock = shop / "segrules.lock"
    lock.write_text(json.dumps(json.loads(lock.read_text("utf-8")) | {"cuts": {"spend": [1]}}), encoding="utf-8")
    assert model(shop) != before


def test_moving_a_project_changes_nothing(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = model(shop)
    assert model(shop.rename(tmp_path_factory.mktemp("other") / "moved")) == before


def test_data_is_known_by_content(shop: Path) -> None:
    ruleset = pipeline.load(shop).ruleset
    before = identity.source_hashes(ruleset)
    assert set(before) == {"customers", "friends"}
    (shop / "data" / "customers.csv").touch()
    assert identity.source_hashes(ruleset) == before
    edited(shop / "data" / "customers.csv", "900.00", "901.00")
    after = identity.source_hashes(ruleset)
    assert after["customers"] != before["customers"] and after["friends"] == before["friends"]
    assert identity.data_hash(after) != identity.data_hash(before)
    assert identity.source_hashes(ruleset, ["customers"])["customers"] is None
    assert identity.data_hash({"customers": None}) is None


def test_data_that_changes_while_planning_is_seen(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_ledger(shop)
    rules = pipeline.load(shop)
    environment = rules.ruleset.campaign.policies.environments[0]
    opened = ledger.opened

    def meanwhile(*arguments: object) -> ledger.Ledger:
        edited(shop / "data" / "customers.csv", "900.00", "99.00")
        return opened(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "opened", meanwhile)
    with pytest.raises(Conflict) as refused:
        pipeline.plan(rules, environment, 20_634, planned_at=microseconds("2026-06-30T10:00"))
    assert [(each.code, each.args["names"]) for each in refused.value.diagnostics] == [("P926", "customers")]


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path) -> tuple[str | None, bool | None]:
    return identity.commit(pipeline.load(folder).project)


def test_commit_and_cleanliness(shop: Path) -> None:
    assert commit(shop) == (None, None)
    git(shop, "init", "-q")
    assert commit(shop) == (None, None)
    (shop / ".gitignore").write_text("data/\nout/\n", encoding="utf-8")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "first")
    head = git(shop, "rev-parse", "HEAD")
    assert commit(shop) == (head, False), "the list under data/ is in no commit"
    git(shop, "add", "-f", "data/friends.csv")
    git(shop, "commit", "-qm", "second")
    head = git(shop, "rev-parse", "HEAD")
    assert commit(shop) == (head, True)
    edited(shop / "data" / "customers.csv", "900.00", "901.00")
    (shop / "plan.segplan").write_text("x", encoding="utf-8")
    assert commit(shop) == (head, True), "data is not the rules"
    edited(shop / "rules" / "10_segments.yaml", "500", "400")
    assert commit(shop) == (head, False)
    git(shop, "checkout", "-q", ".")
    assert commit(shop) == (head, True)
    (shop / "rules" / "more.yaml").write_text("purpose: x\nowner: x\n", encoding="utf-8")
    assert commit(shop) == (head, False), "a rule file that is in no commit"
    (shop / "rules" / "more.yaml").unlink()
    (shop / "rules" / "20_actions.yaml").unlink()
    assert commit(shop) == (head, False), "a rule file that is gone"


def test_a_project_that_another_repository_ignores_has_no_commit(shop: Path) -> None:
    git(shop.parent, "init", "-q", str(shop.parent / "outer"))
    outer = shop.parent / "outer"
    (outer / ".gitignore").write_text("project\n", encoding="utf-8")
    git(outer, "add", ".")
    git(outer, "commit", "-qm", "first")
    assert commit(shop.rename(outer / "project")) == (None, None)


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_without_git(shop: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    git(shop, "init", "-q")
    monkeypatch.setenv("PATH", path)
    assert commit(shop) == (None, None)
