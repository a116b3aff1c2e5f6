"""The recorded names of a ledger: segments, lists, cases and actions, through their renames.

In: the names of today with what they were called before.  Out: which recorded name each of them is.  Always: every
recorded name is at most one of today's; a rename counts where today's name is not recorded yet, the newest of its
former names first; then a name is itself; `fingerprint` is "" of a name that vanished, so that its return is a change
of rule.

    resolved({"vip": known}, [("gold", ("vip",))])      # {"gold": known}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state.schema import names, snapshots

VANISHED = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A name and what it was after the last run; `latest` is the serial of its latest snapshot, `bits` and `stays` are
    of that one."""

    id: int
    name: str
    fingerprint: str
    latest: int
    members: int
    bits: bytes
    stays: bytes | None


def recorded(connection: Connection) -> dict[str, Recorded]:
    """Every name that the ledger ever saw, with its latest snapshot."""
    joined = sa.join(names, snapshots, sa.and_(snapshots.c.name == names.c.id, snapshots.c.serial == names.c.latest))
    statement = sa.select(
        names.c.id, names.c.name, names.c.fingerprint, names.c.latest,
        snapshots.c.members, snapshots.c.bits, snapshots.c.stays,
    ).select_from(joined).order_by(names.c.id)  # fmt: skip
    return {row.name: Recorded(*row) for row in connection.execute(statement)}


def resolved(known: Mapping[str, Recorded], wanted: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, Recorded]:
    """By today's name, the recorded one that it goes on with; a name that is new is not in it."""
    asked = list(wanted)
    found: dict[str, Recorded] = {}
    taken: set[str] = set()
    for name, previously in asked:
        if name in known:
            continue
        for former in reversed(previously):
            if former in known and former not in taken:
                found[name] = known[former]
                taken.add(former)
                break
    for name, _ in asked:
        if name in known and name not in taken:
            found[name] = known[name]
    return found


def causes(connection: Connection) -> dict[int, dict[int, str]]:
    """By name and serial, why customers entered there."""
    found: dict[int, dict[int, str]] = {}
    for row in connection.execute(sa.select(snapshots.c.name, snapshots.c.serial, snapshots.c.cause)):
        found.setdefault(row.name, {})[row.serial] = row.cause
    return found
