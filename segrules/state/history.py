"""What the ledger knows of the customers of a run, before it.

In: a connection of `snapshot`, the customers' keys in key order, the recorded names of today.  Out: `History`.  Always:
all of one moment; arrays are by row of the run; nobody is looked at one by one.

    history(connection, ["1", "2"], [("star", ()), ("gold", ("vip",))], "Asia/Shanghai")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.schema.calendar import local_day
from segrules.state import bulk
from segrules.state.bits import unpacked, unpacked_stays
from segrules.state.customers import are_forgotten, dictionary, ordinals
from segrules.state.ledger import identity
from segrules.state.names import Recorded, causes, recorded, resolved
from segrules.state.records import (
    CAUSES,
    CONTACT_STATES,
    COUNTING,
    Bools,
    ContactState,
    History,
    Ints,
    PastContacts,
    Standing,
)  # fmt: skip
from segrules.state.schema import LIVE, contacts, outcomes, runs

_TEXTS = ("action", "channel", "contact_class", "assignee", "per", "address")
_NUMBERS = ("id", "customer", "at", "serial", "n", "cost", "task")
_CONTACTS = pa.schema(
    [
        *((name, pa.int64()) for name in _NUMBERS),
        ("state", pa.string()),
        *((name, pa.string()) for name in _TEXTS),
    ]
)
_OUTCOMES = pa.schema([("customer", pa.int64()), ("channel", pa.string()), ("kind", pa.string())])


def history(
    connection: Connection, keys: Sequence[str], names: Iterable[tuple[str, tuple[str, ...]]], timezone: str
) -> History:
    """*names*: each recorded name of today, with its former ones, oldest first."""
    who = identity(connection)
    known = dictionary(connection)
    where = ordinals(known, keys)
    row_of = np.full(len(known), -1, np.int64)
    row_of[where[where >= 0]] = np.flatnonzero(where >= 0)
    every = bulk.read(connection, _statement(), _CONTACTS)
    last = connection.execute(sa.select(runs.c.as_of, runs.c.customers).order_by(runs.c.serial.desc()).limit(1)).first()
    why = causes(connection)
    going_on = resolved(recorded(connection), names)
    return History(
        identity=who,
        forgotten=are_forgotten(connection, who.pepper, keys, where),
        unsubscribed=_unsubscribed(connection, row_of, len(keys)),
        contacts=_past(connection, every, row_of, timezone),
        standing={name: _standing(each, why[each.id], where, len(known)) for name, each in going_on.items()},
        last_as_of=None if last is None else last.as_of,
        before=None if last is None else last.customers,
        gone=_gone(going_on.values(), where, len(known)),
    )


def _gone(names: Iterable[Recorded], where: Ints, total: int) -> int:
    """How many were a member of something, and are not in this run."""
    members = np.zeros(total + 1, np.bool_)
    for each in names:
        members |= unpacked(each.bits, total + 1)
    members[where] = False
    return int(members.sum())


def _statement() -> sa.Select[tuple[object, ...]]:
    wanted = [contacts.c[field.name] for field in _CONTACTS]
    return sa.select(*wanted).where(LIVE).order_by(contacts.c.id)


def _past(connection: Connection, every: pa.Table, row_of: Ints, timezone: str) -> PastContacts:
    numbers = {name: every.column(name).to_numpy() for name in _NUMBERS}
    codes: dict[str, Ints] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for name in _TEXTS:
        coded = every.column(name).combine_chunks().dictionary_encode()
        codes[name] = np.asarray(pc.fill_null(coded.indices, -1).cast(pa.int64()))
        texts[name] = tuple(coded.dictionary.to_pylist())
    state = np.asarray(
        pc.index_in(every.column("state"), value_set=pa.array(CONTACT_STATES, pa.string())).cast(pa.int64())
    )
    return PastContacts(
        row=row_of[numbers["customer"]],
        state=state,
        at=numbers["at"],
        day=_days(numbers["at"], timezone),
        serial=numbers["serial"],
        n=numbers["n"],
        cost=numbers["cost"],
        open=_open(connection, numbers, state),
        texts=texts,
        **codes,
    )


def _days(instants: Ints, timezone: str) -> Ints:
    """Local days; all contacts of a run have one instant, so there are few."""
    distinct, back = np.unique(instants, return_inverse=True)
    days = np.fromiter((local_day(instant, timezone) for instant in distinct.tolist()), np.int64, len(distinct))
    found: Ints = days[back]
    return found


def _open(connection: Connection, numbers: dict[str, Ints], state: Ints) -> Bools:
    """Tasks that somebody has or will have, and has not reported as done."""
    with_a_person = [CONTACT_STATES.index(each) for each in get_args(ContactState) if each in COUNTING - {"held_out"}]
    found: Bools = (numbers["task"] == 1) & np.isin(state, with_a_person)
    if found.any():
        done = list(connection.scalars(sa.select(outcomes.c.contact).where(outcomes.c.kind == "task done")))
        found &= ~np.isin(numbers["id"], np.array(done, np.int64))
    return found


def _unsubscribed(connection: Connection, row_of: Ints, count: int) -> dict[str, Bools]:
    """By channel: whose last word on it was to go, be it about a contact that was cancelled."""
    statement = (
        sa.select(contacts.c.customer, contacts.c.channel, outcomes.c.kind)
        .join_from(outcomes, contacts, outcomes.c.contact == contacts.c.id)
        .where(outcomes.c.kind.in_(("unsubscribed", "subscribed")))
        .order_by(outcomes.c.at, outcomes.c.id)
    )
    said = bulk.read(connection, statement, _OUTCOMES)
    found: dict[str, Bools] = {}
    rows = row_of[said.column("customer").to_numpy()]
    gone = np.asarray(pc.equal(said.column("kind"), "unsubscribed"))
    for row, channel, left in zip(rows.tolist(), said.column("channel").to_pylist(), gone.tolist(), strict=True):
        if row >= 0:
            found.setdefault(channel, np.zeros(count, np.bool_))[row] = left
    return found


def _standing(name: Recorded, why: dict[int, str], where: Ints, total: int) -> Standing:
    inside = unpacked(name.bits, total + 1)
    members = inside[where]
    if name.stays is None:
        cause = np.broadcast_to(np.int8(CAUSES.index(why[name.latest])), len(where))
        since = np.broadcast_to(np.int64(name.latest), len(where))
        return Standing(name.fingerprint, members, cause, since, name.members)
    stays = np.zeros(total + 1, np.int64)
    stays[inside] = unpacked_stays(name.stays)
    since = stays[where]
    codes = np.zeros(max(why) + 1, np.int8)
    for serial, cause_then in why.items():
        codes[serial] = CAUSES.index(cause_then)
    return Standing(name.fingerprint, members, codes[since], since, name.members)
