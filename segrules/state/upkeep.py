"""The ledger kept in order: a copy of it, its lock, what is long past, contacts whose end somebody had to find out.

In: a ledger.  Out: a file, or a ledger with less in it.  Always: a backup is of one moment and appears whole or not at
all; nothing that repeats, caps, budgets, hold-outs, balances and unsubscriptions need is ever pruned; the audit chain
goes on.

    backup(ledger, Path("ledger-2026-11-21.db"))
    prune(ledger, epoch, before=20_000)      # Pruned(serial=7, stays=120, …)

Names at the seam: ``backup.write backup.rename`` · ``resolve.commit prune.commit``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.diagnostics.refusals import reason
from segrules.errors import Refused, Unreachable
from segrules.source import NOWHERE
from segrules.state import audit
from segrules.state.accept import AWARD
from segrules.state.backup import to_file
from segrules.state.ledger import Ledger, now, synced, transaction
from segrules.state.memberships import forget_stays_before
from segrules.state.records import ContactState
from segrules.state.schema import LIVE, contacts, outbox, outcomes, points, runs

End = Literal["delivered", "not-sent"]
ENDS: dict[End, ContactState] = {"delivered": "delivered", "not-sent": "rejected"}
KEPT_OUTCOMES = ("unsubscribed", "subscribed", "task done")
"""What deciding asks for, however old."""

_VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pruned:
    """`serial`: of the last run whose details went, 0 where none is so old."""

    serial: int
    stays: int = 0
    contacts: int = 0
    outcomes: int = 0


def backup(ledger: Ledger, file: Path) -> None:
    """A copy of the ledger as it is now, also while others write: of SQLite a ledger, of PostgreSQL what `pg_restore`
    puts back. Raises `Refused` where *file* is there, `Unreachable`."""
    if file.exists():
        raise Refused([Diagnostic("P947", NOWHERE, {"file": file.as_posix()}, Help("other"))])
    if ledger.file is not None:
        to_file(ledger, file)
        return
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
        ledger.effect("backup.write", partial(_dumped, ledger, part, file))
        ledger.effect("backup.rename", partial(part.rename, file))
        synced(file.parent)
    except OSError as error:
        raise _unwritten(file, reason(error), "folder") from None
    finally:
        part.unlink(missing_ok=True)


def _dumped(ledger: Ledger, part: Path, file: Path) -> None:
    """By `pg_dump`, which gets the password by its environment, where no other user sees it."""
    program = shutil.which("pg_dump")
    if program is None:
        raise Unreachable([Diagnostic("P949", NOWHERE, {}, Help("install"))])
    given = ledger.engine.dialect.create_connect_args(ledger.engine.url)[1]
    known = {_VARIABLES[name]: str(value) for name, value in given.items() if name in _VARIABLES}
    schema = ledger.where.schema.replace('"', '""')
    command = [program, "--format=custom", f'--schema="{schema}"', "--no-owner", f"--file={part}"]
    done = subprocess.run(command, env=os.environ | known, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[:300].replace(known.get("PGPASSWORD") or "\0", "***")
        raise _unwritten(file, Words("system.other", {"reason": said}), "dump")
    with part.open("rb") as written:
        os.fsync(written.fileno())


def _unwritten(file: Path, why: Words, way_out: str) -> Unreachable:
    return Unreachable([Diagnostic("P948", NOWHERE, {"file": file.as_posix(), "reason": why}, Help(way_out))])


def resolve(ledger: Ledger, epoch: int, key: str, end: End) -> bool:
    """Say what became of a contact that is unknown; False where that was said already. Raises `Refused` for a key that
    no contact has and one that is not unknown."""
    with transaction(ledger, "resolve", epoch) as connection:
        found = connection.execute(
            sa.select(contacts.c.id, contacts.c.serial, contacts.c.state).where(contacts.c.key == key, LIVE)
        ).first()
        if found is None:
            raise Refused([Diagnostic("P957", NOWHERE, {"key": key}, Help("status"))])
        if found.state == ENDS[end]:
            return False
        if found.state != "unknown":
            raise Refused([Diagnostic("P958", NOWHERE, {"key": key, "state": found.state}, Help("status"))])
        this = contacts.c.id == found.id
        connection.execute(sa.update(contacts).where(this).values(state=ENDS[end], reason="resolved"))
        connection.execute(sa.delete(outbox).where(outbox.c.contact == found.id))
        if end == "not-sent":
            connection.execute(sa.delete(points).where(points.c.source == AWARD, points.c.source_row == key))
        audit.add(connection, now(), "resolve", {"serial": found.serial, "state": ENDS[end]})
        return True


def prune(ledger: Ledger, epoch: int, before: int) -> Pruned:
    """Drop details of finished runs whose as-of day is earlier than *before*: stays that had ended, cancelled contacts,
    outcomes that deciding does not ask for, hashes of payloads, the report of the plan."""
    with transaction(ledger, "prune", epoch) as connection:
        unfinished = connection.scalar(sa.select(sa.func.min(runs.c.serial)).where(runs.c.state == "unfinished"))
        old = sa.select(sa.func.max(runs.c.serial)).where(runs.c.as_of < before)
        if unfinished is not None:
            old = old.where(runs.c.serial < unfinished)
        serial = connection.scalar(old)
        if serial is None:
            return Pruned(0)
        aged = contacts.c.serial <= serial
        gone = connection.execute(
            sa.delete(outcomes).where(
                outcomes.c.contact.in_(sa.select(contacts.c.id).where(aged)), outcomes.c.kind.not_in(KEPT_OUTCOMES)
            )
        ).rowcount
        silent = contacts.c.id.not_in(sa.select(outcomes.c.contact))
        cancelled = connection.execute(
            sa.delete(contacts).where(aged, contacts.c.state == "cancelled", silent)
        ).rowcount
        connection.execute(sa.update(contacts).where(aged).values(payload=None, body_hash=None))
        connection.execute(sa.update(runs).where(runs.c.serial <= serial).values(report="{}"))
        done = Pruned(serial, forget_stays_before(connection, serial), cancelled, gone)
        audit.add(
            connection, now(), "prune",
            {"serial": serial, "stays": done.stays, "contacts": done.contacts, "outcomes": done.outcomes},
        )  # fmt: skip
        return done
