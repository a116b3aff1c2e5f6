"""Runs in parts: the same answers, findings and files as one run over everything, or a refusal by name.

The projects are the demo, with its tables as Parquet files, and a small one over random customers and orders.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segrules
from benchmarks import large
from segrules import pipeline
from segrules.cli.app import main
from segrules.engine.results import Membership, Results
from segrules.engine.streaming import Streamed
from segrules.errors import BrokenContract, RunStopped, SegrulesError, WrongUsage
from segrules.pipeline import Rules
from segrules.report import table_file
from segrules.report.arrow import array
from segrules.report.counts import as_json
from segrules.sample.project import make
from segrules.schema.calendar import from_date
from segrules.tables.columns import Tables

MORE = Path(__file__).parent / "cases" / "demo" / "more.yaml"
DAY = from_date(date(2026, 6, 30))
CUT = {"客户": "csv", "订单": "csv.gz", "互动": "csv", "问卷": "csv"}


def answers(found: Results | Streamed) -> dict[str, Any]:
    return {
        "customers": found.customers,
        "segments": {name: bits(one) for name, one in found.segments.items()},
        "lists": {name: bits(one) for name, one in found.lists.items()},
        "cases": {
            name: (one.ids, dict(one.passed_unknown), {each: one.members(each).mask().tolist() for each in one.ids})
            for name, one in found.segmentations.items()
        },
        "cut points": found.cut_points,
        "warnings": [str(one) for one in found.warnings],
    }


def bits(one: Membership) -> tuple[list[bool], list[bool] | None]:
    return one.true.mask().tolist(), None if one.unknown is None else one.unknown.mask().tolist()


def figures(rules: Rules, found: Results | Streamed) -> dict[str, Any]:
    """What `evaluate --format json` says of values; means to 1e-12."""
    values: dict[str, Any] = as_json(rules.ruleset, found, ())["values"]
    return values


def same_figures(left: dict[str, Any], right: dict[str, Any]) -> bool:
    for name in left:
        one, other = dict(left[name]), dict(right[name])
        a, b = one.pop("mean", None), other.pop("mean", None)
        if one != other or (a is None) != (b is None) or (a is not None and not math.isclose(a, b, rel_tol=1e-12)):
            return False
    return list(left) == list(right)


@contextmanager
def written(rules: Rules, path: Path) -> Iterator[Callable[[Tables, Results], None]]:
    with table_file.Growing(path) as file:

        def take(existing: Tables, results: Results) -> None:
            customers = existing.tables[rules.ruleset.contracts.customers]
            names = table_file.wanted(rules.ruleset, True)
            file.add(table_file.columns(rules.ruleset, results, customers, names))

        yield take


def compared(rules: Rules, day: int, part_rows: int, folder: Path) -> tuple[Streamed, Results]:
    """Both runs, which must agree on everything."""
    bound = pipeline.bind(rules.ruleset)
    aside = {file.name: file.read_bytes() for file in Path(rules.ruleset.folder).glob("quarantine/*")}
    shutil.rmtree(Path(rules.ruleset.folder) / "quarantine", ignore_errors=True)
    outputs: list[tuple[Tables, Results]] = []
    with written(rules, folder / "parts.csv") as csv, written(rules, folder / "parts.parquet") as parquet:

        def take(existing: Tables, results: Results) -> None:
            outputs.append((existing, results))
            csv(existing, results)
            parquet(existing, results)

        found = pipeline.stream(rules.ruleset, day, take=take, part_rows=part_rows)
    from segrules.tables.bind import at

    existing = at(rules.ruleset, bound, day)
    whole = pipeline.evaluate_existing(rules.ruleset, existing, day)
    for ending in ("csv", "parquet"):
        with written(rules, folder / f"whole.{ending}") as take:
            take(existing, whole)
    assert answers(found) == answers(whole)
    assert same_figures(figures(rules, found), figures(rules, whole))
    assert found.accounts == existing.accounts
    assert (folder / "parts.csv").read_bytes() == (folder / "whole.csv").read_bytes()
    assert pq.read_table(folder / "parts.parquet").equals(pq.read_table(folder / "whole.parquet"))
    assert {file.name: file.read_bytes() for file in Path(rules.ruleset.folder).glob("quarantine/*")} == aside
    assert len(outputs) > 3, "the run had several parts"
    return found, whole


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo at 300 customers, the customers and what belongs to them as Parquet, as the sources have their rows."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make(folder, 300)
    shutil.copy(MORE, folder / "rules")
    rules = pipeline.load(folder)
    tables = pipeline.bind(rules.ruleset)
    text = (folder / "segrules.yaml").read_text(encoding="utf-8")
    for name, ending in CUT.items():
        columns = rules.ruleset.contracts.tables[name].columns
        table = pa.table({each: array(tables.tables[name].columns[each], "Asia/Shanghai") for each in columns})
        pq.write_table(table, folder / "data" / f"{name}.parquet", row_group_size=37)
        assert f"data/{name}.{ending}" in text
        text = text.replace(f"data/{name}.{ending}", f"data/{name}.parquet")
    (folder / "segrules.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("day", [DAY, from_date(date(2024, 2, 29)), from_date(date(2019, 1, 1))])
def test_the_demo(demo: Path, tmp_path: Path, day: int) -> None:
    found, _ = compared(pipeline.load(demo), day, 200, tmp_path)
    assert day != DAY or sum(one.true.count() > 0 for one in found.segments.values()) >= 15


def test_the_demo_in_another_order(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo, folder)
    for name in CUT:
        shuffle(folder / "data" / f"{name}.parquet", Random(1))
    compared(pipeline.load(folder), DAY, 333, tmp_path)


def test_a_few_names_only(demo: Path) -> None:
    rules = pipeline.load(demo)
    name = next(iter(pipeline.stream(rules.ruleset, DAY, part_rows=300).segments))
    found = pipeline.stream(rules.ruleset, DAY, [name], part_rows=300)
    whole = pipeline.evaluate(rules.ruleset, pipeline.bind(rules.ruleset), DAY, [name])
    assert answers(found) == answers(whole)
    assert list(found.segments) == [name]


def shuffle(file: Path, random: Random) -> None:
    table = pq.read_table(file)
    order = list(range(table.num_rows))
    random.shuffle(order)
    pq.write_table(table.take(order), file, row_group_size=50)


PROJECT = """
version: 1
name: parts
timezone: Europe/Berlin
customers: customers
tables:
  customers:
    source: data/customers.parquet
    key: id
    KEEP
    columns:
      id: KEYTYPE
      since: date
      spend: {type: decimal(2), min: 0, missing: allowed}
      points: {type: integer, missing: allowed}
      city: {type: text, refers_to: cities, unmatched: missing, missing: allowed}
      double: {value: points * 2, missing: allowed}
  orders:
    source: data/orders.parquet
    key: order_id
    belongs_to: {table: customers, by: customer}
    time: day
    rows: amount > 1
    KEEP
    columns:
      order_id: integer
      customer: {type: KEYTYPE, missing: allowed}
      day: date
      amount: {type: decimal(2), max: 90}
      channel: {type: text, values: [web, shop], missing: allowed}
  cities:
    source: data/cities.csv
    key: city
    columns: {city: text, tier: text}
"""

RULES = """
purpose: to test
owner: tests
attributes:
  bought: {value: sum(orders.amount) ?? 0}
  last_order: {value: max(orders.day)}
  band: {value: "qcut(spend, 4)"}
  place: {value: "rank(bought desc by city)"}
  better: {value: "percent_rank(points + band among bought > 3)"}
  middle: {value: "quantile(better, 0.5)"}
  tile: {value: "ntile(better + middle, 3)"}
  first_channel: {value: first(orders.channel)}
segments:
  rich: {when: spend >= 50 and city.tier = "A"}
  busy: {when: count(orders where day in last 90 days) > 1}
  above: {when: "better > 0.5 and any(orders where amount > 5 and channel = \\"web\\")"}
  ranked: {when: place <= 3}
  many: {when: double > 50}
segmentations:
  level:
    cases:
      - {segment: top, when: band = 4}
      - {segment: some, when: band >= 2 and points > 10}
    otherwise: {segment: rest}
"""


def project(folder: Path, seed: int = 1, key: str = "text", keep: str = "", customers: int = 400) -> Rules:
    """The small project with random data, a few rows per row group."""
    random = Random(seed)
    (folder / "data").mkdir(parents=True)
    (folder / "rules").mkdir()
    text = PROJECT.replace("KEYTYPE", key).replace("KEEP", keep)
    (folder / "segrules.yaml").write_text(text, encoding="utf-8")
    (folder / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "data" / "cities.csv").write_text("city,tier\nBerlin,A\nBonn,B\n", encoding="utf-8")
    keys: list[Any] = random.sample(range(-5_000, 100_000), customers)
    if key == "text":
        keys = [f"{random.choice(['c', 'é', '客', ''])}{one}" for one in keys]
    people = {
        "id": keys,
        "since": [date(2020, 1, 1 + random.randrange(28)) for _ in keys],
        "spend": [random.choice([None, *range(100)]) for _ in keys],
        "points": [random.choice([None, 7, *range(40)]) for _ in keys],
        "city": [random.choice([None, "Berlin", "Bonn", "Köln"]) for _ in keys],
        "more": ["x" for _ in keys],
    }
    rows = range(customers * 4)
    orders = {
        "order_id": random.sample(range(10**9), len(rows)),
        "customer": [random.choice([None, *keys]) for _ in rows],
        "day": [date(2026, random.randrange(1, 9), 1 + random.randrange(28)) for _ in rows],
        "amount": [random.randrange(80) for _ in rows],
        "channel": [random.choice([None, "web", "shop"]) for _ in rows],
    }
    write(folder, "customers", people)
    write(folder, "orders", orders)
    return pipeline.load(folder)


def write(folder: Path, name: str, columns: dict[str, list[Any]]) -> None:
    pq.write_table(pa.table(columns), folder / "data" / f"{name}.parquet", row_group_size=64)


def read(folder: Path, name: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = pq.read_table(folder / "data" / f"{name}.parquet").to_pydict()
    return found


def sort(folder: Path, name: str, by: str) -> None:
    table = read(folder, name)
    order = sorted((row for row, key in enumerate(table[by]) if key is not None), key=table[by].__getitem__)
    write(folder, name, {column: [cells[row] for row in order] for column, cells in table.items()})


@pytest.mark.parametrize("key", ["text", "integer"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_project(tmp_path: Path, key: str, seed: int) -> None:
    rules = project(tmp_path / "p", seed, key)
    found, _ = compared(rules, DAY, 250, tmp_path)
    assert {cuts.definition for cuts in found.cut_points} == {"band", "middle"}
    assert all(0 < one.true.count() < found.customers for one in found.segments.values())


@pytest.mark.parametrize("key", ["text", "integer"])
@pytest.mark.parametrize("tables", [("customers",), ("orders",), ("customers", "orders")])
def test_sorted_files_are_read_along(tmp_path: Path, tables: tuple[str, ...], key: str) -> None:
    rules = project(tmp_path / "p", key=key)
    for name in tables:
        sort(tmp_path / "p", name, {"customers": "id", "orders": "customer"}[name])
    compared(rules, DAY, 250, tmp_path)


def test_sorted_stretches_are_no_sorted_file(tmp_path: Path) -> None:
    rules = project(tmp_path / "p")
    sort(tmp_path / "p", "customers", "id")
    people = read(tmp_path / "p", "customers")
    write(tmp_path / "p", "customers", {name: [*cells[150:], *cells[:150]] for name, cells in people.items()})
    compared(rules, DAY, 250, tmp_path)


def test_one_customer_with_most_of_the_orders(tmp_path: Path) -> None:
    rules = project(tmp_path / "p", key="integer")
    orders = read(tmp_path / "p", "orders")
    orders["customer"] = [orders["customer"][3] if row % 4 else one for row, one in enumerate(orders["customer"])]
    write(tmp_path / "p", "orders", orders)
    compared(rules, DAY, 250, tmp_path)


def test_duplicates_of_customers_stand_in_one_part(tmp_path: Path) -> None:
    rules = project(tmp_path / "p")
    kept = (tmp_path / "p" / "segrules.yaml").read_text(encoding="utf-8")
    kept = kept.replace("key: id\n", "key: id\n    duplicates: {keep: last, by: since}\n")
    (tmp_path / "p" / "segrules.yaml").write_text(kept, encoding="utf-8")
    people = read(tmp_path / "p", "customers")
    people = {name: [*cells, *cells[50:150]] for name, cells in people.items()}
    people["points"][-100:] = [99] * 100
    write(tmp_path / "p", "customers", people)
    rules = pipeline.load(tmp_path / "p")
    found, _ = compared(rules, DAY, 250, tmp_path)
    assert found.customers == 400


def broken(folder: Path) -> None:
    """Every kind of row that breaks the contract, in many places."""
    people, orders = read(folder, "customers"), read(folder, "orders")
    for row in range(5, 400, 31):
        people["spend"][row] = -1
    for row in range(7, 400, 53):
        people["id"][row] = people["id"][row + 1]
    people["id"][17] = people["since"][19] = None
    for row in range(3, 1600, 101):
        orders["customer"][row] = "nobody" if isinstance(people["id"][0], str) else -77_777
    for row in range(4, 1600, 211):
        orders["amount"][row] = 95
        orders["channel"][row] = "mail"
    write(folder, "customers", people)
    write(folder, "orders", orders)


def messages(run: Callable[[], object]) -> list[str]:
    with pytest.raises(SegrulesError) as stopped:
        run()
    return [f"{stopped.type.__name__} {one}" for one in stopped.value.diagnostics]


@pytest.mark.parametrize("key", ["text", "integer"])
@pytest.mark.parametrize("in_order", [False, True])
def test_what_breaks_the_contract_is_told_alike(tmp_path: Path, key: str, in_order: bool) -> None:
    rules = project(tmp_path / "p", key=key)
    broken(tmp_path / "p")
    if in_order:
        sort(tmp_path / "p", "customers", "id")
        sort(tmp_path / "p", "orders", "customer")
    wanted = messages(lambda: pipeline.bind(rules.ruleset))
    assert len(wanted) >= 5
    assert messages(lambda: pipeline.stream(rules.ruleset, DAY, part_rows=250)) == wanted


@pytest.mark.parametrize("key", ["text", "integer"])
@pytest.mark.parametrize("in_order", [False, True])
def test_rows_set_aside_are_the_same(tmp_path: Path, key: str, in_order: bool) -> None:
    rules = project(tmp_path / "p", key=key, keep="bad_rows: quarantine")
    broken(tmp_path / "p")
    if in_order:
        sort(tmp_path / "p", "customers", "id")
        sort(tmp_path / "p", "orders", "customer")
    found, _ = compared(rules, DAY, 250, tmp_path)
    assert [one.quarantined > 5 for one in found.accounts] == [True, True, False]


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = project(tmp_path / "p")
    (tmp_path / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    pipeline.stream(rules.ruleset, DAY, part_rows=250)
    broken(tmp_path / "p")
    messages(lambda: pipeline.stream(rules.ruleset, DAY, part_rows=250))
    assert list((tmp_path / "room").iterdir()) == []


def test_no_customers(tmp_path: Path) -> None:
    rules = project(tmp_path / "p")
    for name in ("customers", "orders"):
        table = pq.read_table(tmp_path / "p" / "data" / f"{name}.parquet")
        pq.write_table(table.slice(0, 0), tmp_path / "p" / "data" / f"{name}.parquet")
    found = pipeline.stream(rules.ruleset, DAY, part_rows=250)
    assert answers(found) == answers(pipeline.evaluate(rules.ruleset, pipeline.bind(rules.ruleset), DAY))
    assert found.customers == 0


def test_a_run_that_stops_says_so(tmp_path: Path) -> None:
    rules = project(tmp_path / "p")
    people = read(tmp_path / "p", "customers")
    people["points"][123] = 2**62 - 1
    write(tmp_path / "p", "customers", people)
    rule = RULES.replace("segments:", '  huge: {value: "rank(points * 1000)"}\nsegments:', 1)
    (tmp_path / "p" / "rules" / "rules.yaml").write_text(rule, encoding="utf-8")
    rules = pipeline.load(tmp_path / "p")
    wanted = messages(lambda: pipeline.evaluate(rules.ruleset, pipeline.bind(rules.ruleset), DAY))
    assert "D850" in wanted[0]
    assert "`huge`" in wanted[0]
    assert messages(lambda: pipeline.stream(rules.ruleset, DAY, part_rows=250)) == wanted
    with pytest.raises(RunStopped):
        pipeline.stream(rules.ruleset, DAY, part_rows=250)
    broken(tmp_path / "p")
    with pytest.raises(BrokenContract):
        pipeline.stream(rules.ruleset, DAY, part_rows=250)


def test_one_order_of_two_customers_is_refused(tmp_path: Path) -> None:
    rules = project(tmp_path / "p")
    orders = read(tmp_path / "p", "orders")
    orders["order_id"][9] = orders["order_id"][1009]
    orders["amount"][9] = orders["amount"][1009] = 50
    orders["customer"][9], orders["customer"][1009] = (
        min(filter(None, orders["customer"])),
        max(filter(None, orders["customer"])),
    )
    write(tmp_path / "p", "orders", orders)
    (found,) = messages(lambda: pipeline.stream(rules.ruleset, DAY, part_rows=250))
    assert "D865" in found


REFUSED = {
    "D861": ("source: data/orders.parquet", "source: data/orders.csv"),
    "D863": ("city: {type: text, refers_to: cities,", "city: {type: text, refers_to: customers,"),
    "D866": ("key: id\n", "key: number\n"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_run_in_parts_is_refused(tmp_path: Path, code: str) -> None:
    rules = project(tmp_path / "p")
    contracts = rules.ruleset.contracts
    tables = dict(contracts.tables)
    if code == "D861":
        tables["orders"] = replace(tables["orders"], source=replace(tables["orders"].source, path="data/orders.csv"))  # type: ignore[type-var]
    elif code == "D863":
        columns = dict(tables["customers"].columns)
        columns["city"] = replace(columns["city"], refers_to="customers")
        tables["customers"] = replace(tables["customers"], columns=columns)
    else:
        tables["customers"] = replace(tables["customers"], key="double")
    ruleset = replace(rules.ruleset, contracts=replace(contracts, tables=tables))
    with pytest.raises(WrongUsage) as refused:
        pipeline.stream(ruleset, DAY)
    assert code in [one.code for one in refused.value.diagnostics]
    assert all(one.help is not None for one in refused.value.diagnostics)
    assert "--stream" in str(refused.value)


def ended(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0


def test_from_the_command_line(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for way in ([], ["--stream"]):
        file = tmp_path / f"{len(way)}.csv"
        for more in (["-o", str(file), "--cases", "--quiet"], ["--format", "json"]):
            assert ended("evaluate", "--project", str(demo), "--as-of", "2026-06-30", *more, *way) == 0
            said[len(way), more[0]] = capsys.readouterr().out.replace("1.csv", "0.csv")
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()
    assert said[0, "-o"] == said[1, "-o"]
    whole, parts = json.loads(said[0, "--format"]), json.loads(said[1, "--format"])
    assert same_figures(whole.pop("values"), parts.pop("values"))
    assert whole == parts
    assert ended("evaluate", "--project", str(demo), "--stream", "--by", "RFM", "--lang", "en") == 2
    assert "`--by`" in capsys.readouterr().err


def test_from_python(demo: Path, tmp_path: Path) -> None:
    project = segrules.load(demo)
    run, whole = project.stream("2026-06-30", output=tmp_path / "out.parquet"), project.evaluate("2026-06-30")
    assert run.counts == whole.counts.to_dict()
    assert {name: run.members(name).count() for name in run.counts} == run.counts
    assert pq.read_table(tmp_path / "out.parquet").num_rows == run.customers == len(whole.frame())
    assert [str(one) for one in run.warnings] == [str(one) for one in whole.warnings]
    with pytest.raises(WrongUsage, match="C907"):
        project.stream(output=tmp_path / "out.xlsx")
    with pytest.raises(WrongUsage, match="C903"):
        project.stream(only=["nothing"])


def test_memory_does_not_grow_with_the_customers(tmp_path: Path) -> None:
    """Four times the customers take no tenth more memory: medians of three rounds, each run in a process of its own.

    One peak varies by some 4 % with what the allocator happens to keep; three rounds are always run, and none is
    chosen for what it shows.
    """
    peaks: dict[int, list[int]] = {1_000_000: [], 4_000_000: []}
    for customers in peaks:
        large.write(tmp_path / str(customers), customers, 20, population=False)
    for _ in range(3):
        for customers, measured in peaks.items():
            found = large.measured(tmp_path / str(customers))
            assert found["customers"] == customers
            assert found["members"] > customers
            measured.append(found["peak_bytes"])
    assert median(peaks[4_000_000]) < 1.1 * median(peaks[1_000_000]), peaks
