"""A run is accepted: from now on everything it asks for is owed, and counted.

In: a plan's run, contacts, payloads, batches, points and members.  Out: its serial.  Always: one transaction under the
epoch of the lock, so before its commit nothing happened and after it the run is there, unfinished, with all that caps,
repeats and budgets count; a plan is accepted once; one who was forgotten is not recorded again.

The points of `NewContact.award` are booked here, as (``award``, contact key); they are taken back where the contact is
cancelled or rejected (`outbox`).

    serial = accept(ledger, epoch, run, contacts, payloads, batches, points, members)
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import Conflict
from segrules.source import NOWHERE
from segrules.state import audit, bulk
from segrules.state.bits import packed, packed_stays, unpacked, unpacked_stays
from segrules.state.customers import are_forgotten, dictionary, ordinals
from segrules.state.ledger import Ledger, identity, now, transaction
from segrules.state.names import VANISHED, Recorded, recorded, resolved
from segrules.state.records import (
    Bools,
    Cause,
    Identity,
    Ints,
    MemberChange,
    Members,
    NewBatch,
    NewContact,
    NewPoints,
    NewRun,
    Payload,
)  # fmt: skip
from segrules.state.schema import batches as batch_table
from segrules.state.schema import changes, customers, meta, names, outbox, points, runs, snapshots
from segrules.state.schema import contacts as contact_table
from segrules.state.trouble import is_duplicate

AWARD = "award"
"""`points.source` of what a contact awards; `source_row` is the contact's key."""


def accept(
    ledger: Ledger, epoch: int, run: NewRun, contacts: Sequence[NewContact], payloads: Iterable[Payload],
    new_batches: Sequence[NewBatch], new_points: Sequence[NewPoints], members: Members,
) -> int:  # fmt: skip
    """The serial of the run. Raises `Conflict` for a plan that is in the ledger already, for a contact that is, for one
    who was forgotten since, and for an *epoch* that is over; `Unreachable`: then nothing was accepted, unless the
    connection was lost in the commit."""
    with transaction(ledger, "accept", epoch) as connection:
        at = now()
        who = identity(connection)
        serial = who.serial + 1
        there = connection.scalar(sa.select(runs.c.serial).where(runs.c.plan_id == run.plan_id))
        if there is not None:
            arguments = {"plan": run.plan_id[:16], "serial": there}
            raise Conflict([Diagnostic("P914", NOWHERE, arguments, Help("status"))])
        numbers = _Numbers.of(connection, who, members.keys, [*contacts, *new_points])
        if any(numbers.named[contact.customer] < 0 for contact in contacts):
            raise Conflict([Diagnostic("P918", NOWHERE, {}, Help("plan"))])
        recorded_members = _members(connection, serial, members, numbers)
        _run(connection, serial, at, run, len(members.keys), len(contacts))
        try:
            first = _contacts(connection, serial, run.planned_at, contacts, numbers)
        except Exception as error:
            if is_duplicate(error):
                raise Conflict([Diagnostic("P915", NOWHERE, {}, Help("plan"))]) from None
            raise
        _batches(connection, serial, new_batches)
        _outbox(connection, first, contacts, payloads)
        _points(connection, run.planned_at, contacts, new_points, numbers)
        connection.execute(sa.update(meta).values(serial=serial))
        states = Counter(contact.state for contact in contacts)
        keys = hashlib.sha256("\n".join(sorted(contact.key for contact in contacts)).encode()).hexdigest()
        audit.add(
            connection, at, "accept",
            {
                "serial": serial, "plan_id": run.plan_id, "as_of": run.as_of, "model": run.model,
                "customers": len(members.keys), "contacts": dict(sorted(states.items())), "contact_keys": keys,
                "batches": len(new_batches), **recorded_members,
            },
        )  # fmt: skip
    return serial


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Ordinals: of the run's customers by row (-1: forgotten), of all who are named beside them by key, `total` of all
    that there are."""

    rows: Ints
    total: int
    named: Mapping[str, int] = field(repr=False)

    @classmethod
    def of(
        cls, connection: Connection, who: Identity, keys: Sequence[str], named: Sequence[NewContact | NewPoints]
    ) -> _Numbers:
        """Looks everybody up and gives new ones their number, in the order of *keys*."""
        known = dictionary(connection)
        rows = ordinals(known, keys)
        new = np.flatnonzero((rows < 0) & ~are_forgotten(connection, who.pepper, keys, rows))
        total = len(known) + len(new)
        rows[new] = np.arange(len(known), total)
        bulk.insert(
            connection, customers, {"ordinal": range(len(known), total), "key": [keys[at] for at in new.tolist()]}
        )
        if not named:
            return cls(rows, total, {})
        wanted = {each.customer for each in named}
        by_key = {key: at for key, at in zip(keys, rows.tolist(), strict=True) if key in wanted and at >= 0}
        others = sorted(wanted - by_key.keys())
        places = ordinals(known, others)
        unknown = np.flatnonzero((places < 0) & ~are_forgotten(connection, who.pepper, others, places))
        places[unknown] = np.arange(total, total + len(unknown))
        more = {"ordinal": range(total, total + len(unknown)), "key": [others[at] for at in unknown.tolist()]}
        bulk.insert(connection, customers, more)
        by_key.update(zip(others, places.tolist(), strict=True))
        return cls(rows, total + len(unknown), by_key)


def _run(connection: Connection, serial: int, at: int, run: NewRun, people: int, contacts: int) -> None:
    connection.execute(
        sa.insert(runs).values(
            serial=serial, plan_id=run.plan_id, state="unfinished", as_of=run.as_of, planned_at=run.planned_at,
            applied_at=at, model=run.model, version=run.version, git_commit=run.commit,
            git_clean=None if run.clean is None else int(run.clean), environment=run.environment, author=run.author,
            with_actions=int(run.with_actions), customers=people, contacts=contacts, report=run.report,
        )
    )  # fmt: skip


def _contacts(connection: Connection, serial: int, at: int, contacts: Sequence[NewContact], numbers: _Numbers) -> int:
    """The id of the first; the others follow in order."""
    first = 1 + (connection.scalar(sa.select(sa.func.max(contact_table.c.id))) or 0)
    same = (
        "key", "action", "n", "state", "channel", "contact_class", "variant", "cost", "batch", "address", "payload",
        "assignee", "per", "due", "award", "reason",
    )  # fmt: skip
    bulk.insert(
        connection,
        contact_table,
        {
            "id": range(first, first + len(contacts)),
            "serial": [serial] * len(contacts),
            "at": [at] * len(contacts),
            "customer": [numbers.named[each.customer] for each in contacts],
            "task": [int(each.task) for each in contacts],
            "attempt": [0] * len(contacts),
            **{name: [getattr(each, name) for each in contacts] for name in same},
        },
    )
    return first


def _batches(connection: Connection, serial: int, new: Sequence[NewBatch]) -> None:
    bulk.insert(
        connection,
        batch_table,
        {
            "serial": [serial] * len(new),
            "place": range(len(new)),
            "state": ["pending"] * len(new),
            "settings": [json.dumps(dict(each.settings), ensure_ascii=False, sort_keys=True) for each in new],
            **{
                name: [getattr(each, name) for each in new]
                for name in ("id", "action", "channel", "sink", "kind", "name")
            },
        },
    )


def _outbox(connection: Connection, first: int, contacts: Sequence[NewContact], payloads: Iterable[Payload]) -> None:
    ids = {each.key: first + at for at, each in enumerate(contacts) if each.state == "reserved"}
    owed = list(payloads)
    bulk.insert(
        connection,
        outbox,
        {
            "contact": [ids[each.key] for each in owed],
            **{name: [getattr(each, name) for each in owed] for name in ("batch", "body", "not_before", "zone")},
        },
    )


def _points(
    connection: Connection, at: int, contacts: Sequence[NewContact], new: Sequence[NewPoints], numbers: _Numbers
) -> None:
    """Each source row once, ever: one that is there already is left as it is."""
    rows = [
        {
            "customer": numbers.named[each.customer], "at": each.at, "reason": each.reason, "amount": each.amount,
            "expires_at": each.expires_at, "source": each.source, "source_row": each.row,
        }
        for each in new
        if numbers.named[each.customer] >= 0
    ]  # fmt: skip
    rows += [
        {
            "customer": numbers.named[each.customer], "at": at, "reason": each.action, "amount": each.award,
            "expires_at": None, "source": AWARD, "source_row": each.key,
        }
        for each in contacts
        if each.award is not None and each.state == "reserved"
    ]  # fmt: skip
    bulk.insert_once(connection, points, rows, ("source", "source_row"))


def _members(connection: Connection, serial: int, members: Members, numbers: _Numbers) -> dict[str, int]:
    """Stores who is in what where that differs from before; how many entered and left, for the audit."""
    known = recorded(connection)
    going_on = resolved(known, [(each.name, each.previously) for each in members.names])
    here = numbers.rows >= 0
    where = numbers.rows[here]
    every = bool(here.all())
    free = 1 + max((each.id for each in known.values()), default=0)
    counts = {"entered": 0, "left": 0}
    _renamed(connection, going_on)
    for each in members.names:
        now_in = np.zeros(numbers.total, np.bool_)
        now_in[where] = each.members if every else each.members[here]
        if each.name in going_on:
            entered, left = _changed(connection, serial, going_on[each.name], each.fingerprint, now_in)
            counts = {"entered": counts["entered"] + entered, "left": counts["left"] + left}
        else:
            _begun(connection, serial, free, each, now_in)
            free += 1
    today = {each.id for each in going_on.values()}
    for gone in known.values():
        if gone.id not in today and gone.fingerprint != VANISHED:
            _, left = _changed(connection, serial, gone, VANISHED, np.zeros(numbers.total, np.bool_))
            counts["left"] += left
    return counts


def _renamed(connection: Connection, going_on: Mapping[str, Recorded]) -> None:
    """Renames may be a chain or take a name that is in use: by way of names that nobody can have."""
    new = {each.id: name for name, each in going_on.items() if each.name != name}
    for number in new:
        connection.execute(sa.update(names).where(names.c.id == number).values(name=f"\n{number}"))
    for number, name in new.items():
        connection.execute(sa.update(names).where(names.c.id == number).values(name=name))


def _begun(connection: Connection, serial: int, number: int, new: MemberChange, now_in: Bools) -> None:
    """A name that the ledger never saw."""
    connection.execute(sa.insert(names).values(id=number, name=new.name, fingerprint=new.fingerprint, latest=serial))
    _stored(connection, number, serial, "baseline", now_in, None)


def _changed(connection: Connection, serial: int, old: Recorded, fingerprint: str, now_in: Bools) -> tuple[int, int]:
    """A name that goes on, or vanishes: how many entered and left."""
    this = names.c.id == old.id
    if fingerprint != old.fingerprint:
        connection.execute(sa.update(names).where(this).values(fingerprint=fingerprint))
    was_in = unpacked(old.bits, len(now_in))
    different = np.flatnonzero(was_in != now_in)
    if not len(different):
        return 0, 0
    stays = np.zeros(len(now_in), np.int64)
    stays[was_in] = old.latest if old.stays is None else unpacked_stays(old.stays)
    entered = now_in[different]
    stays[different[entered]] = serial
    cause: Cause = "data" if fingerprint == old.fingerprint else "rule"
    _stored(connection, old.id, serial, cause, now_in, packed_stays(stays[now_in]))
    of_name = snapshots.c.name == old.id
    base = sa.select(sa.func.min(snapshots.c.serial)).where(of_name, snapshots.c.bits.is_not(None)).scalar_subquery()
    later = sa.and_(snapshots.c.serial == old.latest, snapshots.c.serial != base)
    connection.execute(sa.update(snapshots).where(of_name, later).values(stays=None))
    connection.execute(sa.update(names).where(this).values(latest=serial))
    bulk.insert(
        connection,
        changes,
        {
            "name": [old.id] * len(different),
            "serial": [serial] * len(different),
            "ordinal": different.tolist(),
            "entered": entered.astype(np.int8).tolist(),
        },
    )
    count = int(entered.sum())
    return count, len(different) - count


def _stored(connection: Connection, name: int, serial: int, cause: Cause, members: Bools, stays: bytes | None) -> None:
    connection.execute(
        sa.insert(snapshots).values(
            name=name, serial=serial, cause=cause, members=int(members.sum()), bits=packed(members), stays=stays
        )
    )
