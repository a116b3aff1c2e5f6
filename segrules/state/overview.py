"""What a ledger says of itself: how far it is, what is open, what every run did.

In: a ledger, or a connection of `snapshot`.  Out: plain values.  Always: all of one moment, but for the lock, which is
asked for at the same time; no person is in it; a contact is named by its key.

    overview(ledger).unknown      # contacts whose end somebody has to find out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state import audit
from segrules.state.ledger import Ledger, identity, owner, snapshot
from segrules.state.outbox import Batch, open_batches
from segrules.state.records import COUNTING, ContactState
from segrules.state.related import HIDDEN
from segrules.state.runs import Run, last, unfinished
from segrules.state.schema import audit as audit_table
from segrules.state.schema import changes, contacts, meta, names


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did. `cost`: of what was or may have been sent, in 1/10,000; `entered` and `left`: memberships that
    changed, in segments, lists and cases that earlier runs knew."""

    contacts: Mapping[ContactState, int] = field(default_factory=dict)
    cost: int = 0
    entered: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """A contact of which nobody knows whether it was sent."""

    key: str
    serial: int
    action: str
    channel: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """`broken`: the first entry of the audit that is not what was written, None if all are."""

    place: str
    lineage: str
    schema: int
    serial: int
    created_at: int
    owner: str | None
    last: Run | None
    unfinished: Run | None
    done: Done
    batches: tuple[Batch, ...]
    unknown: tuple[Unknown, ...]
    entries: int
    broken: int | None


def overview(ledger: Ledger) -> Overview:
    """The ledger as it is now; `done` is of the unfinished run."""
    with snapshot(ledger) as connection:
        who = identity(connection)
        waiting = unfinished(connection)
        return Overview(
            place=ledger.place,
            lineage=who.lineage,
            schema=who.schema,
            serial=who.serial,
            created_at=connection.scalar(sa.select(meta.c.created_at)) or 0,
            owner=owner(ledger),
            last=last(connection),
            unfinished=waiting,
            done=Done() if waiting is None else done(connection).get(waiting.serial, Done()),
            batches=() if waiting is None else tuple(open_batches(connection, waiting.serial)),
            unknown=unknown(connection),
            entries=connection.scalar(sa.select(sa.func.count()).select_from(audit_table)) or 0,
            broken=audit.verify(connection),
        )


def unknown(connection: Connection, serial: int | None = None) -> tuple[Unknown, ...]:
    """The contacts of a run, or of all, whose end is unknown."""
    wanted = sa.select(
        contacts.c.key, contacts.c.serial, contacts.c.action, contacts.c.channel, contacts.c.reason
    ).where(contacts.c.state == "unknown")
    if serial is not None:
        wanted = wanted.where(contacts.c.serial == serial)
    return tuple(Unknown(*row) for row in connection.execute(wanted.order_by(contacts.c.id)))


def reasons(connection: Connection, serial: int) -> dict[tuple[ContactState, str], int]:
    """Why contacts of a run were cancelled, rejected, or are unknown: how many by state and reason."""
    of_run = sa.and_(contacts.c.serial == serial, contacts.c.reason.is_not(None))
    by_reason = sa.select(contacts.c.state, contacts.c.reason, sa.func.count()).where(of_run)
    grouped = by_reason.group_by(contacts.c.state, contacts.c.reason).order_by(contacts.c.state, contacts.c.reason)
    return {(state, reason): number for state, reason, number in connection.execute(grouped)}


def done(connection: Connection) -> dict[int, Done]:
    """By serial, what each run did; one that did nothing is not in it."""
    counts: dict[int, dict[ContactState, int]] = {}
    costs: dict[int, int] = {}
    by_state = sa.select(
        contacts.c.serial, contacts.c.state, sa.func.count(), sa.func.coalesce(sa.func.sum(contacts.c.cost), 0)
    ).group_by(contacts.c.serial, contacts.c.state)
    for serial, state, number, cost in connection.execute(by_state):
        counts.setdefault(serial, {})[state] = number
        if state in COUNTING - {"held_out"}:
            costs[serial] = costs.get(serial, 0) + int(cost)
    moved: dict[int, list[int]] = {}
    shown = sa.select(names.c.id).where(names.c.name.not_like(f"{HIDDEN}%"))
    turns = (
        sa.select(changes.c.serial, changes.c.entered, sa.func.count())
        .where(changes.c.name.in_(shown))
        .group_by(changes.c.serial, changes.c.entered)
    )
    for serial, entered, number in connection.execute(turns):
        moved.setdefault(serial, [0, 0])[0 if entered else 1] = number
    return {
        serial: Done(counts.get(serial, {}), costs.get(serial, 0), *moved.get(serial, [0, 0]))
        for serial in sorted(counts.keys() | moved.keys())
    }
