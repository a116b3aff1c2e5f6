"""Where a ledger is: a file of the project or a PostgreSQL database.

In: `state:` of an environment (a path relative to the project, ``sqlite:///path`` or a URL; `${NAME}` stands for a
variable of the environment) and the project's folder.  Out: `Place`: what may be shown of it, and how to connect.
Always: nothing is connected to here and no file is made; what is shown has no login and no parameters; a SQLite file is
never created by connecting.

    place(".segrules/ledger.db", folder).shown                 # ".segrules/ledger.db"
    place("postgresql://me:pw@db/crm", folder).shown           # "postgresql://db/crm"
"""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import Unreachable
from segrules.source import NOWHERE

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
POSTGRES_SCHEMA = "segrules"
"""The schema that has the tables, unless `?schema=` of the URL names another: several ledgers fit in a database."""
BUSY_SECONDS = 30.0
CONNECT_SECONDS = "15"


@dataclass(frozen=True, slots=True)
class Place:
    """`file` for SQLite, `url` and `schema` for PostgreSQL."""

    shown: str
    file: Path | None = None
    url: URL | None = field(default=None, repr=False)
    schema: str = POSTGRES_SCHEMA


def place(state: str, folder: Path) -> Place:
    """Raises `Unreachable` for a variable that is not set and a URL that is no place for a ledger."""
    text = filled(state)
    scheme, mark, rest = text.partition("://")
    if not mark:
        return Place(text, file=folder / text)
    if scheme == "sqlite":
        path = rest.removeprefix("/")
        return Place(path, file=folder / path)
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise _unusable(f"{scheme}://…")
    try:
        url = make_url(text).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise _unusable(f"{scheme}://…") from None
    named = url.query.get("schema", POSTGRES_SCHEMA)
    schema = named if isinstance(named, str) else named[0]
    shown = f"postgresql://{url.host or ''}{'' if url.port is None else f':{url.port}'}/{url.database or ''}"
    return Place(
        shown if schema == POSTGRES_SCHEMA else f"{shown}?schema={schema}",
        None,
        url.difference_update_query(["schema"]),
        schema,
    )


def filled(template: str) -> str:
    """*template* with its variables; in the login of a URL their characters need no escaping."""
    for name in _VARIABLE.findall(template):
        if name not in os.environ:
            raise Unreachable([Diagnostic("P912", NOWHERE, {"name": name}, Help("set", {"name": name}))])
    scheme, mark, rest = template.partition("://")
    login, at, end = rest.rpartition("@")
    if not (mark and at):
        return _VARIABLE.sub(lambda found: os.environ[found[1]], template)
    login = _VARIABLE.sub(lambda found: quote(os.environ[found[1]], safe=""), login)
    return f"{filled(scheme)}://{login}@{_VARIABLE.sub(lambda found: os.environ[found[1]], end)}"


def engine(where: Place) -> Engine:
    """Every connection is a new one: none outlives its transaction, or a fork. Raises `Unreachable`."""
    if where.file is not None:
        file = where.file
        return sa.create_engine("sqlite://", creator=lambda: sqlite_connection(file), poolclass=NullPool)
    assert where.url is not None
    given = where.url.query.get("options", ())
    options = [given] if isinstance(given, str) else list(given)
    quoted = where.schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ")
    asked = {
        "options": " ".join([*options, f'-csearch_path="{quoted}"']),
        "client_encoding": "utf8",
        "connect_timeout": where.url.query.get("connect_timeout", CONNECT_SECONDS),
    }
    try:
        return sa.create_engine(where.url, connect_args=asked, poolclass=NullPool)
    except ImportError:
        raise Unreachable([Diagnostic("P917", NOWHERE, {}, Help("install"))]) from None


def sqlite_connection(file: Path) -> sqlite3.Connection:
    """A connection on which transactions begin only when told to."""
    uri = f"file:{quote(str(file))}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for setting in ("synchronous=FULL", "secure_delete=ON", "cache_size=-65536", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _unusable(shown: str) -> Unreachable:
    return Unreachable([Diagnostic("P913", NOWHERE, {"place": shown}, Help("places"))])
