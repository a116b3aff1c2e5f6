"""Deciding, case by case: small tables, a campaign, what the ledger knows, and where each customer must end.

`tests/cases/deciding/*.yaml` holds the cases, several documents a file; the rules go through the real checker:

    table: {id: [1, 2], consent: [true, missing]}                # the customers; the first column is the key
    policies: {channels: {sms: {consent: consent}}}              # a channel without `sink:` has one that is there
    actions: {a: {for: true, channel: sms}}
    rules: {attributes: …}                                       # more of the rule file
    planned: 2026-11-21                                          # the day of the planning clock; else that of `as_of`
    contacts: [{of: 1, action: a, channel: sms, on: 2026-11-01}] # of: the customer, 0 somebody who is not in the run
    standing: {a: {1: [data, 3]}}                                # who matched before: cause and serial of the stay
    changed: [a]                                                 # whose `for` meant something else then
    forgotten: [2]
    unsubscribed: {sms: [1]}
    expect: {a: {selected: [1], consent unknown: [2]}}           # in the order of filling
    why: {a: {2: "consent unknown: sms"}}
    costs, numbers, channels, variants: {a: {1: …}}; waiting: {a: 1}

Every case is also decided one by one, and with the rows of its tables shuffled.  `--update` rewrites what stands from
`expect:` on.
"""

from __future__ import annotations

import datetime
import hmac
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml

from segrules.decide.asked import asked
from segrules.decide.decide import decide
from segrules.decide.keys import (
    address_hash,
    bucket,
    contact_key,
    draws,
    held_out,
    normalised,
    payload_hash,
)  # fmt: skip
from segrules.decide.recorded import action_name, recorded
from segrules.decide.reference.decide import one_by_one
from segrules.decide.why import why
from segrules.diagnostics.catalogue import entries, say
from segrules.engine.reference.functions import hash_bucket
from segrules.engine.vector.evaluate import evaluate
from segrules.model.campaign import MONEY_SCALE, STAGES
from segrules.schema.calendar import from_date, from_local, to_date
from segrules.state.records import ContactState
from tests import building
from tests.deciding import Past, history, outcomes, standing

CASES = Path(__file__).parent / "cases" / "deciding"
SINKS = {"files": {"kind": "files", "folder": "out", "format": "csv"}}
NOON = datetime.time(12)


def documents() -> dict[str, str]:
    found = {}
    for file in sorted(CASES.glob("*.yaml")):
        for number, text in enumerate(re.split(r"^---\n", file.read_text(encoding="utf-8"), flags=re.M), start=1):
            found[f"{file.stem}-{number}"] = text
    return found


def day(text: str) -> int:
    return from_date(datetime.date.fromisoformat(text))


class Case:
    """A document, decided."""

    def __init__(self, text: str, folder: Path) -> None:
        self.written = yaml.load(text, building.CoreLoader)
        scenario = building.Scenario.read(text)
        policies = {"sinks": SINKS, **self.written.get("policies", {})}
        policies["channels"] = {
            name: {"sink": "files", **each} for name, each in policies.get("channels", {"sms": {}}).items()
        }
        folder.mkdir(parents=True, exist_ok=True)
        written = yaml.safe_dump(policies, allow_unicode=True, sort_keys=False)
        (folder / "policies.yaml").write_text(written, encoding="utf-8")
        more = self.written.get("rules", {})
        self.rules = building.ruleset(scenario, folder, {**more, "actions": self.written["actions"]})
        keys = self.written["table"][next(iter(self.written["table"]))]
        self.keys = [keys[place] for place in np.argsort(building.file_order(scenario))]
        tables = building.tables(scenario, self.rules)
        results = evaluate(asked(self.rules), tables, scenario.as_of)
        planned = datetime.datetime.combine(to_date(self.today(scenario.as_of)), NOON)
        self.clock = from_local(planned, scenario.zone)
        self.decisions = decide(self.rules, results, self.history(scenario.as_of), self.clock)

    def today(self, as_of: int) -> int:
        return day(str(self.written["planned"])) if "planned" in self.written else as_of

    def row(self, key: Any) -> int:
        return self.keys.index(key) if key in self.keys else -1

    def history(self, as_of: int) -> Any:
        written = self.written
        fingerprints = {name: fingerprint for name, _, fingerprint in recorded(self.rules)}
        count = len(self.keys)
        stood = {}
        for id_, members in written.get("standing", {}).items():
            name = action_name(self.rules.campaign.actions[id_])
            fingerprint = "another" if id_ in written.get("changed", ()) else fingerprints[name]
            stood[name] = standing(count, fingerprint, {self.row(key): tuple(how) for key, how in members.items()})
        return history(
            count,
            [self.contact(each) for each in written.get("contacts", ())],
            stood,
            [self.row(key) for key in written.get("forgotten", ())],
            {name: [self.row(key) for key in keys] for name, keys in written.get("unsubscribed", {}).items()},
        )

    def contact(self, each: Mapping[str, Any]) -> Past:
        said = dict(each)
        state = said.pop("state", "delivered")
        assert state in get_args(ContactState)
        return Past(
            row=self.row(said.pop("of")),
            day=day(said.pop("on")),
            contact_class=said.pop("class", "marketing"),
            state=state,
            cost=int(Fraction(str(said.pop("cost", 0))) * 10**MONEY_SCALE),
            **{name: str(value) if name in ("address", "assignee", "per") else value for name, value in said.items()},
        )

    def found(self) -> dict[str, Any]:
        """Everything that a case can expect."""
        expect: dict[str, Any] = {}
        rest: dict[str, dict[str, Any]] = {name: {} for name in ("costs", "numbers", "channels", "variants")}
        for one in self.decisions.actions:
            action = one.action.id
            expect[action] = {stage: self.at(one.rows[one.at(stage)]) for stage in STAGES if len(one.at(stage))}
            for row, what in outcomes(self.decisions)[action].items():
                key = self.keys[row]
                if what.n:
                    rest["costs"].setdefault(action, {})[key] = what.cost / 10**MONEY_SCALE
                    rest["numbers"].setdefault(action, {})[key] = what.n
                if what.channel is not None:
                    rest["channels"].setdefault(action, {})[key] = what.channel
                if what.variant is not None:
                    rest["variants"].setdefault(action, {})[key] = what.variant
        waiting = {one.action.id: one.waiting for one in self.decisions.actions}
        return {"expect": expect, "why": self.why(), **rest, "waiting": waiting}

    def at(self, rows: Any) -> list[Any]:
        return [self.keys[row] for row in rows.tolist()]

    def why(self) -> dict[str, dict[Any, str]]:
        asked_about = self.written.get("why", {})
        return {action: {key: self.told(action, self.row(key)) for key in keys} for action, keys in asked_about.items()}

    def told(self, action: str, row: int, language: Any = "en") -> str:
        words = why(self.decisions, action, row)
        return say(words.key, language, **words.args)


DOCUMENTS = documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_case(name: str, tmp_path: Path, update: bool) -> None:
    case = Case(DOCUMENTS[name], tmp_path)
    found = case.found()
    if update:
        rewrite(name, case.written, found)
        return
    for key in ("expect", "why", "costs", "numbers", "channels", "variants", "waiting"):
        if key in case.written:
            wanted = case.written[key]
            assert {action: found[key].get(action, {}) for action in wanted} == wanted, key
    assert outcomes(case.decisions) == one_by_one(
        case.rules, case.decisions.results, case.decisions.history, case.clock
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_customer_has_a_reason_in_both_languages(name: str, tmp_path: Path) -> None:
    case = Case(DOCUMENTS[name], tmp_path)
    for one in case.decisions.actions:
        for row in range(len(case.keys)):
            assert case.told(one.action.id, row)
            assert re.search(r"[\u4e00-\u9fff]", case.told(one.action.id, row, "zh"))


def rewrite(name: str, written: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Puts *found* in place of what a document expects."""
    stem, _, number = name.rpartition("-")
    file = CASES / f"{stem}.yaml"
    texts = re.split(r"^---\n", file.read_text(encoding="utf-8"), flags=re.M)
    text = texts[int(number) - 1]
    wanted = {
        key: {action: found[key].get(action, {}) for action in (written[key] or found[key])}
        for key in written if key in found
    }  # fmt: skip
    lines = []
    for key, by_action in wanted.items():
        lines.append(f"{key}:")
        for action, what in by_action.items():
            said = yaml.safe_dump(what, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
            lines.append(f"  {action}: {said.strip().removesuffix('...').strip()}")
    texts[int(number) - 1] = text[: text.index("expect:")] + "\n".join(lines) + "\n"
    file.write_text("---\n".join(texts), encoding="utf-8")


def test_every_stage_is_reached_by_some_case(tmp_path: Path) -> None:
    reached: set[str] = set()
    for name, text in DOCUMENTS.items():
        for one in Case(text, tmp_path / name).decisions.actions:
            reached |= {stage for stage, count in one.counts.items() if count}
    assert reached == set(STAGES)


def test_every_text_of_deciding_is_said_by_some_case(tmp_path: Path) -> None:
    said: set[str] = set()
    for name, text in DOCUMENTS.items():
        case = Case(text, tmp_path / name)
        for one in case.decisions.actions:
            for row in range(len(case.keys)):
                words = why(case.decisions, one.action.id, row)
                said |= {words.key, *(each.key for each in words.args.values() if hasattr(each, "key"))}
    assert {key for key in entries("ui_decide") if key.startswith("decided.")} - said == set()


@cache
def million() -> list[str]:
    return [f"C-{number:07d}" for number in range(1_000_000)]


def test_a_share_holds_out_as_many_as_chance_would() -> None:
    keys, share = million(), Fraction(1, 10)
    out = held_out("winback_coupon", keys, share)
    assert abs(int(out.sum()) - 100_000) < 6 * (1_000_000 * 0.1 * 0.9) ** 0.5
    assert int((out & held_out("another", keys, share)).sum()) < 11_500
    more = held_out("winback_coupon", keys, Fraction(11, 100))
    assert not (out & ~more).any() and more.sum() > out.sum()
    few = keys[500_000:500_100]
    assert held_out("winback_coupon", few, share).tolist() == out[500_000:500_100].tolist()


def test_variants_fill_their_shares() -> None:
    found = np.bincount(bucket("a:variant", million()[:90_000], [Fraction(1, 3)] * 3))
    assert len(found) == 3 and all(abs(int(count) - 30_000) < 6 * (90_000 * 2 / 9) ** 0.5 for count in found)


def test_a_draw_is_that_of_hash_bucket() -> None:
    keys = ["1", "", "客户", "a\x1fb"]
    assert draws("salt", keys).tolist() == [hash_bucket(key, 2**52, "salt") for key in keys]
    assert not held_out("salt", keys, Fraction(0)).any()
    assert held_out("salt", keys, Fraction(1)).all()
    exact = Fraction(int(draws("salt", ["1"])[0]), 2**52)
    assert not held_out("salt", ["1"], exact).any()
    assert held_out("salt", ["1"], exact + Fraction(1, 2**60)).all()
    assert bucket("salt", ["1"], [exact, 1 - exact]).tolist() == [1]
    assert bucket("salt", ["1"], [exact + Fraction(1, 2**52), 1 - exact]).tolist() == [0]


def test_keys_of_contacts_cannot_be_confused() -> None:
    assert contact_key("l", "a", "客", 10) == sha256("1:l1:a3:客2:10".encode()).hexdigest()[:32]
    parts = [("l", "a", "1", 1), ("la", "", "1", 1), ("l", "a1", "", 1), ("l", "a", "11", 1), ("l", "a", "1", 11)]
    assert len({contact_key(*each) for each in parts}) == len(parts)
    assert re.fullmatch(r"[0-9a-f]{32}", contact_key("l", "a", "客户", 3))


def test_addresses_are_hashed_in_one_spelling() -> None:
    for pepper in (b"", b"short", b"x" * 64, b"y" * 100):
        expected = hmac.new(pepper, b"a@example.com", sha256).hexdigest()[:32]
        assert address_hash(pepper, " Ａ@Example.com\u3000") == expected == payload_hash(pepper, b"a@example.com")
    assert normalised("\x1f STRASSE\t") == normalised("straße") == "strasse"
