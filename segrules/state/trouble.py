"""What a database says when it cannot, in the words of this program.

In: an exception of SQLite, psycopg or SQLAlchemy, or of the system.  Out: `Unreachable` or `Conflict`.  Always: the
text has no password, no statement and no value; what is a mistake of this program stays as it was.

    with troubles(place):
        connection.execute(…)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.diagnostics.refusals import reason
from segrules.errors import Conflict, SegrulesError, Unreachable
from segrules.source import NOWHERE
from segrules.state.place import Place

_SQLITE = {
    sqlite3.SQLITE_FULL: (Words("system.full"), "space"),
    sqlite3.SQLITE_BUSY: (Words("ledger.busy"), "again"),
    sqlite3.SQLITE_LOCKED: (Words("ledger.busy"), "again"),
    sqlite3.SQLITE_READONLY: (Words("ledger.read_only"), "rights"),
    sqlite3.SQLITE_PERM: (Words("system.forbidden"), "rights"),
    sqlite3.SQLITE_CANTOPEN: (Words("ledger.cannot_open"), "rights"),
    sqlite3.SQLITE_CORRUPT: (Words("ledger.damaged"), "restore"),
    sqlite3.SQLITE_IOERR: (Words("ledger.disk"), "disk"),
}
_POSTGRES = {
    "53100": (Words("system.full"), "space"),
    "53200": (Words("ledger.memory"), "away"),
    "42501": (Words("system.forbidden"), "rights"),
    "25006": (Words("ledger.read_only"), "rights"),
    "28P01": (Words("ledger.password"), "login"),
    "28000": (Words("ledger.password"), "login"),
    "55P03": (Words("ledger.busy"), "again"),
}


@contextmanager
def troubles(where: Place) -> Iterator[None]:
    """Turns what a database refuses inside into `Unreachable`, or `Conflict` for what is no ledger."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        told = said(error, where)
        if told is None:
            raise
        raise told from None
    except Exception as error:
        if not type(error).__module__.startswith("psycopg"):
            raise
        told = said(error, where)
        if told is None:
            raise
        raise told from None


def refused(where: Place, error: OSError) -> Unreachable:
    """The system refused a file of the ledger."""
    return _unreachable(where, reason(error), "rights" if isinstance(error, PermissionError) else "disk")


def said(error: Exception, where: Place) -> SegrulesError | None:
    """None for a mistake of this program: a statement that is wrong, a constraint that is broken."""
    inner = getattr(error, "orig", None) if isinstance(error, DBAPIError) else error
    if isinstance(inner, sqlite3.Error):
        return _of_sqlite(inner, where)
    code = getattr(inner, "sqlstate", None)
    kind = type(inner).__name__
    if code in _POSTGRES:
        return _unreachable(where, *_POSTGRES[code])
    if code in ("42P01", "42703", "3F000"):
        return no_ledger(where)
    if "authentication failed" in str(inner):
        return _unreachable(where, Words("ledger.password"), "login")
    by_class = {"OperationalError", "InterfaceError", "InternalError", "DataError"}
    if any(each.__name__ in by_class for each in type(inner).__mro__) or (
        isinstance(code, str) and code[:2] in ("08", "53", "57", "58")
    ):
        return _unreachable(where, Words("system.other", {"reason": _masked(inner, where) or kind}), "away")
    return None


def no_ledger(where: Place) -> Conflict:
    return Conflict([Diagnostic("P902", NOWHERE, {"place": where.shown}, Help("init"))])


def _of_sqlite(error: sqlite3.Error, where: Place) -> SegrulesError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return no_ledger(where)
    if code in _SQLITE:
        return _unreachable(where, *_SQLITE[code])
    if str(error).startswith(("no such table", "no such column")):
        return no_ledger(where)
    if code in (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_ERROR) or isinstance(
        error, sqlite3.ProgrammingError
    ):
        return None
    return _unreachable(where, Words("system.other", {"reason": str(error)[:200]}), "disk")


def _masked(error: BaseException | None, where: Place) -> str:
    text = " ".join(str(error or "").split())[:300]
    for secret in () if where.url is None else (where.url.password, *where.url.normalized_query.values()):
        for each in (secret,) if isinstance(secret, str) else secret or ():
            text = text.replace(each, "***") if each else text
    return text


def _unreachable(where: Place, why: Words, way_out: str) -> Unreachable:
    return Unreachable([Diagnostic("P908", NOWHERE, {"place": where.shown, "reason": why}, Help(way_out))])


def is_duplicate(error: BaseException) -> bool:
    """Whether a row was refused because one of the same key is there."""
    inner = getattr(error, "orig", None) or error
    if isinstance(inner, sqlite3.Error):
        return getattr(inner, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_UNIQUE
    return getattr(inner, "sqlstate", None) == "23505"
