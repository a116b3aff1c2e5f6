"""Rule sets and tables from the YAML of a test case, without files of data.

In: a case as `tests/cases/semantics/` writes it.  Out: a checked `RuleSet` (the rules go through the real parser and
checker) and `Tables`.  Always: columns are typed by `types:`, else by what they look like; a column may be missing
where one of its values is `missing`; customers stand in key order.

    scenario = Scenario.read("table: {id: [1, 2], spend: [5, missing]}")
    tables(scenario, ruleset(scenario, folder))
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal as Exact
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from segrules.check.rulesets import check
from segrules.diagnostics.catalogue import level, message
from segrules.engine.reference.rows import column
from segrules.files.load import load
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import from_date, from_local
from segrules.schema.types import (
    BOOL,
    DATE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Timestamp,
    Type,
    Untyped,
    Value,
    parse_type,
)  # fmt: skip
from segrules.tables.columns import Loaded, Tables

MISSING = "missing"


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2 core: no dates, no `yes`, no sexagesimals."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, starts in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
    ("null", r"null|~|", "n~"),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(starts))


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One document of a case file: `typed` as YAML 1.2 reads it, `plain` with every scalar as its text."""

    text: str
    typed: Mapping[str, Any]
    plain: Mapping[str, Any]

    @staticmethod
    def read(text: str) -> Scenario:
        return Scenario(text, yaml.load(text, CoreLoader), yaml.load(text, yaml.BaseLoader))

    @property
    def as_of(self) -> int:
        return from_date(datetime.date.fromisoformat(self.plain.get("as_of", "2026-11-21")))

    @property
    def zone(self) -> str:
        return str(self.plain.get("timezone", "Asia/Shanghai"))

    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """Every table with its `rows` (column → texts), `types`, and `contract` (more keys of a column); the
        customers first."""
        rows = self.plain["table"]
        customers = {"rows": rows, "key": next(iter(rows)), "types": self.plain.get("types", {})}
        written = {"customers": self.typed.get("customers", {}), **self.typed.get("tables", {})}
        found = {"customers": customers, **self.plain.get("tables", {})}
        return {name: {**table, "contract": written[name].get("contract", {})} for name, table in found.items()}


def types_of(table: Mapping[str, Any]) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for name, texts in table["rows"].items():
        declared = table.get("types", {}).get(name)
        type_ = _looks_like(texts) if declared is None else parse_type(declared)
        assert type_ is not None, f"no such type: {declared}"
        found[name] = type_
    return found


def _looks_like(texts: Sequence[str]) -> Type:
    present = [text for text in texts if text != MISSING]
    for pattern, type_ in (
        (r"true|false", BOOL),
        (r"-?\d+", INTEGER),
        (r"\d{4}-\d\d-\d\d", DATE),
        (r"\d{4}-\d\d-\d\dT.*", TIMESTAMP),
    ):
        if present and all(isinstance(text, str) and re.fullmatch(pattern, text) for text in present):
            return type_
    if present and all(isinstance(text, str) and re.fullmatch(r"-?\d+(\.\d+)?", text) for text in present):
        return Decimal(max(len(text.partition(".")[2]) for text in present))
    return TEXT


def stored(text: Any, type_: Type, zone: str) -> Value:
    """The stored value that *text* writes (a list of texts for a list)."""
    if text == MISSING:
        return None
    match type_:
        case Bool():
            return {"true": True, "false": False}[text]
        case Integer():
            return int(text)
        case Decimal(scale):
            exact = Exact(text).scaleb(scale)
            assert exact == int(exact), f"{text} has more than {scale} digits after the point"
            return int(exact)
        case Number():
            return float(text)
        case Date():
            return from_date(datetime.date.fromisoformat(text))
        case Timestamp():
            return _instant(text, zone)
        case ListOfText():
            return tuple(text)
        case Untyped():
            raise AssertionError(f"{text} stands where only missing can be")
        case _:
            return str(text)


def _instant(text: str, zone: str) -> int:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return from_local(moment, zone)
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return since // datetime.timedelta(microseconds=1)


def ruleset(scenario: Scenario, folder: Path, rules: Mapping[str, Any]) -> RuleSet:
    """The checked rule set of *rules* (the body of a rule file) over the scenario's tables, by way of *folder*."""
    project = {
        "version": 1,
        "name": "semantics",
        "timezone": scenario.zone,
        "customers": "customers",
        "tables": {name: _contract(name, table) for name, table in scenario.tables().items()},
    }
    body = {"purpose": "to test", "owner": "tests", **_lists(scenario), **rules}
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for name, keys in scenario.plain.get("lists", {}).items():
        (folder / f"{name}.csv").write_text("key\n" + "".join(f"{key}\n" for key in keys), encoding="utf-8")
    _write(folder / "segrules.yaml", project)
    _write(folder / "rules" / "rules.yaml", body)
    read, found = load(folder)
    checked, more = check(read)
    wrong = [one for one in (*found, *more) if level(one.code) == "error"]
    listed = "\n".join(f"{one.code} {message(one, 'en')}: {one.span.text}" for one in wrong)
    assert checked is not None and not wrong, f"the rules of this case are wrong:\n{listed}"
    return checked


def _write(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000), encoding="utf-8")


def _lists(scenario: Scenario) -> dict[str, Any]:
    lists = scenario.plain.get("lists", {})
    return {"lists": {name: {"file": f"{name}.csv", "key": "key"} for name in lists}} if lists else {}


def _contract(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for each, type_ in types_of(table).items():
        columns[each] = {"type": str(type_)} | table["contract"].get(each, {})
        if MISSING in table["rows"][each]:
            columns[each]["missing"] = "allowed"
    kept = {key: table[key] for key in ("key", "belongs_to", "time") if key in table}
    return {"source": f"{name}.csv", **kept, "columns": columns}


def tables(scenario: Scenario, rules: RuleSet) -> Tables:
    """The scenario's tables, typed and linked."""
    found: dict[str, Loaded] = {}
    written = scenario.tables()
    for name in sorted(written, key=lambda one: len(rules.contracts.chain(one))):
        found[name] = _loaded(name, written[name], scenario.zone, rules, found)
    for name, loaded in found.items():
        contracts = rules.contracts.tables[name].columns
        targets = {each: contract.refers_to for each, contract in contracts.items() if contract.refers_to}
        links = {each: _ordinals(loaded.columns[each], found[other], rules) for each, other in targets.items()}
        found[name] = Loaded(name, loaded.rows, loaded.columns, loaded.parent, links)
    lists = {}
    for name, keys in scenario.plain.get("lists", {}).items():
        key = rules.contracts.tables["customers"].key or ""
        type_ = rules.contracts.tables["customers"].columns[key].type
        lists[name] = frozenset(stored(text, type_, scenario.zone) for text in keys)
    return Tables(found, lists=lists)


def _loaded(name: str, table: Mapping[str, Any], zone: str, rules: RuleSet, above: Mapping[str, Loaded]) -> Loaded:
    types = types_of(table)
    values = {each: [stored(text, types[each], zone) for text in texts] for each, texts in table["rows"].items()}
    count = len(next(iter(values.values())))
    order = list(range(count))
    if name == rules.contracts.customers:
        order.sort(key=lambda row: values[table["key"]][row])
    columns = {each: column(types[each], [found[row] for row in order]) for each, found in values.items()}
    loaded = Loaded(name, count, columns)
    link = rules.contracts.tables[name].belongs_to
    if link is None:
        return loaded
    return Loaded(name, count, columns, _ordinals(columns[link.by], above[link.table], rules))


def _ordinals(keys: Any, target: Loaded, rules: RuleSet) -> Any:
    """For each key the row of *target* that has it, -1 where none does."""
    by_key = target.columns[rules.contracts.tables[target.name].key or ""]
    rows = {by_key.at(row): row for row in range(target.rows)}
    found = (keys.at(row) for row in range(len(keys)))
    return np.array([-1 if key is None else rows.get(key, -1) for key in found], dtype=np.int64)


def file_order(scenario: Scenario) -> list[int]:
    """For each customer of the case, as written, the ordinal."""
    table = scenario.tables()["customers"]
    type_ = types_of(table)[table["key"]]
    keys = [stored(text, type_, scenario.zone) for text in table["rows"][table["key"]]]
    ordered = sorted(keys)
    return [ordered.index(key) for key in keys]
