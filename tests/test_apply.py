"""Applying a plan, seen from outside: what is checked first, who is left out, what waits, what is said.

In: a small shop whose customers stand in a database.  Out: exit codes, what was delivered, what the ledger says.
Always: the clock is the test's.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from segrules import pipeline
from segrules.cli.app import main
from segrules.diagnostics.catalogue import message
from segrules.errors import Conflict, Refused, SegrulesError, Unreachable
from segrules.plan import resuming
from segrules.plan.applied import Applied
from segrules.plan.apply import expected
from segrules.plan.clock import Clock
from segrules.plan.document import Plan
from segrules.plan.file import write
from segrules.state import ledger, lockfile
from tests.faults.receiver import Case, receiving

SCHEMAS = Path(__file__).parents[1] / "schemas" / "output"
HOUR = 3_600_000_000
AS_OF = 20_778
NOON = AS_OF * 24 * HOUR + 4 * HOUR
"""Noon of that day in Shanghai."""

PROJECT = """
version: 1
name: shop
timezone: Asia/Shanghai
customers: people
tables:
  people:
    source: {url: "sqlite:///crm.db", table: people}
    key: id
    columns:
      id: text
      name: text
      spend: integer
      phone: {type: text, pii: true, missing: allowed}
      zone: text
      agreed: bool
      blocked: bool
  cities: {source: cities.csv, key: city, columns: {city: text}}
"""
POLICIES = """
channels:
  sms: {consent: agreed, address: phone, sink: out%s}
suppress: [blocked]
max_plan_age: 24 hours
max_staleness: 36 hours
sinks: {out: %s}
environments: {dev: {state: ledger.db}, prod: {state: prod.db}}
"""
RULES = """
purpose: shop
owner: tests
parameters: {least: {value: 10}}
segments: {rich: {label: rich, when: spend >= least}}
actions: {hello: {for: rich, channel: sms, message: "hello {name}", repeat: every 30 days}}
"""
FILES = "{kind: files, folder: out}"
HOOK = "{kind: webhook, url: '${HOOK}', batch: 2}"
QUIET = ', quiet_hours: {from: "21:00", to: "08:00"%s}'
PEOPLE = [
    ("a", "Ann", 20, "131", "Asia/Shanghai", "true", "false"),
    ("b", "Bob", 20, "132", "America/New_York", "true", "false"),
    ("c", "Cid", 20, "133", "nowhere", "true", "false"),
    ("d", "Dan", 5, "134", "Asia/Shanghai", "true", "false"),
]


@dataclass
class Shop:
    """The project, with the time in hand."""

    folder: Path
    now: int = NOON
    waits: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.waits.append, lambda: 0.0)

    @property
    def rules(self) -> pipeline.Rules:
        return pipeline.load(self.folder)

    def environment(self, name: str = "dev") -> Any:
        found = {each.name: each for each in self.rules.ruleset.campaign.policies.environments}
        return found[name]

    def write(self, file: str, text: str) -> None:
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(text, encoding="utf-8")

    def crm(self, *statements: str) -> None:
        with sqlite3.connect(self.folder / "crm.db") as connection:
            for each in statements:
                connection.execute(each)

    def plan(self, as_of: int = AS_OF) -> Plan:
        return pipeline.plan(self.rules, self.environment(), as_of, planned_at=self.now).plan

    def apply(self, plan: Plan, **other: Any) -> Applied:
        environment = self.environment(other.pop("environment", "dev"))
        return pipeline.apply(self.rules, environment, plan, clock=self.clock, **other)

    def resume(self) -> Applied | None:
        return pipeline.resume(self.rules, self.environment(), clock=self.clock)

    def delivered(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        for file in sorted((self.folder / "out").glob("*.csv")):
            with file.open(encoding="utf-8-sig", newline="") as rows:
                found += csv.DictReader(rows)
        return found


def opened(folder: Path, sink: str = FILES, channel: str = "") -> Shop:
    shop = Shop(folder)
    shop.write("segrules.yaml", PROJECT)
    shop.write("policies.yaml", POLICIES % (channel, sink))
    shop.write("rules/hello.yaml", RULES)
    shop.write("cities.csv", "city\nBeijing\n")
    columns = "id TEXT, name TEXT, spend INTEGER, phone TEXT, zone TEXT, agreed TEXT, blocked TEXT"
    shop.crm(f"CREATE TABLE people ({columns})", *(f"INSERT INTO people VALUES {each}" for each in PEOPLE))
    for environment in shop.rules.ruleset.campaign.policies.environments:
        lockfile.pin(folder, environment.name, ledger.created(environment.state, folder).lineage)
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return opened(tmp_path)


def test_exactly_once(shop: Shop) -> None:
    plan = shop.plan()
    first, second = shop.apply(plan), shop.apply(plan)
    assert first.counts["delivered"] == 3 and first.exit_code == 0 and not first.already
    assert second == replace(first, already=True)
    assert [each["message"] for each in shop.delivered()] == ["hello Ann", "hello Bob", "hello Cid"]
    assert shop.plan().manifest.waterfalls[0].stages["repeat"] == 3


# CHECK


def later(shop: Shop, plan: Plan) -> Plan:
    shop.now += 25 * HOUR
    return plan


def another_run(shop: Shop, plan: Plan) -> Plan:
    shop.now += 1
    shop.apply(shop.plan())
    return plan


def as_of_before(shop: Shop, plan: Plan) -> Plan:
    shop.apply(plan)
    return shop.plan(AS_OF - 1)


def stale(shop: Shop, plan: Plan) -> Plan:
    return shop.plan(AS_OF - 2)


def ahead(shop: Shop, plan: Plan) -> Plan:
    return shop.plan(AS_OF + 1)


def rules_changed(shop: Shop, plan: Plan) -> Plan:
    shop.write("rules/hello.yaml", RULES + "# another comment\n")
    return plan


def data_changed(shop: Shop, plan: Plan) -> Plan:
    shop.write("cities.csv", "city\nShanghai\n")
    return plan


def of_another(**other: str) -> Callable[[Shop, Plan], Plan]:
    return lambda _, plan: replace(plan, manifest=replace(plan.manifest, **other))  # type: ignore[arg-type]


def unfinished(shop: Shop, plan: Plan) -> Plan:
    def broken(name: str, do: Callable[[], Any]) -> Any:
        if name == "files.write":
            raise OSError(28, "full")
        return do()

    shop.now += 1
    assert shop.apply(shop.plan(), effect=broken).exit_code == 7
    return plan


CHECKS = [
    (unfinished, Conflict, "P980"),
    (of_another(environment="prod"), Conflict, "P981"),
    (of_another(lineage="f" * 32), Conflict, "P982"),
    (another_run, Conflict, "P983"),
    (rules_changed, Conflict, "P984"),
    (of_another(version="0.0.1"), Conflict, "P985"),
    (data_changed, Conflict, "P986"),
    (later, Conflict, "P987"),
    (as_of_before, Conflict, "P988"),
    (ahead, Refused, "P978"),
    (stale, Refused, "P989"),
]


@pytest.mark.parametrize(("change", "kind", "code"), CHECKS, ids=[code for _, _, code in CHECKS])
def test_check(shop: Shop, change: Callable[[Shop, Plan], Plan], kind: type[SegrulesError], code: str) -> None:
    plan = change(shop, shop.plan())
    before = shop.delivered()
    with pytest.raises(kind) as error:
        shop.apply(plan)
    (found,) = error.value.diagnostics
    assert found.code == code
    assert message(found, "en") != message(found, "zh")
    assert shop.delivered() == before


def test_checks_come_in_order(shop: Shop) -> None:
    """Each thing that is wrong with a plan is told before those that come after it."""
    plan = replace(
        shop.plan(),
        manifest=replace(
            shop.plan(AS_OF - 9).manifest, lineage="x", serial=9, model="m", version="v", sources={}, max_plan_age=-1
        ),
    )
    for healed, code in (
        ({"lineage": shop.plan().manifest.lineage}, "P982"), ({"serial": 0}, "P983"),
        ({"model": shop.plan().manifest.model}, "P984"), ({"version": shop.plan().manifest.version}, "P985"),
        ({"sources": shop.plan().manifest.sources}, "P986"), ({"max_plan_age": None}, "P987"), ({}, "P989"),
    ):  # fmt: skip
        with pytest.raises(SegrulesError) as error:
            shop.apply(plan)
        assert error.value.diagnostics[0].code == code
        plan = replace(plan, manifest=replace(plan.manifest, **healed))  # type: ignore[arg-type]


def test_an_approval_is_for_one_plan(shop: Shop) -> None:
    plan = shop.plan()
    expected(plan, plan.plan_id)
    expected(plan, plan.plan_id[:16].upper())
    for other in (plan.plan_id[:15], "0" * 16, plan.plan_id + "0", ""):
        with pytest.raises(Conflict):
            expected(plan, other)


# RE-READ


def test_who_changed_since_the_plan_is_left_out(shop: Shop) -> None:
    more = [(f"m{at}", "Max", 50, f"15{at}", "Asia/Shanghai", "true", "false") for at in range(6)]
    shop.crm(*(f"INSERT INTO people VALUES {each}" for each in more))
    plan = shop.plan()
    shop.crm(
        "UPDATE people SET blocked = 'true' WHERE id = 'a'",
        "UPDATE people SET agreed = 'false' WHERE id = 'b'",
        "UPDATE people SET phone = '99' WHERE id = 'c'",
        "UPDATE people SET name = 'Other' WHERE id = 'm0'",
        "UPDATE people SET phone = NULL WHERE id = 'm1'",
        "DELETE FROM people WHERE id = 'm2'",
        "UPDATE people SET spend = 1 WHERE id = 'm3'",
        "INSERT INTO people VALUES ('new', 'New', 99, '17', 'Asia/Shanghai', 'true', 'false')",
    )
    done = shop.apply(plan)
    assert done.exit_code == 0
    assert done.reasons == {
        ("cancelled", "suppressed"): 1, ("cancelled", "no consent"): 1, ("cancelled", "address changed"): 1,
        ("cancelled", "payload changed"): 1, ("cancelled", "no address"): 1,
        ("cancelled", "no longer a customer"): 1,
    }  # fmt: skip
    assert sorted(each["customer"] for each in shop.delivered()) == ["m3", "m4", "m5"]
    assert shop.plan().manifest.waterfalls[0].stages["selected"] > 0


def test_nothing_but_memberships(shop: Shop) -> None:
    done = shop.apply(shop.plan(), with_actions=False)
    assert done.exit_code == 0 and sum(done.counts.values()) == 0
    assert not (shop.folder / "out").exists()
    assert shop.plan().manifest.waterfalls[0].selected == 3


@pytest.mark.parametrize(
    ("sink", "kind", "code"),
    [
        ("{kind: files, folder: cities.csv}", Unreachable, "P956"),
        ("{kind: files, folder: '${NOT_SET}'}", Refused, "P951"),
        ("{kind: sql, url: 'sqlite:///crm.db', table: arrivals}", Refused, "P960"),
    ],
)
def test_a_sink_that_could_not_take_it_is_found_before_anything_is_accepted(
    tmp_path: Path, sink: str, kind: type[SegrulesError], code: str
) -> None:
    shop = opened(tmp_path, sink)
    with pytest.raises(kind) as error:
        shop.apply(shop.plan())
    assert error.value.diagnostics[0].code == code
    assert shop.resume() is None


# Quiet hours


def test_files_say_from_when_on(tmp_path: Path) -> None:
    shop = opened(tmp_path, channel=QUIET % ", zone: zone")
    shop.now = NOON + 10 * HOUR
    shop.apply(shop.plan())
    assert {each["customer"]: each["not_before"] for each in shop.delivered()} == {
        "a": "2026-11-22T08:00:00+08:00", "b": "", "c": "2026-11-22T08:00:00+08:00",
    }  # fmt: skip


def test_a_webhook_waits_for_the_morning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = opened(tmp_path, HOOK, QUIET % "")
    with receiving() as receiver:
        receiver.cases["x"] = case = Case("ok", honours=False)
        monkeypatch.setenv("HOOK", receiver.url("x"))
        shop.now = NOON + 9 * HOUR
        done = shop.apply(shop.plan())
        assert (done.exit_code, done.counts["reserved"], [each.code for each in done.left]) == (7, 3, ["P991"])
        again = shop.resume()
        assert again is not None and again.exit_code == 7 and case.posts == []
        shop.now += 11 * HOUR
        last = shop.resume()
        assert last is not None and last.exit_code == 0 and last.counts["delivered"] == 3
        assert shop.resume() is None


def test_at_the_boundary_a_webhook_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = opened(tmp_path, HOOK, QUIET % "")
    with receiving() as receiver:
        receiver.cases["x"] = case = Case("ok", honours=False)
        monkeypatch.setenv("HOOK", receiver.url("x"))
        shop.now = NOON + 9 * HOUR - 1

        def dusk(name: str, do: Callable[[], Any]) -> Any:
            if name == "webhook.post":
                shop.now += 1
            return do()

        done = shop.apply(shop.plan(), effect=dusk)
        assert (done.exit_code, done.counts["delivered"], done.counts["reserved"]) == (7, 2, 1)
        assert len(case.posts) == 1


# Receivers


def test_waits_are_as_the_receiver_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = opened(tmp_path, HOOK)
    with receiving() as receiver:
        receiver.cases["x"] = Case("429", honours=False)
        monkeypatch.setenv("HOOK", receiver.url("x"))
        assert shop.apply(shop.plan()).exit_code == 0
    assert shop.waits == [7.0]


def test_nobody_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = opened(tmp_path, HOOK)
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/")
    done = shop.apply(shop.plan())
    assert (done.exit_code, done.counts["reserved"], [each.code for each in done.left]) == (7, 3, ["P992"])
    assert shop.waits == [0.5, 1.0, 2.0, 4.0]
    with receiving() as receiver:
        receiver.cases["x"] = Case("ok", honours=False)
        monkeypatch.setenv("HOOK", receiver.url("x"))
        last = shop.resume()
    assert last is not None and last.exit_code == 0


def test_a_target_that_cannot_be_asked_leaves_it_unknown_when_abandoned(shop: Shop) -> None:
    def killed(name: str, do: Callable[[], Any]) -> Any:
        if name == "files.rename":
            raise KeyboardInterrupt
        return do()

    with pytest.raises(KeyboardInterrupt):
        shop.apply(shop.plan(), effect=killed)
    (shop.folder / "out").rename(shop.folder / "elsewhere")
    stuck = shop.resume()
    assert stuck is not None and stuck.exit_code == 7 and stuck.counts["reserved"] == 3
    done = pipeline.abandon(shop.rules, shop.environment(), 1, clock=shop.clock)
    assert done.finished and done.counts["unknown"] == 3
    assert {each.reason for each in done.unknown} == {resuming.ABANDONED}


# The command


def said(shop: Shop, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["--project", str(shop.folder)] if not arguments else [*arguments, "--project", str(shop.folder)])
    out = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out.out, out.err


def checked(text: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))
    return found


@pytest.fixture
def today(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The command's clock."""
    from segrules.plan import clock
    from segrules.state import ledger as ledgers

    monkeypatch.setattr(clock, "CLOCK", shop.clock)
    monkeypatch.setattr(ledgers, "now", lambda: shop.now)
    monkeypatch.setattr(pipeline, "today", lambda _: AS_OF)
    return shop


def test_apply_a_file(today: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    plan = today.plan()
    file = today.folder / "x.segplan"
    write(plan, file)
    assert said(today, capsys, "apply", str(file), "--expect", "0" * 20)[0] == 6
    code, out, _ = said(today, capsys, "apply", str(file), "--expect", plan.plan_id)
    assert (code, out.splitlines()[1:]) == (0, ["  delivered  3", "Applied."])
    code, out, _ = said(today, capsys, "apply", str(file), "--format", "json")
    found = checked(out, "apply")
    assert (code, found["already"], found["contacts"]["delivered"], found["plan_id"]) == (0, True, 3, plan.plan_id)


def test_parameters_are_those_of_the_plan(today: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    file = today.folder / "x.segplan"
    assert said(today, capsys, "plan", "-o", str(file), "--set", "least=1")[0] == 0
    code, out, _ = said(today, capsys, "apply", str(file))
    assert (code, "4" in out) == (0, True)


def test_apply_at_once(today: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(today, capsys, "apply", "--dry-run")[0] == 0
    assert said(today, capsys, "apply", "--dry-run", "--auto-approve")[0] == 0
    assert not (today.folder / "out").exists()
    code, out, _ = said(today, capsys, "apply", "--auto-approve", "--format", "json")
    found = checked(out, "apply")
    assert (code, found["contacts"]["delivered"], found["plan"]["contacts"]) == (0, 3, 3)
    code, out, _ = said(today, capsys, "apply", "--auto-approve", "--lang", "zh")
    assert code == 0 and out.endswith("没有触达任何人\n已执行。\n")


def test_go_on_and_give_up(today: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(today, capsys, "apply", "--resume", "--format", "json")
    assert (code, checked(out, "apply")["run"]) == (0, None)
    unfinished(today, today.plan())
    code, out, _ = said(today, capsys, "apply", "--auto-approve")
    assert code == 6
    code, out, _ = said(today, capsys, "apply", "--abandon", "1", "--format", "json")
    assert (code, checked(out, "apply")["contacts"]["cancelled"]) == (0, 3)
    assert said(today, capsys, "apply", "--abandon", "7")[0] == 2
    code, out, _ = said(today, capsys, "apply", "--auto-approve")
    assert (code, len(today.delivered())) == (0, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("x.segplan", "--resume"), ("--auto-approve", "--resume"), ("--resume", "--abandon", "1"),
        ("--resume", "--no-actions"), ("--resume", "--expect", "0" * 16), ("x.segplan", "--as-of", "2026-01-01"),
        ("x.segplan", "--set", "least=1"), ("x.segplan", "--allow", "max_spend"), ("x.segplan", "--dry-run"),
        ("--resume", "--dry-run"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(today: Shop, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, out, _ = said(today, capsys, "apply", *arguments)
    assert (code, out) == (2, "")


def test_proof(today: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(today, capsys, "proof", "hello", "--to", "+86 139", "--format", "json")
    found = checked(out, "proof")
    (one,) = today.delivered()
    assert code == 0
    assert (one["key"], one["customer"], one["address"], one["message"]) == (
        found["key"], "proof", "'+86 139", "hello Ann",
    )  # fmt: skip
    assert today.plan().manifest.serial == 0 and today.plan().manifest.waterfalls[0].selected == 3
    code, out, _ = said(today, capsys, "proof", "hello", "--to", "139", "--customer", "b")
    assert code == 0 and "hello Bob" in {each["message"] for each in today.delivered()}
    for wrong in (("helo",), ("hello", "--customer", "z"), ("hello", "--channel", "fax")):
        assert said(today, capsys, "proof", *wrong, "--to", "139")[0] == 2


def test_a_proof_that_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = opened(tmp_path, HOOK)
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/")
    with pytest.raises(Unreachable) as error:
        pipeline.proof(shop.rules, shop.environment(), AS_OF, "hello", "sms", "139", None)
    assert error.value.diagnostics[0].code == "P999"
