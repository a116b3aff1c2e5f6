"""The Python API: the same answers as the command line, as pandas objects of proper types."""

from __future__ import annotations

import csv
import datetime
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segrules
from segrules.cli.app import main
from segrules.cli.start.project import files

DAY = "2026-06-30"
RULES = """
purpose: every type of value
owner: tests

parameters:
  threshold: {value: 100}

attributes:
  spent: {value: sum(orders.amount)}
  average: {value: avg(orders.amount)}
  half: {value: sum(orders.amount) / 2}
  orders_seen: {value: count(orders)}
  first_paid: {value: min(orders.paid_at)}
  first_day: {value: date(min(orders.paid_at))}
  town: {value: city}
  kinds: {value: tags}
  reachable: {value: phone is not missing}
  prefix: {value: "left_text(phone, 3)"}

segments:
  big: {when: spent >= threshold}
  first_tier: {when: city = "Beijing"}

segmentations:
  size:
    cases:
      - {segment: large, label: Large, when: average >= 100}
      - {segment: small, when: average < 100}
    otherwise: {segment: none}
  band:
    columns: [orders_seen]
    outputs: [segment, discount]
    rows:
      - [">= 2", many, 10%]
      - ["-", few, 0%]
    otherwise: [few, 0%]

scorecards:
  score:
    base: 1
    characteristics:
      - name: orders
        points:
          - {when: orders_seen >= 2, points: 5}
          - otherwise: 0
"""
PROJECT = """
version: 1
name: types
timezone: Asia/Shanghai
customers: customers
tables:
  customers:
    source: data/customers.csv
    key: id
    columns:
      id: integer
      city: {type: text, missing: allowed}
      phone: {type: text, pii: true, missing: allowed}
      tags: {type: list(text), missing: allowed}
  orders:
    source: data/orders.csv
    key: order
    belongs_to: {table: customers, by: id}
    time: paid_at
    columns: {order: text, id: integer, paid_at: timestamp, amount: decimal(2)}
"""
CUSTOMERS = "id,city,phone,tags\n10,Beijing,130,a|b\n2,,131,\n3,Luoyang,,a\n"
ORDERS = (
    "order,id,paid_at,amount\n"
    "a,10,2026-01-01 00:30:00,100.10\nb,10,2026-02-01 12:00:00,50.00\nc,3,2026-06-30 23:59:59,20.00\n"
    "d,3,2026-07-01 00:00:00,1000.00\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    written = {
        "segrules.yaml": PROJECT,
        "rules/all.yaml": RULES,
        "data/customers.csv": CUSTOMERS,
        "data/orders.csv": ORDERS,
    }
    for path, text in written.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def project(folder: Path) -> segrules.Project:
    return segrules.load(folder)


@pytest.fixture(params=["vector", "reference"])
def run(project: segrules.Project, request: pytest.FixtureRequest) -> Iterator[segrules.Run]:
    yield project.evaluate(as_of=DAY, engine=request.param)


def test_counts(run: segrules.Run) -> None:
    assert run.counts.to_dict() == {
        "big": 1, "first_tier": 1, "size.large": 0, "size.small": 2, "size.none": 1, "band.many": 1, "band.few": 2,
    }  # fmt: skip
    assert run.counts.dtype == "int64"
    assert run.unknown["first_tier"] == 1
    assert run.unknown["size.large"] == 1


def test_frame_has_proper_types(run: segrules.Run) -> None:
    frame = run.frame()
    assert frame.index.tolist() == [2, 3, 10]
    assert frame.index.name == "id"
    names = ["spent", "orders_seen", "town", "size", "band", "band.discount", "score"]
    assert frame.loc[10, names].tolist() == [Decimal("150.10"), 2, "Beijing", "small", "many", Decimal("0.10"), 6]
    assert frame.loc[10, "first_paid"] == pd.Timestamp("2026-01-01 00:30:00+08:00")
    assert frame.loc[10, "first_day"] == datetime.date(2026, 1, 1)
    assert frame.loc[10, "kinds"] == ["a", "b"]
    assert frame.loc[3, "spent"] == Decimal("20.00")
    assert frame.loc[2, ["average", "first_paid", "first_day", "town", "first_tier"]].isna().all()
    assert frame.loc[2, "spent"] == Decimal("0.00")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "spent": "decimal128(19, 2)[pyarrow]",
        "average": "Float64",
        "half": "Float64",
        "orders_seen": "Int64",
        "first_paid": "datetime64[us, Asia/Shanghai]",
        "first_day": "date32[day][pyarrow]",
        "town": "string",
        "kinds": "list<item: string>[pyarrow]",
        "reachable": "boolean",
        "band.discount": "decimal128(19, 2)[pyarrow]",
        "big": "boolean",
        "first_tier": "boolean",
        "size": "string",
        "band": "string",
        "score": "Int64",
    }


def test_private_attributes_are_asked_for_by_name(run: segrules.Run) -> None:
    assert "prefix" not in run.frame()
    assert run.frame(["prefix"])["prefix"].tolist() == ["131", pd.NA, "130"]


def test_names_of_a_frame(run: segrules.Run) -> None:
    frame = run.frame(["size.small", "city", "size"])
    assert frame.columns.tolist() == ["size.small", "city", "size"]
    assert frame["size.small"].tolist() == [False, True, True]
    assert [name for name in run.frame(cases=True) if name.startswith("size.")] == [
        "size.large", "size.small", "size.none",
    ]  # fmt: skip


def test_members(run: segrules.Run) -> None:
    assert run.members("big").tolist() == [10]
    assert run.members("size.small").tolist() == [3, 10]
    assert run.members("small").tolist() == [3, 10]


def test_explain(run: segrules.Run) -> None:
    explained = run.explain(10, "big")
    assert explained.names[0].value is True
    assert run.explain("10", "big") == explained
    assert len(run.explain(10).names) > 10


def test_an_explanation_reads_as_on_the_command_line(folder: Path, project: segrules.Project) -> None:
    explained = project.evaluate(as_of=DAY).explain(10, "big")
    command = [sys.executable, "-m", "segrules", "explain", "10", "big"]
    options = ["--as-of", DAY, "--lang", "en", "--project", str(folder)]
    shown = subprocess.run([*command, *options], capture_output=True, check=True, encoding="utf-8").stdout
    assert str(explained) == repr(explained) == shown
    assert explained.as_json()["customer"] == "10"


KEYS = {
    "integer": [3, -(2**63), 2**63 - 1],
    "decimal(2)": [Decimal("1.50"), Decimal("-2.00"), Decimal("1.00")],
    "date": [datetime.date(2020, 1, 1), datetime.date(1, 1, 1)],
    "timestamp": [datetime.datetime(2020, 1, 1, 5, 6, 7), datetime.datetime(2021, 1, 1)],
    "bool": [True, False],
    "text": ["007", "é", " x"],
}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("of", KEYS)
def test_a_customer_is_named_by_the_key_of_the_frame(tmp_path: Path, of: str, zone: str) -> None:
    (tmp_path / "rules").mkdir()
    contract = f"customers: {{key: k, columns: {{k: {of}, n: integer}}}}"
    head = f"version: 1\nname: keys\ntimezone: {zone}\ncustomers: customers\ntables:\n  {contract}\n"
    (tmp_path / "segrules.yaml").write_text(head, encoding="utf-8")
    (tmp_path / "rules/r.yaml").write_text("purpose: p\nowner: o\nattributes: {m: {value: n}}\n", encoding="utf-8")
    given = {"k": KEYS[of], "n": list(range(len(KEYS[of])))}
    run = segrules.load(tmp_path).evaluate(as_of=DAY, customers=given)
    for number, key in enumerate(KEYS[of]):
        assert run.explain(key).names[0].value == number
    for key, number in run.frame()["m"].items():
        assert run.explain(key).names[0].value == number
    if of == "decimal(2)":
        assert run.explain(1).names[0].value == 2


def test_what_a_notebook_shows_is_short_and_private(project: segrules.Project) -> None:
    bound = project.bind()
    shown = [repr(project), repr(bound), repr(bound.evaluate(as_of=DAY))]
    assert shown == [
        "<Project types: 15 names>",
        "<Bound types: rows of customers 3, orders 4>",
        "<Run types: 3 customers as of 2026-06-30>",
    ]


def test_one_binding_serves_many_threads(project: segrules.Project) -> None:
    bound = project.bind()
    days = ["2026-01-15", DAY, "2026-07-01"] * 8
    with ThreadPoolExecutor(6) as pool:
        frames = list(pool.map(lambda day: bound.evaluate(as_of=day).frame(cases=True), days))
    for day, frame in zip(days, frames, strict=True):
        pd.testing.assert_frame_equal(frame, bound.evaluate(as_of=day).frame(cases=True))


def test_frames_of_the_caller_stay_as_they_are(project: segrules.Project) -> None:
    customers = pd.DataFrame({"city": ["b", None], "phone": None, "tags": [["x", "y"], None]}, index=pd.Index([7, 1]))
    customers.index.name = "id"
    before = customers.copy(deep=True)
    run = project.bind(customers=customers, orders={"order": [], "id": [], "paid_at": [], "amount": []}).evaluate(DAY)
    frame = run.frame(["town", "orders_seen", "spent", "big"])
    frame["town"] = "elsewhere"
    frame.loc[1, "orders_seen"] = 9
    assert run.frame(["town"])["town"].tolist() == [pd.NA, "b"]
    assert run.frame(["orders_seen"])["orders_seen"].tolist() == [0, 0]
    pd.testing.assert_frame_equal(customers, before)


def test_both_engines_give_one_frame(project: segrules.Project) -> None:
    bound = project.bind()
    frames = [bound.evaluate(as_of=DAY, engine=engine).frame(cases=True) for engine in ("vector", "reference")]
    pd.testing.assert_frame_equal(*frames)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_frames_go_in(project: segrules.Project, make: object) -> None:
    customers = make({"id": [7, 1], "city": ["Beijing", None], "phone": [None, None], "tags": [["x"], []]})  # type: ignore[operator]
    orders = make({"order": ["a"], "id": [7], "paid_at": [datetime.datetime(2026, 1, 1)], "amount": [150.5]})  # type: ignore[operator]
    bound = project.bind(customers=customers, orders=orders)
    run = bound.evaluate(as_of=DAY)
    assert run.frame(["spent", "big"]).reset_index().to_dict("list") == {
        "id": [1, 7], "spent": [Decimal("0.00"), Decimal("150.50")], "big": [False, True],
    }  # fmt: skip
    assert {each.table: each.read for each in bound.accounts} == {"customers": 2, "orders": 1}


@pytest.mark.parametrize(
    "as_of",
    [
        DAY,
        datetime.date(2026, 6, 30),
        datetime.datetime(2026, 6, 30, 12),
        datetime.datetime(2026, 6, 29, 16, tzinfo=datetime.UTC),
        pd.Timestamp("2026-06-30 00:00", tz="Asia/Tokyo") + pd.Timedelta(hours=1),
    ],
)
def test_dates(project: segrules.Project, as_of: str | datetime.date) -> None:
    assert project.evaluate(as_of=as_of, only="big").as_of == datetime.date(2026, 6, 30)


def test_a_past_day_sees_less(project: segrules.Project) -> None:
    bound = project.bind()
    assert bound.evaluate(as_of="2026-01-15").frame(["orders_seen"])["orders_seen"].tolist() == [0, 0, 1]
    assert bound.evaluate(as_of="2026-07-01").members("big").tolist() == [3, 10]


def test_only_limits_a_run(project: segrules.Project) -> None:
    run = project.evaluate(as_of=DAY, only=["size.small", "big"])
    assert run.frame().columns.tolist() == ["big", "size"]
    with pytest.raises(segrules.WrongUsage, match="C921"):
        run.members("first_tier")


def test_parameters(folder: Path) -> None:
    run = segrules.load(folder, parameters={"threshold": 20}).evaluate(as_of=DAY)
    assert run.members("big").tolist() == [3, 10]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda p: p.evaluate(as_of=DAY, engine="vectr"), "C910"),
        (lambda p: p.evaluate(as_of=DAY, engine="spark"), "C911"),
        (lambda p: p.evaluate(as_of="30.6.2026"), "C909"),
        (lambda p: p.evaluate(as_of=DAY, only=["bgi"]), "C903"),
        (lambda p: p.evaluate(as_of=DAY).frame(["threshold"]), "C904"),
        (lambda p: p.evaluate(as_of=DAY).members("size"), "C905"),
        (lambda p: p.bind(costumers=None), "C917"),
        (lambda p: p.evaluate(as_of=DAY).explain("ten", "big"), "C915"),
        (lambda p: p.evaluate(as_of=DAY).explain(99, "big"), "D854"),
        (lambda p: segrules.load("/nowhere/at/all"), "C902"),
    ],
)
def test_wrong_usage(project: segrules.Project, call: object, code: str) -> None:
    with pytest.raises(segrules.WrongUsage) as refused:
        call(project)  # type: ignore[operator]
    assert [one.code for one in refused.value.diagnostics] == [code]


def test_invalid_rules_carry_every_diagnostic(folder: Path, tmp_path: Path) -> None:
    for path, text in files("en").items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text.replace("order_count = 0", "order_count = nobody + true"), encoding="utf-8")
    with pytest.raises(segrules.InvalidRules) as refused:
        segrules.load(tmp_path)
    assert [one.code for one in refused.value.diagnostics] == ["N301"]
    assert "rules/customers.yaml" in str(refused.value)
    assert refused.value.exit_code == 1


def test_broken_data(project: segrules.Project) -> None:
    orders = pd.DataFrame({"order": ["a"], "id": [99], "paid_at": ["2026-01-01"], "amount": ["1.234"]})
    with pytest.raises(segrules.BrokenContract) as refused:
        project.bind(orders=orders)
    assert len(refused.value.diagnostics) == 2
    shown = str(refused.value)
    assert shown.count("segrules.yaml:") == 2
    assert "`orders.amount` in `the given table`" in shown
    assert "\n  help: " in shown


def test_what_the_package_offers() -> None:
    assert set(segrules.__all__) <= set(dir(segrules))
    with pytest.raises(AttributeError, match="nothing"):
        segrules.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("kind", "cells", "spelled", "stored"),
    [
        ("decimal(2)", ["1.50", "2"], ["1.5", "1.50"], "1.50"),
        ("date", ["2026-01-01", "2026-01-02"], ["2026-01-01"], "2026-01-01"),
        ("timestamp", ["2026-01-01 00:00:00"], ["2026-01-01 00:00:00", "2026-01-01"], "2026-01-01T00:00:00+08:00"),
        ("integer", ["007", "8"], ["7", "007", "７"], "7"),
        ("text", ["007", "7"], ["007"], "007"),
        ("text", ["a\"b", " 8 "], ["a\"b"], "a\"b"),
    ],
)  # fmt: skip
def test_a_key_of_any_type_is_found_as_it_is_spelled(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    cells: list[str],
    spelled: list[str],
    stored: str,
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "segrules.yaml").write_text(
        "version: 1\nname: keys\ntimezone: Asia/Shanghai\ncustomers: people\ntables:\n"
        f"  people: {{source: people.csv, key: id, columns: {{id: {kind}, n: integer}}}}\n",
        encoding="utf-8",
    )
    (tmp_path / "rules" / "a.yaml").write_text(
        "purpose: keys\nowner: tests\nsegments:\n  one: {label: One, when: n = 0}\n", encoding="utf-8"
    )
    with (tmp_path / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "n"], *([cell, at] for at, cell in enumerate(cells))])
    run = segrules.load(tmp_path).bind().evaluate(as_of="2026-06-30")
    for text in spelled:
        with pytest.raises(SystemExit) as ended:
            main(["explain", text, "one", "--as-of", "2026-06-30", "--project", str(tmp_path), "--format", "json"])
        assert not ended.value.code
        said = json.loads(capsys.readouterr().out)
        assert said["customer"] == stored
        assert said["names"][0]["value"] is True
    assert list(run.members("one")) != []
