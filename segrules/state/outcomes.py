"""What became of contacts: delivered, opened, replied, unsubscribed, done.

In: reports by the key of the contact.  Out: the ledger's `outcomes`.  Always: all of a file is recorded or nothing; a
report counts once, however often it is posted; who reports on a contact that was never sent is told so; an
unsubscription holds from the next run on (`history`), and a task that is done is no longer open; a report of the
receiver proves that a contact whose end was unknown did arrive.

    record(ledger, [Report("6b1e…", "opened", at)])      # Recorded(new=1, before=0, …)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state import audit, bulk
from segrules.state.ledger import Ledger, now, transaction
from segrules.state.records import ContactState, OutcomeKind
from segrules.state.schema import contacts, outbox, outcomes

NEVER_SENT: tuple[ContactState, ...] = ("held_out",)
TAKEN_FOR_UNSENT: tuple[ContactState, ...] = ("unknown", "rejected", "cancelled")
ARRIVED: tuple[OutcomeKind, ...] = ("delivered", "opened", "clicked", "replied", "unsubscribed", "satisfaction")
"""What only somebody whom the contact reached can do."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Report:
    """`key` is that of the contact; `at` an instant; `value` in 1/10,000."""

    key: str
    kind: OutcomeKind
    at: int
    value: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """`new` by kind; `before`: how many were recorded already. Reports by their place in what was given: `unknown`
    ones, whose key no contact of the ledger has; `unsent`, of contacts that were never sent; `other`, recorded
    already with another value. Nothing was recorded where the last two are not empty, nor, unless asked for, the
    first."""

    new: Mapping[str, int] = field(default_factory=dict)
    before: int = 0
    unknown: tuple[int, ...] = ()
    unsent: tuple[int, ...] = ()
    other: tuple[int, ...] = ()


def record(ledger: Ledger, reports: Sequence[Report], source: str = "", skip_unknown: bool = False) -> Recorded:
    """Record all of *reports* in one transaction. *source*: a hash of where they come from, for the audit."""
    with transaction(ledger, "record") as connection:
        found = _contacts(connection, sorted({each.key for each in reports}))
        unknown = tuple(at for at, each in enumerate(reports) if each.key not in found)
        unsent = tuple(
            at for at, each in enumerate(reports) if each.key in found and found[each.key].state in NEVER_SENT
        )
        if unsent or (unknown and not skip_unknown):
            return Recorded(unknown=unknown, unsent=unsent)
        known = _outcomes(connection, sorted({each.id for each in found.values()}))
        new: dict[tuple[int, str, int], int | None] = {}
        other = []
        for at, each in enumerate(reports):
            if each.key not in found:
                continue
            place = (found[each.key].id, each.kind, each.at)
            if place in known or place in new:
                value = known[place] if place in known else new[place]
                other += [at] if value != each.value else []
            else:
                new[place] = each.value
        if other:
            return Recorded(unknown=unknown, other=tuple(other))
        rows = [{"contact": c, "kind": kind, "at": at, "value": value} for (c, kind, at), value in new.items()]
        bulk.insert_once(connection, outcomes, rows, ("contact", "kind", "at"))
        _arrived(connection, sorted({number for number, kind, _ in new if kind in ARRIVED}))
        kinds = dict(sorted(Counter(kind for _, kind, _ in new).items()))
        if new:
            audit.add(connection, now(), "record", {"outcomes": kinds, "source": source})
        return Recorded(kinds, len(reports) - len(unknown) - len(new), unknown)


@dataclass(frozen=True, slots=True)
class _Contact:
    id: int
    state: ContactState


def _contacts(connection: Connection, keys: Sequence[str]) -> dict[str, _Contact]:
    """By key; of several that were cancelled the last, unless another is alive."""
    found: dict[str, _Contact] = {}
    for at in range(0, len(keys), _AT_ONCE):
        statement = sa.select(contacts.c.key, contacts.c.id, contacts.c.state).order_by(contacts.c.id)
        some = connection.execute(statement.where(contacts.c.key.in_(keys[at : at + _AT_ONCE]))).all()
        for row in sorted(some, key=lambda each: each.state != "cancelled"):
            found[row.key] = _Contact(row.id, row.state)
    return found


def _outcomes(connection: Connection, ids: Sequence[int]) -> dict[tuple[int, str, int], int | None]:
    found: dict[tuple[int, str, int], int | None] = {}
    for at in range(0, len(ids), _AT_ONCE):
        statement = sa.select(outcomes.c.contact, outcomes.c.kind, outcomes.c.at, outcomes.c.value)
        some = connection.execute(statement.where(outcomes.c.contact.in_(ids[at : at + _AT_ONCE])))
        found.update(((row.contact, row.kind, row.at), row.value) for row in some)
    return found


def _arrived(connection: Connection, ids: Sequence[int]) -> None:
    for at in range(0, len(ids), _AT_ONCE):
        these = sa.and_(contacts.c.id.in_(ids[at : at + _AT_ONCE]), contacts.c.state.in_(TAKEN_FOR_UNSENT))
        proved = list(connection.scalars(sa.select(contacts.c.id).where(these)))
        if proved:
            this = contacts.c.id.in_(proved)
            connection.execute(sa.update(contacts).where(this).values(state="delivered", reason=None))
            connection.execute(sa.delete(outbox).where(outbox.c.contact.in_(proved)))
