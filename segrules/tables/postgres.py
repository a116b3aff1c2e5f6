"""PostgreSQL: asked so that psycopg and ADBC give the same cells.

In: a connection, and a table or query as it stands after `from`.  Out: headers and a column of cells for each.
Always: nothing is written, whatever the query; what Python and Arrow would read differently is asked for as text, and
becomes exact by the contract; ADBC, where it is installed, reads in bulk, and where it fails psycopg says why; a date
that no calendar of ours has (`infinity`, BC) arrives as its text, so that it is one bad row and not the end.

    columns_of(connection, '"crm"."orders"', check=lambda headers: None)      # (["id", "amount"], [cells, cells])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError

from segrules.tables.raw import Cells, python_cells

ALIKE = frozenset({16, 17, 20, 21, 23, 25, 701, 1042, 1043})
"""Types by their number that both read alike: bool, bytea, bigint, smallint, integer, text, double, char, varchar."""
DATE, TIMES, REAL = 1082, frozenset({1082, 1114, 1184}), 700
SETTINGS = (
    "set transaction read only",
    "set local datestyle to 'ISO, YMD'",
    "set local timezone to 'UTC'",
)
CONNECT = {"connect_timeout": 15, "client_encoding": "utf8"}
"""A server that does not answer is away after a while; texts come as UTF-8 from whatever the database stores."""
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A relation and its columns: name, number of the type, whether it is an array."""

    relation: str
    names: tuple[str, ...]
    types: tuple[int, ...]
    arrays: tuple[bool, ...]

    def statement(self, times_as_text: bool) -> str:
        """The query; columns go by number, since a query may give two of them one name."""
        numbers = range(len(self.names))
        values = [_value(f"c{at}", self.types[at], self.arrays[at], times_as_text) for at in numbers]
        names = ", ".join(f"c{at}" for at in numbers)
        return f"select {', '.join(values)} from {self.relation} as asked({names})"


def _value(column: str, of: int, array: bool, times_as_text: bool) -> str:
    if of in ALIKE or (of in TIMES and not times_as_text):
        return column
    if of == REAL:
        return f"{column}::text::float8"
    return f"{column}::text[]" if array else f"{column}::text"


def columns_of(
    connection: Connection, relation: str, check: Callable[[Sequence[str]], object]
) -> tuple[list[str], list[Cells]]:
    """Headers, which *check* may refuse before anything is read, and columns. Raises what SQLAlchemy raises."""
    _begin(connection)
    asked = _asked(connection, relation)
    check(asked.names)
    if not asked.names:
        return [], []
    for times_as_text in (False, True):
        statement = asked.statement(times_as_text)
        table = _bulk(connection, statement)
        if table is not None:
            if times_as_text or _has_our_times(table):
                return list(asked.names), table.columns
            continue
        try:
            return list(asked.names), _columns(connection, statement, asked)
        except DataError as error:
            if times_as_text or getattr(error.orig, "sqlstate", None) is not None:
                raise
            connection.rollback()
            _begin(connection)
    raise AssertionError("times as text always fit")


def _begin(connection: Connection) -> None:
    connection.execution_options(no_parameters=True, stream_results=False)
    for each in SETTINGS:
        connection.exec_driver_sql(each)


def _asked(connection: Connection, relation: str) -> Asked:
    cursor = connection.exec_driver_sql(f"select * from {relation} as asked limit 0").cursor
    described: Any = () if cursor is None else cursor.description
    types = tuple(int(each[1]) for each in described)
    unlike = ", ".join(map(str, sorted({each for each in types if each not in ALIKE | TIMES}))) or "0"
    arrays = set(
        connection.exec_driver_sql(
            f"select oid::int8 from pg_catalog.pg_type where oid in ({unlike}) and typcategory = 'A'"
        ).scalars()
    )
    return Asked(relation, tuple(str(each[0]) for each in described), types, tuple(each in arrays for each in types))


def _columns(connection: Connection, statement: str, asked: Asked) -> list[Cells]:
    result = connection.execution_options(stream_results=True).exec_driver_sql(statement)
    found: list[list[Any]] = [[] for _ in asked.names]
    while batch := result.fetchmany(_AT_ONCE):
        for column, values in zip(found, zip(*batch, strict=True), strict=True):
            column.extend(values)
    for at, array in enumerate(asked.arrays):
        if array:
            found[at] = [None if value is None else _flat(value) for value in found[at]]
    return [python_cells(column, nan_is_missing=False) for column in found]


def _flat(value: list[Any]) -> list[Any]:
    """An array of several dimensions as one list, as Arrow has it."""
    return [one for each in value for one in (_flat(each) if isinstance(each, list) else [each])]


def _bulk(connection: Connection, statement: str) -> pa.Table | None:
    """The rows by ADBC; None where it is not installed, or cannot."""
    dialect = connection.dialect
    if dialect.driver != "psycopg":
        return None
    try:
        from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]
    except ImportError:
        return None
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        given = dialect.create_connect_args(connection.engine.url)[1]
        words: dict[str, Any] = {name: value for name, value in given.items() if isinstance(value, str | int)}
        place = make_conninfo("", **(words | CONNECT))
        with dbapi.connect(place) as bulk, bulk.cursor() as cursor:
            for each in SETTINGS:
                cursor.execute(each)
            cursor.execute(statement)
            table = cursor.fetch_arrow_table()
            table.validate(full=True)
            return table
    except (dbapi.Error, ProgrammingError, pa.ArrowException):
        return None


_FIRST, _LAST = date.min, date.max
_BEGIN, _END = datetime.min, datetime.max


def _has_our_times(table: pa.Table) -> bool:
    """Whether every date and time is of the years 1 to 9999."""
    for column in table.columns:
        of = column.type
        if pa.types.is_date32(of):
            first, last = (pa.scalar(each, of).cast(pa.int32()).as_py() for each in (_FIRST, _LAST))
            ends = pc.min_max(column.cast(pa.int32())).as_py()
        elif pa.types.is_timestamp(of):
            first, last = (pa.scalar(each, pa.timestamp("us")).cast(pa.int64()).as_py() for each in (_BEGIN, _END))
            ends = pc.min_max(column.cast(pa.int64())).as_py()
        else:
            continue
        if ends["min"] is not None and not (first <= ends["min"] and ends["max"] <= last):
            return False
    return True
