"""What a run owes: its batches, the stored bytes of each contact, and what became of them.

In: the epoch of the lock, batches and contacts by their ids and keys.  Out: the next state, in one transaction each.
Always: a state changes only as the protocol says (reserved → sending → delivered, rejected, unknown, or back to
reserved; reserved → cancelled), so saying a thing twice changes nothing; the stored bytes are gone with the contact's
end; a run is finished only when nothing of it is open and every contact that it planned has a state.

    prepare(ledger, epoch, "7c1e…/winback.sms", sha256)
    deliver(ledger, epoch, "7c1e…/winback.sms")
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state import audit
from segrules.state.accept import AWARD
from segrules.state.ledger import Ledger, now, transaction
from segrules.state.records import BatchState, ContactState, Payload
from segrules.state.runs import contact_counts
from segrules.state.schema import LIVE, batches, contacts, customers, outbox, points, runs

Settled = Literal["delivered", "rejected", "unknown", "reserved", "cancelled"]
"""What can become of a contact that was sent; `reserved`: nothing happened, it may be sent again."""

_OPEN: tuple[ContactState, ...] = ("reserved", "sending")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the ledger has it; `settings` are those that its sink had when the run was accepted."""

    id: str
    serial: int
    action: str
    channel: str
    sink: str
    kind: str
    name: str
    settings: Mapping[str, object]
    state: BatchState
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as the ledger has it, with the customer's key."""

    key: str
    customer: str
    action: str
    n: int
    state: ContactState
    channel: str
    contact_class: str
    variant: str | None
    batch: str | None
    address: str | None
    payload: str | None
    attempt: int
    body_hash: str | None
    reason: str | None


def open_batches(connection: Connection, run: int) -> list[Batch]:
    """The batches of a run (by its serial) that are not done, in the order of the plan."""
    return [each for each in all_batches(connection, run) if each.state != "done"]


def all_batches(connection: Connection, run: int) -> list[Batch]:
    found = connection.execute(sa.select(batches).where(batches.c.serial == run).order_by(batches.c.place))
    return [
        Batch(
            row.id, row.serial, row.action, row.channel, row.sink, row.kind, row.name, json.loads(row.settings),
            row.state, row.sha256,
        )
        for row in found
    ]  # fmt: skip


def payloads(connection: Connection, batch: str, states: Sequence[ContactState] = _OPEN) -> list[Payload]:
    """What is still owed of a batch, in the order of the plan: the bytes of contacts in one of *states*."""
    statement = (
        sa.select(contacts.c.key, outbox.c.batch, outbox.c.body, outbox.c.not_before, outbox.c.zone)
        .join_from(outbox, contacts, outbox.c.contact == contacts.c.id)
        .where(outbox.c.batch == batch, contacts.c.state.in_(states))
        .order_by(contacts.c.id)
    )
    return [
        Payload(row.key, row.batch, bytes(row.body), row.not_before, row.zone) for row in connection.execute(statement)
    ]


def run_contacts(connection: Connection, run: int, states: Sequence[ContactState] | None = None) -> list[Contact]:
    """The contacts of a run (by its serial), in the order of the plan."""
    columns = [customers.c.key if name == "customer" else contacts.c[name] for name in Contact.__dataclass_fields__]
    statement = (
        sa.select(*columns)
        .join_from(contacts, customers, contacts.c.customer == customers.c.ordinal)
        .where(contacts.c.serial == run)
        .order_by(contacts.c.id)
    )
    if states is not None:
        statement = statement.where(contacts.c.state.in_(states))
    return [Contact(*row) for row in connection.execute(statement)]


def prepare(ledger: Ledger, epoch: int, batch: str, sha256: str) -> None:
    """Everything is ready to be published and has this hash."""
    with transaction(ledger, "outbox.prepare", epoch) as connection:
        this = sa.and_(batches.c.id == batch, batches.c.state.in_(("pending", "prepared")))
        connection.execute(sa.update(batches).where(this).values(state="prepared", sha256=sha256))


def reopen(ledger: Ledger, epoch: int, batch: str) -> None:
    """What was prepared is out of date and will be prepared anew."""
    with transaction(ledger, "outbox.reopen", epoch) as connection:
        this = sa.and_(batches.c.id == batch, batches.c.state == "prepared")
        connection.execute(sa.update(batches).where(this).values(state="pending", sha256=None))


def deliver(ledger: Ledger, epoch: int, batch: str) -> None:
    """The batch was published: all that it owed is delivered."""
    with transaction(ledger, "outbox.deliver", epoch) as connection:
        this = sa.and_(contacts.c.batch == batch, contacts.c.state.in_(_OPEN))
        connection.execute(sa.update(contacts).where(this).values(state="delivered"))
        _close(connection, batch)


def send(ledger: Ledger, epoch: int, batch: str, keys: Sequence[str], attempt: int, body_hash: str) -> None:
    """A window is about to be posted."""
    with transaction(ledger, "outbox.send", epoch) as connection:
        for some in _in_parts(keys):
            this = sa.and_(contacts.c.key.in_(some), LIVE, contacts.c.state.in_(("reserved", "sending", "unknown")))
            changed = {"state": "sending", "attempt": attempt, "body_hash": body_hash, "reason": None}
            connection.execute(sa.update(contacts).where(this).values(changed))
        still = sa.and_(batches.c.id == batch, batches.c.state != "done")
        connection.execute(sa.update(batches).where(still).values(state="sending"))


def settle(
    ledger: Ledger, epoch: int, batch: str, states: Mapping[str, Settled], reasons: Mapping[str, str] | None = None
) -> None:
    """What became of a window. The bytes of what is unknown stay until the batch is closed. A reason never holds
    anything of a person."""
    because = reasons or {}
    together: dict[tuple[Settled, str | None], list[str]] = {}
    for key, state in states.items():
        together.setdefault((state, because.get(key)), []).append(key)
    with transaction(ledger, "outbox.settle", epoch) as connection:
        for (state, reason), keys in together.items():
            for some in _in_parts(keys):
                _end(connection, some, state, reason, ("reserved", "sending", "unknown"))


def close(ledger: Ledger, epoch: int, batch: str) -> None:
    """Nothing more will be sent of a batch. Contacts of it that are still open are a mistake of this program."""
    with transaction(ledger, "outbox.close", epoch) as connection:
        _close(connection, batch)


def cancel(ledger: Ledger, epoch: int, keys: Iterable[str], reason: str) -> None:
    """Contacts that were never sent and will not be."""
    with transaction(ledger, "outbox.cancel", epoch) as connection:
        for some in _in_parts(list(keys)):
            _end(connection, some, "cancelled", reason, ("reserved",))


def abandon(ledger: Ledger, epoch: int, serial: int, reason: str) -> None:
    """Nothing more of a run: what was not sent is cancelled, what was being sent is unknown, every batch is done."""
    with transaction(ledger, "outbox.abandon", epoch) as connection:
        of_run = contacts.c.serial == serial
        sending = sa.update(contacts).where(of_run, contacts.c.state == "sending")
        connection.execute(sending.values(state="unknown", reason=reason))
        keys = sa.select(contacts.c.key).where(of_run, contacts.c.state == "reserved")
        for some in _in_parts(list(connection.scalars(keys))):
            _end(connection, some, "cancelled", reason, ("reserved",))
        for batch in open_batches(connection, serial):
            _close(connection, batch.id)
        audit.add(connection, now(), "abandon", {"serial": serial, "contacts": _some(connection, serial)})


def finish(ledger: Ledger, epoch: int, serial: int) -> None:
    """The run has come to its end: no batch is open, no contact waits, and there are as many as it planned."""
    with transaction(ledger, "outbox.finish", epoch) as connection:
        planned, state = connection.execute(
            sa.select(runs.c.contacts, runs.c.state).where(runs.c.serial == serial)
        ).one()
        if state == "finished":
            return
        counts = contact_counts(connection, serial)
        left = len(open_batches(connection, serial))
        waiting = counts["reserved"] + counts["sending"]
        if left or waiting or sum(counts.values()) != planned:
            raise AssertionError(
                f"run {serial}: {left} batches open, {waiting} contacts wait, {dict(counts)} of {planned}"
            )
        at = now()
        connection.execute(sa.update(runs).where(runs.c.serial == serial).values(state="finished", finished_at=at))
        audit.add(connection, at, "finish", {"serial": serial, "contacts": _some(connection, serial)})


def _end(
    connection: Connection, keys: Sequence[str], state: Settled, reason: str | None, come_from: Sequence[ContactState]
) -> None:
    found = sa.select(contacts.c.id, contacts.c.key).where(
        contacts.c.key.in_(keys), LIVE, contacts.c.state.in_(come_from)
    )
    ids = {row.id: row.key for row in connection.execute(found)}
    if not ids:
        return
    connection.execute(sa.update(contacts).where(contacts.c.id.in_(ids)).values(state=state, reason=reason))
    if state in ("delivered", "rejected", "cancelled"):
        connection.execute(sa.delete(outbox).where(outbox.c.contact.in_(ids)))
    if state in ("rejected", "cancelled"):
        awarded = sa.and_(points.c.source == AWARD, points.c.source_row.in_(ids.values()))
        connection.execute(sa.delete(points).where(awarded))


def _close(connection: Connection, batch: str) -> None:
    connection.execute(sa.delete(outbox).where(outbox.c.batch == batch))
    connection.execute(sa.update(batches).where(batches.c.id == batch).values(state="done"))


def _some(connection: Connection, serial: int) -> dict[str, int]:
    return {state: count for state, count in contact_counts(connection, serial).items() if count}


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(keys), _AT_ONCE):
        yield keys[at : at + _AT_ONCE]
