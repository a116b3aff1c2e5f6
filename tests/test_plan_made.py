"""How a plan is made: contacts and their hashes, lists for colleagues, and what must not matter."""

from __future__ import annotations

import csv
import json
import random
import stat
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules import pipeline
from segrules.decide.asked import asked
from segrules.decide.keys import address_hash, contact_key, payload_hash
from segrules.model.campaign import Environment, Guards, SinkSettings
from segrules.pipeline import Planned
from segrules.plan import guards
from segrules.plan.content import plain
from segrules.plan.payloads import bodies
from segrules.report import plan_export, plan_sample
from segrules.state import ledger
from tests.test_plan import CASES, made_project, microseconds, private_values, replace_in, run, with_ledger

DAY = 20_634
NOW = microseconds("2026-06-30T10:00")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    made_project(CASES / "shop", tmp_path)
    with_ledger(tmp_path)
    return tmp_path


def planned(folder: Path, environment: Environment | None = None, **overrides: str) -> Planned:
    rules = pipeline.load(folder, overrides)
    return pipeline.plan(rules, environment or pipeline.environment_named(rules.ruleset, None), DAY, planned_at=NOW)


def pepper(folder: Path) -> bytes:
    with ledger.snapshot(ledger.opened(".segrules/ledger.db", folder)) as connection:
        return ledger.identity(connection).pepper


def test_a_contact_is_known_by_its_hashes(shop: Path) -> None:
    replace_in(shop / "data" / "customers.csv", {"cai@stone.test": "  Cai@STONE.test"})
    made = planned(shop)
    contact = next(each for each in made.plan.contacts if each.channel == "email")
    assert contact.customer == "c03"
    assert contact.address == address_hash(pepper(shop), "cai@stone.test")
    assert contact.key == contact_key(made.plan.manifest.lineage, "winback", "c03", 1)
    body = {
        "action": "winback", "address": "  Cai@STONE.test", "assign_to": None, "channel": "email",
        "class": "marketing", "customer": "c03", "due": None, "key": contact.key,
        "message": "Dear Cai Stone, 2300 thanks", "points": 50, "variant": contact.variant,
    }  # fmt: skip
    stored = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert contact.payload == payload_hash(pepper(shop), stored)


def test_bodies_are_the_same_whenever_they_are_made(shop: Path) -> None:
    """`apply` makes them again, of other rows of another evaluation, and compares their hashes."""
    made = planned(shop)
    ruleset, answers = made.rules.ruleset, made.decisions.answers
    action, channel = ruleset.campaign.actions["winback"], ruleset.campaign.policies.channels["sms"]
    rows = made.decisions.of("winback").rows[:2]
    both = bodies(answers, "Asia/Shanghai", action, channel, rows, ["c01", "c02"], ["k1", "k2"], ["a", None], None)
    last = bodies(answers, "Asia/Shanghai", action, channel, rows[1:], ["c02"], ["k2"], [None], None)
    assert both[1:] == last
    assert [json.loads(each)["variant"] for each in both] == ["a", None]


def test_tasks_have_a_day_and_a_person(shop: Path) -> None:
    visits = [each for each in planned(shop).plan.contacts if each.action == "visit"]
    assert [(each.customer, each.assignee, each.per, each.due, each.task) for each in visits] == [
        ("c01", "Zhao", "Zhao", DAY + 14, True),
        ("c03", "Qian", "Qian", DAY + 14, True),
        ("c04", None, None, DAY + 14, True),
    ]
    assert {each.award for each in visits} == {None} and {each.address for each in visits} == {None}


def test_the_held_out_are_kept_without_address_or_text(shop: Path) -> None:
    replace_in(shop / "rules" / "20_actions.yaml", {"    priority: 10\n": "    priority: 10\n    holdout: 50%\n"})
    contacts = [each for each in planned(shop).plan.contacts if each.action == "winback"]
    assert {each.state for each in contacts} == {"held_out", "reserved"} and len(contacts) == 4
    for each in contacts:
        assert each.cost > 0
        given = (each.batch, each.address, each.payload, each.award)
        assert None not in given if each.state == "reserved" else given == (None, None, None, None)


def test_the_sinks_of_an_environment_take_the_place_of_others(shop: Path) -> None:
    text = (shop / "policies.yaml").read_text("utf-8")
    (shop / "policies.yaml").write_text(
        f"{text}environments:\n  default: {{state: .segrules/ledger.db}}\n"
        "  test: {state: .segrules/ledger.db, sinks: {files: {kind: files, folder: elsewhere, format: parquet}}}\n",
        encoding="utf-8",
    )
    first = planned(shop).plan.batches
    assert {each.settings["folder"] for each in first} == {"out"}
    assert sorted(each.name for each in first) == ["visit.visit", "winback.email", "winback.sms"]
    rules = pipeline.load(shop)
    environment = pipeline.environment_named(rules.ruleset, "test")
    assert environment.sinks["files"] == SinkSettings("files", "files", {"folder": "elsewhere", "format": "parquet"})
    with pytest.raises(pipeline.WrongUsage):
        pipeline.environment_named(rules.ruleset, "prod")


def test_batches_of_another_moment_have_other_ids(shop: Path) -> None:
    """So that a target never takes one batch for another, not even where a ledger was restored."""
    rules = pipeline.load(shop)
    where = pipeline.environment_named(rules.ruleset, None)
    first, second = (pipeline.plan(rules, where, DAY, planned_at=NOW + more).plan for more in (0, 1))
    assert {each.id for each in first.batches}.isdisjoint(each.id for each in second.batches)
    assert [each.key for each in first.contacts] == [each.key for each in second.contacts]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30))
def test_the_order_of_rows_changes_nothing_but_the_hash_of_the_file(shop: Path, seed: int) -> None:
    file = shop / "data" / "customers.csv"
    header, *rows = (CASES / "shop" / "data" / "customers.csv").read_text("utf-8").splitlines()
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    before = planned(shop).plan
    random.Random(seed).shuffle(rows)
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    after = planned(shop).plan
    assert plain(replace(after.manifest, sources={})) == plain(replace(before.manifest, sources={}))
    assert (after.contacts, after.batches) == (before.contacts, before.batches)
    assert list(after.members.keys) == list(before.members.keys)


def test_cut_points_of_private_values_are_left_out(shop: Path) -> None:
    replace_in(
        shop / "segrules.yaml", {"spend: {type: decimal(2), missing": "spend: {type: decimal(2), pii: true, missing"}
    )
    replace_in(shop / "rules" / "20_actions.yaml", {"    limit: {per: {value: manager, at_most: 1}}\n": ""})
    rules = shop / "rules" / "30_ranks.yaml"
    rules.write_text(
        "purpose: ranks\nowner: x\nattributes:\n"
        "  quarter: {value: 'qcut(spend, 4)'}\n  half: {value: 'qcut(months_since(last_order), 2)'}\n",
        encoding="utf-8",
    )
    found = {each["name"]: each["groups"] for each in planned(shop).plan.manifest.cut_points}
    assert found["quarter"] == []
    assert found["half"] != []


def listed(made: Planned, file: Path, with_pii: bool = False) -> list[dict[str, object]]:
    number = plan_export.write(made, file, with_pii)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    match file.suffix:
        case ".parquet":
            rows = pq.read_table(file).to_pylist()
        case ".csv":
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(stream)]
        case _:
            (sheet,) = openpyxl.load_workbook(file).worksheets
            header, *cells = sheet.iter_rows(values_only=True)
            rows = [dict(zip(header, row, strict=True)) for row in cells]
    assert len(rows) == number
    return rows


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_list_for_a_colleague(shop: Path, tmp_path: Path, ending: str) -> None:
    made = planned(shop)
    rows = listed(made, tmp_path / f"list.{ending}")
    assert len(rows) == 16
    assert [each["customer"] for each in rows[:5]] == ["c01", "c02", "c03", "c04", "c05"]
    first = rows[0]
    assert (first["action"], first["channel"], first["stage"]) == ("winback", "sms", "selected")
    assert Decimal(str(first["cost"])) == Decimal("1.55")
    assert first["message"] == "Dear ***, 2500 thanks"
    assert "address" not in first
    assert rows[4]["stage"] == "over limit" and rows[4]["message"] is None
    text = str(rows)
    assert [value for value in private_values(shop) if value in text] == []
    whole = listed(made, tmp_path / f"whole.{ending}", with_pii=True)
    assert whole[0]["message"] == "Dear Ada Quill, 2500 thanks"
    phone = "'+861300000001" if ending == "csv" else "+861300000001"
    assert whole[0]["address"] == phone


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_no_cell_is_a_formula(shop: Path, tmp_path: Path, ending: str) -> None:
    replace_in(shop / "rules" / "20_actions.yaml", {'"Dear {name}': '"=HYPERLINK({name})'})
    replace_in(shop / "data" / "customers.csv", {"c01,Ada Quill": "c01,=cmd|x"})
    file = tmp_path / f"list.{ending}"
    rows = listed(planned(shop), file, with_pii=True)
    assert str(rows[0]["message"]).removeprefix("'").startswith("=HYPERLINK(=cmd|x)")
    if ending == "csv":
        assert str(rows[0]["message"]).startswith("'=")
    else:
        (sheet,) = openpyxl.load_workbook(file).worksheets
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}


def test_a_private_key_is_masked(shop: Path, tmp_path: Path) -> None:
    replace_in(shop / "segrules.yaml", {"      id: text\n": "      id: {type: text, pii: true}\n"})
    made = planned(shop)
    assert {each["customer"] for each in listed(made, tmp_path / "list.csv")} == {"***"}
    assert {each["customer"] for each in listed(made, tmp_path / "whole.csv", with_pii=True)} != {"***"}
    assert {each["customer"] for each in plan_sample.as_json(made, 3)} == {"***"}


def test_a_list_of_nobody_has_a_header(shop: Path, tmp_path: Path) -> None:
    (shop / "rules" / "20_actions.yaml").unlink()
    made = planned(shop)
    for ending in ("csv", "parquet", "xlsx"):
        assert listed(made, tmp_path / f"list.{ending}") == []
    assert (tmp_path / "list.csv").read_text("utf-8-sig").startswith("customer,action,")
    assert made.plan.contacts == () and made.plan.batches == ()


def test_questions_are_no_segments_of_the_plan(shop: Path) -> None:
    made = planned(shop)
    hidden = set(asked(made.rules.ruleset).definitions) - set(made.rules.ruleset.definitions)
    assert hidden
    assert not hidden & {each.name for each in made.plan.manifest.segments}
    assert [each.name for each in made.plan.members.names if each.name.startswith("action:")] == [
        "action:winback", "action:visit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "found", "stopping"),
    [
        (Guards(max_contacted=7), {}, []),
        (Guards(max_contacted=6), {}, ["max_contacted"]),
        (Guards(max_contacted=0), {"contacts": 0}, []),
        (Guards(max_spend=61_500), {}, []),
        (Guards(max_spend=61_499), {}, ["max_spend"]),
        (Guards(max_members_changed=Fraction(1, 3)), {}, []),
        (Guards(max_members_changed=Fraction(333_333, 1_000_000)), {}, ["max_members_changed"]),
        (Guards(require_clean_git=True), {}, []),
        (Guards(require_clean_git=True), {"clean": False}, ["require_clean_git"]),
        (Guards(require_clean_git=True), {"clean": None}, ["require_clean_git"]),
        (Guards(require_clean_git=False), {"clean": None}, []),
        (Guards(max_contacted=6, max_spend=0), {"allow": ["max_spend"]}, ["max_contacted"]),
        (Guards(), {}, []),
    ],
)
def test_guards_are_exact(limits: Guards, found: dict[str, Any], stopping: list[str]) -> None:
    given = {"contacts": 7, "spend": 61_500, "clean": True, "allow": []} | found
    checked = guards.checks(limits, [], Fraction(1, 3), **given)
    assert [each.name for each in checked if each.exceeded and not each.allowed] == stopping
    assert len(guards.exceeded(checked)) == len(stopping)


def test_a_foreign_ledger_explains_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = json.loads((shop / "segrules.lock").read_text("utf-8"))
    lock["ledgers"]["default"] = "another"
    (shop / "segrules.lock").write_text(json.dumps(lock), encoding="utf-8")
    for arguments in (["explain", "c01"], ["plan"]):
        code, _, said = run([*arguments, "--project", str(shop), "--as-of", "2026-06-30"], capsys)
        assert (code, "P910" in said) == (6, True)
