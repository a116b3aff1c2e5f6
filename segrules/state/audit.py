"""What was done to the ledger, one entry after another, each sealed with the one before.

In: what was done, as counts and hashes.  Out: rows of `audit`.  Always: no entry holds a person; the digest of an entry
covers all it says and the digest before, so that an entry cannot be changed or taken out from between unnoticed.

    add(connection, now, "accept", {"serial": 7, "contacts": 4500})
    verify(connection)      # None, or the number of the first entry that is not what was written
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state.schema import audit

BEGINNING = "0" * 64


def add(connection: Connection, at: int, what: str, detail: Mapping[str, object]) -> None:
    """Put an entry at the end."""
    last = connection.execute(sa.select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, previous = (1, BEGINNING) if last is None else (last.seq + 1, last.digest)
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    sealed = digest(seq, at, what, text, previous)
    connection.execute(
        sa.insert(audit).values(seq=seq, at=at, what=what, detail=text, previous=previous, digest=sealed)
    )


def verify(connection: Connection) -> int | None:
    """The number of the first entry that is missing, changed or out of line; None if all is well."""
    expected, previous = 1, BEGINNING
    for row in connection.execute(sa.select(audit).order_by(audit.c.seq)):
        sealed = digest(row.seq, row.at, row.what, row.detail, row.previous)
        if row.previous != previous or row.digest != sealed:
            return expected
        expected, previous = expected + 1, row.digest
    return None


def digest(seq: int, at: int, what: str, detail: str, previous: str) -> str:
    """SHA-256 of an entry as JSON."""
    return hashlib.sha256(json.dumps([seq, at, what, detail, previous], ensure_ascii=False).encode()).hexdigest()
