"""Stays: who was in what, from which run to which.

In: a connection.  Out: `Stays` of each recorded name, made of its first snapshot and its changes.  Always: half-open
[entered, left) by serial; the stays of one customer in one name do not overlap and stand in order; `left` 0 is open.

    for name, found in stays(connection):
        found.ordinal, found.entered, found.left
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state import bulk
from segrules.state.bits import packed_stays, unpacked, unpacked_stays
from segrules.state.records import Ints
from segrules.state.schema import changes, customers, names, snapshots

_CHANGES = pa.schema([("ordinal", pa.int64()), ("serial", pa.int64()), ("entered", pa.int64())])


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Arrays of one length, by customer and serial; `entered` and `left` are serials."""

    ordinal: Ints
    entered: Ints
    left: Ints


def stays(connection: Connection) -> Iterator[tuple[str, Stays]]:
    """Every recorded name with all its stays that the ledger still has, in the order in which the names came."""
    count = connection.scalar(sa.select(sa.func.count()).select_from(customers)) or 0
    for row in connection.execute(sa.select(names.c.id, names.c.name).order_by(names.c.id)).all():
        yield row.name, stays_of(connection, row.id, count)


def stays_of(connection: Connection, name: int, count: int) -> Stays:
    """The stays of one name, by its id; *count* customers are in the dictionary."""
    first = connection.execute(
        sa.select(snapshots.c.serial, snapshots.c.bits, snapshots.c.stays)
        .where(snapshots.c.name == name, snapshots.c.bits.is_not(None))
        .order_by(snapshots.c.serial)
        .limit(1)
    ).one()
    begun = np.flatnonzero(unpacked(first.bits, count))
    since = np.full(len(begun), first.serial) if first.stays is None else unpacked_stays(first.stays)
    since = since.astype(np.int64)
    statement = sa.select(changes.c.ordinal, changes.c.serial, changes.c.entered)
    later = bulk.read(connection, statement.where(changes.c.name == name), _CHANGES)
    ordinal = np.concatenate([begun, later.column("ordinal").to_numpy()])
    serial = np.concatenate([since, later.column("serial").to_numpy()])
    enters = np.concatenate([np.ones(len(begun), np.bool_), later.column("entered").to_numpy() == 1])
    order = np.lexsort((serial, ordinal))
    ordinal, serial, enters = ordinal[order], serial[order], enters[order]
    left = np.zeros(len(serial), np.int64)
    same = ordinal[1:] == ordinal[:-1]
    left[:-1][same] = serial[1:][same]
    return Stays(ordinal[enters], serial[enters], left[enters])


def stays_of_customer(connection: Connection, ordinal: int) -> list[tuple[str, int, int]]:
    """The stays of one customer as (name, entered, left), by name in the order in which the names came."""
    base = (
        sa.select(snapshots.c.name, sa.func.min(snapshots.c.serial).label("serial"))
        .where(snapshots.c.bits.is_not(None))
        .group_by(snapshots.c.name)
        .subquery()
    )
    first = (
        sa.select(names.c.id, names.c.name, snapshots.c.serial, snapshots.c.bits, snapshots.c.stays)
        .join_from(snapshots, base, sa.and_(snapshots.c.name == base.c.name, snapshots.c.serial == base.c.serial))
        .join(names, names.c.id == snapshots.c.name)
        .order_by(names.c.id)
    )
    this = sa.and_(changes.c.name == snapshots.c.name, changes.c.serial == snapshots.c.serial)
    later = (
        sa.select(changes.c.name, changes.c.serial)
        .join_from(snapshots, changes, sa.and_(this, changes.c.ordinal == ordinal))
        .order_by(changes.c.name, changes.c.serial)
    )
    turns: dict[int, list[int]] = {}
    for name, serial in connection.execute(later):
        turns.setdefault(name, []).append(serial)
    found = []
    for row in connection.execute(first):
        inside = unpacked(row.bits, ordinal + 1)
        serials = turns.get(row.id, [])
        if inside[ordinal]:
            begun = row.serial if row.stays is None else int(unpacked_stays(row.stays)[inside[:ordinal].sum()])
            serials = [begun, *serials]
        ends = [*serials[1::2], *[0] * (len(serials) % 2)]
        found += [(row.name, entered, left) for entered, left in zip(serials[::2], ends, strict=True)]
    return found


def forget_stays_before(connection: Connection, serial: int) -> int:
    """Drop what ended before a run; how many change rows went. Stays that reach into it keep their beginning."""
    count = connection.scalar(sa.select(sa.func.count()).select_from(customers)) or 0
    gone = 0
    for name in connection.scalars(sa.select(names.c.id).order_by(names.c.id)).all():
        of_name = snapshots.c.name == name
        stored = sa.and_(of_name, snapshots.c.serial <= serial, snapshots.c.bits.is_not(None))
        base = connection.scalar(sa.select(sa.func.max(snapshots.c.serial)).where(stored))
        if base is None:
            continue
        found = stays_of(connection, name, count)
        inside = (found.entered <= base) & ((found.left == 0) | (found.left > base))
        begun = packed_stays(found.entered[inside])
        connection.execute(sa.update(snapshots).where(of_name, snapshots.c.serial == base).values(stays=begun))
        older = sa.update(snapshots).where(of_name, snapshots.c.serial < base)
        connection.execute(older.values(bits=None, stays=None))
        dropped = sa.delete(changes).where(changes.c.name == name, changes.c.serial <= base)
        gone += connection.execute(dropped).rowcount
    return gone
