"""The ledger: opened, made, read at one moment, written in one piece.

In: where it is (`state:` of an environment, the project's folder) and the seam of effects.  Out: connections of
SQLAlchemy Core.  Always: a ledger is made only by `created`; what is read inside `snapshot` is of one moment; what is
written inside `transaction` is written whole or not at all, and only by who has the newest epoch; every commit, sync
and rename passes the seam, under the names below, so that a test can stop the world at each.

    with locked(ledger, "zhang@web1, apply 7c1e") as epoch, transaction(ledger, "accept", epoch) as connection:
        connection.execute(…)

Names at the seam: ``init.write init.rename init.commit`` (a new ledger) · ``lock.commit`` (the epoch) ·
``accept.commit`` · ``outbox.prepare.commit outbox.deliver.commit outbox.send.commit outbox.settle.commit
outbox.close.commit outbox.reopen.commit outbox.cancel.commit outbox.abandon.commit outbox.finish.commit`` ·
``backup.write backup.rename backup.commit`` (a copy; before an upgrade ``upgrade.backup.…``) · ``upgrade.commit`` ·
``lockfile.write lockfile.rename`` (segrules.lock).
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help
from segrules.effects import Effect, directly
from segrules.errors import Conflict
from segrules.source import NOWHERE
from segrules.state import audit
from segrules.state.lock import held
from segrules.state.lock import owner_of as _owner_of
from segrules.state.place import Place, engine, place
from segrules.state.records import Identity
from segrules.state.schema import METADATA, SCHEMA, meta
from segrules.state.trouble import no_ledger, refused, troubles

Reading: TypeAlias = Connection
"""What `snapshot` gives, for those above who hand it on."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger. `place` is what may be shown of where it is, `file` that of SQLite."""

    engine: Engine = field(repr=False)
    where: Place
    effect: Effect = field(default=directly, repr=False)

    @property
    def place(self) -> str:
        return self.where.shown

    @property
    def file(self) -> Path | None:
        return self.where.file


def opened(state: str, folder: Path, effect: Effect = directly, *, any_schema: bool = False) -> Ledger:
    """The ledger at *state*. Raises `Conflict` where there is none, where there is something else, and for a newer
    schema, or an older one unless *any_schema*; `Unreachable`."""
    where = place(state, folder)
    try:
        missing = where.file is not None and not where.file.exists()
    except OSError as error:
        raise refused(where, error) from None
    if missing:
        raise _missing(where)
    ledger = Ledger(engine(where), where, effect)
    with troubles(where), ledger.engine.connect() as connection:
        if where.url is not None and not _has_tables(connection, where):
            raise _missing(where)
        found = schema_of(connection, where)
    arguments: dict[str, Argument] = {"place": where.shown, "found": found, "known": SCHEMA}
    if found > SCHEMA:
        raise Conflict([Diagnostic("P903", NOWHERE, arguments, Help("update"))])
    if found < SCHEMA and not any_schema:
        raise Conflict([Diagnostic("P904", NOWHERE, arguments, Help("upgrade"))])
    return ledger


def created(state: str, folder: Path, effect: Effect = directly) -> Identity:
    """Make a new ledger, of a new lineage. Raises `Conflict` where there is one or something else; `Unreachable`."""
    where = place(state, folder)
    if where.file is None:
        return _created_in_database(where, effect)
    try:
        where.file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(where, error) from None
    with held(where, engine(where), f"pid {os.getpid()}, state init"):
        return _created_as_file(where, where.file, effect)


def identity(connection: Connection) -> Identity:
    """Which ledger *connection* leads to, and how far it is."""
    row = connection.execute(sa.select(meta.c.lineage, meta.c.serial, meta.c.epoch, meta.c.schema, meta.c.pepper)).one()
    return Identity(row.lineage, row.serial, row.epoch, row.schema, bytes(row.pepper))


@contextmanager
def snapshot(ledger: Ledger) -> Iterator[Connection]:
    """A connection that sees the ledger as it is now, until the end of the block, and writes nothing."""
    with troubles(ledger.where), ledger.engine.connect() as connection:
        if ledger.file is None:
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            connection.exec_driver_sql("PRAGMA query_only=ON")
            connection.exec_driver_sql("BEGIN")
        connection.execute(sa.select(meta.c.serial)).one()
        yield connection
        connection.rollback()


@contextmanager
def transaction(ledger: Ledger, name: str, epoch: int | None = None) -> Iterator[Connection]:
    """A connection whose work is committed at the end of the block, under *name*, and taken back if the block raises.
    Writers wait for each other. Raises `Conflict` if *epoch* is no longer that of the ledger; `Unreachable`."""
    with troubles(ledger.where), ledger.engine.connect() as connection:
        if ledger.file is not None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        found = connection.scalar(sa.select(meta.c.epoch).with_for_update())
        if epoch is not None and found != epoch:
            raise _taken_over(ledger)
        yield connection
        try:
            ledger.effect(f"{name}.commit", connection.commit)
        except OSError as error:
            raise refused(ledger.where, error) from None


@contextmanager
def locked(ledger: Ledger, owner: str) -> Iterator[int]:
    """Nobody else applies while in the block; the epoch that its transactions carry. Raises `Conflict`, with the name
    of who does."""
    with held(ledger.where, ledger.engine, owner):
        with transaction(ledger, "lock") as connection:
            epoch = connection.scalar(sa.update(meta).values(epoch=meta.c.epoch + 1).returning(meta.c.epoch))
        assert epoch is not None
        yield epoch


def fenced(ledger: Ledger, epoch: int) -> None:
    """To be asked just before an effect outside the ledger. Raises `Conflict` if *epoch* is no longer the ledger's."""
    with snapshot(ledger) as connection:
        if identity(connection).epoch != epoch:
            raise _taken_over(ledger)


def owner(ledger: Ledger) -> str | None:
    """Who has the ledger locked, None if nobody."""
    return _owner_of(ledger.where, ledger.engine)


def now() -> int:
    """Microseconds UTC of the wall clock: when something was recorded, never what is decided by."""
    return time.time_ns() // 1000


def schema_of(connection: Connection, where: Place) -> int:
    """The schema of what is there. Raises `Conflict` for something else."""
    found = connection.scalar(sa.select(meta.c.schema).where(meta.c.lineage != ""))
    if not isinstance(found, int):
        raise no_ledger(where)
    return found


def synced(folder: Path) -> None:
    """Make what was renamed in *folder* last."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _created_as_file(where: Place, file: Path, effect: Effect) -> Identity:
    if file.exists():
        raise _occupied(where)
    part = file.with_name(f"{file.name}.new")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise refused(where, error) from None
    new = engine(Place(where.shown, part))
    with troubles(where), new.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        made = _filled(connection)
        _through(where, effect, "init.write", connection.commit)
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    _through(where, effect, "init.rename", partial(_renamed, part, file))
    return made


def _renamed(part: Path, file: Path) -> None:
    part.rename(file)
    synced(file.parent)


def _created_in_database(where: Place, effect: Effect) -> Identity:
    with troubles(where), engine(where).connect() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"segrules init {where.schema}"))))
        if _has_tables(connection, where):
            raise _occupied(where)
        connection.execute(sa.schema.CreateSchema(where.schema, if_not_exists=True))
        made = _filled(connection)
        _through(where, effect, "init.commit", connection.commit)
    return made


def _filled(connection: Connection) -> Identity:
    METADATA.create_all(connection, checkfirst=False)
    made = Identity(secrets.token_hex(16), 0, 0, SCHEMA, secrets.token_bytes(32))
    connection.execute(
        sa.insert(meta).values(
            id=1, lineage=made.lineage, serial=0, epoch=0, schema=SCHEMA, pepper=made.pepper, created_at=now()
        )
    )
    audit.add(connection, now(), "init", {"lineage": made.lineage, "schema": SCHEMA})
    return made


def _through(where: Place, effect: Effect, name: str, do: Callable[[], None]) -> None:
    try:
        effect(name, do)
    except OSError as error:
        raise refused(where, error) from None


def _has_tables(connection: Connection, where: Place) -> bool:
    counted = connection.scalar(
        sa.text("SELECT count(*) FROM information_schema.tables WHERE table_schema = :schema"), {"schema": where.schema}
    )
    return bool(counted)


def _missing(where: Place) -> Conflict:
    return Conflict([Diagnostic("P901", NOWHERE, {"place": where.shown}, Help("init"))])


def _occupied(where: Place) -> Conflict:
    """There is a ledger, or something else."""
    with troubles(where), engine(where).connect() as connection:
        schema_of(connection, where)
    return Conflict([Diagnostic("P905", NOWHERE, {"place": where.shown}, Help("other"))])


def _taken_over(ledger: Ledger) -> Conflict:
    return Conflict([Diagnostic("P907", NOWHERE, {"place": ledger.place}, Help("status"))])
