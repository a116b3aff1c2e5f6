"""One customer at a time: values in, the contract kept, rows added, customers placed by the cut points of a run."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segrules
from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.scalar.cells import ODD, quick
from segrules.engine.scalar.patterns import quick as quick_pattern
from segrules.errors import BrokenContract, RunStopped, SegrulesError, WrongUsage
from segrules.sample.project import make
from segrules.schema.contract import ColumnContract, Format
from segrules.schema.types import BOOL, DATE, INTEGER, LIST, NUMBER, TEXT, TIMESTAMP, Type
from segrules.schema.types import Decimal as Scaled
from segrules.tables.bind import at
from segrules.tables.convert import convert, spelling
from segrules.tables.raw import python_cells
from tests.one_by_one import RANKS, Rows, evaluate, without

DAY = "2026-06-30"
PROJECT = """
version: 1
name: one
timezone: Europe/Berlin
customers: customers
tables:
  customers:
    source: customers.csv
    key: id
    time: known
    rows: not id starts with "test"
    columns:
      id: text
      known: date
      city: {type: text, refers_to: cities, missing: allowed}
      phone: {type: text, pii: true, missing: allowed, clean: [trim, digits]}
      age: {type: integer, min: 0, max: 120, missing: allowed}
      gender: {type: text, values: [f, m], missing: allowed}
      note: text
      decade: {value: "div(age, 10)"}
  orders:
    source: orders.csv
    key: no
    belongs_to: {table: customers, by: id}
    time: paid_at
    rows: quantity > 0
    duplicates: {keep: last, by: version}
    columns:
      no: text
      id: {type: text, missing: allowed}
      version: integer
      paid_at: timestamp
      price: decimal(2)
      quantity: integer
      amount: {value: price * quantity}
  lines:
    source: lines.csv
    belongs_to: {table: orders, by: no}
    columns: {no: text, product: text}
  cities:
    source: cities.csv
    key: city
    columns: {city: text, tier: integer}
"""
RULES = """
purpose: one customer at a time
owner: tests
lists:
  chosen: {file: chosen.csv, key: id}
attributes:
  spent: {value: sum(orders.amount)}
  recent: {value: count(orders where paid_at in last 30 days)}
  products: {value: count_distinct(lines.product)}
  tier: {value: city.tier}
  tens: {value: decade * 10}
  wide: {value: spent * 1000000000000}
  inside: {value: count(orders where tens * 9_000_000_000_000_000_000 > 0)}
  nested: {value: count(lines where count(orders where tens * 9_000_000_000_000_000_000 > 0) > 0)}
  last_paid: {value: max(orders.paid_at)}
  day: {value: date(last_paid)}
  fourth: {value: "qcut(spent by gender, 4)"}
  middle: {value: "quantile(age, 0.5)"}
  place: {value: rank(spent)}
segments:
  big: {when: spent >= 100}
  reachable: {when: 'phone matches "^[0-9]{3}"'}
  old: {when: age > 60}
segmentations:
  kind:
    cases: [{segment: first, when: tier = 1}, {segment: other, when: tier > 1}]
    otherwise: {segment: none}
"""
PLAIN = ["spent", "recent", "products", "tier", "tens", "last_paid", "day", "big", "reachable", "old", "kind", "chosen"]
FILES = {
    "segrules.yaml": PROJECT,
    "rules/all.yaml": RULES,
    "chosen.csv": "id\nc1\nc9\n",
    "cities.csv": "city,tier\nBerlin,1\nKiel,2\n",
    "customers.csv": "id,known,city,phone,age,gender,note\n"
    + "".join(f"c{n},2020-01-01,Kiel,12{n},{20 + n},{'fm'[n % 2]},x\n" for n in range(1, 9)),
    "orders.csv": "no,id,version,paid_at,price,quantity\n"
    + "".join(f"o{n},c{n},1,2026-06-0{n},{n}0.05,{n}\n" for n in range(1, 9)),
    "lines.csv": "no,product\no1,a\no1,b\n",
}
CUSTOMER: dict[str, Any] = {"id": "c1", "known": "2020-01-01", "age": 41, "note": "", "gender": "f"}
ORDER: dict[str, Any] = {"no": "o1", "version": 1, "paid_at": "2026-06-30 23:59:59", "price": "40.05", "quantity": 2}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> segrules.Project:
    folder = tmp_path_factory.mktemp("one")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return segrules.load(folder)


@pytest.fixture(scope="module")
def one(project: segrules.Project) -> Any:
    return project.evaluator(only=PLAIN)


def codes(stopped: pytest.ExceptionInfo[SegrulesError]) -> list[str]:
    return [each.code for each in stopped.value.diagnostics]


def test_values_come_out_as_python_has_them(one: Any) -> None:
    found = one.one(CUSTOMER | {"city": "Berlin", "phone": " 123-4 "}, DAY, orders=[ORDER, ORDER | {"no": "o2"}])
    assert found.segments == {"big": True, "reachable": True, "old": False}
    assert found.cases == {"kind": "first"} and found.lists == {"chosen": True}
    assert found.values["spent"] == Decimal("160.20") and str(found.values["spent"]) == "160.20"
    assert found.values["day"] == dt.date(2026, 6, 30)
    assert found.values["last_paid"] == dt.datetime(2026, 6, 30, 21, 59, 59, tzinfo=dt.UTC)
    assert (found["tens"], found["kind.first"], found["first"], found["other"]) == (40, True, True, False)
    assert found.as_of == dt.date(2026, 6, 30)
    with pytest.raises(WrongUsage) as stopped:
        found["bgi"]
    assert codes(stopped) == ["C903"] and "big" in str(stopped.value)


def test_rows_of_a_later_day_do_not_exist(one: Any) -> None:
    orders = [ORDER, ORDER | {"no": "o2", "paid_at": "2026-07-01T00:00:00+02:00"}]
    lines = [{"no": "o1", "product": "a"}, {"no": "o2", "product": "b"}]
    customer = one.customer(CUSTOMER, orders=orders, lines=lines)
    assert customer.evaluate(DAY).stored["products"] == 1
    assert customer.evaluate("2026-07-01").stored["products"] == 2
    assert customer.evaluate("2026-06-29").stored["spent"] == 0
    with pytest.raises(WrongUsage) as stopped:
        customer.evaluate("2019-12-31")
    assert codes(stopped) == ["D888"]


def test_rows_are_added_to_a_customer_that_never_changes(one: Any) -> None:
    before = one.customer(CUSTOMER)
    after = before.with_row("orders", ORDER).with_rows("lines", [{"no": "o1", "product": "a"}])
    assert before.evaluate(DAY).stored["spent"] == 0
    assert (after.evaluate(DAY).stored["spent"], after.evaluate(DAY).stored["products"]) == (8010, 1)
    changed = after.with_row("orders", ORDER | {"version": 2, "price": 1})
    assert (changed.evaluate(DAY).stored["spent"], changed.evaluate(DAY).stored["products"]) == (200, 1)
    assert repr(changed) == "<Customer of one: rows of orders 2, lines 1>"


def test_rows_that_do_not_count(one: Any) -> None:
    left_out = ORDER | {"no": "o2", "quantity": 0}
    nobody = ORDER | {"no": "o3", "id": None}
    lines = [{"no": "o2", "product": "a"}, {"no": "o3", "product": "b"}, {"no": "o1", "product": "c"}]
    found = one.one(CUSTOMER, DAY, orders=[left_out, nobody, ORDER], lines=lines)
    assert (found.stored["spent"], found.stored["products"]) == (8010, 1)


def test_look_ups_find_rows_that_are_given(one: Any) -> None:
    found = one.one(CUSTOMER | {"city": "Bonn"}, DAY, cities=[{"city": "Bonn", "tier": 3}])
    assert (found.stored["tier"], found.cases["kind"]) == (3, "other")
    assert one.one(CUSTOMER, DAY).cases["kind"] == "none"


BROKEN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"orders": [ORDER | {"no": None}]}, "D834"),
    ({"note": None}, {}, "D834"),
    ({"age": 121}, {}, "D837"),
    ({"age": -1}, {}, "D836"),
    ({"age": 4.5}, {}, "D831"),
    ({"age": 2**63}, {}, "D832"),
    ({"age": "many"}, {}, "D830"),
    ({"age": object()}, {}, "D830"),
    ({"gender": "x"}, {}, "D835"),
    ({"city": "Rome"}, {}, "D840"),
    ({"known": "30.06.2026"}, {}, "D830"),
    ({}, {"orders": [ORDER | {"id": "c2"}]}, "D839"),
    ({}, {"orders": [ORDER | {"price": "1.005"}]}, "D831"),
    ({}, {"orders": [ORDER | {"paid_at": None}]}, "D834"),
    ({}, {"orders": [ORDER], "lines": [{"no": "o9", "product": "a"}]}, "D839"),
    ({}, {"cities": [{"city": "Bonn", "tier": 1}, {"city": "Bonn", "tier": 2}]}, "D838"),
]


@pytest.mark.parametrize(("own", "related", "code"), BROKEN)
def test_the_contract_is_held(one: Any, own: dict[str, Any], related: dict[str, Any], code: str) -> None:
    with pytest.raises(BrokenContract) as stopped:
        one.one(CUSTOMER | own, DAY, **related)
    assert codes(stopped) == [code]
    assert "row 1" in str(stopped.value) or "row 2" in str(stopped.value)


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (CUSTOMER | {"citi": "x"}, {}, "D883"),
    (CUSTOMER | {"decade": 4}, {}, "D884"),
    (CUSTOMER | {"ｉｄ": "c2"}, {}, "D885"),
    (CUSTOMER, {"customers": [CUSTOMER]}, "D886"),
    (CUSTOMER, {"ordes": [ORDER]}, "C917"),
    (CUSTOMER, {"orders": ["o1"]}, "D882"),
    (CUSTOMER, {"orders": ORDER}, "D882"),
    (CUSTOMER, {"orders": None}, "D882"),
    (CUSTOMER | {1: 2}, {}, "D883"),
    (["c1"], {}, "D882"),
    (CUSTOMER | {"id": "test-1"}, {}, "D887"),
    (CUSTOMER | {"id": None}, {}, "D887"),
]


@pytest.mark.parametrize(("own", "related", "code"), WRONG)
def test_wrong_usage_is_told(one: Any, own: Any, related: dict[str, Any], code: str) -> None:
    with pytest.raises(WrongUsage) as stopped:
        one.one(own, DAY, **related)
    assert codes(stopped) == [code]


HOSTILE = (
    float("nan"), float("inf"), 10**400, b"\xff", "\ud800", "x" * 100_000, "1" * 5000, "1e999999999", {}, [[]], [1],
    set(), object(), Decimal("NaN"), Decimal("1e-999999"), Decimal("9e999999"), dt.datetime.max, dt.datetime.min,
    dt.date.max, dt.datetime.max.replace(tzinfo=dt.UTC), dt.time(1), dt.timedelta(1), pd.NA, pd.NaT, np.int64(3),
    np.float64(2.5), np.datetime64("2020-01-01"), True, 1j, "\x00", "0001-01-01", "9999-12-31T23:59:59-12:00", "٣",
    "2026-06-30T24:00",
)  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
def test_any_value_is_taken_or_refused_with_a_finding(one: Any, value: Any) -> None:
    for column in CUSTOMER | {"city": "", "phone": ""}:
        with contextlib.suppress(BrokenContract, WrongUsage):
            one.one(CUSTOMER | {column: value}, DAY)
    for column in ORDER | {"id": ""}:
        with contextlib.suppress(BrokenContract, WrongUsage, RunStopped):
            one.one(CUSTOMER, DAY, orders=[ORDER | {column: value}])


def test_names_of_columns_match_after_nfkc(one: Any) -> None:
    assert one.one({"ｉｄ": "c1", " known ": "2020-01-01", "age": 70, "note": ""}, DAY).segments["old"]


def test_columns_that_nothing_reads_need_not_be_given(one: Any) -> None:
    bare = {name: value for name, value in CUSTOMER.items() if name not in ("note", "gender")}
    assert one.one(bare, DAY).segments["old"] is False


def test_private_values_are_masked(project: segrules.Project) -> None:
    with pytest.raises(BrokenContract) as stopped:
        project.evaluator(only=["reachable"]).one(CUSTOMER | {"phone": b"secret-77"}, DAY)
    assert "secret" not in str(stopped.value)


def test_an_overflow_stops_with_the_definition(project: segrules.Project) -> None:
    wide = project.evaluator(only=["wide"])
    assert wide.one(CUSTOMER, DAY).stored["wide"] == 0
    with pytest.raises(RunStopped) as stopped:
        wide.one(CUSTOMER, DAY, orders=[ORDER | {"price": 90000}])
    assert codes(stopped) == ["D850"] and "`wide`" in str(stopped.value) and "`c1`" in str(stopped.value)
    with pytest.raises(RunStopped) as stopped:
        wide.customer(CUSTOMER, orders=[ORDER | {"quantity": 2**62}])
    assert codes(stopped) == ["D851"]


@pytest.mark.parametrize("engine", ["one", "reference", "vector"])
def test_inside_an_aggregate_only_rows_overflow(project: segrules.Project, engine: str) -> None:
    order, line = {name: [value] for name, value in (ORDER | {"id": "c1"}).items()}, {"no": ["o1"], "product": ["a"]}
    none = {name: list[Any]() for name in order}, {name: list[Any]() for name in line}

    def evaluated(name: str, orders: dict[str, Any], lines: dict[str, Any]) -> Any:
        if engine == "one":
            rows = [
                dict(zip(table, row, strict=True))
                for table in (orders, lines)
                for row in zip(*table.values(), strict=True)
            ]
            related = {
                "orders": [row for row in rows if "id" in row],
                "lines": [row for row in rows if "id" not in row],
            }
            return project.evaluator(only=[name]).one(CUSTOMER | {"city": "Kiel"}, DAY, **related).stored[name]
        customers = {each: [value] for each, value in (CUSTOMER | {"city": "Kiel", "phone": "1"}).items()}
        run = project.evaluate(DAY, engine, [name], customers=customers, orders=orders, lines=lines)
        return run.frame([name])[name].iloc[0]

    assert evaluated("inside", *none) == 0
    if engine != "vector":
        assert evaluated("nested", order, none[1]) == 0
    for name in ("inside", "nested"):
        with pytest.raises(RunStopped) as stopped:
            evaluated(name, order, line)
        assert codes(stopped) == ["D850"]


def test_functions_of_the_population(project: segrules.Project) -> None:
    with pytest.raises(WrongUsage) as stopped:
        project.evaluator()
    assert codes(stopped) == ["D881", "D881", "D880"]
    run = project.evaluate(as_of=DAY, only=["fourth", "middle", "place"])
    with pytest.raises(WrongUsage) as stopped:
        project.evaluator(run=run)
    assert codes(stopped) == ["D880"] and "`place`" in str(stopped.value) and "`rank`" in str(stopped.value)
    placed = project.evaluator(run=run, only=["fourth", "middle"])
    frame = run.frame(["fourth", "middle", "gender"]).join(project.evaluate(as_of=DAY, only=["spent"]).frame(["spent"]))
    for key, row in frame.iterrows():
        order = ORDER | {"price": row["spent"], "quantity": 1}
        found = placed.one({"id": key, "known": "2020-01-01", "age": 40, "gender": row["gender"]}, DAY, orders=[order])
        assert (found.stored["fourth"], found.stored["middle"]) == (row["fourth"], row["middle"])
    above = ORDER | {"price": "99999.00"}
    assert placed.one(CUSTOMER, DAY, orders=[above]).stored["fourth"] == 4
    assert placed.one(CUSTOMER | {"gender": None}, DAY).stored["fourth"] is None


def test_tables_that_nothing_refers_to_are_refused(project: segrules.Project) -> None:
    with pytest.raises(WrongUsage) as stopped:
        project.evaluator(only=PLAIN, orders={"no": []})
    assert codes(stopped) == ["D889"]
    given = project.evaluator(only=["tier"], cities={"city": ["Rome"], "tier": [7]})
    assert given.one(CUSTOMER | {"city": "Rome"}, DAY).stored["tier"] == 7


def test_customers_without_a_table_of_their_own(tmp_path: Path) -> None:
    text = (
        "version: 1\nname: stream\ntimezone: UTC\ncustomers: buyers\ntables:\n  buyers: {from: orders}\n"
        "  orders:\n    source: orders.csv\n    belongs_to: {table: buyers, by: buyer}\n    time: day\n"
        "    columns: {buyer: {type: text, missing: allowed}, day: date, amount: decimal(2)}\n"
    )
    rules = "purpose: p\nowner: o\nsegments:\n  big: {when: sum(orders.amount) > 10}\n"
    (tmp_path / "rules").mkdir()
    (tmp_path / "segrules.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "rules" / "a.yaml").write_text(rules, encoding="utf-8")
    stream = segrules.load(tmp_path).evaluator().customer({"buyer": "b1"}, orders=[{"day": "2026-06-01", "amount": 11}])
    assert stream.evaluate(DAY).segments["big"] is True
    with pytest.raises(WrongUsage) as stopped:
        stream.evaluate("2026-05-31")
    assert codes(stopped) == ["D888"]


def test_nothing_of_the_project_stands_in_the_source(one: Any) -> None:
    words = set(re.findall(r"[^\W\d_]{2,}", one.source))
    assert not words & {"spent", "orders", "amount", "Berlin", "first", "other", "customers", "city"}


@pytest.mark.parametrize("day", ["2026-06-30", "2026-03-31"])
def test_the_demo_is_the_same_one_by_one(tmp_path: Path, day: str) -> None:
    folder = tmp_path / "demo"
    make(folder, 60)
    bound = segrules.load(folder).bind()
    rules, as_of = bound.rules.ruleset, dt.date.fromisoformat(day).toordinal() - dt.date(1970, 1, 1).toordinal()
    existing = at(rules, bound.tables, as_of)
    names = without(rules, rules.definitions, RANKS)
    found, wanted = evaluate(rules, existing, as_of, names), reference(rules, existing, as_of, names)
    for name, column in wanted.values.items():
        rows = range(len(column))
        assert [found.values[name].at(row) for row in rows] == [column.at(row) for row in rows], name
    for name, member in wanted.segments.items():
        assert found.segments[name].true.mask().tolist() == member.true.mask().tolist(), name
    for name, assignment in wanted.segmentations.items():
        assert found.segmentations[name].codes.tolist() == assignment.codes.tolist(), name
    assert any(Rows(rules, existing).customer(row)[1]["订单"] for row in range(20))


TYPES: dict[str, Type] = {
    "bool": BOOL, "integer": INTEGER, "decimal": Scaled(2), "number": NUMBER, "text": TEXT, "date": DATE,
    "timestamp": TIMESTAMP, "list": LIST,
}  # fmt: skip
ZONES = ("Europe/Berlin", "Asia/Shanghai", "America/St_Johns")
VALUES = st.one_of(
    st.booleans(), st.integers(-(2**64), 2**64), st.floats(), st.text(max_size=4), st.dates(),
    st.datetimes(min_value=dt.datetime(1600, 1, 1), max_value=dt.datetime(2200, 1, 1)),
    st.datetimes(min_value=dt.datetime(2020, 1, 1), max_value=dt.datetime(2030, 1, 1), timezones=st.timezones()),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**16), max_value=10**16),
    st.integers(-(10**6), 10**6).map(lambda n: n / 100), st.integers(-(10**6), 10**6).map(lambda n: str(n / 100)),
    st.dates().map(str), st.datetimes().map(lambda t: t.isoformat(" ")),
    st.datetimes(timezones=st.timezones()).map(lambda t: t.isoformat()),
    st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=3),
    st.sampled_from(("true", "False", "Ｎｏ１", " a ", "a|b", "1e3", "", "2026-02-30", "2026-03-29 02:30", "٣")),
    st.sampled_from(("-0", "007")),
)  # fmt: skip


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(TYPES)),
    VALUES,
    st.sampled_from(ZONES),
    st.sampled_from([(), ("trim", "halfwidth"), ("lower",)]),
)
def test_quick_cells_are_those_of_the_one_door(kind: str, value: Any, zone: str, clean: tuple[Any, ...]) -> None:
    contract: ColumnContract[Any] = ColumnContract("c", TYPES[kind], clean=clean)
    found = quick(contract, Format(), zone)(value)
    if found is ODD:
        return
    told = convert(python_cells([value], False), contract.type, spelling(contract, Format(), zone, False))
    assert not told.faults and told.not_finite is None
    assert (type(found), found) == (type(told.column.at(0)), told.column.at(0))


PIECES = ("a", "b", "1", ".", r"\d", "[a-c]", "[^1]", r"\.", "北", "a?", "b*", "a+", r"\d{2}", "a{1,2}", " ", "[0-9a]+")


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=4), st.booleans(), st.booleans(), st.text("ab1.北\n ٣", max_size=6))
def test_quick_patterns_are_those_of_re2(pieces: list[str], start: bool, end: bool, text: str) -> None:
    pattern = "^" * start + "".join(pieces) + "$" * end
    found = quick_pattern(pattern)
    if found is not None:
        assert bool(found.search(text)) == pc.match_substring_regex(pa.scalar(text), pattern).as_py(), pattern


@pytest.mark.parametrize(
    "pattern", ["(a|b)", "a+b+", "(?i)a", r"\bx", "a**", "x{2,1}", "[", r"\pL", "a|b", "[[:alpha:]]"]
)
def test_other_patterns_are_left_to_re2(pattern: str) -> None:
    assert quick_pattern(pattern) is None


@pytest.mark.parametrize("pattern", [r"^1\d{10}$", "^a", "b$", "北", "[0-9]", r"^[A-Z]{2}\d{4}$", r"\.csv$", "a b"])
def test_common_patterns_are_quick(pattern: str) -> None:
    assert quick_pattern(pattern) is not None
