"""A person is forgotten: what the ledger holds of them is given out, then no longer theirs.

In: a customer's key.  Out: what is held, as plain values; a ledger in which nobody can be found by it.  Always: one
transaction; keys of the customer and of their contacts become random, hashes of addresses and payloads go, what was
not sent is cancelled; counts, budgets and the audit chain stay as they were; a mark (an HMAC under the ledger's
pepper) keeps the person from ever being contacted again; the bytes are overwritten in the file, not just let go.

    with locked(ledger, owner) as epoch:
        forget(ledger, epoch, "C00042")      # Forgotten(contacts=3, cancelled=1, …)
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help, Words
from segrules.errors import Conflict, Unreachable
from segrules.source import NOWHERE
from segrules.state import audit, bulk
from segrules.state.accept import AWARD
from segrules.state.customers import mark, nobody
from segrules.state.ledger import Ledger, identity, now, transaction
from segrules.state.memberships import stays_of_customer
from segrules.state.schema import (
    batches,
    contacts,
    customers,
    forgotten,
    outbox,
    outcomes,
    points,
    runs,
)
from segrules.state.trouble import troubles

REASON = "forgotten"
"""`contacts.reason` of what was not sent because of it."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`before`: they had been forgotten already; `known`: the ledger held something of them."""

    known: bool
    before: bool
    contacts: int = 0
    cancelled: int = 0
    unknown: int = 0
    points: int = 0


def held(connection: Connection, key: str) -> dict[str, Any]:
    """All that the ledger holds of a customer, by table; instants in microseconds, days since 1970-01-01."""
    number = connection.scalar(sa.select(customers.c.ordinal).where(customers.c.key == key))
    if number is None:
        return {}
    of_contact = sa.select(contacts).where(contacts.c.customer == number).order_by(contacts.c.id)
    payloads = (
        sa.select(contacts.c.key, outbox.c.body)
        .join_from(outbox, contacts, outbox.c.contact == contacts.c.id)
        .where(contacts.c.customer == number)
    )
    said = (
        sa.select(contacts.c.key, outcomes.c.kind, outcomes.c.at, outcomes.c.value)
        .join_from(outcomes, contacts, outcomes.c.contact == contacts.c.id)
        .where(contacts.c.customer == number)
        .order_by(outcomes.c.id)
    )
    account = sa.select(points).where(points.c.customer == number).order_by(points.c.id)
    hidden = {"id", "customer"}
    return {
        "customer": key,
        "memberships": memberships_of(connection, number),
        "contacts": [_plain(row, hidden) for row in connection.execute(of_contact)],
        "payloads": [{"key": row.key, "body": bytes(row.body).decode()} for row in connection.execute(payloads)],
        "points": [_plain(row, hidden) for row in connection.execute(account)],
        "outcomes": [_plain(row, set()) for row in connection.execute(said)],
    }


def is_forgotten(connection: Connection, key: str) -> bool:
    """Whether a customer asked to be forgotten."""
    sealed = mark(identity(connection).pepper, key)
    return connection.scalar(sa.select(forgotten.c.mark).where(forgotten.c.mark == sealed)) is not None


def memberships_of(connection: Connection, number: int) -> list[dict[str, Any]]:
    """The stays of one customer, by ordinal: name, as-of day and serial of entering and leaving."""
    days = {row.serial: row.as_of for row in connection.execute(sa.select(runs.c.serial, runs.c.as_of))}
    return [
        {
            "name": name, "entered": days.get(entered), "left": days.get(left), "entered_with": entered,
            "left_with": left or None,
        }
        for name, entered, left in stays_of_customer(connection, number)
    ]  # fmt: skip


def forget(ledger: Ledger, epoch: int, key: str) -> Forgotten:
    """Forget a customer, whether the ledger knows them or not. Raises `Conflict` while a batch that may have been
    published holds them: the run has to come to its end first."""
    with transaction(ledger, "forget", epoch) as connection:
        number = connection.scalar(sa.select(customers.c.ordinal).where(customers.c.key == key))
        sealed = mark(identity(connection).pepper, key)
        before = is_forgotten(connection, key)
        at = now()
        bulk.insert_once(connection, forgotten, [{"mark": sealed, "at": at}], ("mark",))
        done = Forgotten(False, before)
        if number is not None:
            _check_batches(connection, number)
            done = _forget(connection, number, before)
        if number is not None or not before:
            audit.add(connection, at, "forget", {"contacts": done.contacts, "cancelled": done.cancelled})
    _overwrite(ledger)
    return done


def _forget(connection: Connection, number: int, before: bool) -> Forgotten:
    of_customer = contacts.c.customer == number
    connection.execute(sa.update(customers).where(customers.c.ordinal == number).values(key=nobody()))
    ids = list(connection.scalars(sa.select(contacts.c.id).where(of_customer)))
    connection.execute(sa.delete(outbox).where(outbox.c.contact.in_(sa.select(contacts.c.id).where(of_customer))))
    waiting = sa.select(contacts.c.key).where(of_customer, contacts.c.state == "reserved")
    connection.execute(sa.delete(points).where(points.c.source == AWARD, points.c.source_row.in_(waiting)))
    ended = {
        state: connection.execute(
            sa.update(contacts).where(of_customer, contacts.c.state == was).values(state=state, reason=REASON)
        ).rowcount
        for was, state in (("reserved", "cancelled"), ("sending", "unknown"))
    }
    blank: Mapping[str, Any] = {"address": None, "payload": None, "body_hash": None}
    for each in ids:
        connection.execute(sa.update(contacts).where(contacts.c.id == each).values(key=secrets.token_hex(16), **blank))
    entries = list(connection.scalars(sa.select(points.c.id).where(points.c.customer == number)))
    for each in entries:
        this = points.c.id == each
        connection.execute(sa.update(points).where(this).values(source_row=secrets.token_hex(16)))
    return Forgotten(True, before, len(ids), ended["cancelled"], ended["unknown"], len(entries))


def _check_batches(connection: Connection, number: int) -> None:
    """What is prepared may be with the receiver already; only the run's end tells."""
    held_by = (
        sa.select(batches.c.serial)
        .join_from(batches, contacts, contacts.c.batch == batches.c.id)
        .where(contacts.c.customer == number, contacts.c.state == "reserved", batches.c.state == "prepared")
    )
    serial = connection.scalar(held_by.limit(1))
    if serial is not None:
        raise Conflict([Diagnostic("P946", NOWHERE, {"serial": serial}, Help("resume"))])


def _overwrite(ledger: Ledger) -> None:
    """SQLite wrote zeros over what went (`secure_delete`); the journal still has it until it is taken over and cut.
    PostgreSQL lets go of dead rows when told to."""
    with troubles(ledger.where), ledger.engine.connect() as connection:
        if ledger.file is not None:
            waits = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
            if waits:
                arguments: dict[str, Argument] = {"place": ledger.place, "reason": Words("ledger.busy")}
                raise Unreachable([Diagnostic("P908", NOWHERE, arguments, Help("again"))])
            return
        at_once = connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in (customers, contacts, outbox, points):
            at_once.exec_driver_sql(f"VACUUM {table.name}")


def _plain(row: Any, hidden: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in hidden}
