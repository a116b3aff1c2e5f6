"""The tables of the ledger, as both databases have them.

In: nothing.  Out: SQLAlchemy `Table`s.  Always: instants are microseconds UTC, days are days since 1970-01-01, money
and measures are in 1/10,000, flags are 0 or 1; texts sort by code point (on PostgreSQL by COLLATE "C"); only
`customers` and `outbox` hold anything of a customer, all the rest numbers, hashes and what the rules say; ordinals of
customers are 0, 1, 2 … without gaps and are never given away again.

`snapshots` has who was in a name (a segment, list, case or ``action:ID``) after a run, stored where that changed:
`bits` is zlib of one bit per ordinal, low bit first; `stays`, kept for the earliest and the latest of a name only, zlib
of the serial (little-endian int32) with which each member's stay began, NULL where all began with this run.  Of runs
that were pruned away only the cause is left.  `changes` has who entered or left with a run after the first snapshot of
the name.

    sa.select(runs.c.plan_id).order_by(runs.c.serial)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, SmallInteger, Table
from sqlalchemy.sql.expression import TextClause

from segrules.state.records import CAUSES, CONTACT_STATES, OUTCOMES, BatchState, RunState

SCHEMA = 1
"""Number of the newest migration; a ledger of a newer schema is refused, one of an older is migrated when asked."""

METADATA = sa.MetaData()
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = BigInteger().with_variant(Integer(), "sqlite")
LIVE: TextClause = sa.text("state <> 'cancelled'")
"""The condition of the unique index on contact keys, word for word, so that either database uses it."""


def _text(name: str, *, missing: bool = False) -> Column[str]:
    return Column(name, _TEXT, nullable=missing)


def _integer(name: str, *, missing: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=missing)


def _flag(name: str, *, missing: bool = False) -> Column[int]:
    return Column(name, SmallInteger, nullable=missing)


def _one_of(name: str, values: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{name} IN ({', '.join(repr(value) for value in values)})", name=f"known_{name}")


meta = Table(
    "meta",
    METADATA,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    _text("lineage"),
    _integer("serial"),
    _integer("epoch"),
    Column("schema", Integer, nullable=False),
    Column("pepper", LargeBinary, nullable=False),
    _integer("created_at"),
)

runs = Table(
    "runs",
    METADATA,
    Column("serial", _ID, primary_key=True, autoincrement=False),
    Column("plan_id", _TEXT, nullable=False, unique=True),
    _text("state"),
    _integer("as_of"),
    _integer("planned_at"),
    _integer("applied_at"),
    _integer("finished_at", missing=True),
    _text("model"),
    _text("version"),
    _text("git_commit", missing=True),
    _flag("git_clean", missing=True),
    _text("environment"),
    _text("author"),
    _flag("with_actions"),
    _integer("customers"),
    _integer("contacts"),
    _text("report"),
    _one_of("state", get_args(RunState)),
)

customers = Table(
    "customers",
    METADATA,
    Column("ordinal", _ID, primary_key=True, autoincrement=False),
    Column("key", _TEXT, nullable=False, unique=True),
)

names = Table(
    "names",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("name", _TEXT, nullable=False, unique=True),
    _text("fingerprint"),
    _integer("latest"),
)

snapshots = Table(
    "snapshots",
    METADATA,
    Column("name", BigInteger, primary_key=True, autoincrement=False),
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    _text("cause"),
    _integer("members"),
    Column("bits", LargeBinary, nullable=True),
    Column("stays", LargeBinary),
    _one_of("cause", CAUSES),
)

changes = Table(
    "changes",
    METADATA,
    Column("name", BigInteger, primary_key=True, autoincrement=False),
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    _flag("entered"),
    sqlite_with_rowid=False,
)

batches = Table(
    "batches",
    METADATA,
    Column("id", _TEXT, primary_key=True),
    _integer("serial"),
    _integer("place"),
    _text("action"),
    _text("channel"),
    _text("sink"),
    _text("kind"),
    _text("name"),
    _text("settings"),
    _text("state"),
    _text("sha256", missing=True),
    _one_of("state", get_args(BatchState)),
    Index("batches_of_run", "serial", "place"),
)

contacts = Table(
    "contacts",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=False),
    _text("key"),
    _integer("serial"),
    _integer("customer"),
    _text("action"),
    _integer("n"),
    _text("state"),
    _integer("at"),
    _text("channel"),
    _text("contact_class"),
    _text("variant", missing=True),
    _integer("cost"),
    _text("batch", missing=True),
    _text("address", missing=True),
    _text("payload", missing=True),
    _text("assignee", missing=True),
    _text("per", missing=True),
    _flag("task"),
    _integer("due", missing=True),
    _integer("award", missing=True),
    _text("reason", missing=True),
    _integer("attempt"),
    _text("body_hash", missing=True),
    _one_of("state", CONTACT_STATES),
)
Index("contacts_by_key", contacts.c.key, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
Index("contacts_of_run", contacts.c.serial)
Index("contacts_of_customer", contacts.c.customer)
Index("contacts_of_batch", contacts.c.batch)

outbox = Table(
    "outbox",
    METADATA,
    Column("contact", _ID, primary_key=True, autoincrement=False),
    _text("batch"),
    Column("body", LargeBinary, nullable=False),
    _integer("not_before", missing=True),
    _text("zone", missing=True),
    Index("outbox_of_batch", "batch"),
)

points = Table(
    "points",
    METADATA,
    Column("id", _ID, primary_key=True),
    _integer("customer"),
    _integer("at"),
    _text("reason"),
    _integer("amount"),
    _integer("expires_at", missing=True),
    _text("source"),
    _text("source_row"),
    sa.UniqueConstraint("source", "source_row", name="points_once"),
    Index("points_of_customer", "customer"),
)

outcomes = Table(
    "outcomes",
    METADATA,
    Column("id", _ID, primary_key=True),
    _integer("contact"),
    _text("kind"),
    _integer("at"),
    _integer("value", missing=True),
    _one_of("kind", OUTCOMES),
    sa.UniqueConstraint("contact", "kind", "at", name="outcomes_once"),
)

forgotten = Table("forgotten", METADATA, Column("mark", _TEXT, primary_key=True), _integer("at"))

audit = Table(
    "audit",
    METADATA,
    Column("seq", _ID, primary_key=True, autoincrement=False),
    _integer("at"),
    _text("what"),
    _text("detail"),
    _text("previous"),
    _text("digest"),
)
