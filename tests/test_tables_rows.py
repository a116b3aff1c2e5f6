"""Rows: nothing disappears; history, duplicates, look-ups; where nothing is cut, nothing is copied."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.errors import BrokenContract
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import from_date
from segrules.tables.bind import at, bind
from segrules.tables.columns import Tables
from segrules.tables.zones import to_local, to_utc
from tests.tables_builder import row_values, rule, ruleset

SHOP: Mapping[str, Any] = {
    "customers": {"key": "id", "duplicates": {"keep": "last", "by": "at"}, "time": "at",
                  "columns": {"id": "text", "at": {"type": "date"}, "city": {"type": "text", "missing": "allowed"}}},
    "orders": {"key": "order", "belongs_to": {"table": "customers", "by": "id"}, "time": "paid",
               "columns": {"order": "integer", "id": {"type": "text", "missing": "allowed"}, "paid": "timestamp"}},
    "lines": {"belongs_to": {"table": "orders", "by": "order"}, "columns": {"order": "integer", "n": "integer"}},
}  # fmt: skip


def shop(folder: Path, **options: Any) -> RuleSet:
    return ruleset(folder, {name: {**table, **options.get(name, {})} for name, table in SHOP.items()})


def values(tables: Tables, table: str, column: str) -> list[Any]:
    one = tables.tables[table].columns[column]
    return [one.at(row) for row in range(len(one))]


days = st.integers(0, 6)
people = st.lists(st.tuples(st.sampled_from("abcd"), days, st.none() | st.sampled_from("xy")), max_size=8)
purchases = st.lists(st.tuples(st.none() | st.sampled_from("abcd"), days), max_size=8)
items = st.lists(st.integers(0, 7), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    people=people, purchases=purchases, items=items, as_of=st.integers(-1, 7), keep=st.sampled_from(["first", "last"])
)
def test_rows_of_a_date_as_plain_python_finds_them(
    people: list[Any], purchases: list[Any], items: list[Any], as_of: int, keep: str
) -> None:
    known = {key for key, _, _ in people}
    purchases = [(key, day) for key, day in purchases if key is None or key in known]
    items = [order for order in items if order < len(purchases)]
    made = shop(Path(), customers={"duplicates": {"keep": keep, "by": "at"}})
    tables = bind(
        made,
        {
            "customers": pa.table({"id": pa.array([p[0] for p in people], pa.string()),
                                   "at": pa.array([p[1] for p in people], pa.int32()).cast(pa.date32()),
                                   "city": pa.array([p[2] for p in people], pa.string())}),
            "orders": pa.table({"order": pa.array(range(len(purchases)), pa.int64()),
                                "id": pa.array([p[0] for p in purchases], pa.string()),
                                "paid": pa.array([p[1] for p in purchases], pa.int32()).cast(pa.date32())}),
            "lines": pa.table({"order": pa.array(items, pa.int64()), "n": pa.array(range(len(items)), pa.int64())}),
        },
        row_values=row_values,
    )  # fmt: skip
    exist = [(day, row, key, city) for row, (key, day, city) in enumerate(people) if day <= as_of]
    best: dict[str, Any] = {}
    for day, _, key, city in sorted(exist, key=lambda e: (e[0], e[1])):
        if keep == "last" or key not in best:
            best[key] = (key, day, city)
    customers = [best[key] for key in sorted(best)]
    orders = [(n, key) for n, (key, day) in enumerate(purchases) if day <= as_of and (key is None or key in best)]
    found = at(made, tables, as_of)
    assert list(zip(*(values(found, "customers", c) for c in ("id", "at", "city")), strict=True)) == customers
    assert values(found, "orders", "order") == [n for n, _ in orders]
    parents = [-1 if key is None else sorted(best).index(key) for _, key in orders]
    assert found.tables["orders"].parent is not None and found.tables["orders"].parent.tolist() == parents
    alive = [n for n, _ in orders]
    lines = [(row, alive.index(order)) for row, order in enumerate(items) if order in alive]
    assert values(found, "lines", "n") == [row for row, _ in lines]
    assert found.tables["lines"].parent is not None and found.tables["lines"].parent.tolist() == [o for _, o in lines]


def test_nothing_is_copied_where_nothing_is_cut() -> None:
    made = shop(Path())
    tables = bind(
        made,
        {
            "customers": {"id": ["b", "a"], "at": [date(2026, 1, 1)] * 2, "city": ["x", None]},
            "orders": {"order": [1], "id": ["b"], "paid": [date(2026, 1, 2)]},
            "lines": {"order": [1], "n": [5]},
        },
        row_values=row_values,
    )
    assert at(made, tables, from_date(date(2026, 1, 2))) is tables
    before = at(made, tables, from_date(date(2026, 1, 1)))
    assert before.tables["customers"] is tables.tables["customers"]
    assert before.tables["orders"].rows == before.tables["lines"].rows == 0


def frames(**changes: Any) -> dict[str, Any]:
    made = {
        "customers": pd.DataFrame({"id": ["a", "b"], "at": ["2026-01-01"] * 2, "city": ["x", "y"]}),
        "orders": pd.DataFrame({"order": [1, 2], "id": ["a", "b"], "paid": ["2026-01-02"] * 2}),
        "lines": pd.DataFrame({"order": [1, 2], "n": [1, 2]}),
    }
    return {**made, **changes}


def codes(made: RuleSet, given_tables: Mapping[str, Any]) -> list[str]:
    with pytest.raises(BrokenContract) as stopped:
        bind(made, given_tables, row_values=row_values)
    return sorted(one.code for one in stopped.value.diagnostics)


def test_orphans_follow_their_own_table(tmp_path: Path) -> None:
    wrong = frames(customers=pd.DataFrame({"id": ["a", "b"], "at": ["2026-01-01", "?"], "city": ["x", "y"]}))
    assert codes(shop(tmp_path), wrong) == ["D830"]
    aside = {"bad_rows": "quarantine"}
    assert codes(shop(tmp_path, customers=aside), wrong) == ["D839"]
    assert codes(shop(tmp_path, customers=aside, orders=aside), wrong) == ["D839"]
    assert not (tmp_path / "quarantine").exists()
    tables = bind(shop(tmp_path, customers=aside, orders=aside, lines=aside), wrong, row_values=row_values)
    assert [(one.read, one.kept, one.quarantined) for one in tables.accounts] == [(2, 1, 1)] * 3
    assert sorted(file.name for file in (tmp_path / "quarantine").iterdir()) == [
        "customers.csv",
        "lines.csv",
        "orders.csv",
    ]
    for file in (tmp_path / "quarantine").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    bind(shop(tmp_path, customers=aside, orders=aside, lines=aside), frames(), row_values=row_values)
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_a_quarantine_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("a file", encoding="utf-8")
    wrong = frames(lines=pd.DataFrame({"order": [1, 9], "n": [1, 2]}))
    assert codes(shop(tmp_path, lines={"bad_rows": "quarantine"}), wrong) == ["D845"]


def test_rows_left_out_take_their_children_along(tmp_path: Path) -> None:
    made = shop(tmp_path, orders={"rows": rule("order > 1", "orders")})
    tables = bind(made, frames(), row_values=row_values)
    assert [(one.read, one.kept, one.left_out) for one in tables.accounts] == [(2, 2, 0), (2, 1, 1), (2, 1, 1)]
    wrong = frames(orders=pd.DataFrame({"order": [1, 2, 2], "id": ["zz", "b", "b"], "paid": [None] * 3}))
    assert codes(made, wrong) == ["D834", "D838"]


def test_a_missing_value_never_wins_among_duplicates() -> None:
    for keep, expected in (("last", "y"), ("first", "x")):
        made = ruleset(
            Path(),
            {"customers": {"key": "id", "duplicates": {"keep": keep, "by": "n"},
                           "columns": {"id": "text", "n": {"type": "integer", "missing": "allowed"}, "c": "text"}}},
        )  # fmt: skip
        frame = {"id": ["a"] * 4, "n": [None, 1, 2, None], "c": ["u", "x", "y", "z"]}
        tables = at(made, bind(made, {"customers": frame}, row_values=row_values), 0)
        assert values(tables, "customers", "c") == [expected]


def test_customers_whose_rows_were_all_set_aside_do_not_exist(tmp_path: Path) -> None:
    orders = {"belongs_to": {"table": "customers", "by": "id"}, "bad_rows": "quarantine",
              "columns": {"id": "text", "n": "integer"}}  # fmt: skip
    made = ruleset(tmp_path, {"customers": {"from": "orders"}, "orders": orders})
    tables = bind(made, {"orders": {"id": ["a", "b", "b"], "n": ["1", "?", "?"]}}, row_values=row_values)
    assert values(tables, "customers", "id") == ["a"]
    assert [(one.read, one.kept, one.quarantined) for one in tables.accounts] == [(1, 1, 0), (3, 1, 2)]


def test_a_row_whose_rule_is_unknown_is_left_out(tmp_path: Path) -> None:
    made = shop(tmp_path, lines={"rows": rule("n > 0", "lines")})
    tables = bind(made, frames(lines=pd.DataFrame({"order": [1, 1, 2], "n": [1, "?", -1]})), row_values=row_values)
    assert tables.accounts[2].left_out == 2


def test_references_within_a_table_and_around(tmp_path: Path) -> None:
    friend = {"type": "text", "refers_to": "customers", "missing": "allowed"}
    tables = {"customers": {"key": "id", "columns": {"id": "text", "friend": friend}, "bad_rows": "quarantine"}}
    made = ruleset(tmp_path, tables)
    chain = {"id": list("abcde"), "friend": ["b", "c", "zz", "e", None]}
    bound = bind(made, {"customers": chain}, row_values=row_values)
    assert values(bound, "customers", "id") == ["d", "e"]
    assert bound.tables["customers"].references["friend"].tolist() == [1, -1]
    assert (bound.accounts[0].read, bound.accounts[0].quarantined) == (5, 3)


def test_customers_from_a_table_look_up_their_key(tmp_path: Path) -> None:
    key = {"type": "integer", "refers_to": "homes", "unmatched": "missing"}
    tables = {
        "customers": {"from": "orders", "columns": {"home": key}},
        "orders": {"belongs_to": {"table": "customers", "by": "home"}, "time": "paid",
                   "columns": {"home": {"type": "integer", "missing": "allowed"}, "paid": "date"}},
        "homes": {"key": "home", "columns": {"home": "integer", "age": "text"}},
    }  # fmt: skip
    made = ruleset(tmp_path, tables)
    orders = {"home": [30, 10, None, 20], "paid": ["2026-01-03", "2026-01-01", "2026-01-01", "2026-01-02"]}
    bound = bind(made, {"orders": orders, "homes": {"home": [20, 10], "age": ["x", "y"]}}, row_values=row_values)
    assert bound.tables["customers"].references["home"].tolist() == [1, 0, -1]
    two = at(made, bound, from_date(date(2026, 1, 2)))
    assert values(two, "customers", "home") == [10, 20]
    assert two.tables["customers"].references["home"].tolist() == [1, 0]
    assert two.tables["orders"].parent is not None and two.tables["orders"].parent.tolist() == [0, -1, 1]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.datetimes(), min_size=1, max_size=20),
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/St_Johns"]),
)
def test_zones_agree_with_the_calendar(moments: list[Any], zone: str) -> None:
    from segrules.schema.calendar import from_local
    from segrules.schema.calendar import to_local as one_local

    local = np.array([from_local(moment, "UTC") for moment in moments])
    utc = to_utc(local, zone)
    assert utc.tolist() == [from_local(moment, zone) for moment in moments]
    inner = [value for value in utc.tolist() if abs(value) < 62_000_000_000_000_000]
    back = to_local(np.array(inner, np.int64), zone)
    expected = [one_local(value, zone).replace(tzinfo=None) for value in inner]
    assert [np.datetime64(int(value), "us").astype(object) for value in back] == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Gaza"])
def test_days_when_clocks_change(zone: str) -> None:
    from segrules.schema.calendar import from_local

    quarter = 15 * 60 * 1_000_000
    first = from_local(pd.Timestamp("2023-01-01").to_pydatetime(), "UTC")
    local = first + np.arange(4 * 24 * 366) * quarter
    expected = [from_local(np.datetime64(int(value), "us").astype(object), zone) for value in local]
    assert to_utc(local, zone).tolist() == expected
