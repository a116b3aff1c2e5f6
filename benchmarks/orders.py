"""Windowed aggregates over orders: the workload and its contenders.

In: `Work` for the orders.  Out: 33 aggregates per customer.  Always: every customer has an order, so that a GROUP BY
finds them all; amounts are exact decimals in every contender, and are compared customer by customer through weighted
sums; a sum or count over no rows is 0.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.contender import Digest, Work
from benchmarks.customers import CHANNELS, TODAY

PER_CUSTOMER = 10
HISTORY = 730
PROJECT = """
version: 1
name: benchmark
timezone: UTC
customers: customers
tables:
  customers:
    source: customers.parquet
    key: customer_id
    columns: {customer_id: integer}
  orders:
    source: orders.parquet
    belongs_to: {table: customers, by: customer_id}
    time: paid_at
    columns: {customer_id: integer, paid_at: timestamp, amount: decimal(2), quantity: integer, channel: text}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`function` of `column` (none: of rows) over orders of the last `days` days, of one channel if one is named."""

    function: str
    column: str
    days: int
    channel: str = ""

    @property
    def first(self) -> date:
        return TODAY - timedelta(days=self.days - 1)

    @property
    def zero(self) -> bool:
        return self.function in ("count", "sum")


ASKED = (
    *(
        Asked(function, column, days)
        for days in (7, 30, 90, 180, 365)
        for function, column in (
            ("count", ""),
            ("sum", "amount"),
            ("avg", "amount"),
            ("max", "amount"),
            ("min", "quantity"),
        )
    ),
    *(
        Asked(function, column, days, "app")
        for days in (30, 90, 180, 365)
        for function, column in (("count", ""), ("sum", "amount"))
    ),
)


def orders(rows: int, seed: int) -> pa.Table:
    draw = np.random.default_rng(seed)
    customers = max(1, rows // PER_CUSTOMER)
    owner = np.concatenate([np.arange(customers), draw.integers(0, customers, rows - customers)])
    draw.shuffle(owner)
    end = np.datetime64(datetime.combine(TODAY, time(23, 59, 59)), "us")
    paid = end - (draw.random(rows) ** 1.5 * HISTORY * 86_400_000_000).astype("timedelta64[us]")
    cents = np.round(draw.lognormal(9, 1, rows)).astype(np.int64)
    wide = np.empty((rows, 2), np.int64)
    wide[:, 0], wide[:, 1] = cents, 0
    words = pa.DictionaryArray.from_arrays(pa.array(draw.integers(0, 8, rows).astype(np.int32)), pa.array(CHANNELS))
    return pa.table({
        "customer_id": pa.array(owner),
        "paid_at": pa.array(paid),
        "amount": pa.Array.from_buffers(pa.decimal128(12, 2), rows, [None, pa.py_buffer(wide)]),
        "quantity": pa.array(draw.integers(1, 9, rows)),
        "channel": words.cast(pa.string()),
    })  # fmt: skip


def digest_of(arrays: list[tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]) -> Digest:
    """For each aggregate how many customers have a value, and a weighted sum of the values in customer order."""
    found: Digest = []
    for values, missing in arrays:
        weights = np.arange(len(values)) % 9973 + 1
        known = ~missing
        found.append([int(known.sum()), np.sum(values[known] * weights[known]).item()])
    return [part for pair in found for part in pair]


def from_arrow(table: pa.Table) -> Digest:
    """*table*: the customer and the aggregates in the order asked, one row per customer in any order."""
    table = table.sort_by(table.column_names[0])
    arrays = []
    for column, asked in zip(table.columns[1:], ASKED, strict=True):
        if pa.types.is_decimal(column.type):
            column = pa.chunked_array([cents(chunk) for chunk in column.chunks])
        missing = column.is_null().to_numpy()
        values = column.fill_null(0).to_numpy()
        if asked.function != "avg":
            values = values.astype(np.int64)
        arrays.append((values, np.zeros_like(missing) if asked.zero else missing))
    return digest_of(arrays)


def cents(chunk: pa.Array) -> pa.Array:
    """The lower half of 128-bit integers of scale 2."""
    assert chunk.type.scale == 2
    words = np.frombuffer(chunk.buffers()[1], np.int64)
    values = words[2 * chunk.offset : 2 * (chunk.offset + len(chunk)) : 2]
    return pa.array(values, mask=chunk.is_null().to_numpy(zero_copy_only=False))


class Segrules:
    share = 1.0

    def __init__(self, work: Work) -> None:
        import segrules

        self.work = work
        lines = ["purpose: benchmark", "owner: benchmark", "attributes:"]
        for number, asked in enumerate(ASKED):
            where = f"paid_at in last {asked.days} days" + (
                f' and channel = "{asked.channel}"' if asked.channel else ""
            )
            of = f"orders.{asked.column}" if asked.column else "orders"
            lines.append(f"  a{number}: {{value: '{asked.function}({of} where {where})'}}")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "rules").mkdir()
            (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
            (folder / "rules" / "rules.yaml").write_text("\n".join(lines), encoding="utf-8")
            self.project = segrules.load(folder)

    def version(self) -> str:
        from importlib.metadata import version

        return f"{version('segrules')} (numpy {np.__version__})"

    def _given(self) -> dict[str, pa.Table]:
        table = self.work.table()
        customers = pa.table({"customer_id": pa.array(np.arange(max(1, self.work.rows // PER_CUSTOMER)))})
        return {"customers": customers, "orders": table}

    def load(self) -> None:
        self.bound = self.project.bind(**self._given())

    def run(self) -> Any:
        return self.bound.evaluate(as_of=TODAY)

    def fresh(self) -> Any:
        return self.project.evaluate(as_of=TODAY, **self._given())

    def digest(self, answer: Any) -> Digest:
        columns = [answer.results.values[f"a{number}"] for number in range(len(ASKED))]
        nothing = np.zeros(len(columns[0]), np.bool_)
        return digest_of([(one.values, nothing if one.missing is None else one.missing) for one in columns])


def sql(timestamp: str) -> str:
    """One GROUP BY with a filter per aggregate."""
    columns = []
    for asked in ASKED:
        where = f"paid_at >= {timestamp} '{asked.first} 00:00:00'"
        if asked.channel:
            where += f" AND channel = '{asked.channel}'"
        columns.append(f"{asked.function}({asked.column or '*'}) FILTER (WHERE {where})")
    named = ", ".join(f"{column} AS a{number}" for number, column in enumerate(columns))
    return f"SELECT customer_id, {named} FROM orders GROUP BY customer_id"


class DuckDB:
    share = 1.0

    def __init__(self, work: Work) -> None:
        import duckdb

        self.work = work
        self.database = duckdb.connect(":memory:", config={"threads": work.threads})
        self.database.execute("SET enable_progress_bar = false")
        words = ", ".join(f"'{word}'" for word in CHANNELS)
        self.database.execute(f"CREATE TYPE channel_word AS ENUM ({words})")

    def version(self) -> str:
        import duckdb

        return str(duckdb.__version__)

    def load(self) -> None:
        self.database.register("given", self.work.table())
        chosen = "customer_id, paid_at, amount, quantity, channel::channel_word AS channel"
        self.database.execute(f"CREATE OR REPLACE TABLE orders AS SELECT {chosen} FROM given")
        self.database.unregister("given")

    def run(self) -> Any:
        self.database.execute(f"CREATE OR REPLACE TABLE answer AS {sql('TIMESTAMP')}")
        return True

    def fresh(self) -> Any:
        self.load()
        return self.run()

    def digest(self, answer: Any) -> Digest:
        casts = ["customer_id"] + [
            f"a{number}::DECIMAL(18, 2) AS a{number}"
            if asked.column == "amount" and asked.function != "avg"
            else f"a{number}"
            for number, asked in enumerate(ASKED)
        ]
        return from_arrow(self.database.sql(f"SELECT {', '.join(casts)} FROM answer").to_arrow_table())


class Polars:
    share = 1.0

    def __init__(self, work: Work) -> None:
        self.work = work

    def version(self) -> str:
        import polars as pl

        return str(pl.__version__)

    def load(self) -> None:
        self.frame = self._frame().rechunk()

    def _frame(self) -> Any:
        import polars as pl

        frame = pl.from_arrow(self.work.table())
        assert isinstance(frame, pl.DataFrame)
        return frame.with_columns(pl.col("channel").cast(pl.Enum(list(CHANNELS))))

    def _query(self, frame: Any) -> Any:
        import polars as pl

        names = {"sum": "sum", "avg": "mean", "max": "max", "min": "min"}
        columns = []
        for number, asked in enumerate(ASKED):
            where = pl.col("paid_at") >= datetime.combine(asked.first, time())
            if asked.channel:
                where &= pl.col("channel") == asked.channel
            counted = (
                where.sum()
                if not asked.column
                else getattr(pl.col(asked.column).filter(where), names[asked.function])()
            )
            columns.append(counted.alias(f"a{number}"))
        return frame.lazy().group_by("customer_id").agg(columns).collect()

    def run(self) -> Any:
        return self._query(self.frame)

    def fresh(self) -> Any:
        return self._query(self._frame())

    def digest(self, answer: Any) -> Digest:
        return from_arrow(answer.to_arrow())


class ClickHouse:
    share = 1.0

    def __init__(self, work: Work) -> None:
        from chdb import session

        self.work = work
        self.session = session.Session()
        self.session.query("CREATE DATABASE bench")
        self.session.query("USE bench")

    def version(self) -> str:
        import chdb

        return f"{chdb.__version__} (ClickHouse {self.session.query('SELECT version()', 'TSV')})".replace("\n", "")

    def load(self) -> None:
        given = self.work.table()
        self.session.query("DROP TABLE IF EXISTS orders")
        columns = "customer_id Int64, paid_at DateTime64(6), amount Decimal(12, 2), quantity Int64"
        self.session.query(f"CREATE TABLE orders ({columns}, channel LowCardinality(String)) ENGINE = Memory")
        self.session.query(f"INSERT INTO orders SELECT {', '.join(given.column_names)} FROM Python(given)")

    def run(self) -> Any:
        self.session.query("DROP TABLE IF EXISTS answer")
        settings = f"SETTINGS max_threads = {self.work.threads}, aggregate_functions_null_for_empty = 1"
        self.session.query(f"CREATE TABLE answer ENGINE = Memory AS {sql('TIMESTAMP')} {settings}")
        return True

    def fresh(self) -> Any:
        self.load()
        return self.run()

    def digest(self, answer: Any) -> Digest:
        found = self.session.query("SELECT * FROM answer", "ArrowTable")
        return from_arrow(found if isinstance(found, pa.Table) else pa.table(json.loads(str(found))))
