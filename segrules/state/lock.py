"""One apply at a time: a lock that goes when its holder goes, however it goes.

In: a place and who wants it.  Out: a context in which nobody else has it.  Always: the lock is the system's (flock on
``LEDGER.lock``) or the server's (a session's advisory lock), never a mark that somebody would have to clean up; who
holds it can be read; who comes second gets `Conflict`.

    with held(place, engine, "zhang@web1, apply 7c1e"):
        …
"""

from __future__ import annotations

import hashlib
import os
import string
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import Conflict
from segrules.source import NOWHERE
from segrules.state.place import Place
from segrules.state.trouble import refused, troubles

APPLICATION = "segrules: "
_LONGEST = 63
"""Bytes of a session's name on PostgreSQL, which takes ASCII only."""
_GLANCES, _GLANCE_SECONDS = 20, 0.05
"""Who only looks holds the lock for a moment and has no name; so has who has just got it."""


@contextmanager
def held(where: Place, engine: Engine, owner: str) -> Iterator[None]:
    """Raises `Conflict` where another has the lock, `Unreachable` where it cannot be asked for."""
    if where.file is not None:
        with _file_held(where, lock_file(where.file), owner):
            yield
    else:
        with _session_held(where, engine, owner):
            yield


def owner_of(where: Place, engine: Engine) -> str | None:
    """Who has the lock, None if nobody."""
    if where.file is not None:
        return _file_owner(where, lock_file(where.file))
    with troubles(where), engine.connect() as connection:
        return _session_owner(connection, _number(where))


def end_owner(where: Place, engine: Engine) -> bool:
    """End the session that has the lock, on a server; whether it is gone. The system's own goes with its process."""
    if where.file is not None:
        return False
    with troubles(where), engine.connect() as connection:
        found = _session(connection, _number(where))
        if found is None:
            return True
        connection.execute(sa.select(sa.func.pg_terminate_backend(found[1])))
        for _ in range(_GLANCES):
            if _session(connection, _number(where)) is None:
                return True
            time.sleep(_GLANCE_SECONDS)
        return False


def lock_file(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.lock")


@contextmanager
def _file_held(where: Place, file: Path, owner: str) -> Iterator[None]:
    import fcntl

    try:
        number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused(where, error) from None
    try:
        for rest in reversed(range(_GLANCES)):
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner_now = os.pread(number, 1000, 0).decode("utf-8", "replace")
                if owner_now or not rest:
                    raise _taken(where, owner_now or None) from None
                time.sleep(_GLANCE_SECONDS)
            except OSError as error:
                raise refused(where, error) from None
        os.ftruncate(number, 0)
        os.pwrite(number, owner.encode()[:1000], 0)
        try:
            yield
        finally:
            os.ftruncate(number, 0)
    finally:
        os.close(number)


def _file_owner(where: Place, file: Path) -> str | None:
    import fcntl

    try:
        number = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(where, error) from None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(number, 1000, 0).decode("utf-8", "replace") or "?"
    finally:
        os.close(number)
    return None


@contextmanager
def _session_held(where: Place, engine: Engine, owner: str) -> Iterator[None]:
    number = _number(where)
    with troubles(where):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with troubles(where):
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number))):
                raise _taken(where, _session_owner(connection, number))
            name = f"{APPLICATION}{quote(owner, safe=string.printable)}"[:_LONGEST]
            connection.execute(sa.select(sa.func.set_config("application_name", name, False)))
        yield
    finally:
        connection.close()


def _session_owner(connection: Connection, number: int) -> str | None:
    found = _session(connection, number)
    return None if found is None else f"{unquote(found[0].removeprefix(APPLICATION)) or '?'} (pid {found[1]})"


def _session(connection: Connection, number: int) -> tuple[str, int] | None:
    """Name and process of the session that has the lock."""
    found = connection.execute(
        sa.text(
            "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND l.classid::bigint = :high AND l.objid::bigint = :low"
        ),
        {"high": number >> 32 & 0xFFFFFFFF, "low": number & 0xFFFFFFFF},
    ).first()
    return None if found is None else (str(found[0]), int(found[1]))


def _number(where: Place) -> int:
    """The advisory lock of a ledger within its database."""
    return int.from_bytes(hashlib.sha256(f"segrules ledger {where.schema}".encode()).digest()[:8], signed=True)


def _taken(where: Place, owner: str | None) -> Conflict:
    return Conflict([Diagnostic("P906", NOWHERE, {"place": where.shown, "owner": owner or "?"}, Help("wait"))])
