"""The JSON Schemas that ship: valid, complete with descriptions, found in a working copy and carried by a wheel."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from segrules import resources
from segrules.files.shape import Kind, schema, shape_errors
from segrules.resources import resource_folder
from segrules.source import Source
from segrules.yamltree.tree import parse_yaml

KINDS: tuple[Kind, ...] = get_args(Kind)
ROOT = Path(__file__).parents[1]


def objects(node: object) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema."""
    waiting = [node]
    while waiting:
        match waiting.pop():
            case dict() as found:
                yield found
                waiting.extend(found.values())
            case list() as found:
                waiting.extend(found)
            case _:
                pass


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_a_schema(kind: Kind) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_broken_schema_is_seen() -> None:
    with pytest.raises(Exception, match="strnig"):
        Draft202012Validator.check_schema({"type": "strnig"})


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_a_file_are_described_in_both_languages(kind: Kind) -> None:
    described = [found["description"] for found in objects(schema(kind)) if isinstance(found.get("description"), str)]
    top = schema(kind)["properties"]
    assert all(" · " in text for text in described)
    wanted = [name for name, value in top.items() if "$ref" not in value and kind != "policies"]
    assert [name for name in wanted if "description" not in top[name]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_somewhere(kind: Kind) -> None:
    whole = schema(kind)
    for found in objects(whole):
        if "$ref" in found:
            assert found["$ref"].removeprefix("#/$defs/") in whole["$defs"]


def test_files_are_written_one_way() -> None:
    for file in sorted(resource_folder("schemas").glob("*.json")):
        text = file.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n", file.name


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "rules",
            """\
purpose: p
owner: o
actions:
  winback_coupon:
    label: 休眠唤醒券
    for: dormant and clv >= 500
    channel: sms
    class: marketing
    active: {from: 2026-11-01, until: 2027-01-31}
    message: "{name}您好,送您{coupon_value:.0f}元券,{7 days from now:%m月%d日}前有效"
    repeat: every 90 days
    priority: 80
    group: winback
    limit: {customers: 5000, order_by: clv desc, per: {value: account_manager, at_most: 20, counting: run}}
    budget: {total: 80000, per: month}
    cost: 12
    holdout: 10%
    variants: {a: 50%, b: 50%}
    award: 200
    goal: {metric: sum(orders.amount), within: 30 days}
    previously: [old_id]
  key_account_visit: {for: star, channel: visit, assign_to: account_manager, due: 14 days}
  another: {for: star, channel: [sms, email], repeat: {on: entry, at_most: every 90 days, existing: include}}
  third: {for: star, channel: {by: preferred_channel}, salt: x}
use: {pack: rfm, as: rfm_, with: {orders: orders, time: paid_at, amount: amount}}
assert: ["star implies not dormant"]
segments:
  star:
    when: vip
    require:
      share: ">= 2%"
      members: ">= 100"
      unknown: "<= 1%"
      stability: ">= 80%"
      separation: {by: annual_spend, at_least: 0.2}
      reachable: {by: sms, at_least: 60%}
""",
        ),
        (
            "policies",
            """\
channels:
  sms: {consent: consent_sms, address: phone, cost: 0.05, sink: files, quiet_hours: {from: "21:00", to: "08:00"}}
  visit: {task: true, sink: files}
suppress: [in_litigation, do_not_contact]
caps: [{channels: [sms], at_most: 3, per: 30 days, classes: [marketing]}]
capacity: {account_manager: {at_most: 20, per: week}}
global_holdout: 5%
guards: {max_members_changed: 20%, max_contacted: 50000, max_spend: 100000, require_clean_git: false}
max_plan_age: 24 hours
max_staleness: 36 hours
sinks: {files: {kind: files, folder: out, format: csv}}
environments:
  dev: {state: .segrules/ledger.db}
  prod: {state: "postgresql://db/segrules", sinks: {files: {kind: files, folder: out/prod, format: csv}}}
""",
        ),
    ],
)
def test_everything_that_may_be_written_is_accepted(kind: Kind, text: str) -> None:
    root, found = parse_yaml(Source("f.yaml", text))
    assert root is not None and found == []
    assert shape_errors(kind, root) == []


def test_the_build_carries_schemas_and_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `setup.py` copies into a wheel is where `resource_folder` looks inside the package."""
    setuptools = pytest.importorskip("setuptools")
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    monkeypatch.chdir(ROOT)
    build = runpy.run_path(str(ROOT / "setup.py"))["BuildWithResources"](setuptools.Distribution({"packages": []}))
    build.initialize_options()
    build.build_lib = str(tmp_path)
    build.packages = build.data_files = []
    build.py_modules = build.force = build.package = None
    build.run()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "segrules")
    resource_folder.cache_clear()
    try:
        assert resource_folder("schemas").is_relative_to(tmp_path)
        assert (resource_folder("schemas") / "rules.schema.json").is_file()
        assert (resource_folder("rules") / "demo" / "segrules.yaml").is_file()
    finally:
        resource_folder.cache_clear()
    assert "graft schemas\ngraft rules\n" in (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
