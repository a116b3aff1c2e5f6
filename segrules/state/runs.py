"""The runs of a ledger, and how far they are.

In: a connection.  Out: `Run` and counts.  Always: newest run last; a run is unfinished until everything that it owes
has an end.

    unfinished(connection)       # None, or the one run that has to go on first
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state.records import CONTACT_STATES, ContactState, RunState
from segrules.state.schema import contacts
from segrules.state.schema import runs as table

LEAST_DIGITS = 4
"""Of a plan's id, to name a run by it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was accepted. `contacts`: how many it planned; `report`: as of `NewRun`."""

    serial: int
    plan_id: str
    state: RunState
    as_of: int
    planned_at: int
    applied_at: int
    finished_at: int | None
    model: str
    version: str
    commit: str | None
    clean: bool | None
    environment: str
    author: str
    with_actions: bool
    customers: int
    contacts: int
    report: str


def unfinished(connection: Connection) -> Run | None:
    """The run that was accepted and not carried out to its end."""
    return _first(connection, sa.select(table).where(table.c.state == "unfinished").order_by(table.c.serial))


def by_plan(connection: Connection, plan_id: str) -> Run | None:
    return _first(connection, sa.select(table).where(table.c.plan_id == plan_id))


def by_serial(connection: Connection, serial: int) -> Run | None:
    return _first(connection, sa.select(table).where(table.c.serial == serial))


def named(connection: Connection, text: str) -> list[Run]:
    """The runs that *text* may mean: a serial, or at least the first digits of a plan's id."""
    every = runs(connection)
    found = [each for each in every if str(each.serial) == text]
    if not found and len(text) >= LEAST_DIGITS:
        found = [each for each in every if each.plan_id.startswith(text.lower())]
    return found


def runs(connection: Connection) -> list[Run]:
    return [_run(row) for row in connection.execute(sa.select(table).order_by(table.c.serial))]


def last(connection: Connection) -> Run | None:
    return _first(connection, sa.select(table).order_by(table.c.serial.desc()).limit(1))


def contact_counts(connection: Connection, serial: int) -> Mapping[ContactState, int]:
    """How many contacts of a run are in each state, also where none is."""
    counted = sa.select(contacts.c.state, sa.func.count()).where(contacts.c.serial == serial).group_by(contacts.c.state)
    found = {row[0]: row[1] for row in connection.execute(counted)}
    return {state: found.get(state, 0) for state in CONTACT_STATES}


def _first(connection: Connection, statement: sa.Select[tuple[object, ...]]) -> Run | None:
    row = connection.execute(statement).first()
    return None if row is None else _run(row)


def _run(row: sa.Row[tuple[object, ...]]) -> Run:
    values = dict(row._mapping)
    values["commit"] = values.pop("git_commit")
    clean = values.pop("git_clean")
    values["clean"] = None if clean is None else bool(clean)
    values["with_actions"] = bool(values["with_actions"])
    return Run(**values)
