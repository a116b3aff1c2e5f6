"""A copy of the ledger as it is at one moment.

In: a ledger.  Out: for SQLite a file, made by SQLite's own backup; for PostgreSQL a schema beside, table by table.
Always: the copy is whole, checked and on the disk before it has its name; what is there is never replaced.

    to_file(ledger, Path("ledger.backup.db"))
"""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.diagnostics.refusals import reason
from segrules.errors import Unreachable
from segrules.source import NOWHERE
from segrules.state.ledger import Ledger, synced, transaction
from segrules.state.place import sqlite_connection
from segrules.state.schema import METADATA


def to_file(ledger: Ledger, target: Path, name: str = "backup") -> None:
    """Copy a SQLite ledger to *target*; effects are called ``NAME.write`` and ``NAME.rename``. Raises `Unreachable`."""
    assert ledger.file is not None
    part = target.with_name(f".{target.name}.part")
    try:
        if target.exists():
            raise FileExistsError(17, "exists")
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
        ledger.effect(f"{name}.write", partial(_copied, ledger.file, part))
        ledger.effect(f"{name}.rename", partial(_renamed, part, target))
    except OSError as error:
        raise _failed(ledger, reason(error)) from None
    except sqlite3.Error as error:
        raise _failed(ledger, Words("system.other", {"reason": str(error)[:200]})) from None


def to_schema(ledger: Ledger, schema: str, name: str = "backup") -> None:
    """Copy the tables of a PostgreSQL ledger into a new schema of the same database. Raises `Unreachable`."""
    with transaction(ledger, name) as connection:
        quote = connection.dialect.identifier_preparer.quote
        connection.execute(sa.schema.CreateSchema(schema))
        for table in METADATA.sorted_tables:
            copy = f"{quote(schema)}.{quote(table.name)}"
            connection.exec_driver_sql(f"CREATE TABLE {copy} (LIKE {quote(table.name)} INCLUDING ALL)")
            connection.exec_driver_sql(f"INSERT INTO {copy} SELECT * FROM {quote(table.name)}")


def _copied(file: Path, part: Path) -> None:
    source, copy = sqlite_connection(file), sqlite3.connect(part)
    try:
        source.backup(copy)
        found = copy.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    finally:
        copy.close()
        source.close()
    with part.open("rb") as written:
        os.fsync(written.fileno())


def _renamed(part: Path, target: Path) -> None:
    part.rename(target)
    synced(target.parent)


def _failed(ledger: Ledger, why: Words) -> Unreachable:
    return Unreachable([Diagnostic("P916", NOWHERE, {"place": ledger.place, "reason": why}, Help("backup"))])
