"""The demo at a few hundred customers: every engine, source and order of rows gives the same answers.

The rules are those of `rules/demo` and of `tests/cases/demo/more.yaml`. Answers are compared as plain values, exactly;
only a `number` of the reference may differ from the bulk engine's in the last digits (sums in another order).
"""

from __future__ import annotations

import gzip
import math
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from segrules import pipeline
from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.results import Membership, Results
from segrules.engine.vector.evaluate import evaluate as vector
from segrules.pipeline import Rules
from segrules.report.arrow import array
from segrules.sample.project import make
from segrules.schema.calendar import from_date
from segrules.schema.types import Number
from segrules.tables.bind import at
from segrules.tables.columns import Column, Tables

MORE = Path(__file__).parent / "cases" / "demo" / "more.yaml"
DAY = from_date(date(2026, 6, 30))
DAYS = {
    "the last day": DAY,
    "a leap day": from_date(date(2024, 2, 29)),
    "a month end": from_date(date(2026, 3, 31)),
    "before anything": from_date(date(2019, 1, 1)),
    "long after": from_date(date(2031, 12, 31)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make(folder, 300)
    shutil.copy(MORE, folder / "rules")
    return folder


@pytest.fixture(scope="module")
def rules(folder: Path) -> Rules:
    return pipeline.load(folder)


@pytest.fixture(scope="module")
def tables(rules: Rules) -> Tables:
    return pipeline.bind(rules.ruleset)


@pytest.fixture(scope="module")
def expected(rules: Rules, tables: Tables) -> dict[str, Any]:
    found = answers(vector(rules.ruleset, at(rules.ruleset, tables, DAY), DAY))
    assert sum(any(one[0]) for one in found["segments"].values()) >= 15
    assert sum(any(one[1]) for one in found["segments"].values()) >= 10
    return found


def answers(results: Results) -> dict[str, Any]:
    """Everything that a run found, as plain values."""
    return {
        "keys": values(results.keys),
        "segments": {name: bits(one) for name, one in results.segments.items()},
        "lists": {name: bits(one) for name, one in results.lists.items()},
        "segmentations": {
            name: ([one.ids[code] for code in one.codes], dict(one.passed_unknown), one.ids)
            for name, one in results.segmentations.items()
        },
        "values": {name: (one.type, values(one)) for name, one in results.values.items()},
        "population": sorted((repr(node), values(one)) for node, one in results.population.items()),
        "cut points": [(one.definition, one.function, one.groups, one.coincide) for one in results.cut_points],
        "warnings": [str(one) for one in results.warnings],
    }


def values(column: Column) -> list[Any]:
    return [column.at(row) for row in range(len(column))]


def bits(one: Membership) -> tuple[list[bool], list[bool]]:
    unknown = [False] * one.true.size if one.unknown is None else one.unknown.mask().tolist()
    return one.true.mask().tolist(), unknown


def nearly(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """*found*, with the numbers of *wanted* where they agree to 1e-12."""
    numbers = dict(found["values"])
    for name, (type_, column) in found["values"].items():
        if isinstance(type_, Number):
            pairs = zip(column, wanted["values"][name][1], strict=True)
            numbers[name] = (type_, [b if a is not None and b is not None and close(a, b) else a for a, b in pairs])
    return {**found, "values": numbers}


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
def test_bulk_equals_reference(rules: Rules, tables: Tables, day: int) -> None:
    existing = at(rules.ruleset, tables, day)
    wanted = answers(reference(rules.ruleset, existing, day))
    assert nearly(answers(vector(rules.ruleset, existing, day)), wanted) == wanted


@pytest.mark.parametrize(("rows", "threads"), [(8, 1), (40, 3), (1000, 2)])
def test_blocks_and_threads_change_nothing(
    rules: Rules, tables: Tables, expected: dict[str, Any], rows: int, threads: int
) -> None:
    existing = at(rules.ruleset, tables, DAY)
    assert answers(vector(rules.ruleset, existing, DAY, block_rows=rows, threads=threads)) == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_rows_changes_nothing(folder: Path, tmp_path: Path, expected: dict[str, Any], seed: int) -> None:
    other = tmp_path / "demo"
    shutil.copytree(folder, other)
    for file in sorted((other / "data").iterdir()):
        shuffle(file, Random(seed))
    shuffled = pipeline.load(other)
    found = pipeline.bind(shuffled.ruleset)
    got = answers(vector(shuffled.ruleset, at(shuffled.ruleset, found, DAY), DAY))
    assert nearly(got, expected) == expected


def shuffle(file: Path, random: Random) -> None:
    zipped = file.suffix == ".gz"
    data = gzip.decompress(file.read_bytes()) if zipped else file.read_bytes()
    header, *lines = data.split(b"\r\n")[:-1]
    random.shuffle(lines)
    mixed = b"\r\n".join([header, *lines, b""])
    file.write_bytes(gzip.compress(mixed) if zipped else mixed)


def numpy_frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas()


def arrow_frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def keyed(table: pa.Table) -> pd.DataFrame:
    frame = numpy_frame(table)
    return frame.set_index(frame.columns[0])


HOLDERS: dict[str, Callable[[pa.Table], object]] = {
    "pandas numpy": numpy_frame,
    "pandas nullable": lambda table: numpy_frame(table).convert_dtypes(),
    "pandas arrow": arrow_frame,
    "pandas object": lambda table: numpy_frame(table).astype(object),
    "pandas categorical": lambda table: numpy_frame(table.drop_columns(lists(table))).astype("category").join(
        numpy_frame(table.select(lists(table)))
    ),
    "pandas index": keyed,
    "polars": pl.from_arrow,
    "pyarrow": lambda table: table,
    "pyarrow chunks": lambda table: pa.concat_tables([table.slice(0, 7), table.slice(7, 0), table.slice(7)]),
    "pyarrow stream": lambda table: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(11)),
    "pyarrow dictionaries": lambda table: pa.table(
        [c.dictionary_encode() if c.type == pa.string() else c for c in table.columns], names=table.column_names
    ),
    "duckdb": lambda table: duckdb.connect().from_arrow(table),
    "dict of lists": lambda table: table.to_pydict(),
}  # fmt: skip


def lists(table: pa.Table) -> list[str]:
    return [field.name for field in table.schema if pa.types.is_list(field.type)]


@pytest.mark.parametrize("holder", HOLDERS)
def test_whatever_holds_the_tables(rules: Rules, tables: Tables, expected: dict[str, Any], holder: str) -> None:
    zone = rules.ruleset.contracts.timezone
    given = {}
    for name, table in rules.ruleset.contracts.tables.items():
        columns = {column: array(tables.tables[name].columns[column], zone) for column in table.columns}
        given[name] = HOLDERS[holder](pa.table(columns))
    bound = pipeline.bind(rules.ruleset, given)
    assert [one.kept for one in bound.accounts] == [one.kept for one in tables.accounts]
    assert answers(vector(rules.ruleset, at(rules.ruleset, bound, DAY), DAY)) == expected
