"""The points account of customers: what came in, what was spent, what ran out.

In: entries, each of a row of some source; a customer and an instant.  Out: the ledger's `points`; a balance.  Always:
a row of a source counts once, however often it is posted; an entry is never changed; points are spent in the order in
which they run out, those that never do last; a balance is never below zero, and an instant `expires_at` is the first
at which the points are no longer there.

    balance([Entry(at=0, amount=100, expires_at=50), Entry(at=10, amount=-30, expires_at=None)], at=20)      # 70
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import Refused
from segrules.source import NOWHERE
from segrules.state import audit, bulk
from segrules.state.ledger import Ledger, now, transaction
from segrules.state.records import NewPoints
from segrules.state.schema import customers, points

_NEVER = 2**63 - 1
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """Points that came in (above zero) or were spent."""

    at: int
    amount: int
    expires_at: int | None


@dataclass(slots=True)
class _Lot:
    left: int
    until: int


def balance(entries: Iterable[Entry], at: int) -> int:
    """The points that are there at an instant."""
    lots, _ = _spent([each for each in entries if each.at <= at])
    return sum(lot.left for lot in lots if lot.until > at)


def overspent(entries: Iterable[Entry]) -> int:
    """By how much an account was ever overspent."""
    return _spent(entries)[1]


def _spent(entries: Iterable[Entry]) -> tuple[list[_Lot], int]:
    """What is left of each entry that brought points, and what was spent and not there. Of one instant what comes in
    counts before what is spent."""
    lots: list[_Lot] = []
    lacking = 0
    for entry in sorted(entries, key=lambda each: (each.at, -each.amount)):
        if entry.amount >= 0:
            lots.append(_Lot(entry.amount, _NEVER if entry.expires_at is None else entry.expires_at))
            lots.sort(key=attrgetter("until"))
            continue
        owed = -entry.amount
        for lot in lots:
            taken = min(owed, lot.left) if lot.until > entry.at else 0
            lot.left -= taken
            owed -= taken
        lacking += owed
    return lots, lacking


def balance_of(connection: Connection, customer: str, at: int) -> int:
    """The balance of a customer, by key; zero for one whom the ledger does not know."""
    number = sa.select(customers.c.ordinal).where(customers.c.key == customer).scalar_subquery()
    return balance(_entries(connection, points.c.customer == number), at)


def post(ledger: Ledger, entries: Sequence[NewPoints]) -> int:
    """Write down what came in and what was spent, all of it or nothing; how many entries were new. Raises `Refused`
    for a customer whom the ledger does not know, where more would be spent than is there, and for a row of a source
    that was posted with other points."""
    with transaction(ledger, "points") as connection:
        numbers = _numbers(connection, sorted({each.customer for each in entries}))
        rows: list[dict[str, Any]] = [
            {
                "customer": numbers[each.customer], "at": each.at, "reason": each.reason, "amount": each.amount,
                "expires_at": each.expires_at, "source": each.source, "source_row": each.row,
            }
            for each in entries
        ]  # fmt: skip
        before = connection.scalar(sa.select(sa.func.count()).select_from(points)) or 0
        bulk.insert_once(connection, points, rows, ("source", "source_row"))
        new = (connection.scalar(sa.select(sa.func.count()).select_from(points)) or 0) - before
        for row in rows if new < len(rows) else ():
            _check_same(connection, row)
        for number in sorted({row["customer"] for row in rows if row["amount"] < 0}):
            if lacking := overspent(_entries(connection, points.c.customer == number)):
                raise Refused([Diagnostic("P943", NOWHERE, {"n": lacking}, Help("balance"))])
        audit.add(connection, now(), "points", {"entries": new, "amount": sum(each.amount for each in entries)})
    return new


def _check_same(connection: Connection, row: Mapping[str, Any]) -> None:
    """What is posted again must be what was posted."""
    this = sa.and_(points.c.source == row["source"], points.c.source_row == row["source_row"])
    found = connection.execute(sa.select(points.c.customer, points.c.amount).where(this)).one()
    if found.customer != row["customer"] or found.amount != row["amount"]:
        raise Refused([Diagnostic("P942", NOWHERE, {"source": row["source"], "row": row["source_row"]}, Help("row"))])


def _numbers(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at in range(0, len(keys), _AT_ONCE):
        known = sa.select(customers.c.key, customers.c.ordinal).where(customers.c.key.in_(keys[at : at + _AT_ONCE]))
        found.update((row.key, row.ordinal) for row in connection.execute(known))
    if absent := len(keys) - len(found):
        raise Refused([Diagnostic("P941", NOWHERE, {"n": absent}, Help("run"))])
    return found


def _entries(connection: Connection, which: sa.ColumnElement[bool]) -> list[Entry]:
    found = sa.select(points.c.at, points.c.amount, points.c.expires_at).where(which).order_by(points.c.id)
    return [Entry(row.at, row.amount, row.expires_at) for row in connection.execute(found)]
