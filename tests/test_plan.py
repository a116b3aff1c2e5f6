"""Plans, case by case: a project, what happens to it step by step, and what `plan` shows each time.

Each folder of tests/cases/plans/ with a `case.yaml` is one: the project `shop` beside it, with the files of its own
`project/` over it. Steps: `plan`, `explain`, `evaluate` (arguments of the command; what it writes stands in N.txt,
N.json, N.err), `apply` (a plan of that date is carried out), `write` (path: text) and `replace` (path: {old: new}) on
the project's files.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

import segrules
from segrules import pipeline
from segrules.cli.app import main
from segrules.diagnostics.catalogue import entries
from segrules.plan.clock import Clock
from segrules.plan.file import read
from segrules.schema.calendar import from_local, to_date
from segrules.state import ledger, lockfile
from segrules.state.forgetting import forget

CASES = Path(__file__).parent / "cases" / "plans"
SCHEMAS = Path(__file__).parents[1] / "schemas" / "output"
ZONE = "Asia/Shanghai"
PII = ("name", "phone", "email")
CHANGING = re.compile(r'("(?:plan_id|id|lineage)": "|plan_id )[0-9a-f]+')


def folders() -> list[Path]:
    return sorted(each.parent for each in CASES.glob("*/case.yaml"))


def made_project(folder: Path, place: Path) -> None:
    shutil.copytree(CASES / "shop", place, dirs_exist_ok=True)
    if (folder / "project").is_dir():
        shutil.copytree(folder / "project", place, dirs_exist_ok=True)


def with_ledger(place: Path) -> None:
    found = ledger.created(".segrules/ledger.db", place)
    lockfile.pin(place, "default", found.lineage)


def microseconds(text: str) -> int:
    return from_local(datetime.fromisoformat(text), ZONE)


def applied(place: Path, as_of: str, now: int) -> None:
    """Carry out a plan of the day, as `apply --auto-approve` does."""
    rules = pipeline.load(place)
    environment = rules.ruleset.campaign.policies.environments[0]
    made = pipeline.plan(rules, environment, pipeline.parse_day(as_of), planned_at=now)
    done = pipeline.apply(rules, environment, made.plan, clock=Clock(now=lambda: now, sleep=lambda _: None))
    assert done.exit_code == 0


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_case(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    update: bool,
) -> None:
    case = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    made_project(folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    if case.get("ledger", True):
        with_ledger(tmp_path)
    found: dict[str, str] = {}
    codes: dict[int, int] = {}
    for number, step in enumerate(case["steps"], start=1):
        now = microseconds(step.get("now", f"{step.get('as_of', '2026-06-30')}T10:00"))
        match step:
            case {"plan": arguments} | {"explain": arguments} | {"evaluate": arguments}:
                command = next(iter(step))
                monkeypatch.setattr(ledger, "now", lambda now=now: now)
                codes[number], out, err = run([command, *shlex.split(arguments)], capsys)
                check_schema(command, arguments, out)
                ending = "json" if "json" in arguments else "txt"
                found |= {f"{number}.{ending}": CHANGING.sub(r"\1…", out), f"{number}.err": CHANGING.sub(r"\1…", err)}
            case {"apply": as_of}:
                applied(tmp_path, str(as_of), microseconds(step.get("now", f"{as_of}T10:00")))
            case {"write": files}:
                for path, text in files.items():
                    (tmp_path / path).write_text(text, encoding="utf-8")
            case {"replace": files}:
                for path, changes in files.items():
                    replace_in(tmp_path / path, changes)
    check_nothing_personal(tmp_path, found.values())
    if update:
        for old in [*folder.glob("[0-9]*.txt"), *folder.glob("[0-9]*.json"), *folder.glob("[0-9]*.err")]:
            old.unlink()
        for name, text in found.items():
            if text:
                (folder / name).write_text(text, encoding="utf-8")
    expected = {name: (folder / name).read_text("utf-8") if (folder / name).exists() else "" for name in found}
    assert found == expected
    assert codes == {n: step.get("exit", 0) for n, step in enumerate(case["steps"], start=1) if n in codes}
    assert sorted(path.name for path in tmp_path.glob("*.segplan")) == sorted(case.get("files", ()))


def replace_in(file: Path, changes: Mapping[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{file.name} has no `{old}`"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def check_schema(command: str, arguments: str, out: str) -> None:
    if "json" in arguments:
        said = json.loads(out)
        name = "findings" if "errors" in said else command
        jsonschema.validate(said, json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def private_values(project: Path) -> set[str]:
    """Every value of a private column that is or was in the data."""
    files = [project / "data" / "customers.csv", CASES / "shop" / "data" / "customers.csv"]
    found = set()
    for file in files:
        header, *rows = (line.split(",") for line in file.read_text("utf-8").splitlines())
        found |= {row[header.index(name)] for row in rows for name in PII} - {""}
    return found | {part for each in found for part in each.split() if len(part) > 3}


def contents(file: Path) -> Iterator[str]:
    """All that stands in a plan: its bytes, and what they unpack to."""
    yield file.read_bytes().decode("latin-1")
    with zipfile.ZipFile(file) as packed:
        for name in packed.namelist():
            data = packed.read(name)
            table = pq.read_table(io.BytesIO(data)).to_pylist() if name.endswith(".parquet") else data.decode()
            yield str(table)


def check_nothing_personal(project: Path, said: Any) -> None:
    texts = [*said, *(text for file in project.glob("*.segplan") for text in contents(file))]
    leaked = {value for value in private_values(project) for text in texts if value in text}
    assert leaked == set()


def test_what_is_personal_is_seen(tmp_path: Path) -> None:
    shutil.copytree(CASES / "shop", tmp_path, dirs_exist_ok=True)
    with pytest.raises(AssertionError):
        check_nothing_personal(tmp_path, ["Dear Ada Quill, thanks"])


def test_every_code_of_planning_has_a_case() -> None:
    known = set(entries("p9_plan"))
    shown = "".join(
        file.read_text("utf-8", "replace")
        for file in [*CASES.rglob("*"), *Path(__file__).parent.glob("test_plan*.py")]
        if file.is_file()
    )
    assert sorted(code for code in known if code not in shown) == []


@pytest.fixture
def shop(tmp_path: Path) -> segrules.Project:
    made_project(CASES / "shop", tmp_path)
    with_ledger(tmp_path)
    return segrules.load(tmp_path)


def test_a_plan_from_python(shop: segrules.Project, tmp_path: Path) -> None:
    plan = shop.plan(as_of="2026-06-30")
    assert plan.waterfall("winback")[["matched", "suppressed", "over limit", "selected"]].tolist() == [12, 1, 2, 4]
    assert plan.waterfall("winback").drop("matched").sum() == 12
    assert plan.contacts["customer"].tolist() == ["c01", "c02", "c03", "c04", "c01", "c03", "c04"]
    assert plan.contacts["cost"].sum() == Decimal("6.15")
    assert plan.segments.loc["tier.gold"].tolist() == [4, pd.NA, 4, 0, 1, "baseline"]
    assert repr(plan) == f"<PlannedRun shop: 7 contacts, plan_id {plan.plan_id[:8]}…>"
    plan.save(tmp_path / "a.segplan")
    assert read(tmp_path / "a.segplan").plan_id == plan.plan_id
    with pytest.raises(segrules.WrongUsage) as refused:
        plan.waterfall("winbak")
    assert "P933" in str(refused.value) and "did you mean `winback`" in str(refused.value)


def test_a_plan_from_python_is_applied_once(shop: segrules.Project, tmp_path: Path) -> None:
    plan = shop.plan(as_of=pipeline_today(shop))
    plan.save(tmp_path / "a.segplan")
    assert shop.apply(tmp_path / "a.segplan").counts["delivered"] == len(plan.contacts)
    assert shop.apply(plan).already
    assert len(shop.plan(as_of=pipeline_today(shop)).contacts) == 4


def test_rules_see_the_ledger_from_python(shop: segrules.Project, tmp_path: Path) -> None:
    rules = 'purpose: test\nowner: test\nsegments:\n  reached: {when: any(contacts where action = "winback")}\n'
    (tmp_path / "rules" / "past.yaml").write_text(rules, encoding="utf-8")
    project, today = segrules.load(tmp_path), pipeline_today(shop)
    assert project.evaluate(as_of=today).counts["reached"] == 0
    done = project.apply(project.plan(as_of=today))
    assert done.counts["delivered"] and project.evaluate(as_of=today).counts["reached"] > 0
    assert project.evaluate(as_of="2020-01-01").counts["reached"] == 0


def test_who_was_forgotten_is_in_no_later_plan(shop: segrules.Project, tmp_path: Path) -> None:
    today = pipeline_today(shop)
    shop.apply(shop.plan(as_of=today))
    with ledger.locked(ledger.opened(".segrules/ledger.db", tmp_path), "test") as epoch:
        forget(ledger.opened(".segrules/ledger.db", tmp_path), epoch, "c01")
    for left in (1, 0):
        plan = shop.plan(as_of=today)
        made = plan.planned.plan
        assert "c01" not in made.members.keys and made.manifest.forgotten == 1
        assert plan.segments["entered"].sum() == 0 and (plan.segments["left"].sum() > 0) == bool(left)
        plan.save(tmp_path / "a.segplan")
        assert read(tmp_path / "a.segplan").plan_id == plan.plan_id
        shop.apply(plan)


def pipeline_today(shop: segrules.Project) -> Any:
    return to_date(pipeline.today(shop.rules.ruleset.contracts.timezone))


def test_tables_that_are_given_go_with_the_plan(shop: segrules.Project) -> None:
    frame = pd.read_csv(CASES / "shop" / "data" / "customers.csv", dtype={"phone": str}).head(3)
    plan = shop.plan(as_of=pipeline_today(shop), customers=frame)
    assert plan.planned.plan.manifest.sources["customers"] is None
    assert shop.apply(plan).counts["delivered"] == len(plan.contacts) == 5


def test_a_guard_stops_a_plan_from_python(shop: segrules.Project, tmp_path: Path) -> None:
    replace_in(tmp_path / "policies.yaml", {"max_contacted: 100": "max_contacted: 3"})
    project = segrules.load(tmp_path)
    plan = project.plan(as_of="2026-06-30")
    assert [each.name for each in plan.guards if each.exceeded] == ["max_contacted"]
    with pytest.raises(segrules.SegrulesError, match="P928"):
        plan.save(tmp_path / "a.segplan")
    with pytest.raises(segrules.SegrulesError, match="P928"):
        project.apply(plan)
    project.plan(as_of="2026-06-30", allow="max_contacted").save(tmp_path / "a.segplan")
    with pytest.raises(segrules.WrongUsage, match="P931"):
        project.plan(as_of="2026-06-30", allow=["max_contact"])
    with pytest.raises(segrules.WrongUsage, match="C940"):
        project.plan(as_of="2026-06-30", environment="production")
