"""Databases, by SQLAlchemy URL: a table or the rows of a query.

In: a URL, in which `${NAME}` stands for a variable of the environment, with a table or a query.  Out: `Raw`.  Always:
values come from the cursor as they are and are typed by the contract, never inferred; nothing secret of the URL gets
into a message; a relative SQLite path is relative to the project and is never created.

    read_database(DatabaseSource("sqlite:///crm.db", table="orders"), folder, origin, {"order_id": span})
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from segrules.diagnostics.diagnostic import Words
from segrules.schema.contract import DatabaseSource
from segrules.source import Span
from segrules.tables.findings import stop
from segrules.tables.headers import find_columns
from segrules.tables.raw import Cells, Origin, Raw, python_cells

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_AT_ONCE = 100_000


def read_database(source: DatabaseSource, folder: Path, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for a database that is away, a table or column that is not there, a query that fails."""
    url = database_url(source.url, folder, origin)
    origin = Origin(origin.table, name_of(url, source), origin.span)
    try:
        engine = sa.create_engine(url)
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        raise stop("D813", origin, "driver", reason=_reason(error, url)) from None
    try:
        with _connected(engine, url, origin) as connection:
            headers, rows = _rows(connection, source, url, origin, wanted)
    finally:
        engine.dispose()
    positions, unlisted = find_columns(origin, headers, wanted)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(headers)

    def column(at: int) -> Cells:
        return python_cells(list(columns[at]), nan_is_missing=False)

    return Raw(
        origin=origin,
        rows=len(rows),
        columns={name: column(at) for name, at in positions.items()},
        headers=tuple(headers),
        unlisted=unlisted,
        everything=lambda: {name: column(at) for at, name in enumerate(headers)},
    )


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
    return _VARIABLE.sub(lambda found: quote_plus(os.environ[found[1]]) if quoted else os.environ[found[1]], text)


def name_of(url: URL, source: DatabaseSource) -> str:
    """What may be shown of a database: its kind, host and name, and the table."""
    database = Path(url.database).name if url.get_backend_name() == "sqlite" and url.database else url.database or ""
    return f"{url.get_backend_name()}://{url.host or ''}/{database}" + (f" {source.table}" if source.table else "")


def _connected(engine: Engine, url: URL, origin: Origin) -> Connection:
    try:
        return engine.connect()
    except (SQLAlchemyError, OSError, UnicodeError) as error:
        raise stop("D813", origin, "reach", reason=_reason(error, url)) from None


def _rows(
    connection: Connection, source: DatabaseSource, url: URL, origin: Origin, wanted: Mapping[str, Span]
) -> tuple[list[str], list[Sequence[Any]]]:
    try:
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
        return headers, rows
    except NoSuchTableError:
        raise stop("D814", origin, "table", reason=source.table or "") from None
    except (SQLAlchemyError, ValueError, OverflowError) as error:
        raise stop("D814", origin, "query", reason=_reason(error, url)) from None


def _reason(error: Exception, url: URL) -> str:
    """The database's own words, the URL's secrets masked."""
    text = str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
    secrets = [url.password, *(value for values in url.normalized_query.values() for value in values)]
    for secret in secrets:
        if secret:
            text = text.replace(str(secret), "***").replace(quote_plus(str(secret)), "***")
    return text
