"""Databases, by SQLAlchemy URL: a table or the rows of a query.

In: a URL, in which `${NAME}` stands for a variable of the environment, with a table or a query.  Out: `Raw`.  Always:
values come from the cursor as they are and are typed by the contract, never inferred; nothing secret of the URL gets
into a message; a relative SQLite path is relative to the project and is never created; `postgresql://` is psycopg.

    read_database(DatabaseSource("sqlite:///crm.db", table="orders"), folder, origin, {"order_id": span})
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from segrules.diagnostics.diagnostic import Words
from segrules.schema.contract import DatabaseSource
from segrules.source import Span
from segrules.tables.findings import stop
from segrules.tables.headers import find_columns
from segrules.tables.postgres import CONNECT, columns_of
from segrules.tables.raw import Cells, Origin, Raw, python_cells

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_AT_ONCE = 100_000
_NO_TABLE = ("42P01", "3F000")
"""What PostgreSQL calls a table, or a schema, that is not there."""


def read_database(source: DatabaseSource, folder: Path, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for a database that is away, a table or column that is not there, a query that fails."""
    url = database_url(source.url, folder, origin)
    origin = Origin(origin.table, name_of(url, source), origin.span)
    is_postgres = url.get_backend_name() == "postgresql"
    try:
        engine = sa.create_engine(url, connect_args=_connect_args(url))
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        absent = "postgres" if is_postgres and isinstance(error, ImportError) else "driver"
        raise stop("D813", origin, absent, reason=_reason(error, url)) from None
    try:
        with _connected(engine, url, origin) as connection:
            read = _postgres if is_postgres else _rows
            headers, rows, column = _answered(read, connection, source, url, origin, wanted)
    finally:
        engine.dispose()
    positions, unlisted = find_columns(origin, headers, wanted)
    return Raw(
        origin=origin,
        rows=rows,
        columns={name: column(at) for name, at in positions.items()},
        headers=tuple(headers),
        unlisted=unlisted,
        everything=lambda: {name: column(at) for at, name in enumerate(headers)},
    )


def _connect_args(url: URL) -> dict[str, Any]:
    return dict(CONNECT) if url.get_driver_name() == "psycopg" else {}


def database_url(template: str, folder: Path, origin: Origin) -> URL:
    """The URL with its variables; in the part before `@` their characters need no escaping."""
    absent = [name for name in _VARIABLE.findall(template) if name not in os.environ]
    if absent:
        raise stop("D812", origin, "set", {"name": absent[0]}, name=absent[0])
    scheme, mark, rest = template.partition("://")
    login, at, place = rest.rpartition("@")
    text = template
    if mark and at:
        text = f"{_filled(scheme, False)}://{_filled(login, True)}@{_filled(place, False)}"
    else:
        text = _filled(template, False)
    try:
        url = make_url(text)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            path = folder / str(url.database)
            if not str(url.database).startswith("file:"):
                if not path.is_file():
                    raise stop("D801", Origin(origin.table, str(url.database), origin.span), "relative")
                url = url.set(database=str(path))
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        if isinstance(error, NoSuchModuleError):
            raise stop("D813", origin, "driver", reason=str(error).partition("\n")[0]) from None
        unreadable = Origin(origin.table, "url", origin.span)
        raise stop("D813", unreadable, "driver", reason=Words("data_no_url")) from None
    return url


def _filled(text: str, quoted: bool) -> str:
    return _VARIABLE.sub(lambda found: quote(os.environ[found[1]], safe="") if quoted else os.environ[found[1]], text)


def name_of(url: URL, source: DatabaseSource) -> str:
    """What may be shown of a database: its kind, host and name, and the table."""
    database = Path(url.database).name if url.get_backend_name() == "sqlite" and url.database else url.database or ""
    return f"{url.get_backend_name()}://{url.host or ''}/{database}" + (f" {source.table}" if source.table else "")


def _connected(engine: Engine, url: URL, origin: Origin) -> Connection:
    try:
        return engine.connect()
    except (SQLAlchemyError, OSError, UnicodeError) as error:
        raise stop("D813", origin, "reach", reason=_reason(error, url)) from None


Answer: TypeAlias = tuple[list[str], int, Callable[[int], Cells]]
"""Headers, the number of rows, and the cells of a column."""


def _answered(
    read: Callable[[Connection, DatabaseSource, Origin, Mapping[str, Span]], Answer],
    connection: Connection, source: DatabaseSource, url: URL, origin: Origin, wanted: Mapping[str, Span],
) -> Answer:  # fmt: skip
    try:
        return read(connection, source, origin, wanted)
    except NoSuchTableError:
        raise stop("D814", origin, "table", reason=source.table or "") from None
    except (SQLAlchemyError, ValueError, OverflowError) as error:
        if getattr(error, "connection_invalidated", False):
            raise stop("D813", origin, "reach", reason=_reason(error, url)) from None
        unknown = source.table is not None and getattr(getattr(error, "orig", None), "sqlstate", "") in _NO_TABLE
        raise stop("D814", origin, "table" if unknown else "query", reason=_reason(error, url)) from None


def _postgres(connection: Connection, source: DatabaseSource, origin: Origin, wanted: Mapping[str, Span]) -> Answer:
    if source.query is not None:
        relation = f"(\n{source.query.rstrip().rstrip(';')}\n)"
    else:
        schema, _, table = (source.table or "").rpartition(".")
        relation = connection.dialect.identifier_preparer.format_table(sa.table(table, schema=schema or None))
    headers, columns = columns_of(connection, relation, lambda names: find_columns(origin, names, wanted))
    return headers, len(columns[0]) if columns else 0, columns.__getitem__


def _rows(connection: Connection, source: DatabaseSource, origin: Origin, wanted: Mapping[str, Span]) -> Answer:
    if source.query is not None:
        statement: Any = sa.text(source.query.replace(":", r"\:"))
    else:
        schema, _, table = (source.table or "").rpartition(".")
        inspector = sa.inspect(connection)
        names = [column["name"] for column in inspector.get_columns(table, schema or None)]
        find_columns(origin, names, wanted)
        statement = sa.select(*[sa.column(name) for name in names]).select_from(
            sa.table(table, *[sa.column(name) for name in names], schema=schema or None)
        )
    result = connection.execution_options(stream_results=True).execute(statement)
    headers = [str(name) for name in result.keys()]  # noqa: SIM118
    rows: list[Sequence[Any]] = []
    while batch := result.fetchmany(_AT_ONCE):
        rows.extend(tuple(row) for row in batch)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(headers)
    return headers, len(rows), lambda at: python_cells(list(columns[at]), nan_is_missing=False)


def _reason(error: Exception, url: URL) -> str:
    """The database's own words, the URL's secrets masked."""
    text = str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
    secrets = [url.password, *(value for values in url.normalized_query.values() for value in values)]
    for secret in secrets:
        if secret:
            text = text.replace(str(secret), "***").replace(quote(str(secret), safe=""), "***")
    return text
