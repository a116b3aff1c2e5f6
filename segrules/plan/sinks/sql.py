"""A database: a batch as rows of a table, in one transaction.

In: rows of one batch.  Out: rows of the sink's table, and the batch's id in `segrules_deliveries`.  Always: the id is
written first, in the same transaction as the rows, and is the primary key there: a batch that was committed, even if
nobody was told, cannot be committed again.  Both tables are there before anything is accepted: `batch_id` in
both, in the sink's table also `not_before` and a column for each value of a contact (`key`, `customer`, …).

    SqlSink.of("crm", {"url": "${CRM_URL}", "table": "outbox"}, project, effect)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from segrules.effects import Effect
from segrules.errors import Refused, SegrulesError, Unreachable
from segrules.plan.sinks.protocol import NOT_BEFORE, Outgoing, Row, columns, text, trouble
from segrules.plan.sinks.settings import fill, written

DELIVERIES = "segrules_deliveries"
BATCH = "batch_id"
_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class SqlSink:
    """A table, `schema.table` or `table`, of a database."""

    name: str
    url: URL = field(repr=False)
    table: str
    effect: Effect = field(repr=False)

    @staticmethod
    def of(name: str, settings: Mapping[str, object], folder: Path, effect: Effect) -> SqlSink:
        """The path of an SQLite file is relative to the project's *folder*."""
        return SqlSink(
            name, _url(name, written(name, settings, "url"), folder), written(name, settings, "table"), effect
        )

    def check(self, batches: Sequence[Outgoing]) -> None:
        with self._connected() as connection:
            table, inspector = self._table(connection), sa.inspect(connection)
            try:
                key = inspector.get_pk_constraint(DELIVERIES, table.schema)["constrained_columns"]
            except NoSuchTableError:
                key = []
        if key != [BATCH]:
            raise trouble("P962", Refused, self.name, table=DELIVERIES)
        self._must_have(table, dict.fromkeys(name for batch in batches for name in batch.columns))

    def prepare(self, batch: Outgoing, rows: Sequence[Row]) -> str:
        return self.fingerprint(batch, rows)

    def fingerprint(self, batch: Outgoing, rows: Sequence[Row]) -> str:
        found = hashlib.sha256()
        for row in rows:
            for part in (row.key.encode(), row.body, str(row.not_before).encode()):
                found.update(len(part).to_bytes(8, "big") + part)
        return found.hexdigest()

    def published(self, batch: Outgoing, sha256: str) -> bool:
        known = self._deliveries.select().where(sa.column(BATCH) == batch.id)
        with self._connected() as connection:
            return connection.execute(known).first() is not None

    def publish(self, batch: Outgoing, rows: Sequence[Row], sha256: str) -> None:
        """One transaction; where its end is not known it is asked for, and done again if it did not happen."""
        try:
            self.effect("sql.commit", partial(self._insert, batch, rows))
        except (Unreachable, OSError):
            if not self.published(batch, sha256):
                self._again(batch, rows)

    def _again(self, batch: Outgoing, rows: Sequence[Row]) -> None:
        try:
            self.effect("sql.commit", partial(self._insert, batch, rows))
        except OSError as error:
            raise self._away(error) from None

    def withdraw(self, batch: Outgoing) -> None:
        """Nothing is there before the transaction."""

    def _insert(self, batch: Outgoing, rows: Sequence[Row]) -> None:
        with self._connected() as connection:
            table = self._table(connection)
            try:
                connection.execute(sa.insert(self._deliveries), {BATCH: batch.id})
            except IntegrityError:
                connection.rollback()
                return
            for first in range(0, len(rows), _AT_ONCE):
                some = rows[first : first + _AT_ONCE]
                values = columns(some) | {BATCH: [batch.id] * len(some)}
                self._must_have(table, dict.fromkeys(values))
                typed = {
                    name: [_typed(each, table.columns[name].type) for each in cells] for name, cells in values.items()
                }
                connection.execute(
                    sa.insert(table),
                    [dict(zip(typed, each, strict=True)) for each in zip(*typed.values(), strict=True)],
                )
            connection.commit()

    def _must_have(self, table: sa.TableClause, names: Mapping[str, None]) -> None:
        absent = [name for name in {BATCH: None, NOT_BEFORE: None, **names} if name not in table.columns]
        if absent:
            raise trouble("P961", Refused, self.name, table=self.table, columns=", ".join(absent))

    @property
    def _deliveries(self) -> sa.TableClause:
        schema, _, _ = self.table.rpartition(".")
        return sa.table(DELIVERIES, sa.column(BATCH), schema=schema or None)

    def _table(self, connection: Connection) -> sa.TableClause:
        """The sink's table, as it is there."""
        schema, _, name = self.table.rpartition(".")
        try:
            found = sa.inspect(connection).get_columns(name, schema or None)
        except NoSuchTableError:
            raise trouble("P960", Refused, self.name, table=self.table) from None
        return sa.table(name, *(sa.column(each["name"], each["type"]) for each in found), schema=schema or None)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            engine = sa.create_engine(self.url, poolclass=NullPool)
            with engine.connect() as connection:
                yield connection
        except SegrulesError:
            raise
        except (SQLAlchemyError, ImportError, OSError, ValueError, TypeError) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> SegrulesError:
        """What kind of trouble it was: the database's own words could hold values of rows."""
        found = getattr(error, "orig", None) or error
        return trouble("P963", Unreachable, self.name, database=_shown(self.url), reason=type(found).__name__)


def _typed(value: Any, kind: TypeEngine[Any]) -> Any:
    """An instant for a column of instants, a number for one of numbers, a text for the others."""
    match value, kind:
        case None, _:
            return None
        case str(), sa.DateTime(timezone=zoned):
            instant = datetime.fromisoformat(value)
            return instant if zoned else instant.astimezone(UTC).replace(tzinfo=None)
        case str(), sa.Date():
            return date.fromisoformat(value)
        case _, sa.Numeric() | sa.Integer() | sa.Boolean():
            return value
        case _:
            return text(value)


def _url(sink: str, template: str, folder: Path) -> URL:
    """The URL with its variables; before `@` their characters need no escaping."""
    head, at, rest = template.rpartition("@")
    without_login = head.partition("://")[2]
    if ":" in without_login and "${" not in without_login.partition(":")[2]:
        raise trouble("P974", Refused, sink)
    try:
        url = make_url(fill(sink, head, quoted=True) + at + fill(sink, rest) if at else fill(sink, template))
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise trouble("P964", Refused, sink) from None
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":", "file:")):
        return url.set(database=str(folder / url.database))
    return url


def _shown(url: URL) -> str:
    database = Path(url.database or "").name
    return f"{url.get_backend_name()}://{url.host or ''}/{database}"
