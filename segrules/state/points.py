"""The points account of customers: what came in, what was spent, what ran out.

In: entries, each of a row of some source; a customer and an instant.  Out: the ledger's `points`; a balance.  Always:
a row of a source counts once, however often it is posted; an entry is never changed; points are spent in the order in
which they run out, those that never do last; a balance is never below zero, and an instant `expires_at` is the first
at which the points are no longer there.

    balance([Entry(at=0, amount=100, expires_at=50), Entry(at=10, amount=-30, expires_at=None)], at=20)      # 70
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

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
    return sum(lot.left for lot in _lots(entries, at) if lot.until > at)


def _lots(entries: Iterable[Entry], at: int) -> list[_Lot]:
    """What is left of each entry that brought points, the soonest to run out first. Of one instant what comes in
    counts before what is spent."""
    lots: list[_Lot] = []
    for entry in sorted(entries, key=lambda each: (each.at, -each.amount)):
        if entry.at > at:
            break
        if entry.amount >= 0:
            lots.append(_Lot(entry.amount, _NEVER if entry.expires_at is None else entry.expires_at))
            lots.sort(key=attrgetter("until"))
            continue
        owed = -entry.amount
        for lot in lots:
            taken = min(owed, lot.left) if lot.until > entry.at else 0
            lot.left -= taken
            owed -= taken
    return lots


def balance_of(connection: Connection, customer: str, at: int) -> int:
    """The balance of a customer; zero for one whom the ledger does not know."""
    return balance(_entries(connection, customer), at)


def post(ledger: Ledger, entries: Sequence[NewPoints]) -> int:
    """Write down what came in and what was spent, all or nothing; how many entries were new. Raises `Refused` where
    more would be spent than is there, at any time, or a source row was posted with other points; `Conflict`."""
    with transaction(ledger, "points") as connection:
        numbers = _numbers(connection, [each.customer for each in entries])
        rows = {
            (each.source, each.row): {
                "customer": numbers[each.customer], "at": each.at, "reason": each.reason, "amount": each.amount,
                "expires_at": each.expires_at, "source": each.source, "source_row": each.row,
            }
            for each in entries
            if each.customer in numbers
        }  # fmt: skip
        known = _known(connection, list(rows))
        for place, amount in known.items():
            if rows[place]["amount"] != amount:
                raise Refused([Diagnostic("P982", NOWHERE, {"source": place[0], "row": place[1]}, Help("other"))])
        new = [row for place, row in rows.items() if place not in known]
        bulk.insert_once(connection, points, new, ("source", "source_row"))
        spent = {row["customer"] for row in new if row["amount"] < 0}
        for number in sorted(spent):
            _check(_of(connection, number))
        audit.add(connection, now(), "points", {"entries": len(new), "spent": sum(row["amount"] < 0 for row in new)})
    return len(new)


def _numbers(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Ordinals of customers whom the ledger knows. Points of others wait until a run has seen them."""
    found: dict[str, int] = {}
    distinct = sorted(set(keys))
    for at in range(0, len(distinct), _AT_ONCE):
        statement = sa.select(customers.c.key, customers.c.ordinal)
        some = connection.execute(statement.where(customers.c.key.in_(distinct[at : at + _AT_ONCE])))
        found.update((row.key, row.ordinal) for row in some)
    absent = len(distinct) - len(found)
    if absent:
        raise Refused([Diagnostic("P983", NOWHERE, {"n": absent}, Help("run"))])
    return found
