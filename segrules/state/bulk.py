"""Many rows at once, in and out of the ledger.

In: a connection, and columns or a statement.  Out: rows in a table, or an Arrow table.  Always: rows go by the
database's own fast way (`executemany` of SQLite, COPY of PostgreSQL), inside the transaction of the connection.

    insert(connection, customers, {"ordinal": range(2), "key": ["a", "b"]})
    read(connection, sa.select(customers.c.key), pa.schema([("key", pa.string())]))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

_TURNED, _BATCH = 1000, 200_000
"""Rows that are turned into columns at once: so few that they stay in the cache; rows of a batch of Arrow."""


def insert(connection: Connection, table: sa.Table, columns: Mapping[str, Iterable[Any]]) -> None:
    """One row per position of *columns*, which are all of one length; values are plain (int, str, bytes, None)."""
    rows: Any = zip(*columns.values(), strict=True)
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(map(quote, columns))})"
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            cursor.executemany(f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})", rows)
            return
        with cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    finally:
        cursor.close()


def insert_once(
    connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> None:
    """Rows of which those whose *keys* are there already are left out."""
    if not rows:
        return
    of_dialect = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(of_dialect(table).on_conflict_do_nothing(index_elements=list(keys)), list(rows))


def read(connection: Connection, statement: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    """The rows of *statement*, whose columns stand in the order of *schema*; only literals in it, no parameters."""
    text = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    found: list[pa.RecordBatch] = []
    cells: list[list[Any]] = [[] for _ in schema]
    try:
        cursor.execute(str(text))
        while rows := cursor.fetchmany(_TURNED):
            for column, some in zip(cells, zip(*rows, strict=True), strict=True):
                column.extend(some)
            if len(cells[0]) >= _BATCH:
                found.append(_batch(cells, schema))
                cells = [[] for _ in schema]
    finally:
        cursor.close()
    return pa.Table.from_batches([*found, _batch(cells, schema)], schema=schema)


def _batch(cells: list[list[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(column, field.type) for column, field in zip(cells, schema, strict=True)]
    return pa.record_batch(columns, schema=schema)
