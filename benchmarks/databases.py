"""Contenders that speak SQL: DuckDB and ClickHouse (chdb), both in this process and in memory.

In: `Work` for the rules.  Out: members per rule, from one query for all rules.  Always: money is an exact decimal;
texts are enumerations in DuckDB and of low cardinality in ClickHouse; each tag is a bool column. Of the ways to ask
that were tried, the quickest is used: in DuckDB `count(CASE …)` took a third of the time of `count_if`; in ClickHouse
the compiler of expressions is off because it cost more than it gained.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from benchmarks import texts
from benchmarks.contender import Digest, Work
from benchmarks.customers import with_flags
from benchmarks.trees import rules


class DuckDB:
    share = 1.0

    def __init__(self, work: Work) -> None:
        import duckdb

        self.work = work
        self.database = duckdb.connect(":memory:", config={"threads": work.threads})
        counted = [
            f"count(CASE WHEN {texts.sql(tree, texts.DUCKDB)} THEN 1 END)" for tree in rules(work.seed, work.rules)
        ]
        self.asked = f"SELECT {', '.join(counted)} FROM customers"
        self.database.execute("SET enable_progress_bar = false")
        for name, words in texts.WORDS.items():
            values = ", ".join(f"'{word}'" for word in words)
            self.database.execute(f"CREATE TYPE {name}_word AS ENUM ({values})")

    def version(self) -> str:
        import duckdb

        return str(duckdb.__version__)

    def load(self) -> None:
        given = with_flags(self.work.table())
        self.database.register("given", given)
        columns = [f"{name}::{name}_word AS {name}" if name in texts.WORDS else name for name in given.column_names]
        self.database.execute(f"CREATE OR REPLACE TABLE customers AS SELECT {', '.join(columns)} FROM given")
        self.database.unregister("given")

    def run(self) -> Any:
        return self.database.execute(self.asked).fetchall()[0]

    def fresh(self) -> Any:
        self.load()
        return self.run()

    def digest(self, answer: Any) -> Digest:
        return list(answer)


class ClickHouse:
    share = 1.0

    def __init__(self, work: Work) -> None:
        from chdb import session

        self.work = work
        self.session = session.Session()
        self.session.query("CREATE DATABASE bench")
        self.session.query("USE bench")
        counted = [f"countIf({texts.sql(tree, texts.CLICKHOUSE)})" for tree in rules(work.seed, work.rules)]
        settings = {
            "max_threads": work.threads,
            "compile_expressions": 0,
            "max_query_size": 10**9,
            "max_ast_elements": 10**7,
            "max_expanded_ast_elements": 10**7,
        }
        limits = ", ".join(f"{name} = {value}" for name, value in settings.items())
        self.asked = f"SELECT {', '.join(counted)} FROM customers SETTINGS {limits}"

    def version(self) -> str:
        import chdb

        return f"{chdb.__version__} (ClickHouse {self.session.query('SELECT version()', 'TSV')})".replace("\n", "")

    def load(self) -> None:
        given = with_flags(self.work.table())
        declared = ", ".join(f"{field.name} {clickhouse_type(field)}" for field in given.schema)
        self.session.query("DROP TABLE IF EXISTS customers")
        self.session.query(f"CREATE TABLE customers ({declared}) ENGINE = Memory")
        self.session.query(f"INSERT INTO customers SELECT {', '.join(given.column_names)} FROM Python(given)")

    def run(self) -> Any:
        return self.session.query(self.asked, "JSONCompactEachRow")

    def fresh(self) -> Any:
        self.load()
        return self.run()

    def digest(self, answer: Any) -> Digest:
        return [int(count) for count in json.loads(str(answer))]


def clickhouse_type(field: pa.Field) -> str:
    """The column type that suits ClickHouse best; Nullable only where values may be missing."""
    always = ("customer_id", "spend_12m", "spend_90d", "orders_12m", "visits_30d", "tier", "signup_date", "vip")
    match str(field.type).split("(")[0].split("<")[0]:
        case "string" if field.name != "customer_id":
            return "LowCardinality(String)" if field.name in always else "LowCardinality(Nullable(String))"
        case kind:
            names = {"int64": "Int64", "double": "Float64", "date32[day]": "Date", "bool": "Bool", "string": "String"}
            name = names.get(kind, "Decimal(14, 2)")
            return name if field.name in always else f"Nullable({name})"
