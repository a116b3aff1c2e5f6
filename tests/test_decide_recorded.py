"""What the ledger remembers: fingerprints change with the meaning and with nothing else; questions are asked once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from segrules import pipeline
from segrules.decide.asked import answers, asked, questions
from segrules.decide.decide import decide
from segrules.decide.messages import lengths, parts, rendered, sms_parts
from segrules.decide.recorded import memberships, recorded
from segrules.model.campaign import Message, Placeholder
from segrules.model.expr import Column
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import MICROSECONDS_PER_DAY
from segrules.schema.types import TEXT
from tests.deciding import history, outcomes

AS_OF = 20_778
PROJECT: dict[str, Any] = {
    "version": 1,
    "name": "recorded",
    "timezone": "Asia/Shanghai",
    "customers": "customers",
    "tables": {
        "customers": {
            "source": "customers.csv",
            "key": "id",
            "rows": "n >= 0",
            "columns": {
                "id": "integer",
                "n": "integer",
                "city": "text",
                "twice": {"type": "integer", "value": "n * 2"},
                "spare": {"type": "integer", "value": "n * 3"},
            },
        },
        "orders": {
            "source": "orders.csv",
            "belongs_to": {"table": "customers", "by": "id"},
            "time": "at",
            "rows": "amount > 0",
            "columns": {"id": "integer", "at": "timestamp", "amount": "integer"},
        },
    },
}
RULES: dict[str, Any] = {
    "purpose": "to test",
    "owner": "tests",
    "parameters": {"least": {"value": 5}},
    "attributes": {"double": {"value": "twice + 0"}},
    "segments": {
        "big": {"when": "double > least"},
        "buyer": {"when": "any(orders)"},
        "plain": {"when": "n > 1"},
        "of_tier": {"when": "tier.high or tier.low"},
    },
    "segmentations": {
        "tier": {
            "cases": [
                {"segment": "high", "when": "n > 10"},
                {"segment": "middle", "when": "n > 5"},
                {"segment": "low", "when": "n > 2"},
            ],
            "otherwise": {"segment": "rest"},
        }
    },
    "actions": {
        "mail": {"for": "big and plain", "channel": "post", "message": "{city}", "limit": {"order_by": "n desc"}},
        "again": {"for": "big and plain", "channel": "post", "limit": {"order_by": "n"}},
    },
}
POLICIES = {
    "channels": {"post": {"address": "city", "sink": "files"}},
    "sinks": {"files": {"kind": "files", "folder": "out", "format": "csv"}},
}


def loaded(folder: Path, changes: dict[str, Any]) -> RuleSet:
    """The project with some texts replaced."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for name, body in (("segrules.yaml", PROJECT), ("rules/all.yaml", RULES), ("policies.yaml", POLICIES)):
        text = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=10_000)
        for old, new in changes.items():
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    return pipeline.load(folder).ruleset


def meanings(ruleset: RuleSet) -> dict[str, str]:
    return {name: fingerprint for name, _, fingerprint in recorded(ruleset)}


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"owner: tests": "owner: somebody else"}, set()),
        ({"value: 5": "value: 6"}, {"big", "action:mail", "action:again"}),
        ({"n * 2": "n * 4"}, {"big", "action:mail", "action:again"}),
        ({"n * 3": "n * 5"}, set()),
        ({"amount > 0": "amount > 1"}, {"buyer"}),
        ({"any(orders)": "any(orders where amount > 7)"}, {"buyer"}),
        ({"n > 1\n": "n > 3\n"}, {"plain", "action:mail", "action:again"}),
        ({"n > 5": "n > 6"}, {"tier.middle", "tier.low", "tier.rest", "of_tier"}),
        ({"n > 2": "n > 3"}, {"tier.low", "tier.rest", "of_tier"}),
        ({"double:": "doubled:", "double >": "doubled >"}, set()),
        ({"order_by: n desc": "order_by: n"}, set()),
        ({"n >= 0": "n >= -1"}, "everything"),
    ],
)
def test_a_fingerprint_is_of_the_meaning(tmp_path: Path, changes: dict[str, str], changed: set[str] | str) -> None:
    before, after = (meanings(loaded(tmp_path / name, each)) for name, each in (("before", {}), ("after", changes)))
    assert before.keys() == after.keys()
    found = {name for name in before if before[name] != after[name]}
    assert found == (set(before) if changed == "everything" else changed)


def test_a_rename_keeps_the_fingerprint(tmp_path: Path) -> None:
    before = meanings(loaded(tmp_path / "before", {}))
    renamed = loaded(
        tmp_path / "after",
        {
            "big:": "great:",
            "big and": "great and",
            "when: double > least": "when: double > least\n    previously: [huge, big]",
            "segment: high": "segment: top\n      previously: [high]",
            "tier.high": "tier.top",
            "mail:": "post_card:",
            "for: great and plain\n    channel: post\n    message": "for: great and plain\n    previously: [mail]\n"
            "    channel: post\n    message",
        },
    )
    found = {name: (older, fingerprint) for name, older, fingerprint in recorded(renamed)}
    assert found["great"] == (("huge", "big"), before["big"])
    assert found["tier.top"] == (("tier.high",), before["tier.high"])
    assert found["tier.low"] == ((), before["tier.low"])
    assert found["of_tier"] == ((), before["of_tier"])
    assert found["action:mail"] == (("action:post_card",), before["action:mail"])


def bound(ruleset: RuleSet, order: list[int]) -> Any:
    rows = np.array(order)
    customers = pa.table({"id": rows, "n": rows % 17, "city": [f"city {each % 50}" for each in order]})
    orders = pa.table({"id": rows[rows % 3 == 0], "at": np.full(int((rows % 3 == 0).sum()), "2026-11-01T00:00"),
                       "amount": rows[rows % 3 == 0] % 5})  # fmt: skip
    tables = pipeline.bind(asked(ruleset), {"customers": customers, "orders": orders})
    return pipeline.evaluate(asked(ruleset), tables, AS_OF)


def test_the_order_of_rows_in_a_table_changes_nothing(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, {})
    order = list(range(1, 400))
    found = []
    for rows in (order, order[::-1], [*order[1::2], *order[::2]]):
        results = bound(ruleset, rows)
        decided = decide(ruleset, results, history(results.customers), AS_OF * MICROSECONDS_PER_DAY)
        found.append((outcomes(decided), [one.at("selected").tolist() for one in decided.actions]))
    assert found[0] == found[1] == found[2]
    assert sum(map(len, found[0][1])) > 50


def test_members_are_those_of_the_results(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, {})
    results = bound(ruleset, list(range(1, 100)))
    members = memberships(ruleset, results)
    assert members.keys == [str(each) for each in range(1, 100)]
    by_name = {each.name: each.members for each in members.names}
    assert list(by_name) == [name for name, _, _ in recorded(ruleset)]
    assert by_name["plain"].tolist() == [each % 17 > 1 for each in range(1, 100)]
    assert by_name["tier.high"].tolist() == [each % 17 > 10 for each in range(1, 100)]
    assert by_name["action:mail"].tolist() == (by_name["big"] & by_name["plain"]).tolist()
    every = np.sum([by_name[f"tier.{id_}"] for id_ in ("high", "middle", "low", "rest")], axis=0)
    assert every.tolist() == [1] * 99


def test_a_question_of_two_actions_is_asked_once_and_after_what_it_needs(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, {})
    found = questions(ruleset.campaign)
    names = [each.name for each in found.values()]
    assert names == [" mail: for", " mail: order_by", " mail: message 1"]
    assert list(asked(ruleset).definitions) == [*ruleset.definitions, *names]
    assert all(name != name.strip() for name in names)


def test_messages_are_as_long_as_what_is_sent(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, {})
    results = bound(ruleset, list(range(1, 100)))
    said = answers(ruleset.campaign, results)
    city = Column("customers", "city", TEXT, False)
    rows = np.arange(40)
    for text in ("", "x" * 61, "x" * 62, "x" * 63, "😀" * 31, "😀" * 30 + "x"):
        message = Message((text, Placeholder(city), Placeholder(city, ">9.7")) if text else (Placeholder(city),))
        made = rendered(message, said, rows, "UTC")
        units = [len(each.encode("utf-16-le")) // 2 for each in made]
        assert lengths(message, said, rows, "UTC").tolist() == units
        assert parts(message, said, rows, "UTC").tolist() == sms_parts(np.array(units)).tolist()
        assert made[0] == (text + "city 1" + "   city 1" if text else "city 1")
    assert rendered(Message(("plain",)), said, rows[:2], "UTC") == ["plain", "plain"]
    assert rendered(Message(()), said, rows[:0], "UTC") == []
    assert sms_parts(np.array([0, 1, 70, 71, 134, 135, 201, 202])).tolist() == [1, 1, 1, 2, 2, 3, 3, 4]
